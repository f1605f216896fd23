"""Our policy follows its endpoint, in place; what others added or made stays as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.clouds.elastic.hosted.client import policy_of, updated_ruleset
from shared.core.model import conditions as c
from shared.core.model.conditions import WaitingFor
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.resources import Policy, Rule
from shared.core.model.steps import CreatePolicy, UpdatePolicy, updated
from shared.core.planning.policy import PolicyPlan, edited_rule, plan_policy
from tests.core.core_parts import GUID, KNOWN, MARKER, NOW, OTHER_MARKER, STRANGER, desired, plan_options, policy

OLD = "00000000-0000-4000-8000-0000000000aa"
THEIRS = "00000000-0000-4000-8000-0000000000bb"
ADDED = Rule("pe-of-team-b", THEIRS)
MINE = Rule("pe-search", GUID)
SEEN = frozenset({"00000000-0000-4000-8000-0000000000ee"})
"""GUIDs of endpoints that the app sees."""
REBORN = KNOWN.with_elastic(policy=PolicyMemory("p-1", Owner.OURS, guid=OLD)).reset_for_recreated()


def planned(*policies: Policy, record: ConnectionRecord = KNOWN, **endpoint: Any) -> PolicyPlan:
    return plan_policy(desired(**endpoint), policies, record, plan_options(), NOW, SEEN)


def follows(*policies: Policy, record: ConnectionRecord = KNOWN, **endpoint: Any) -> Policy:
    """The policy once the one step is done; after it nothing is left to do."""
    found = planned(*policies, record=record, **endpoint)
    (step,) = found.steps
    assert isinstance(step, UpdatePolicy)
    (before,) = [one for one in policies if one.id == step.policy_id]
    after = updated(before, step)
    assert found.policy == after
    assert (found.memory.id, found.memory.owner) == (step.policy_id, Owner.OURS)
    others = tuple(one for one in policies if one is not before)
    again = planned(after, *others, record=record.with_elastic(policy=found.memory), **endpoint)
    assert again.steps == ()
    assert again.condition.true
    return after


def test_a_guid_in_other_letters_is_the_same_and_its_policy_that_does_not_show_yet_is_not_made_twice() -> None:
    made = PolicyMemory("p-1", Owner.OURS, guid=GUID, learned_at=NOW - timedelta(seconds=1))
    for guid in (GUID, GUID.upper()):
        record = replace(KNOWN, identity=replace(KNOWN.identity, guid=guid)).with_elastic(policy=made)
        found = planned(record=record)
        assert (found.steps, found.memory.id) == ((), "p-1")
        assert found.condition.true


# -- a person changed the rule's GUID ------------------------------------------------------------------------------

USED = KNOWN.with_elastic(policy=PolicyMemory("p-1", Owner.OURS, guid=GUID, rules=2))
TYPED = Rule("pe-search", "00000000-1111-4000-8000-000000000000")


def test_a_rule_whose_guid_a_person_changed_is_put_right_in_place_where_it_is_surely_ours() -> None:
    assert follows(policy(rules=(TYPED, ADDED)), record=USED).rules == (MINE, ADDED)
    assert set(follows(policy(rules=(TYPED,), other_rules=1), record=USED).rules) == {MINE}


@pytest.mark.parametrize(
    ("rules", "other_rules"),
    [
        ((TYPED, Rule("pe-search", OLD)), 0),
        ((TYPED, ADDED, Rule("x", OLD)), 0),
        ((TYPED,), 0),
        ((Rule("pe-search", next(iter(SEEN))), ADDED), 0),
        ((Rule("renamed", TYPED.endpoint_guid), ADDED), 0),
        ((TYPED, ADDED), 1),
    ],
    ids=["two of its name", "one was added", "one was taken out", "another endpoint's", "renamed too", "another kind"],
)
def test_where_that_is_not_certain_nothing_is_changed_and_both_rules_are_named(
    rules: tuple[Rule, ...], other_rules: int
) -> None:
    found = planned(policy(rules=rules, other_rules=other_rules), record=USED)
    assert (found.steps, found.condition.reason, found.condition.needs) == ((), "PolicyRuleEdited", WaitingFor.PERSON)
    assert GUID in found.condition.message
    assert rules[0].endpoint_guid in found.condition.message
    assert GUID in found.condition.next_step


def test_where_not_all_endpoints_could_be_read_no_rule_is_known_to_be_none_of_theirs() -> None:
    assert edited_rule(policy(rules=(TYPED, ADDED)), "pe-search", 2, frozenset()) == TYPED
    assert edited_rule(policy(rules=(TYPED, ADDED)), "pe-search", 2, None) is None


def test_a_rule_that_a_person_took_out_is_put_back() -> None:
    assert set(follows(policy(rules=(ADDED,)), record=USED).rules) == {MINE, ADDED}


# -- the endpoint was made anew ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [REBORN, REBORN.with_elastic(policy=replace(REBORN.elastic.policy, guid=OLD.upper())), KNOWN.reset_for_recreated()],
    ids=["remembered", "in capitals", "tables lost"],
)
def test_the_policy_of_an_endpoint_made_anew_follows_in_place_and_keeps_what_hangs_on_it(
    record: ConnectionRecord,
) -> None:
    former = policy(rules=(Rule("pe-search", OLD),), associations=("d1", "d2"), hidden_associations=1)
    after = follows(former, record=record)
    assert after == replace(former, rules=(MINE,))


def test_rules_that_others_added_stay_when_the_policy_follows() -> None:
    former = policy(rules=(ADDED, Rule("pe-search", OLD)), other_rules=2)
    assert set(follows(former, record=REBORN).rules) == {MINE, ADDED}
    assert follows(former, record=REBORN).other_rules == 2


def test_a_rule_of_the_old_guid_is_replaced_under_any_name() -> None:
    assert follows(policy(rules=(Rule("renamed by hand", OLD),)), record=REBORN).rules == (MINE,)


def test_without_a_memory_the_only_rule_is_replaced_where_it_has_the_endpoints_own_name() -> None:
    assert follows(policy(rules=(Rule("pe-search", OLD),)), record=KNOWN.reset_for_recreated()).rules == (MINE,)
    several = planned(policy(rules=(ADDED, Rule("pe-search", OLD))), record=KNOWN.reset_for_recreated())
    assert (several.steps, several.condition.reason) == ((), "PolicyRuleEdited")
    strange = policy(rules=(ADDED,))
    assert set(follows(strange, record=KNOWN.reset_for_recreated()).rules) == {MINE, ADDED}, "nothing to replace: added"


@pytest.mark.parametrize(
    "description",
    ["", STRANGER.description(), OTHER_MARKER.description(), "pe-search"],
    ids=["by hand", "another installation", "another connection", "words"],
)
def test_no_policy_but_our_own_for_this_connection_follows(description: str) -> None:
    others = policy("p-9", description=description, rules=(Rule("pe-search", OLD),), associations=("d1",))
    found = planned(others, record=REBORN.with_elastic(policy=PolicyMemory("p-9", Owner.OURS, guid=OLD)))
    assert [type(step) for step in found.steps] == [CreatePolicy]


def test_of_several_that_could_follow_the_associated_one_does_then_the_one_in_use_then_the_lowest_id() -> None:
    former = [policy(f"p-{n}", rules=(Rule("pe-search", OLD),)) for n in (3, 1, 2)]
    assert follows(*former, record=KNOWN.reset_for_recreated()).id == "p-1"
    assert follows(*former, record=REBORN.with_elastic(policy=PolicyMemory("p-2", Owner.OURS, guid=OLD))).id == "p-2"
    used = replace(former[0], associations=("d1",))
    assert follows(used, *former[1:], record=REBORN).id == "p-3"


def test_a_policy_that_lets_the_new_endpoint_in_already_is_used_and_the_former_left() -> None:
    by_hand = policy("p-hand", description="")
    found = planned(by_hand, policy(rules=(Rule("pe-search", OLD),), associations=("d1",)), record=REBORN)
    assert (found.steps, found.memory.id, found.memory.owner) == ((), "p-hand", Owner.ADOPTED)


def test_a_policy_that_is_to_follow_is_waited_for_and_both_guids_are_told() -> None:
    condition = planned(policy(rules=(Rule("pe-search", OLD),)), record=REBORN).condition
    assert (condition.type, condition.reason, condition.needs) == (c.POLICY_READY, "Different", c.WaitingFor.WORK)
    assert OLD in condition.message
    assert GUID in condition.message


# -- its name, description and rule --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "restored"),
    [
        ({"name": "renamed by hand"}, {"name": "pe-search"}),
        ({"rules": (Rule("PE-Search", GUID),)}, {"rules": (MINE,)}),
        ({"rules": (Rule("PE-Search", GUID.upper()), ADDED)}, {"rules": (MINE, ADDED)}),
        (
            {"description": f"[elastic-privatelink instance=autopilot connection={MARKER.connection_id}]"},
            {"description": MARKER.description(), "marker": MARKER},
        ),
    ],
    ids=["name", "name in the rule", "and a rule of others", "description"],
)
def test_what_is_the_endpoints_own_in_our_policy_is_put_right(
    changed: dict[str, Any], restored: dict[str, Any]
) -> None:
    found = policy(associations=("d1",), **changed)
    assert follows(found) == replace(found, **restored)


@pytest.mark.parametrize(
    "changed",
    [
        {"description": f"Ask team search. {MARKER.description()}"},
        {"include_by_default": True},
        {"rules": (ADDED, MINE)},
        {"rules": (Rule("pe-search", GUID.upper()),)},
        {"other_rules": 1},
    ],
    ids=["more words", "by default", "a rule of others", "the GUID in capitals", "other rules"],
)
def test_what_else_a_person_changed_in_our_policy_stays_and_is_told(changed: dict[str, Any]) -> None:
    found = planned(policy(**changed))
    assert (found.steps, found.condition.true, found.memory.owner) == ((), True, Owner.OURS)
    told = {"include_by_default": "by default", "other_rules": "1 other rule"}
    for name in changed:
        assert told.get(name, "") in found.condition.message
    assert ("pe-of-team-b" in found.condition.message) == (ADDED in changed.get("rules", ()))


def test_a_changed_label_does_no_harm_but_a_wrong_name_in_the_rule_does() -> None:
    assert planned(policy(name="renamed")).condition.true
    assert planned(policy(rules=(Rule("PE-Search", GUID),))).condition.reason == "Different"


def test_who_takes_the_marker_out_takes_the_policy_over() -> None:
    found = planned(
        policy(name="now ours", description="team search", associations=("d1",)),
        record=KNOWN.with_elastic(policy=PolicyMemory("p-1", Owner.OURS, guid=GUID)),
    )
    assert (found.steps, found.memory.owner) == ((), Owner.ADOPTED)


# -- what is sent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules",
    [
        [{"azure_endpoint_name": "pe-search", "azure_endpoint_guid": OLD, "id": "r-1"}],
        [
            {"azure_endpoint_name": "pe-of-team-b", "azure_endpoint_guid": THEIRS, "id": "r-1", "description": None},
            {"azure_endpoint_name": "pe-search", "azure_endpoint_guid": OLD.upper(), "id": "r-2"},
        ],
        [],
    ],
    ids=["ours", "and others'", "none"],
)
def test_the_body_that_is_sent_makes_of_the_policy_what_the_plan_says(rules: list[dict[str, Any]]) -> None:
    stored = {
        "id": "p-1",
        "name": "old",
        "type": "azure_private_endpoint",
        "region": "azure-eastus2",
        "description": f"Kept words. {MARKER.description()}",
        "include_by_default": True,
        "rules": rules,
        "associations": [{"entity_type": "deployment", "id": "d1"}],
    }
    step = UpdatePolicy("p-1", "pe-search", "pe-search", GUID, (OLD,), MARKER)
    sent = updated_ruleset(stored, step)
    assert policy_of(stored | sent) == updated(policy_of(stored), step)
    assert all("id" not in rule and None not in rule.values() for rule in sent["rules"])


# -- the time in between -------------------------------------------------------------------------------------------


def test_a_create_that_was_begun_for_the_former_endpoint_is_waited_out_before_another_is_made() -> None:
    begun = (
        KNOWN.with_identity(guid=OLD).with_elastic(policy_post_until=NOW - timedelta(seconds=1)).reset_for_recreated()
    )
    assert planned(record=begun).condition.reason == "CreationUncertain"
