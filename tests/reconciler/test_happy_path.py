"""From a private endpoint awaiting approval to a tested private connection."""

from __future__ import annotations

import pytest

from shared.core.model.services import Family, parse_services
from shared.settings.services import shipped_table
from tests.harness.estate import HOSTED, Estate

MADE_UP = (
    "hosted,marsnorth,marsnorth-prod-099-privatelink-service.12345678-1234-1234-1234-123456789abc.marsnorth"
    ".azure.privatelinkservice,privatelink.marsnorth.azure.elastic-cloud.com\n"
)
"""A region as its row in `services.csv` would say it; no other file knows of it."""


@pytest.mark.parametrize("region", [service.region for service in HOSTED])
async def test_an_endpoint_is_connected_in_every_hosted_region(estate: Estate, region: str) -> None:
    await connect(estate, region)


async def test_a_new_region_is_one_row_of_the_table() -> None:
    services = parse_services(shipped_table() + MADE_UP)
    assert services.of(Family.HOSTED, "marsnorth") is not None
    await connect(await Estate(services=services).open(), "marsnorth")


async def connect(estate: Estate, region: str) -> None:
    """From the endpoint to the tested connection."""
    endpoint = await estate.put_endpoint(region=region)
    await estate.settle()
    connection = await estate.ready(endpoint)
    deployment = next(d for d in estate.elastic.deployments() if d.name == f"logs-{region}")
    (policy,) = estate.policies_of(endpoint)
    assert policy.region == f"azure-{region}"
    assert policy.include_by_default is False
    assert policy.id in {attached.id for attached in estate.elastic.attached(deployment.id)}
    assert estate.zone(region).a_record("*") == [connection.identity.address]
    assert [check.reason for check in await estate.hosts(endpoint)] == ["Reachable"] * 4
    assert (await estate.hosts(endpoint))[0].host == deployment.private_host("es")
