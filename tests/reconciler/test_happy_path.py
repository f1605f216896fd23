"""From a private endpoint awaiting approval to a tested private connection."""

from __future__ import annotations

import pytest

from shared.core.model.services import hosted_services
from tests.harness.estate import Estate


@pytest.mark.parametrize("region", [service.region for service in hosted_services()])
async def test_an_endpoint_is_connected_in_every_hosted_region(estate: Estate, region: str) -> None:
    endpoint = await estate.put_endpoint(region=region)
    await estate.settle()
    connection = await estate.ready(endpoint)
    deployment = next(d for d in estate.elastic.deployments() if d.name == f"logs-{region}")
    (policy,) = estate.policies_of(endpoint)
    assert policy.region == f"azure-{region}"
    assert policy.include_by_default is False
    assert policy.id in {attached.id for attached in estate.elastic.attached(deployment.id)}
    assert estate.zone(region).a_record("*") == [connection.address]
    assert [check.reason for check in connection.checks] == ["Reachable"] * 4
    assert connection.checks[0].host == deployment.private_host("es")
