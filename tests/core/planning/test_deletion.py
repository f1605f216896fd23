"""When an endpoint that Azure does not show counts as gone: never at the first miss, never without its grace."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.conditions import Phase
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.ownership import Owned, Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, PolicyMemory
from shared.core.model.record_parts import Identity, RecordStatus
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.deletion import VISIBLE_WITHIN, Missing, has_things, note_delete_event, record_absence
from tests.core.core_parts import ENDPOINT_ID, GUID, NOW, plan_options

OPTIONS = plan_options(grace=600)
SEEN = ConnectionRecord(ENDPOINT_ID, identity=Identity(guid=GUID), status=RecordStatus(phase=Phase.READY))
FRESH = ConnectionRecord(ENDPOINT_ID)
EVERY_CAUSE = ("event-write", "event-delete", "timer", "manual", "wait", "lease", "pending", "orphan")


def looked(
    record: ConnectionRecord, *looks: tuple[str, str] | tuple[str, str, float], options: PlanOptions = OPTIONS
) -> tuple[ConnectionRecord, list[Missing]]:
    """What each look finds: its cause, its correlation id, and the seconds at which it is taken."""
    found = []
    for cause, correlation_id, *seconds in looks:
        at = NOW + timedelta(seconds=float(seconds[0]) if seconds else 0.0)
        message = WorkMessage(parse_arm_id(ENDPOINT_ID), Cause(cause), correlation_id)
        record, missing = record_absence(record, message, "ResourceNotFound", options, at)
        found.append(missing)
    return record, found


# -- what was never seen -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [cause for cause in EVERY_CAUSE if cause != "event-delete"])
def test_what_was_only_named_may_be_about_to_appear_and_then_counts_as_never_there(cause: str) -> None:
    visible = VISIBLE_WITHIN.total_seconds()
    _, found = looked(FRESH, (cause, "a", 0), (cause, "b", visible - 1), (cause, "c", visible))
    assert found == [Missing.NOT_THERE_YET, Missing.NOT_THERE_YET, Missing.NEVER_SEEN]


@pytest.mark.parametrize(
    "used",
    [
        FRESH.with_identity(guid=GUID),
        FRESH.with_schedule(observed_at=NOW),
        FRESH.with_dns(zone=Owned("/z", Owner.OURS)),
        FRESH.with_dns(links=(Owned("/l", Owner.OURS),)),
        FRESH.with_dns(record=Owned("/r", Owner.OURS)),
        FRESH.with_elastic(policy=PolicyMemory("p-1")),
        FRESH.with_elastic(policy_post_until=NOW),
        FRESH.with_elastic(claim=ClaimMemory("azure-eastus2", "pe-search", GUID, Owner.OURS)),
        FRESH.with_elastic(associations=(AssociationMemory("d1"),)),
    ],
    ids=["guid", "observed_at", "zone", "links", "record", "policy", "intent", "claim", "associations"],
)
def test_with_anything_made_or_used_for_it_it_is_more_than_a_name(used: ConnectionRecord) -> None:
    assert has_things(used)
    assert not has_things(FRESH)


# -- one miss is not believed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", ["timer", "manual"])
def test_one_sweep_that_misses_it_is_not_believed_the_second_is(cause: str) -> None:
    record, found = looked(SEEN, (cause, "first"), (cause, "second", 300))
    assert found == [Missing.MISSED, Missing.GRACE]
    assert (record.removal.missing_since, record.removal.removing_since) == (NOW, NOW + timedelta(seconds=300))


def test_one_sweeps_message_that_is_delivered_many_times_counts_once() -> None:
    record, found = looked(SEEN, *[("timer", "same", second) for second in range(5)])
    assert (set(found), record.removal.missed) == ({Missing.MISSED}, 1)


@pytest.mark.parametrize("cause", ["event-write", "wait", "lease", "pending", "orphan"])
def test_looking_again_and_again_between_two_sweeps_is_no_second_miss(cause: str) -> None:
    _, found = looked(SEEN, ("timer", "first"), *[(cause, f"look-{n}", n * 3600) for n in range(20)])
    assert set(found) == {Missing.MISSED}


def test_a_delete_event_together_with_azures_answer_is_believed_at_once() -> None:
    _, found = looked(SEEN, ("event-delete", "a"))
    assert found == [Missing.GRACE]


def test_an_endpoint_that_comes_back_is_counted_anew() -> None:
    record, _ = looked(SEEN, ("timer", "first"))
    _, found = looked(record.mark_present(), ("timer", "second"))
    assert found == [Missing.MISSED]


# -- the grace period ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("later", [cause for cause in EVERY_CAUSE if cause != "event-delete"])
def test_the_grace_period_runs_from_the_moment_it_was_believed_at_every_wake(later: str) -> None:
    looks = [("event-delete", "a", 0), (later, "b", 1), (later, "c", 599.9), (later, "d", 600)]
    record, found = looked(SEEN, *looks)
    assert found == [Missing.GRACE, Missing.GRACE, Missing.GRACE, Missing.DUE]
    assert record.removal.removing_since == NOW


def test_a_second_delete_event_does_not_lengthen_the_grace_period() -> None:
    _, found = looked(SEEN, ("event-delete", "a", 0), ("event-delete", "b", 599), ("event-delete", "c", 600))
    assert found == [Missing.GRACE, Missing.GRACE, Missing.DUE]


def test_without_a_grace_period_it_is_due_once_it_is_believed_and_not_before() -> None:
    options = plan_options(grace=0)
    assert looked(SEEN, ("event-delete", "a"), options=options)[1] == [Missing.DUE]
    assert looked(SEEN, ("timer", "a"), ("timer", "b"), options=options)[1] == [Missing.MISSED, Missing.DUE]


def test_an_endpoint_made_again_ends_the_grace_period() -> None:
    record, _ = looked(SEEN, ("event-delete", "a"))
    assert record.mark_present().removal.removing_since is None
    _, found = looked(record.mark_present(), ("event-delete", "b", 10_000))
    assert found == [Missing.GRACE], "and the next deletion has one of its own"


# -- afterwards ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [cause for cause in EVERY_CAUSE if cause != "event-write"])
def test_what_was_removed_stays_so(cause: str) -> None:
    removed = SEEN.with_status(phase=Phase.REMOVED).with_removal(removing_since=NOW)
    assert looked(removed, (cause, "a", 10_000))[1] == [Missing.SETTLED]


@pytest.mark.parametrize("cause", EVERY_CAUSE)
def test_an_events_word_is_kept_for_the_next_look_where_azure_did_not_answer_and_no_longer(cause: str) -> None:
    after = note_delete_event(SEEN, WorkMessage(parse_arm_id(ENDPOINT_ID), Cause(cause), "a"))
    believed = cause == "event-delete"
    assert looked(after, ("wait", "a"))[1] == [Missing.GRACE if believed else Missing.MISSED]
    assert looked(after.mark_present(), ("wait", "a"))[1] == [Missing.MISSED]
