"""One run over one endpoint: what it knows as it goes (record, lease, diary), and how it ends. Used by all of a run.

It ends with the conditions put together, the phase, and the message that goes on later. A branch that cannot read says
so here too: what stands meanwhile, and how long the service is left alone.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared import telemetry
from shared.clock import Stopwatch
from shared.context import Context, log
from shared.core.guards.pause import Pause
from shared.core.guards.scope import EffectiveMode, effective_mode_of
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Phase, for_connection, merge, phase_of, summary
from shared.core.model.errors import AutopilotError, RetryLater, Throttled, Waiting
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import QueuedMessage
from shared.core.model.resources import Zone
from shared.core.model.steps import Step
from shared.core.planning.requeue import condition_of, fingerprint, next_delay, overdue
from shared.core.planning.restores import Restores, with_restore
from shared.core.planning.stale import STANDS_FOR, carry_over, is_passing
from shared.core.ports import PrivateConnections
from shared.installation.pause import present_pause
from shared.state.leases import Held
from shared.state.ports import WorkQueue
from shared.state.rows import JournalEntry

NEVER = datetime.min.replace(tzinfo=UTC)
"""Before everything: where the storage did not say when it answered, nothing that waits has ended."""

FRESH = timedelta(minutes=10)
"""How long a full observation spares the next looks while nothing but time is awaited."""

HALF = 0.5
"""Of a run's time: what may take very long ends then."""

Failures = dict[str, AutopilotError]
"""The error of each condition that met one."""


@dataclass(slots=True)
class Run:
    """The state of a run; `record` is replaced as things become known."""

    context: Context
    held: Held
    record: ConnectionRecord
    cause: Cause
    correlation_id: str
    pause: Pause | None = None
    """The pause that held when the run began, or that the look before a change found."""
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    entries: list[JournalEntry] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)
    """How many steps ended how: done, failed, waiting."""
    saving: asyncio.Lock = field(default_factory=asyncio.Lock)
    """The branches of a run save side by side; the lease is for one at a time."""
    waits: dict[str, float] = field(default_factory=dict)
    """Seconds that errors asked for, by the condition that met them."""
    stale: Failures = field(default_factory=dict)
    """What could not be read this time though nothing is wrong, and why, by condition."""
    never_seen: bool = False
    """Whether Azure has never shown the endpoint, and nothing was made for it: no record of it is kept."""
    changed: bool = False
    """Whether the endpoint has another GUID, address or network than on record: how it stood tells nothing any more."""
    repairs: list[str] = field(default_factory=list)
    """What was put right, in sentences."""
    cut_short: bool = False
    """Whether steps are left that were only too many for one run: it goes on as if nothing had been waited for."""
    watch: Stopwatch = field(init=False)
    """Runs since the run began."""
    began_with: frozenset[tuple[str, str]] = frozenset()
    """What the connection was waiting for when the run began."""
    began_at: datetime = NEVER
    """When it did, by this worker's clock: about then the endpoint is read."""
    observed_lately: bool = False
    """Whether all was read in full a moment ago, so that what is awaited may be looked at alone."""
    rested: bool = False
    """Whether a branch was left alone, as nothing but time changes what it waits for."""
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once Elastic Cloud was read for the first time, or could not be."""
    crowd: Condition | None = None
    """Why nothing is made for the endpoint, by that look."""
    polled: dict[str, tuple[bool, AutopilotError | None]] = field(default_factory=dict)
    """By step: what Azure told in this run of the operation that an earlier one began for it."""

    made: Zone | None = None
    """The zone whose making has just ended: there is nothing in it yet."""

    def __post_init__(self) -> None:
        self.watch = Stopwatch(self.context.clock)
        self.began_with, self.began_at = fingerprint(self.record.status.conditions), self.context.clock.now()
        observed_at, missed = self.record.schedule.observed_at, self.record.removal.missed
        waits = self.cause is Cause.WAIT and observed_at is not None and not missed
        self.observed_lately = waits and self.began_at - (observed_at or NEVER) < FRESH

    @property
    def before_half(self) -> float:
        """Seconds until half of its time is over: reads, tests and the record need the rest."""
        return HALF * self.context.settings.timing.run_seconds - self.watch.seconds

    @property
    def effective_mode(self) -> EffectiveMode:
        """What this run may do, by all that is known of the endpoint so far."""
        return effective_mode_of(self.record.identity.mode, self.context.options.installation.mode, self.pause)

    async def may_write(self) -> bool:
        """Whether the next change may be made: a pause that has begun meanwhile holds for the rest of the run (S7).

        Called before each step that writes in Azure or Elastic Cloud. Raises what the storage raises.
        """
        if self.effective_mode.enforces:
            self.pause = await present_pause(self.context)
        return self.effective_mode.enforces

    @property
    def elastic(self) -> PrivateConnections:
        """The organization that everything of the connection is in; raises Blocked where there is no key of it."""
        return self.context.elastic.of(self.record.elastic.organization, self.record.identity.family)

    def note(
        self,
        step: Step | str,
        outcome: str,
        *,
        before: Any = None,
        after: Any = None,
        message: str = "",
        started: float | None = None,
    ) -> None:
        """Add to the diary: a change that was tried, or a decision."""
        duration = 0 if started is None else round((time.monotonic() - started) * 1000)
        message = message or f"{str(step)[:1].upper()}{str(step)[1:]}: {outcome}."
        self.steps[outcome] += 1
        entry = JournalEntry(
            at=self.context.clock.now(),
            run_id=self.id,
            correlation_id=self.correlation_id,
            cause=self.cause,
            step=str(step),
            before=before,
            after=after,
            outcome=outcome,
            duration_ms=duration,
            message=message,
        )
        self.entries.append(entry)
        telemetry.journal_written(
            self.record,
            cause=self.cause,
            run_id=self.id,
            correlation_id=self.correlation_id,
            step=str(step),
            outcome=outcome,
            duration_ms=duration,
            message=message,
        )

    def note_done(self, step: Step, restores: Restores, started: float) -> None:
        """Add to the diary that a change was made; where it puts right what others did, with what that was."""
        restore = restores.of.get(str(step))
        if restore is None:
            self.note(step, "done", started=started)
            return
        self.record = with_restore(self.record, restore, self.context.clock.now())
        self.repairs.append(restore.sentence)
        self.note(step, "done", before=restore.before, after=restore.after, message=restore.sentence, started=started)

    def note_failure(self, step: Step | str, error: AutopilotError, started: float) -> None:
        """Add to the diary that a change was not made, and why."""
        outcome = "waiting" if isinstance(error, Waiting) else "failed"
        self.note(step, outcome, message=str(error), started=started)

    async def save(self, *, renew: bool = False) -> None:
        """Store the record as it is now, under a lease that was renewed just before if that is asked; or LeaseLost."""
        async with self.saving:
            if renew:
                await self.held.renew()
            await self.held.save(self.record)

    async def flush(self) -> None:
        """Write the diary. A diary that cannot be written stops no work: what matters for safety is in the record."""
        entries, self.entries = self.entries, []
        if not entries:
            return
        try:
            await self.context.storage.journal.append(self.record.id, entries)
        except AutopilotError as error:
            self.entries = entries
            log.warning("journal of connection %s not written: %s", self.record.id, error)


# -- how it ends ---------------------------------------------------------------------------------------------------


def failed_conditions(run: Run, failures: Failures) -> dict[str, Condition]:
    """The conditions that errors make."""
    now, visibility = run.context.clock.now(), run.context.settings.timing.visibility
    before = {name: run.record.condition(name) for name in failures}
    found = {name: condition_of(name, error, before[name], now, visibility) for name, error in failures.items()}
    return {name: overdue(one, before[name], now) for name, one in found.items()}


def unread_conditions(run: Run) -> dict[str, Condition]:
    """The conditions of what could not be read: as they stood, for a while."""
    now = run.context.clock.now()
    since = run.record.schedule.stale_since or now
    failed = failed_conditions(run, run.stale)
    stood = {name: carry_over(run.record.condition(name), error, since, now) for name, error in run.stale.items()}
    return {name: condition or failed[name] for name, condition in stood.items()}


def update_status(run: Run, new: list[Condition], failures: Failures, *, only: bool = False) -> None:
    """Put the conditions together; what this run did not look at keeps what it had, unless `only` these are left."""
    record, now = run.record, run.context.clock.now()
    kept = {} if only else {condition.type: condition for condition in record.status.conditions}
    found = kept | {condition.type: condition for condition in new} | failed_conditions(run, failures)
    found |= unread_conditions(run)
    found[c.READY] = summary({name: condition for name, condition in found.items() if name != c.READY})
    run.waits |= {name: error.after for name, error in failures.items() if isinstance(error, RetryLater | Waiting)}
    run.waits |= _waits_of_unread(run)
    merged, newly_unread = _turn(run, found), bool(run.stale) and record.schedule.stale_since is None
    ready, told = found[c.READY].true, {one.reason for name, one in found.items() if name not in c.BESIDE}
    run.record = record.with_status(
        conditions=merged,
        # What a condition has come to say is no advice any more; where nothing else counts, no advice does.
        advice=() if only else tuple(one for one in record.status.advice if one.reason not in told),
        phase=_phase(run, found),
        ready_since=(record.status.ready_since or now) if ready else record.status.ready_since,
        first_seen=record.status.first_seen or now,
        generation=record.status.generation + 1,
    ).with_schedule(
        attempts=record.schedule.attempts + 1 if _waits_for_the_same(run, merged) and not newly_unread else 0,
        stale_since=(record.schedule.stale_since or now) if run.stale else None,
    )


def _waits_for_the_same(run: Run, conditions: tuple[Condition, ...]) -> bool:
    return fingerprint(conditions) == run.began_with and not run.cut_short


def _waits_of_unread(run: Run) -> dict[str, float]:
    """As long as the errors ask for, but not longer than what was known stands: then it has to be told."""
    now = run.context.clock.now()
    left = ((run.record.schedule.stale_since or now) + STANDS_FOR - now).total_seconds()
    asked = {name: error.after for name, error in run.stale.items() if isinstance(error, RetryLater)}
    return {name: min(after, left) if left > 0 else after for name, after in asked.items()}


def _phase(run: Run, found: dict[str, Condition]) -> Phase:
    record, recognised = run.record, found.get(c.RECOGNISED)
    if c.RECOGNISED in run.stale and recognised is not None and _same(record.condition(c.RECOGNISED), recognised):
        return record.status.phase  # the endpoint could not be read, so nothing was looked at
    return phase_of(found, was_ready=record.status.ready_since is not None)


async def show_progress(run: Run, new: Iterable[Condition]) -> None:
    """Store what has become true during a run: who watches sees each step when it is done, not only the end."""
    standing = {condition.type: condition for condition in run.record.status.conditions}
    turned = [condition for condition in new if condition.true and not _same(standing.get(condition.type), condition)]
    if not turned:
        return
    standing |= {condition.type: condition for condition in turned}
    run.record = run.record.with_status(conditions=_turn(run, standing))
    await run.save()


def _turn(run: Run, standing: dict[str, Condition]) -> tuple[Condition, ...]:
    """The conditions with their times; each that turned goes into the diary."""
    named = [for_connection(one, run.record.id) for one in standing.values()]
    merged = merge(run.record.status.conditions, named, run.context.clock.now())
    for condition in merged:
        _note_change(run, run.record.condition(condition.type), condition)
    return merged


def _same(old: Condition | None, new: Condition) -> bool:
    return old is not None and (old.status, old.reason) == (new.status, new.reason)


def _note_change(run: Run, old: Condition | None, new: Condition) -> None:
    if _same(old, new):
        return
    before = None if old is None else f"{old.status} {old.reason}"
    after = f"{new.status} {new.reason}"
    run.note(f"condition {new.type}", "changed", before=before, after=after, message=new.message)


async def schedule(run: Run, message: WorkMessage) -> None:
    """Send the message that goes on later, in the place of the one before, and only then let the record say so.

    A crash in between leaves a message that the record does not know, which is a run too many; the other order could
    leave none.
    """
    settings, connection = run.context.settings, run.record
    standing = {condition.type: condition for condition in connection.status.conditions}
    delay = next_delay(
        connection,
        standing,
        first=settings.timing.wait_first,
        longest=settings.timing.wait_max,
        waits=run.waits,
        unread=run.stale,
        looked_at=run.began_at,
        now=run.context.clock.now(),
    )
    if delay is None or not run.effective_mode.enforces:  # without a right to act, only the sweep looks again
        await _withdraw(run, _standing_wait(connection, message))
        run.record = connection.with_schedule(wake_at=None, wait=None)
        return
    wake_at = run.context.clock.now() + timedelta(seconds=delay)
    again = WorkMessage(message.endpoint, Cause.WAIT, message.correlation_id, wake_at)
    wait = await send_in_place(run.context.storage.queue, _standing_wait(connection, message), again, delay)
    run.record = connection.with_schedule(wake_at=wake_at, wait=wait)


async def send_in_place(
    queue: WorkQueue, standing: QueuedMessage | None, message: WorkMessage, delay: float = 0.0
) -> QueuedMessage:
    """Send a message in the place of one of ours, or beside it where a worker has taken that one meanwhile."""
    text = message.encode()
    replaced = None if standing is None else await queue.replace(standing, text, delay)
    return replaced or await queue.send(text, delay)


def _standing_wait(record: ConnectionRecord, message: WorkMessage) -> QueuedMessage | None:
    """The message that the last run has sent, unless it is the one that this run is about."""
    if message.cause is Cause.WAIT and message.wake_at == record.schedule.wake_at:
        return None
    return record.schedule.wait


async def _withdraw(run: Run, wait: QueuedMessage | None) -> None:
    if wait is None:
        return
    try:
        await run.context.storage.queue.withdraw(wait)
    except AutopilotError as error:
        log.info("wait of connection %s not withdrawn, it will come to nothing: %s", run.record.id, error)


# -- a branch that cannot read -------------------------------------------------------------------------------------


def definite_failures(run: Run, unread: Failures) -> Failures:
    """What failed reads tell for certain; of the others, what was known before stands for a while (`core.unread`)."""
    passing = {name: error for name, error in unread.items() if is_passing(error) and not run.changed}
    run.stale |= passing
    return {name: error for name, error in unread.items() if name not in passing}


def backoff_error(run: Run, service: str, until: datetime | None) -> Throttled | None:
    """The error of a service that asked not to be called yet; the run comes back when it may be. None: now it may."""
    if until is None or (left := (until - run.context.clock.now()).total_seconds()) <= 0:
        return None
    return Throttled(f"{service} asked not to be called before {until:%Y-%m-%d %H:%M:%S} UTC.", after=left)


def dns_failed(run: Run, failures: Failures) -> Failures:
    """Remember how long Azure asked that private DNS be left alone: its budget is small, and many share it."""
    run.record = run.record.with_dns(not_before=_asked_until(run, failures))
    return failures


def elastic_failed(run: Run, failures: Failures) -> Failures:
    """Remember how long Elastic Cloud asked to be left alone, so that looking at DNS does not disturb it."""
    run.record = run.record.with_elastic(not_before=_asked_until(run, failures))
    return failures


def _asked_until(run: Run, failures: Failures) -> datetime | None:
    waits = [error.after for error in failures.values() if isinstance(error, Throttled)]
    return run.context.clock.now() + timedelta(seconds=max(waits)) if waits else None
