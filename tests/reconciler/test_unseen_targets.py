"""Not seen is not gone: a target that reads do not show stays ours; one that is gone but listed waits for a person."""

from __future__ import annotations

from typing import Any

import pytest

from shared.api.connection_decisions import decide
from shared.core.model.ownership import Owner
from shared.core.model.services import Family
from shared.installation import decided
from tests.harness.changing import attached, connected, policy_of, swept, the, wish
from tests.harness.estate import Estate
from tests.harness.leaving import everything
from tests.harness.platform_parts import ASKED

pytestmark = pytest.mark.both_families

DEPLOYMENT = "logs-eastus2"
DAY = 86_400.0


def hide(estate: Estate, name: str = DEPLOYMENT) -> str:
    """The API key loses its role on a deployment; returns its id."""
    found = the(estate, name).id
    unseen(estate).add(found)
    return found


def unseen(estate: Estate) -> set[str]:
    """The targets that the API key may not see."""
    hosted = estate.family is Family.HOSTED
    return estate.elastic_settings.invisible_deployments if hosted else estate.serverless_settings.invisible_projects


async def ours(estate: Estate, endpoint: str) -> list[str]:
    associations = (await estate.connection(endpoint)).elastic.associations
    return [memory.target_id for memory in associations if memory.owner is Owner.OURS]


async def removed(estate: Estate, endpoint: str) -> None:
    await estate.delete(endpoint)
    await estate.settle(3600)


# -- the key loses sight of it -------------------------------------------------------------------------------------


async def test_a_key_that_loses_sight_for_a_moment_forgets_no_association(estate: Estate) -> None:
    endpoint = await connected(estate)
    hidden = hide(estate)
    wish(estate, endpoint)
    await swept(estate)
    assert await ours(estate, endpoint) == [hidden]
    unseen(estate).clear()
    await estate.clock.sleep(3600)
    await swept(estate)
    assert attached(estate, DEPLOYMENT) == ["logs-eastus2-office"], "no tag asks for it any more, and it is ours"
    assert await ours(estate, endpoint) == []


async def test_a_removal_that_does_not_see_a_target_takes_all_away_once_it_does(estate: Estate) -> None:
    endpoint = await connected(estate)
    hide(estate)
    await removed(estate, endpoint)
    assert everything(estate) == ["policy pe-1"]
    unseen(estate).clear()
    await estate.clock.sleep(DAY)
    await swept(estate)
    assert everything(estate) == []
    assert attached(estate, DEPLOYMENT) == ["logs-eastus2-office"]


@pytest.mark.of_deployments
async def test_a_deployment_that_is_gone_for_certain_is_forgotten(estate: Estate) -> None:
    endpoint = await connected(estate)
    estate.elastic.remove_deployment(the(estate, DEPLOYMENT).id)
    wish(estate, endpoint)
    await swept(estate)
    assert await ours(estate, endpoint) == []
    await removed(estate, endpoint)
    assert everything(estate) == []


@pytest.mark.of_deployments
async def test_one_hidden_association_is_enough_for_nothing_to_count_as_gone(estate: Estate) -> None:
    """The total that the policy states is larger than what it lists: any of them may be ours."""
    endpoint = await connected(estate)
    other = estate.elastic.add_deployment("secret", "eastus2", ip_policy=True)
    estate.elastic.associate(policy_of(estate, endpoint), other.id)
    unseen(estate).add(other.id)
    gone = the(estate, DEPLOYMENT).id
    estate.elastic.remove_deployment(gone)
    wish(estate, endpoint)
    await swept(estate)
    assert await ours(estate, endpoint) == [gone]


async def test_not_found_just_before_a_disassociation_is_no_answer(estate: Estate) -> None:
    endpoint = await connected(estate)
    target = the(estate, DEPLOYMENT).id

    def not_found(method: str, path: str) -> tuple[int, Any] | None:
        looks = method == "GET" and path.endswith(
            (f"/associations/deployment/{target}/rulesets", f"/elasticsearch/{target}")
        )
        return (404, {"errors": []}) if looks else None

    estate.elastic_settings.faults.append(not_found)
    wish(estate, endpoint)
    await swept(estate)
    assert await ours(estate, endpoint) == [target]
    assert "pe-1" in attached(estate, DEPLOYMENT)
    estate.elastic_settings.faults.clear()
    await estate.settle(1200)
    assert attached(estate, DEPLOYMENT) == ["logs-eastus2-office"]


# -- gone, and still listed ----------------------------------------------------------------------------------------


async def gone_but_listed(estate: Estate, *deployments: str) -> tuple[str, str]:
    endpoint = await connected(estate, *(deployments or (DEPLOYMENT,)))
    gone = the(estate, DEPLOYMENT).id
    estate.elastic.remove_deployment(gone, stays_associated=True)
    return endpoint, gone


async def forget(estate: Estate, endpoint: str, target: str) -> None:
    connection = (await estate.connection(endpoint)).id
    await decide(estate.worker.context, connection, {"decision": "forget-target", "target": target}, ASKED)
    await estate.settle(60)


@pytest.mark.of_deployments
async def test_a_removal_waits_for_a_persons_word_about_it_and_takes_everything_else_away(estate: Estate) -> None:
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    endpoint, gone = await gone_but_listed(estate, DEPLOYMENT, "audit")
    await removed(estate, endpoint)
    assert attached(estate, "audit") == ["audit-office"]
    assert everything(estate) == ["policy pe-1"]
    condition = (await estate.connection(endpoint)).condition("Removed")
    assert condition is not None
    assert condition.reason == "DeploymentGone"
    assert gone in condition.next_step
    await forget(estate, endpoint, gone)
    assert everything(estate) == []
    assert (await estate.connection(endpoint)).status.phase == "Removed"


@pytest.mark.of_deployments
async def test_while_it_waits_another_deployment_is_connected_and_a_word_ends_it(estate: Estate) -> None:
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    endpoint, gone = await gone_but_listed(estate)
    wish(estate, endpoint, "audit")
    await swept(estate)
    assert "pe-1" in attached(estate, "audit")
    assert await estate.reason(endpoint, "Associated") == "DeploymentGone"
    await forget(estate, endpoint, gone)
    connection = await estate.ready(endpoint)
    assert await decided.waiting(estate.worker.context, connection.id) == ()
    assert (policy_of(estate, endpoint).id, gone) not in estate.elastic.associations()


@pytest.mark.of_deployments
async def test_while_it_waits_sweeps_send_no_message_for_it(estate: Estate) -> None:
    endpoint, _ = await gone_but_listed(estate)
    wish(estate, endpoint)
    await swept(estate)
    runs = (await estate.connection(endpoint)).status.generation
    for _ in range(3):
        await estate.clock.sleep(300)
        await swept(estate)
    assert (await estate.connection(endpoint)).status.generation == runs


@pytest.mark.parametrize("back", [True, False])
async def test_a_word_about_a_target_that_is_seen_again_takes_nothing_from_it(estate: Estate, *, back: bool) -> None:
    """The key had lost its role, and a person said that the deployment is gone: it is the last policy's S2 again."""
    endpoint = await connected(estate, DEPLOYMENT)
    target = the(estate, DEPLOYMENT).id
    for policy in estate.elastic.attached(target):
        if policy.name != "pe-1":
            estate.elastic.disassociate(policy.id, target)
    wish(estate, endpoint)
    hide(estate)
    if back:
        unseen(estate).clear()
    await forget(estate, endpoint, target)
    assert attached(estate, DEPLOYMENT) == ["pe-1"], "the policy does not list it: nothing is sent either"
