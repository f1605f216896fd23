"""The loop: bring one endpoint's connection from what is to what should be. Called by the queue trigger.

    message ─▶ lease ─▶ observe ─▶ plan ─▶ apply ─▶ plan again ─▶ test ─▶ record ─▶ wait or done
                │          │         │       │                              │
              Tables   ARM, Elastic  pure   ARM, Elastic                 Tables, queue

It is level-triggered: the message only names the endpoint; everything else is read. Run twice, late, or after a crash
anywhere, it does what is left to do. Waiting for Azure or for Elastic's approval holds no instance: the run ends with
a message to itself, delayed, and each such message replaces the one before (`wake_at`). The two branches, DNS and
Elastic Cloud, do not wait for each other. Errors of the clouds become conditions that say who must act; only lost
storage, a run that takes too long, and bugs are raised, for the platform to deliver the message again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from enum import StrEnum

from shared import telemetry
from shared.context import Context, log
from shared.core.model.arm_ids import connection_id
from shared.core.model.errors import AutopilotError, LeaseLost, RetryLater
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import from_document
from shared.core.model.record_parts import Identity
from shared.correlation import correlated
from shared.installation.pause import present_pause
from shared.notifications import outbox as notify
from shared.reconciler.branches import run_once
from shared.reconciler.out_of_scope import new_endpoint_out_of_scope
from shared.reconciler.run_state import Run
from shared.reconciler.status import schedule
from shared.state.leases import Busy, Held
from shared.state.rows import ConnectionRow

ROUNDS = 3
"""Runs in a row under one lease when work keeps arriving; after that a new message goes on.

All of them, each of the longest that the settings allow, must end before the host ends the function (`functionTimeout`
in host.json): it would end every other run in the process with it.
"""


class Outcome(StrEnum):
    """What became of a message."""

    DONE = "done"
    BUSY = "busy"
    STALE = "stale"
    OUT_OF_SCOPE = "out-of-scope"
    LOST_LEASE = "lost-lease"


async def reconcile(context: Context, message: WorkMessage) -> Outcome:
    """Handle one message; raises only what the platform should deliver again."""
    with correlated(message.correlation_id):
        return await _handle(context, message)


async def _handle(context: Context, message: WorkMessage) -> Outcome:
    endpoint_id = message.endpoint
    fresh = ConnectionRecord(endpoint_id.text, identity=Identity(name=endpoint_id.name))
    row = await context.storage.connections.get(fresh.id)
    if row is None and await new_endpoint_out_of_scope(context, message):
        log.info("dropped: %s is out of scope of the settings correlation=%s", endpoint_id.text, message.correlation_id)
        return Outcome.OUT_OF_SCOPE
    if await _stale(context, message, row):
        return Outcome.STALE
    guard = replace(message, cause=Cause.LEASE, wake_at=None).encode()
    blank = ConnectionRow(fresh.id).holding(fresh)
    held = await context.leases.acquire(fresh.id, lambda: blank, guard)
    if isinstance(held, Busy):
        return Outcome.BUSY
    try:
        await _rounds(context, held, message)
    except LeaseLost as error:
        log.warning("lease lost: %s", error)
        return Outcome.LOST_LEASE
    except Exception:
        # Let go, so that the message's next delivery finds the endpoint free and the poison count means something.
        await _let_go(held)
        raise
    return Outcome.DONE


async def _stale(context: Context, message: WorkMessage, row: ConnectionRow | None) -> bool:
    """Messages that ask for nothing any more: an old wait, a guard whose holder finished, a delete of the unknown."""
    if message.cause is Cause.LEASE:
        return await context.leases.idle(connection_id(message.endpoint.text))
    if row is None:
        return message.cause in {Cause.EVENT_DELETE, Cause.WAIT}
    if message.wake_at is None:
        return False
    wake_at = from_document(row.document).schedule.wake_at
    return wake_at is None or wake_at > message.wake_at


async def _let_go(held: Held) -> None:
    try:
        while await held.finish():
            pass
    except AutopilotError as error:
        log.warning("lease not released, it will expire: %s", error)


async def _rounds(context: Context, held: Held, message: WorkMessage) -> None:
    for _ in range(ROUNDS):
        record, started = from_document(held.row.document), time.monotonic()
        run = Run(context, held, record, message.cause, message.correlation_id, await present_pause(context))
        try:
            await _bounded(run, message)
            await schedule(run, message)
        finally:
            await run.flush()
        final, took = notify.recorded(context, run.connection, message.correlation_id), time.monotonic() - started
        more = await held.finish(final)
        if not more:
            await notify.deliver(context, held.row, final)
        telemetry.reconcile_completed(
            record,
            final,
            cause=message.cause,
            run_id=run.id,
            correlation_id=message.correlation_id,
            duration_ms=round(took * 1000),
            steps=run.steps,
        )
        if not more:
            return
        # What arrived meanwhile may be more than the wait that began this run: look at everything.
        message = replace(message, cause=Cause.PENDING, wake_at=None)
    # Still more to do: hand over to a new message instead of holding on, then release.
    await context.storage.queue.send(replace(message, cause=Cause.MANUAL, wake_at=None).encode())
    await _let_go(held)


async def _bounded(run: Run, message: WorkMessage) -> None:
    """One run, within its time: a run that outlived its lease could meet another worker."""
    limit = run.context.settings.timing.run_seconds
    try:
        async with asyncio.timeout(limit):
            await run_once(run, message)
    except TimeoutError as error:
        raise RetryLater(f"The run took longer than {limit:.0f} s.", on=message.endpoint.text) from error
