"""What the tests of the sweep share: a connection that has been Ready for long, and what people do to it."""

from __future__ import annotations

from tests.harness.estate import Estate

OTHER_SUBSCRIPTION = "00000000-0000-0000-0000-000000000002"
DNS_API = "2024-06-01"


async def a_ready_connection(estate: Estate, name: str = "pe-1") -> str:
    """A connection that has been Ready for an hour."""
    endpoint = await estate.put_endpoint(name)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint


def deployment_id(estate: Estate, name: str = "logs-eastus2") -> str:
    return next(deployment.id for deployment in estate.elastic.deployments() if deployment.name == name)


def writes(estate: Estate) -> list[str]:
    """What the workers wrote in Azure and Elastic Cloud."""
    return [call.name for call in estate.worker.wire.calls if call.writes and call.service in {"arm", "elastic"}]


async def delete_the_record(estate: Estate, _: str) -> None:
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)


async def remove_the_association(estate: Estate, endpoint: str) -> None:
    (policy,) = estate.policies_of(endpoint)
    estate.elastic.disassociate(policy.id, deployment_id(estate))
