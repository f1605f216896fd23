"""An endpoint's organization changes: the former one serves until a person decides, and nothing is left behind."""

from __future__ import annotations

import pytest

from shared.api.connection_decisions import decide
from shared.api.plans import plan_all, plan_connection
from shared.core.model.conditions import FORMER_REMOVED, POLICY_READY
from shared.core.model.ownership import Owner
from shared.installation import decided
from tests.harness.by_hand import connection_by_hand
from tests.harness.estate import Estate
from tests.harness.leaving import work_for
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Call, Outcome, Refusal
from tests.reconciler.organizations_parts import MOVED, STAYS, TAG, Watch, opened, swept, where

pytestmark = pytest.mark.both_families(at_length=True)


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
    await estate.clock.sleep(6)  # one reading of all projects serves those of five seconds
    await estate.put_endpoint(tags={**MOVED, "elastic-deployments": "logs-eastus2, audit"})
    await estate.settle()
    (ruleset,) = estate.policies_of(endpoint)
    assert len([one for policy, one in estate.elastic.associations() if policy == ruleset.id]) == 2
    estate.elastic.delete_policy(ruleset.id)
    await estate.clock.sleep(7200)
    await swept(estate)
    assert where(estate, endpoint) == [1, 0]
    await estate.ready(endpoint)


@pytest.mark.both_families
async def test_once_a_person_decides_it_moves_and_leaves_nothing_behind() -> None:
    estate, endpoint = await changed()
    await decide_to_move(estate, endpoint)
    assert where(estate, endpoint) == [0, 1]
    connection = await estate.ready(endpoint)
    assert (connection.elastic.organization, connection.elastic.policy.owner) == ("second", Owner.OURS)
    (association,) = connection.elastic.associations
    assert estate.second.deployment(association.target_id) is not None
    assert (connection.former_things, await decided.waiting(estate.worker.context, connection.id)) == ((), ())
    left, advice = connection.condition(FORMER_REMOVED), connection.advice
    assert left is not None
    assert (left.message, advice) == ("What it had in another region, network or organization is removed.", ())
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


async def test_a_move_that_a_person_decided_counts_against_no_limit_of_removals() -> None:
    estate, endpoint = await changed()
    estate.worker = estate.new_worker(Watch(estate), REMOVAL_LIMIT="0")
    await decide_to_move(estate, endpoint)
    await estate.ready(endpoint)
    assert where(estate, endpoint) == [0, 1]


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


@pytest.mark.parametrize("how", ["the tag, unheard", "the setting"])
async def test_put_back_it_is_as_it_was(how: str) -> None:
    estate, endpoint = await changed()
    policy = (await estate.connection(endpoint)).elastic.policy
    if how == "the setting":
        estate.worker = estate.new_worker(Watch(estate), ELASTIC_SCOPE_SECOND="tag:other=one")
    else:
        estate.events.settings.drop = True
        await estate.put_endpoint(tags=STAYS)
    await estate.clock.sleep(300)
    await swept(estate)
    connection = await estate.ready(endpoint)
    assert (connection.elastic.organization, connection.elastic.policy.id) == ("default", policy.id)
    told = connection.condition(POLICY_READY)
    assert told is not None
    assert ("second" in told.message, connection.advice) == (False, ()), "what was said of the move is taken back"


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
    assert (await estate.connection(endpoint)).advice == (), "that default serves it is not true any more"
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


@pytest.mark.both_families
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
