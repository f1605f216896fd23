"""One run over one endpoint: its record as it grows, its lease, its diary. Used by all of a run."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from shared import telemetry
from shared.context import Context, log
from shared.core.guards.modes import EffectiveMode, effective_mode_of
from shared.core.guards.pause import Pause
from shared.core.model.errors import AutopilotError, Waiting
from shared.core.model.messages import Cause
from shared.core.model.record import ConnectionRecord
from shared.core.model.steps import Step
from shared.core.planning.requeue import fingerprint
from shared.core.ports import PrivateConnections
from shared.state.leases import Held
from shared.state.rows import JournalEntry

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
    """The pause that held when the run began."""
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
    changed: bool = False
    """Whether the endpoint has another GUID, address or network than on record: how it stood tells nothing any more."""
    began_with: frozenset[tuple[str, str]] = frozenset()
    """What the connection was waiting for when the run began."""

    def __post_init__(self) -> None:
        self.began_with = fingerprint(self.record.status.conditions)

    @property
    def effective_mode(self) -> EffectiveMode:
        """What this run may do, by all that is known of the endpoint so far."""
        return effective_mode_of(self.record.identity.mode, self.context.options.installation.mode, self.pause)

    @property
    def elastic(self) -> PrivateConnections:
        """The organization that everything of the connection is in; raises Blocked where there is no key of it."""
        return self.context.elastic.of(self.record.elastic.organization)

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
