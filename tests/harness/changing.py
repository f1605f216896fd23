"""What people and other managers change, and how it then stands. Used by the tests of changes."""

from __future__ import annotations

from typing import cast

from local.elastic.deployments import Deployment
from local.elastic.model import Ruleset
from tests.harness.estate import Estate

ANYWHERE = "192.0.2.77"
THEIRS = {"azure_endpoint_name": "theirs", "azure_endpoint_guid": "11111111-0000-4000-8000-000000000000"}


async def connected(estate: Estate, *deployments: str, **tags: str) -> str:
    wished = ", ".join(deployments or ("logs-eastus2",))
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": wished} | tags)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint


def the(estate: Estate, name: str) -> Deployment:
    return next(deployment for deployment in estate.elastic.deployments() if deployment.name == name)


def attached(estate: Estate, name: str) -> list[str]:
    return sorted(policy.name for policy in estate.elastic.attached(the(estate, name).id))


def tag(estate: Estate, endpoint: str, **tags: str) -> None:
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags.update(tags)


def wish(estate: Estate, endpoint: str, *deployments: str) -> None:
    tag(estate, endpoint, **{"elastic-deployments": ", ".join(deployments)})


async def swept(estate: Estate) -> None:
    """A sweep and all that it sends; a reading of all projects serves those of the same five seconds."""
    await estate.clock.sleep(6)
    await estate.sweep()
    await estate.settle()


def policy_of(estate: Estate, endpoint: str) -> Ruleset:
    """The endpoint's only policy; of a project it is a traffic filter, which has the same fields."""
    (policy,) = estate.policies_of(endpoint)
    return cast("Ruleset", policy)


def take_away(estate: Estate, endpoint: str, name: str) -> None:
    """Another manager disassociates the endpoint's policy."""
    estate.elastic.disassociate(policy_of(estate, endpoint).id, the(estate, name).id)
