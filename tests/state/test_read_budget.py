"""The installation takes no more of Azure's limits than its share, and who finds nothing left gets a turn."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from local.clock import LoopClock
from local.storage.memory import MemoryStorage
from shared.settings import descriptions
from shared.state.control import update
from shared.state.read_budget import (
    LEFT_TO_OTHERS,
    READS,
    REMAINING,
    ROW,
    TRIAL,
    ZONES,
    NoReadsLeft,
    ReadBudget,
    Row,
    Taken,
    row_from,
)

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def instances(number: int) -> tuple[LoopClock, list[ReadBudget]]:
    """Processes of one installation."""
    clock = LoopClock(START)
    storage = MemoryStorage(clock)
    return clock, [ReadBudget(storage.control, clock) for _ in range(number)]


@pytest.mark.parametrize(("limit", "each"), [(READS, 4), (READS, 7), (ZONES, 1)])
def test_in_no_window_more_is_taken_than_the_limit_and_everyone_has_a_turn(limit: object, each: int) -> None:
    """A hundred and more ask at once, come back at their turns, and ask for more at other times in between."""
    limit = READS if limit is READS else ZONES
    taken, queue, given = Taken(), [(0.0, number) for number in range(150)], list[tuple[float, int]]()
    while queue:
        queue.sort()
        now, who = queue.pop(0)
        got, turn = taken.take(limit, START.timestamp() + now, each, each)
        if got:
            given.append((now, got))
        else:
            assert turn > START.timestamp() + now
            queue.append((turn - START.timestamp() + who % 3, who))  # the queue is never quite on time
    assert len(given) == 150
    for ends, _ in given:
        assert sum(number for at, number in given if ends - limit.seconds < at <= ends) <= limit.most
    least = (150 * each / limit.most - 1) * limit.seconds
    assert given[-1][0] <= least + 2 * limit.seconds, "and none waits much longer than that takes"


async def test_instances_share_one_budget() -> None:
    clock, budgets = instances(8)
    refused, turns = 0, list[float]()

    async def runs(budget: ReadBudget) -> int:
        nonlocal refused
        used = 0
        for _ in range(40):
            try:
                await budget.before_read(SUBSCRIPTION)
                await budget.before_read(SUBSCRIPTION)
                used += 2
            except NoReadsLeft as error:
                refused += 1
                turns.append(error.after)
            await clock.sleep(0.5)
        return used

    used = sum(await asyncio.gather(*map(runs, budgets)))
    assert READS.most - 8 * READS.at_once <= used <= READS.most
    assert refused
    assert max(turns) <= 2 * READS.seconds


async def test_what_is_left_to_people_is_left_to_them() -> None:
    clock, (budget, other) = instances(2)
    await budget.ask(SUBSCRIPTION, 4)
    await clock.sleep(120)
    budget.note_remaining(SUBSCRIPTION, {REMAINING: str(LEFT_TO_OTHERS + 1)})
    with pytest.raises(NoReadsLeft):
        await budget.ask(SUBSCRIPTION, 30)
    with pytest.raises(NoReadsLeft):
        await other.ask(SUBSCRIPTION, 4)  # another process hears of it by the row
    await clock.sleep(40)
    await other.ask(SUBSCRIPTION, 4)  # a few, to hear how it stands now
    with pytest.raises(NoReadsLeft):
        await budget.ask(SUBSCRIPTION, 4)
    other.note_remaining(SUBSCRIPTION, {REMAINING: "499"})
    await other.ask(SUBSCRIPTION, 4 + TRIAL)
    await budget.ask(SUBSCRIPTION, 4)


async def test_a_damaged_row_stops_nothing() -> None:
    clock = LoopClock(START)
    control = MemoryStorage(clock).control
    budget = ReadBudget(control, clock)
    for document in (
        {"reads": 7, "left": "x", "left_at": "never"},
        {"reads": {"given": [["a", 1], [1, -5], [1, 2, 3], 4]}},
        {"left": 3, "left_at": "9999-01-01T00:00:00+00:00"},
    ):
        await update(control, clock, f"{ROW}{SUBSCRIPTION}", lambda _, one=document: one, mend=True)
        await clock.sleep(61)
        await budget.ask(SUBSCRIPTION, 4)
        await clock.sleep(400)


def test_a_row_is_read_as_it_was_written() -> None:
    row = Row()
    row.take(READS, START, 4, 12)
    row.note_remaining(321, START + timedelta(seconds=3))
    again = row_from({**row.document(), "reads": {"given": [[START.timestamp(), 12]], "turns": []}})
    assert again.document() == {**row.document(), "zones": {"given": [], "turns": []}}


async def test_a_row_stays_small_however_many_wait() -> None:
    row = Row()
    for _ in range(5_000):
        row.take(READS, START, 4, 4)
    assert len(str(row.document())) < 30_000


async def test_a_subscription_of_which_azure_says_that_it_has_more_is_read_more() -> None:
    """As Azure may raise a limit: what its answers say counts, not the figure of its pages."""
    clock, (budget,) = instances(1)
    for left in range(9_000, 9_000 - 4 * READS.most, -100):
        await budget.ask(SUBSCRIPTION, 100)
        budget.note_remaining(SUBSCRIPTION, {REMAINING: str(left)})
        await clock.sleep(1)
        for _ in range(100):
            await budget.before_read(SUBSCRIPTION)
    budget.note_remaining(SUBSCRIPTION, {REMAINING: str(LEFT_TO_OTHERS)})
    with pytest.raises(NoReadsLeft):
        await budget.ask(SUBSCRIPTION, 2 * READS.at_once)


async def test_how_much_is_taken_and_how_much_is_left_to_people_are_settings() -> None:
    clock = LoopClock(START)
    budget = ReadBudget(MemoryStorage(clock).control, clock, reads=100, left_to_others=300)
    await budget.ask(SUBSCRIPTION, 60)
    with pytest.raises(NoReadsLeft):
        await budget.ask(SUBSCRIPTION, 60)
    await clock.sleep(2 * READS.seconds)
    await budget.ask(SUBSCRIPTION, 60)
    budget.note_remaining(SUBSCRIPTION, {REMAINING: "299"})
    await clock.sleep(READS.seconds - 1)
    with pytest.raises(NoReadsLeft):
        await budget.ask(SUBSCRIPTION, 60)


def test_the_settings_defaults_are_those_of_a_budget_that_is_told_nothing() -> None:
    defaults = {one.name: one.default for one in descriptions()}
    assert defaults["DNS_READS_MAX"] == str(READS.most)
    assert defaults["DNS_READS_LEFT"] == str(LEFT_TO_OTHERS)


async def test_how_long_operations_take_is_told_to_the_other_processes() -> None:
    _, (seen, other) = instances(2)
    seen.learned("CreateZone", 33.0)
    seen.learned("CreateLink", 10**6)
    assert (seen.usual("CreateZone"), other.usual("CreateZone")) == (33.0, None)
    await seen.ask(SUBSCRIPTION, 4)
    await other.ask(SUBSCRIPTION, 4)
    assert (other.usual("CreateZone"), other.usual("CreateLink")) == (33.0, None)
    assert row_from({"usual": {"CreateZone": "33", "CreateLink": -1, "DeleteZone": 10**6}}).usual == {}
