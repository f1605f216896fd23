"""How a run ends: conditions put together, the phase, and the message that goes on later. Used by `reconcile`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.apply import Failures
from shared.core import conditions as c
from shared.core.conditions import Condition, merge, phase_of, summary
from shared.core.errors import RetryLater, Waiting
from shared.core.messages import WorkMessage
from shared.core.outcomes import condition_of, fingerprint, next_delay
from shared.run import Run


def failed_conditions(run: Run, failures: Failures) -> dict[str, Condition]:
    """The conditions that errors make."""
    now, visibility = run.context.clock.now(), run.context.settings.visibility
    return {
        name: condition_of(name, error, run.connection.condition(name), now, visibility)
        for name, error in failures.items()
    }


def conclude(run: Run, new: list[Condition], failures: Failures, *, only: bool = False) -> None:
    """Put the conditions together; what this run did not look at keeps what it had, unless `only` these are left."""
    known, now = run.connection, run.context.clock.now()
    kept = {} if only else {condition.type: condition for condition in known.conditions}
    standing = kept | {condition.type: condition for condition in new} | failed_conditions(run, failures)
    standing[c.READY] = summary({name: condition for name, condition in standing.items() if name != c.READY})
    waits = [error.after for error in failures.values() if isinstance(error, RetryLater | Waiting)]
    run.retry_after = max([run.retry_after, *waits])
    merged = merge(known.conditions, standing.values(), now)
    ready = standing[c.READY].true
    run.connection = replace(
        known,
        conditions=merged,
        phase=phase_of(standing, was_ready=known.ready_since is not None),
        ready_since=(known.ready_since or now) if ready else known.ready_since,
        first_seen=known.first_seen or now,
        generation=known.generation + 1,
        attempts=known.attempts + 1 if fingerprint(merged) == fingerprint(known.conditions) else 0,
    )
    for condition in merged:
        _note_change(run, known.condition(condition.type), condition)


def _note_change(run: Run, old: Condition | None, new: Condition) -> None:
    if old is not None and (old.status, old.reason) == (new.status, new.reason):
        return
    before = None if old is None else f"{old.status} {old.reason}"
    after = f"{new.status} {new.reason}"
    run.note(f"condition {new.type}", "changed", before=before, after=after, message=new.message)


async def schedule(run: Run, message: WorkMessage) -> None:
    """Send the message that goes on later, and only then let the record say so.

    A crash in between leaves one message too many, which is dropped as stale; the other order could leave none.
    """
    settings, connection = run.context.settings, run.connection
    standing = {condition.type: condition for condition in connection.conditions}
    delay = next_delay(
        connection, standing, first=settings.wait_first, longest=settings.wait_max, at_least=run.retry_after
    )
    if delay is None:
        run.connection = replace(connection, wake_at=None)
        return
    wake_at = run.context.clock.now() + timedelta(seconds=delay)
    again = WorkMessage(message.endpoint, "wait", message.correlation_id, wake_at)
    await run.context.storage.queue.send(again.encode(), delay)
    run.connection = replace(connection, wake_at=wake_at)
