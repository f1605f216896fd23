"""Several Elastic Cloud organizations: each endpoint's things are in its own, one policy at every moment."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import SECOND_API_KEY
from shared.api.queries import get_connection
from shared.core.model.conditions import POLICY_READY, RECORD_READY
from shared.core.model.services import Family
from shared.installation.recovered import confirm_recovered, recovered_list
from tests.harness.estate import Estate
from tests.harness.leaving import work_for
from tests.harness.platform_parts import ASKED
from tests.reconciler.organizations_parts import GROUP, MOVED, STAYS, TAG, opened, organizations, swept, where

pytestmark = pytest.mark.both_families(at_length=True)


@pytest.mark.parametrize(
    ("scope", "second", "first"),
    [
        (f"subscription:{DEFAULT_SUBSCRIPTION}", {}, None),
        (GROUP, {"group": "rg-second"}, {"group": "rg-apps"}),
        (f"group:{DEFAULT_SUBSCRIPTION.upper()}/RG-Second", {"group": "rg-second"}, {"group": "rg-apps"}),
        (TAG, {"tags": MOVED}, {"tags": {**MOVED, "Org": "first"}}),
        ("tag:org", {"tags": MOVED}, {"tags": STAYS}),
    ],
)
async def test_everything_of_an_endpoint_is_in_its_own_organization(
    scope: str, second: dict[str, Any], first: dict[str, Any] | None
) -> None:
    estate = await opened(scope)
    theirs = await estate.put_endpoint("pe-second", **second)
    ours = None if first is None else await estate.put_endpoint("pe-first", region="westeurope", **first)
    await estate.settle()
    connection = await estate.ready(theirs)
    shown = await get_connection(estate.worker.context, connection.id)
    assert (shown["organization"], where(estate, theirs)) == ("second", [0, 1])
    (deployment,) = connection.elastic.targets
    assert estate.second.deployment(deployment.id) is not None, "of the same name in both"
    if ours is not None:
        await estate.reason(ours, POLICY_READY)
        assert ((await estate.connection(ours)).elastic.organization, where(estate, ours)) == ("default", [1, 0])
    assert (await estate.sweep()).enqueued == 0, "the sweep sees it in its own organization, too"


async def test_an_endpoint_of_no_organization_gets_its_dns_and_is_told_which_settings_name_one() -> None:
    estate = await opened(TAG, EC_API_KEY="")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.connection(endpoint)
    refused, record = connection.condition(POLICY_READY), connection.condition(RECORD_READY)
    assert refused is not None
    assert record is not None
    assert (refused.reason, record.true, where(estate, endpoint)) == ("NoOrganization", True, [0, 0])
    assert "ELASTIC_SCOPE_SECOND" in refused.next_step
    assert (await estate.sweep()).enqueued == 0, "it would come back at every sweep"
    await estate.put_endpoint(tags=MOVED)
    await estate.settle()
    assert (await estate.ready(endpoint)).elastic.organization == "second"


async def test_an_endpoint_of_no_organization_that_is_deleted_is_cleaned_up() -> None:
    estate = await opened(TAG, EC_API_KEY="")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.delete(endpoint)
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert estate.arm.private_dns_zones() == []


# -- one organization is down --------------------------------------------------------------------------------------


async def both() -> tuple[Estate, str, str]:
    """An endpoint of each organization, Ready."""
    estate = await opened(GROUP)
    ours = await estate.put_endpoint("pe-first")
    theirs = await estate.put_endpoint("pe-second", group="rg-second", region="westeurope")
    await estate.settle()
    await estate.ready(ours)
    await estate.ready(theirs)
    return estate, ours, theirs


@pytest.mark.both_families
async def test_a_refused_key_is_told_of_its_own_endpoints_and_holds_up_no_other() -> None:
    estate, ours, theirs = await both()
    estate.worker = estate.new_worker(EC_API_KEY_SECOND=f"{SECOND_API_KEY}x")
    result = await estate.sweep()
    assert [error.split(":")[0] for error in result.errors] == [
        f"policies{' of projects' if estate.family is Family.SERVERLESS else ''} of organization second",
        f"{estate.family.noun}s of organization second",
    ]
    assert result.enqueued == 1, "its own, to be told"
    for endpoint in (ours, theirs):
        await estate.send(endpoint)
    await estate.settle()
    await estate.ready(ours)
    refused = (await estate.connection(theirs)).condition(POLICY_READY)
    assert refused is not None
    assert refused.reason == "ElasticKeyRefused"
    assert "EC_API_KEY_SECOND" in refused.next_step
    assert "of organization second" in refused.message
    assert SECOND_API_KEY not in str(await estate.connection(theirs)) + "".join(result.errors)
    new = await estate.put_endpoint("pe-new", region="japaneast")
    await estate.settle()
    await estate.ready(new)
    estate.worker = estate.new_worker()
    await estate.clock.sleep(7200)
    await swept(estate)
    await estate.ready(theirs)


@pytest.mark.of_deployments
async def test_a_sweep_asks_each_organization_once_and_only_what_its_own_endpoints_need() -> None:
    estate, *_ = await both()
    claimed = {"elastic-deployments": "logs-uksouth", "elastic-privatelink-claim": "true"}
    await estate.put_endpoint("pe-third", region="japaneast", group="rg-second")
    await estate.put_endpoint("pe-fourth", region="uksouth", group="rg-second", tags=claimed)
    await estate.settle()
    before = [len(one.requests) for one in organizations(estate)]
    await estate.sweep()
    asked = [
        [f"{request.method} {request.path.rpartition('/')[2]}" for request in one.requests[begin:]]
        for one, begin in zip(organizations(estate), before, strict=True)
    ]
    each = ["GET rulesets", "POST _search"]
    assert asked == [each, [*each, "GET link-ids"]]


@pytest.mark.both_families
async def test_the_end_of_each_organizations_key_is_told() -> None:
    estate, *_ = await both()
    apis = estate.worker.context.elastic.of_family(estate.family)
    estate.second.settings.api_key_expires_at = estate.clock.now().replace(year=2027)
    await estate.sweep()
    assert {name: api.key_expires is not None for name, api in apis.items()} == {"default": True, "second": True}
    assert apis["second"].key_expires != apis["default"].key_expires
    line = await estate.storage.control.get("sweep")
    assert line is not None
    assert str(apis["default"].key_expires)[:10] in str(line.document), "the one that ends first"


# -- removal -------------------------------------------------------------------------------------------------------


@pytest.mark.both_families
async def test_what_was_made_is_removed_in_the_organization_that_it_is_in() -> None:
    estate, ours, theirs = await both()
    await estate.delete(theirs)
    await estate.settle()
    assert (await estate.connection(theirs)).status.phase == "Removed"
    assert [ruleset.name for ruleset in estate.second.rulesets() if ruleset.guids] == []
    assert where(estate, ours) == [1, 0]


async def test_after_a_change_of_the_settings_it_is_still_removed_where_it_is() -> None:
    estate, _, theirs = await both()
    estate.worker = estate.new_worker(ELASTIC_SCOPE_SECOND="group:nothing")
    await estate.delete(theirs)
    await estate.settle()
    assert (await estate.connection(theirs)).status.phase == "Removed"
    assert [ruleset.name for ruleset in estate.second.rulesets() if ruleset.guids] == []


async def test_a_removal_in_an_organization_without_settings_waits_for_a_person() -> None:
    estate, _, theirs = await both()
    worker = estate.new_worker(ELASTIC_ORGANIZATIONS="")
    await estate.delete(theirs)
    await estate.settle(worker=worker)
    assert await estate.reason(theirs, "Removed") == "OrganizationNotConfigured"
    assert len([ruleset for ruleset in estate.second.rulesets() if ruleset.guids]) == 1
    await estate.clock.sleep(7200)
    await swept(estate)
    assert (await estate.connection(theirs)).status.phase == "Removed"


async def test_with_all_tables_lost_what_is_left_of_a_deleted_endpoint_is_found_in_every_organization() -> None:
    estate, ours, theirs = await both()
    estate.events.settings.drop = True
    for endpoint in (ours, theirs):
        await estate.delete(endpoint)
    estate.storage.connections.clear()
    for _ in range(5):
        await swept(estate)
        await work_for(estate, 300)
    for endpoint in (ours, theirs):
        assert await estate.reason(endpoint, "Removed") == "RecoveredUnconfirmed", "the association has no marker"
    found = await recovered_list(estate.worker.context)
    assert await confirm_recovered(estate.worker.context, found.id, ASKED) is not None
    await estate.settle()
    for endpoint, organization in ((ours, "default"), (theirs, "second")):
        connection = await estate.connection(endpoint)
        assert (connection.status.phase, connection.elastic.organization) == ("Removed", organization)
    assert [ruleset.name for one in organizations(estate) for ruleset in one.rulesets() if ruleset.guids] == []
