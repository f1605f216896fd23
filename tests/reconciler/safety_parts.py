"""What the tests of the safety rules share: who gets in, and what is attached."""

from __future__ import annotations

from local.arm import DEFAULT_SUBSCRIPTION
from local.elastic.deployments import Deployment
from tests.harness.estate import Estate

ANYWHERE = "192.0.2.77"
"""A client on the internet."""

PE_1 = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-apps/providers/Microsoft.Network/privateEndpoints/pe-1"


def the(estate: Estate, name: str) -> Deployment:
    return next(deployment for deployment in estate.elastic.deployments() if deployment.name == name)


def asks_for(*deployments: str) -> dict[str, str]:
    return {"elastic-deployments": ", ".join(deployments)}


def public_status(estate: Estate, deployment: Deployment) -> int:
    """What a client on the internet gets from the deployment's Elasticsearch; 401 is its own answer."""
    host = deployment.alias_host("es")
    assert host is not None
    return estate.elastic.decide_public(host, ANYWHERE).status


def attached(estate: Estate, deployment: Deployment) -> list[str]:
    return [ruleset.name for ruleset in estate.elastic.attached(deployment.id)]


async def connect(estate: Estate, *deployments: str) -> str:
    endpoint = await estate.put_endpoint(tags=asks_for(*deployments))
    await estate.settle()
    return endpoint


async def blocked_because(estate: Estate, endpoint: str) -> tuple[str, str]:
    condition = (await estate.connection(endpoint)).condition("Associated")
    assert condition is not None
    assert not condition.true
    assert condition.next_step
    return condition.reason, condition.message
