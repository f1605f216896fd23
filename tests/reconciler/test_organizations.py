"""Several Elastic Cloud organizations: each endpoint's things are in its own, one policy at every moment."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from local.elastic import ElasticCloud
from local.world import SECOND_API_KEY
from shared.api.connection_decisions import decide
from shared.api.plans import plan_all, plan_connection
from shared.api.queries import get_connection
from shared.core.model.conditions import FORMER_REMOVED, POLICY_READY, RECORD_READY
from shared.core.model.ownership import Owner
from shared.core.model.services import Family
from shared.installation import decided
from shared.installation.recovered import confirm_recovered, recovered_list
from tests.harness.by_hand import connection_by_hand
from tests.harness.estate import Estate
from tests.harness.leaving import work_for
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Call, Outcome, Refusal

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


async def test_a_refused_key_is_told_of_its_own_endpoints_and_holds_up_no_other() -> None:
    estate, ours, theirs = await both()
    estate.worker = estate.new_worker(EC_API_KEY_SECOND=f"{SECOND_API_KEY}x")
    result = await estate.sweep()
    assert [error.split(":")[0] for error in result.errors] == [
        "policies of organization second",
        "deployments of organization second",
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


async def test_the_end_of_each_organizations_key_is_told() -> None:
    estate, *_ = await both()
    apis = estate.worker.context.elastic.of_family(Family.HOSTED)
    estate.second.settings.api_key_expires_at = estate.clock.now().replace(year=2027)
    await estate.sweep()
    assert {name: api.key_expires is not None for name, api in apis.items()} == {"default": True, "second": True}
    assert apis["second"].key_expires != apis["default"].key_expires
    line = await estate.storage.control.get("sweep")
    assert line is not None
    assert str(apis["default"].key_expires)[:10] in str(line.document), "the one that ends first"


# -- removal -------------------------------------------------------------------------------------------------------


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


# -- an endpoint's organization changes ----------------------------------------------------------------------------


async def changed() -> tuple[Estate, str]:
    """An endpoint that was connected in the first organization, and whose tag now names the second."""
    estate = await opened(TAG)
    endpoint = await estate.put_endpoint(tags=STAYS)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)  # a policy that was just made could merely not show yet
    await estate.put_endpoint(tags=MOVED)
    await estate.settle()
    return estate, endpoint


async def decide_to_move(estate: Estate, endpoint: str, organization: str = "second") -> None:
    connection = (await estate.connection(endpoint)).id
    body = {"decision": "move-organization", "organization": organization}
    await decide(estate.worker.context, connection, body, ASKED)
    await estate.settle()


async def test_the_former_organization_serves_until_a_person_decides_and_that_is_told() -> None:
    estate, endpoint = await changed()
    connection = await estate.ready(endpoint)
    told = connection.condition(POLICY_READY)
    assert told is not None
    assert (connection.elastic.organization, where(estate, endpoint)) == ("default", [1, 0])
    assert "now belongs to second; default serves it" in told.message
    (advice,) = [one for one in connection.status.advice if one.reason == "OrganizationChanged"]
    assert "move-organization" in advice.next_step
    assert (await estate.sweep()).enqueued == 0, "it would come back at every sweep"
    (preview,), errors = await plan_all(estate.worker.context)
    shown = await plan_connection(estate.worker.context, connection.id)
    assert (preview.steps, shown.steps, errors) == ((), (), [])


async def test_meanwhile_the_former_organization_connects_and_repairs() -> None:
    estate, endpoint = await changed()
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    await estate.put_endpoint(tags={**MOVED, "elastic-deployments": "logs-eastus2, audit"})
    await estate.settle()
    (ruleset,) = estate.policies_of(endpoint)
    assert len([one for policy, one in estate.elastic.associations() if policy == ruleset.id]) == 2
    estate.elastic.delete_policy(ruleset.id)
    await estate.clock.sleep(7200)
    await swept(estate)
    assert where(estate, endpoint) == [1, 0]
    await estate.ready(endpoint)


async def test_once_a_person_decides_it_moves_and_leaves_nothing_behind() -> None:
    estate, endpoint = await changed()
    await decide_to_move(estate, endpoint)
    assert where(estate, endpoint) == [0, 1]
    connection = await estate.ready(endpoint)
    assert (connection.elastic.organization, connection.elastic.policy.owner) == ("second", Owner.OURS)
    (association,) = connection.elastic.associations
    assert estate.second.deployment(association.target_id) is not None
    assert (connection.former_things, await decided.waiting(estate.worker.context, connection.id)) == ((), ())
    assert (await estate.sweep()).enqueued == 0


async def test_a_deployment_that_would_be_opened_holds_the_move_up_until_that_is_allowed() -> None:
    estate = await opened(TAG, ELASTIC_FIRST_POLICY_ALLOWED="*")
    endpoint = await estate.put_endpoint(tags=STAYS | {"elastic-deployments": "search-eastus2"})
    await estate.settle()
    await estate.clock.sleep(3600)
    await estate.put_endpoint(tags=MOVED)
    await estate.settle()
    await decide_to_move(estate, endpoint)
    assert where(estate, endpoint) == [1, 0]
    left = (await estate.connection(endpoint)).condition(FORMER_REMOVED)
    assert left is not None
    assert "open to the internet" in left.message
    estate.worker = estate.new_worker(Watch(estate), ELASTIC_LAST_POLICY_ALLOWED="*")
    await estate.clock.sleep(7200)
    await swept(estate)
    await work_for(estate, 3600)
    assert where(estate, endpoint) == [0, 1]
    await estate.ready(endpoint)


async def test_a_word_about_another_organization_moves_nothing() -> None:
    estate, endpoint = await changed()
    await decide_to_move(estate, endpoint, "default")
    assert where(estate, endpoint) == [1, 0]
    assert (await estate.ready(endpoint)).elastic.organization == "default"


async def test_moved_back_before_all_is_taken_away_it_is_used_again() -> None:
    estate = await opened(TAG, ELASTIC_FIRST_POLICY_ALLOWED="*")
    endpoint = await estate.put_endpoint(tags=STAYS | {"elastic-deployments": "search-eastus2"})
    await estate.settle()
    policy = (await estate.ready(endpoint)).elastic.policy.id
    await estate.put_endpoint(tags=MOVED | {"elastic-deployments": "search-eastus2"})
    await estate.settle()
    await decide_to_move(estate, endpoint)
    await estate.put_endpoint(tags=STAYS | {"elastic-deployments": "search-eastus2"})
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert (connection.elastic.policy.id, connection.former_things, where(estate, endpoint)) == (policy, (), [1, 0])


async def test_put_back_it_is_as_it_was() -> None:
    estate, endpoint = await changed()
    policy = (await estate.connection(endpoint)).elastic.policy
    await estate.put_endpoint(tags=STAYS)
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert (connection.elastic.organization, connection.elastic.policy.id) == ("default", policy.id)


async def test_a_former_organization_that_cannot_be_read_is_waited_for() -> None:
    estate, endpoint = await changed()

    def down(call: Call) -> Outcome:
        return Refusal(503) if call.service == "elastic" else None

    worker = estate.new_worker(down)
    connection = (await estate.connection(endpoint)).id
    await decide(worker.context, connection, {"decision": "move-organization", "organization": "second"}, ASKED)
    await estate.settle(30, worker=worker)
    assert where(estate, endpoint) == [1, 0]
    await estate.settle()
    assert where(estate, endpoint) == [0, 1]


async def test_a_former_organization_without_settings_is_named() -> None:
    estate, endpoint = await changed()
    worker = estate.new_worker(EC_API_KEY="")
    await estate.send(endpoint)
    await estate.settle(worker=worker)
    refused = (await estate.connection(endpoint)).condition(POLICY_READY)
    assert refused is not None
    assert refused.reason == "OrganizationChanged"
    assert "the settings have no key of default" in refused.message
    assert where(estate, endpoint) == [1, 0]
    assert len((await estate.sweep(worker)).errors) == 0


async def test_moved_without_the_former_key_the_second_policy_is_told_until_it_is_gone() -> None:
    """A person may decide that, for a key that is lost for good."""
    estate, endpoint = await changed()
    (former,) = estate.policies_of(endpoint)
    estate.worker = estate.new_worker(EC_API_KEY="")
    await decide_to_move(estate, endpoint)
    assert where(estate, endpoint) == [1, 1]
    connection = await estate.ready(endpoint)
    (advice,) = [one for one in connection.status.advice if one.reason == "OrganizationNotConfigured"]
    assert f"Policy {former.id} in the organization default lets the endpoint in, too" in advice.message
    assert "Set the key of default again" in advice.next_step
    left = connection.condition(FORMER_REMOVED)
    assert left is not None
    assert "organization default" in left.message
    estate.worker = estate.new_worker()
    await estate.clock.sleep(7200)
    await swept(estate)
    assert where(estate, endpoint) == [0, 1]
    assert (await estate.ready(endpoint)).status.advice == ()


async def test_with_the_tables_lost_too_there_is_no_second_policy() -> None:
    estate, endpoint = await changed()
    estate.storage.connections.clear()
    await swept(estate)
    assert where(estate, endpoint) == [1, 0]
    await estate.ready(endpoint)


async def test_a_policy_that_others_made_serves_too_and_stays_when_it_moves() -> None:
    estate = await Estate(second_scope=TAG).open()
    endpoint = await connection_by_hand(estate, "pe-1")
    await swept(estate)
    connection = await estate.ready(endpoint)
    assert connection.elastic.policy.owner is Owner.ADOPTED
    await estate.put_endpoint(tags=MOVED)
    await estate.settle()
    assert where(estate, endpoint) == [1, 0]
    await decide_to_move(estate, endpoint)
    assert where(estate, endpoint) == [1, 1]
