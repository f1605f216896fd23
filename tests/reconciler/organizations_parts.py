"""Estates with two Elastic Cloud organizations, watched for a second policy of an endpoint."""

from __future__ import annotations

from local.elastic import ElasticCloud
from tests.harness.estate import Estate
from tests.harness.wire import Call, Outcome

GROUP, TAG = "group:rg-second", "tag:org=second"
MOVED = {"elastic-deployments": "logs-eastus2", "Org": "Second"}
STAYS = {"elastic-deployments": "logs-eastus2"}


class Watch:
    """Sees before every call of a worker that no endpoint has two policies, wherever they are."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def __call__(self, _: Call) -> Outcome:
        guids = [guid for one in organizations(self.estate) for ruleset in one.rulesets() for guid in ruleset.guids]
        assert len(guids) == len(set(guids)), "two policies for one endpoint"
        return None


def organizations(estate: Estate) -> list[ElasticCloud]:
    return [estate.elastic, estate.second]


async def opened(scope: str, **settings: str) -> Estate:
    estate = await Estate(second_scope=scope, settings=settings).open()
    estate.worker = estate.new_worker(Watch(estate))
    return estate


def where(estate: Estate, endpoint: str) -> list[int]:
    """How many policies the endpoint has in the first and in the second organization."""
    return [len(estate.policies_of(endpoint, one)) for one in organizations(estate)]


async def swept(estate: Estate) -> None:
    await estate.sweep()
    await estate.settle()
