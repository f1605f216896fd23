"""Associations after the tables were lost: used as they are, on the one list, and removed once that is confirmed."""

from __future__ import annotations

import pytest

from shared.installation import things
from shared.installation.recovered import Seen, confirm_recovered, keep_list, recovered_list
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE, connected, everything, removed_reason
from tests.harness.platform_parts import ASKED
from tests.reconciler.safety_parts import attached, the
from tests.reconciler.test_recovered import confirm, lose_tables, rounds

pytestmark = pytest.mark.both_families(at_length=True)


async def listed(estate: Estate) -> set[str]:
    """The associations on the list, by the deployment's id."""
    found = await recovered_list(estate.worker.context)
    return {thing.id.rpartition(" ")[2] for thing in found.things if thing.scope.startswith("organization/")}


@pytest.mark.both_families
async def test_the_first_sweep_after_the_loss_lists_every_association(estate: Estate) -> None:
    await connected(estate)
    lose_tables(estate)
    await estate.sweep()
    assert await listed(estate) == {the(estate, "logs-eastus2").id}
    first = await recovered_list(estate.worker.context)
    await rounds(estate)
    assert (await recovered_list(estate.worker.context)).id == first.id, "nothing comes later"


async def test_what_a_person_associated_by_hand_is_never_on_the_list(estate: Estate) -> None:
    endpoint = await connected(estate)
    (policy,) = estate.policies_of(endpoint)
    other = estate.elastic.add_deployment("by-hand", "eastus2", ip_policy=True)
    estate.elastic.associate(policy, other.id)
    await rounds(estate)
    assert await listed(estate) == set()
    await estate.delete(endpoint)
    await rounds(estate)
    assert await removed_reason(estate, endpoint) == "LeftBehind"
    assert "pe-1" in attached(estate, other)


async def test_a_policy_and_its_association_that_a_run_has_just_made_are_not_on_the_list(estate: Estate) -> None:
    """The sweep read the records before."""
    await connected(estate)
    context = estate.worker.context
    policies = await context.elastic.of("default", estate.family).policies()
    assert await keep_list(context, Seen({}, {("default", estate.family): policies}, {})) == 0
    assert await listed(estate) == set()


@pytest.mark.both_families
async def test_one_that_is_asked_for_is_ours_again_once_it_is_confirmed(estate: Estate) -> None:
    endpoint = await connected(estate)
    deployment = the(estate, "logs-eastus2")
    lose_tables(estate)
    await rounds(estate)
    assert "pe-1" in attached(estate, deployment)
    await confirm(estate)
    await estate.send(endpoint)
    await estate.settle()
    assert (await estate.connection(endpoint)).association(deployment.id).owner == "ours"  # type: ignore[union-attr]
    await rounds(estate, 1)
    assert not [one for one in (await things.listed(estate.worker.context)).values() if "association" in one.id]
    await estate.put_endpoint(tags={})
    await estate.settle()
    assert "pe-1" not in attached(estate, deployment)


async def test_one_that_no_tag_asks_for_stays_while_the_endpoint_is_there(estate: Estate) -> None:
    endpoint = await connected(estate)
    deployment = the(estate, "logs-eastus2")
    lose_tables(estate)
    await estate.put_endpoint(tags={})
    await estate.settle()
    await rounds(estate)
    assert await listed(estate) == {deployment.id}
    await confirm(estate)
    for _ in range(3):
        await estate.send(endpoint)
        await estate.settle()
    await rounds(estate)
    assert "pe-1" in attached(estate, deployment), "it may be in use, and nothing tells who made it"
    await estate.delete(endpoint)
    await rounds(estate)
    assert await removed_reason(estate, endpoint) == "Removed"
    assert attached(estate, deployment) == ["logs-eastus2-office"]


async def test_of_an_endpoint_that_went_with_the_tables_the_association_waits_for_the_word(estate: Estate) -> None:
    endpoint = await connected(estate)
    (policy,) = estate.policies_of(endpoint)
    lose_tables(estate)
    await estate.delete(endpoint)
    await rounds(estate)
    assert await removed_reason(estate, endpoint) == "RecoveredUnconfirmed"
    removed = (await estate.connection(endpoint)).condition("Removed")
    assert removed is not None
    assert f"association of policy {policy.id}" in removed.message
    assert "pe-1" in attached(estate, the(estate, "logs-eastus2"))
    await confirm(estate)
    await rounds(estate, 1)
    assert await removed_reason(estate, endpoint) == "Removed"
    assert everything(estate) == []


@pytest.mark.parametrize("when", ["at the first look", "later"])
async def test_one_that_the_key_does_not_see_for_a_while_is_recovered_all_the_same(estate: Estate, when: str) -> None:
    endpoint = await connected(estate)
    deployment = the(estate, "logs-eastus2")
    lose_tables(estate)
    if when == "later":
        await rounds(estate)
    estate.elastic_settings.invisible_deployments.add(deployment.id)
    for _ in range(3):
        await estate.send(endpoint)
        await estate.settle()
    estate.elastic_settings.invisible_deployments.clear()
    await estate.send(endpoint)
    await rounds(estate)
    assert await listed(estate) == {deployment.id}
    await confirm(estate)
    await estate.delete(endpoint)
    await rounds(estate)
    assert everything(estate) == []


async def test_a_word_that_was_given_holds_though_the_key_does_not_see_the_deployment_for_a_while(
    estate: Estate,
) -> None:
    endpoint = await connected(estate)
    lose_tables(estate)
    await rounds(estate)
    await confirm(estate)
    estate.elastic_settings.invisible_deployments.add(the(estate, "logs-eastus2").id)
    await rounds(estate)
    estate.elastic_settings.invisible_deployments.clear()
    await rounds(estate)
    assert await listed(estate) == set()
    await estate.delete(endpoint)
    await rounds(estate)
    assert everything(estate) == []


async def test_an_association_that_a_person_takes_away_leaves_the_list(estate: Estate) -> None:
    endpoint = await connected(estate, tags={})
    (policy,) = estate.policies_of(endpoint)
    deployment = the(estate, "logs-eastus2")
    estate.elastic.associate(policy, deployment.id)
    lose_tables(estate)
    await rounds(estate)
    seen = await recovered_list(estate.worker.context)
    assert await listed(estate) == {deployment.id}
    estate.elastic.disassociate(policy.id, deployment.id)
    await estate.clock.sleep(GRACE)
    await rounds(estate)
    assert await listed(estate) == set()
    assert await confirm_recovered(estate.worker.context, seen.id, ASKED) is None
