"""What is told of a connection: the rules hold for every story, not only for those we thought of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.core.model.conditions import READY, Phase, blocked
from shared.core.model.notices import Notice
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import Identity
from shared.core.notifications.transitions import MOST_WAITING, note, sent

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LASTING = timedelta(minutes=4)
TOLD = {Phase.READY, Phase.DEGRADED, Phase.BLOCKED, Phase.REMOVING, Phase.REMOVED}
GONE = {"Removing", "Removed"}
BLANK = ConnectionRecord(
    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe",
    identity=Identity(name="pe", region="eastus2"),
)

moments = st.lists(
    st.tuples(st.sampled_from(Phase), st.sampled_from(["A", "B"]), st.integers(0, 600), st.booleans()), max_size=60
)
"""Phase, reason, seconds since the moment before, and whether the topic takes what waits then."""


def become(connection: ConnectionRecord, phase: Phase, reason: str) -> ConnectionRecord:
    ready = blocked(READY, reason, "message", "next step")
    return connection.with_status(phase=phase, conditions=(ready,))


def tell(story: list[tuple[Phase, str, int, bool]]) -> tuple[ConnectionRecord, list[Notice], list[datetime]]:
    """The record after a story, every event that was made, and when."""
    connection, now, made, when = BLANK, START, [], []
    state, began = "", START
    for phase, reason, seconds, taken in story:
        now += timedelta(seconds=seconds)
        present = f"{phase} {reason}" if phase is Phase.BLOCKED else str(phase)
        state, began = present, (began if present == state else now)
        before = connection.notifications.number
        connection = note(become(connection, phase, reason), now, lasting=LASTING, correlation_id="c")
        assert connection.notifications.number - before in {0, 1}, "one thing at a time"
        if connection.notifications.number > before:
            made.append(connection.notifications.outbox[-1])
            when.append(now)
            assert made[-1].time == began, "when it began, without a break"
        again = note(connection, now, lasting=LASTING, correlation_id="c")
        assert again == connection, "looking twice changes nothing"
        if taken:
            connection = sent(connection, frozenset(notice.id for notice in connection.notifications.outbox))
    return connection, made, when


@given(moments)
def test_events_are_numbered_and_each_has_an_id_of_its_own(story: list[tuple[Phase, str, int, bool]]) -> None:
    connection, made, _ = tell(story)
    assert [notice.data["sequence"] for notice in made] == list(range(1, len(made) + 1))
    assert len({notice.id for notice in made}) == len(made)
    assert len(connection.notifications.outbox) <= MOST_WAITING
    assert list(connection.notifications.outbox) == made[len(made) - len(connection.notifications.outbox) :], (
        "oldest first"
    )


def test_of_too_many_that_wait_the_newest_are_kept() -> None:
    story = [(Phase.BLOCKED, "AB"[number % 2], 300, False) for number in range(2 * (MOST_WAITING + 3))]
    connection, made, _ = tell([moment for one in story for moment in (one, one)])
    assert len(made) > MOST_WAITING
    assert list(connection.notifications.outbox) == made[-MOST_WAITING:]


@given(moments)
def test_the_same_story_makes_the_same_events(story: list[tuple[Phase, str, int, bool]]) -> None:
    assert tell(story)[1] == tell([(phase, reason, seconds, False) for phase, reason, seconds, _ in story])[1]


@given(moments)
def test_no_event_repeats_the_one_before_and_each_names_it(story: list[tuple[Phase, str, int, bool]]) -> None:
    _, made, _ = tell(story)
    for before, after in zip([None, *made], made, strict=False):
        assert after.data["previousPhase"] == (before.data["phase"] if before else None)
        if before is not None and before.data["phase"] == after.data["phase"]:
            assert after.data["phase"] == "Blocked"
            assert before.data["reason"] != after.data["reason"]
    assert made == [] or made[0].data["phase"] not in GONE, "no end of what was never told"


@given(moments)
def test_a_later_change_is_told_only_when_it_has_lasted_and_then_it_is(
    story: list[tuple[Phase, str, int, bool]],
) -> None:
    _, made, when = tell(story)
    for before, notice, at in zip([None, *made], made, when, strict=False):
        at_once = before is None or notice.data["phase"] in GONE or before.data["phase"] in GONE
        assert at - notice.time >= (timedelta() if at_once else LASTING)
    if not story or story[-1][0] not in TOLD:
        return
    phase, reason, _, _ = story[-1]
    _, later, _ = tell([*story, (phase, reason, int(LASTING.total_seconds()), False)])
    silent = phase in {Phase.REMOVING, Phase.REMOVED} and not made
    assert (later[-1].data["phase"] if later else "") == ("" if silent else str(phase))


@given(moments)
def test_what_comes_back_before_it_was_told_is_forgotten(story: list[tuple[Phase, str, int, bool]]) -> None:
    connection, _, _ = tell(story)
    told = connection.notifications.last_sent.split()
    if told:
        back = become(connection, Phase(told[0]), told[-1])
        found = note(back, START + timedelta(days=1), lasting=LASTING, correlation_id="c").notifications
        assert (found.pending, found.pending_since, found.number) == ("", None, connection.notifications.number)
