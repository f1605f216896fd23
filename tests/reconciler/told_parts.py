"""What every table of situations asks of a row: what is said, what to do, how often it is looked at, what else goes on.

Used by `test_told_waits`, `test_told_dead_ends`, `test_told_meanings` and `test_told_states`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.core.diagnosis import diagnosis_of
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Explanation
from tests.harness.estate import Estate
from tests.reconciler.situations import made

Make = Callable[[Estate], Awaitable[str]]
ADVICE = "advice"
DNS = (c.ZONE_READY, c.LINKED, c.RECORD_READY)


@dataclass(frozen=True)
class Row:
    """A situation: where it is told, by which reason, with which words, and what it costs meanwhile."""

    make: Make
    told: str
    """The condition that tells it, or `ADVICE`."""
    reason: str
    says: str
    step: str = ""
    """Words of the next step; empty: there is nothing to do."""
    phase: str = "Blocked"
    looks: int = 0
    """Calls of the app in the next hour, without the sweep, at most."""
    enqueued: int = 1
    """Of the two sweeps after that hour, how many may have it looked at once more."""
    goes_on: tuple[str, ...] = ()
    """Conditions of the same connection that are true all the same."""
    never: str = "Elastic approves by itself"
    """What must not be said."""
    settings: dict[str, str] = field(default_factory=dict)
    second_scope: str | None = None
    others: tuple[str, ...] = (c.READY,)
    """Conditions of another connection that come true meanwhile: fewer, where its cloud or its group is the matter."""


async def holds(row: Row) -> None:
    """Bring the situation about, and look at all that the row says."""
    estate = await Estate(settings=row.settings, second_scope=row.second_scope).open()
    endpoint = await row.make(estate)
    record = await estate.connection(endpoint)
    everything = [*record.status.conditions, *diagnosis_of(record).advice]
    told = told_by(everything, row)
    assert record.status.phase == row.phase, told
    assert row.says in told.message
    assert (row.step in told.next_step) if row.step else not told.next_step, told.next_step
    assert not any(row.never in one.message for one in everything)
    assert [one.type for one in record.status.conditions if one.type in row.goes_on and not one.true] == []
    await looked_at_rarely(estate, row)
    await another_goes_on(estate, row)


def told_by(everything: list[Condition | Explanation], row: Row) -> Condition | Explanation:
    """What tells the situation."""
    kind = Explanation if row.told == ADVICE else Condition
    of_kind = [one for one in everything if isinstance(one, kind) and getattr(one, "type", ADVICE) == row.told]
    found = [one for one in of_kind if one.reason == row.reason]
    assert found, [(getattr(one, "type", ADVICE), one.reason, one.message) for one in everything]
    return found[0]


async def looked_at_rarely(estate: Estate, row: Row) -> None:
    """By itself in an hour, and by the sweeps after it."""
    before, end = len(estate.worker.wire.calls), estate.clock.now().timestamp() + 3600
    await estate.settle(3600)
    await estate.clock.sleep(max(0.0, end - estate.clock.now().timestamp()))
    assert (looks := len(estate.worker.wire.calls) - before) <= row.looks, looks
    enqueued = 0
    for _ in range(2):
        enqueued += (await estate.sweep()).enqueued
        await estate.settle(60)
        await estate.clock.sleep(300)
    assert enqueued <= row.enqueued, enqueued


async def another_goes_on(estate: Estate, row: Row) -> None:
    """An endpoint of another region and group, that asks for no deployment; or what of it does not need the same."""
    estate.events.settings.drop = False
    other = await made(estate, name="pe-other", group="rg-other", region="westeurope", tags={})
    true = {one.type for one in (await estate.connection(other)).status.conditions if one.true}
    assert {*row.others} - true == set()
