"""Whether the work queue is behind: then what a sweep would send may stand there already. Used by the sweep.

The queue is taken from its front, roughly in the order in which messages became visible. Where the message in front has
waited for long, or since before the end of the last sweep, a message that that sweep, an event or a run has sent may
still wait behind it: nothing is added then, and the next sweep that finds the queue up to date sends what is still to
be done. A message that was lost is sent again by the same rule, since nothing stands in front of it. The look costs
requests only where there is something to send.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.context import Context, log
from shared.core.model.errors import AutopilotError, InvalidInput
from shared.core.model.messages import CheckMessage, WorkMessage, decode
from shared.installation.last_sweep import instant_in, recall
from shared.state.rows import QueueLook
from shared.sweep.snapshot import SweepStats, failed

BEHIND = timedelta(seconds=30)
"""How long a message waits in front of a queue that is behind; one that is up to date is polled every few seconds."""

PATIENCE = timedelta(hours=1)
"""How long sweeps in a row add nothing: where the queue is always behind, what was lost must be found too."""


@dataclass(slots=True)
class Backlog:
    """What one sweep sends; it looks at the queue once, and only if it has something to send."""

    context: Context
    result: SweepStats
    _behind: bool | None = field(default=None, init=False)

    async def send(self, messages: Sequence[WorkMessage | CheckMessage]) -> int:
        """Send these, or none of them while the queue is behind; how many it was."""
        if not messages:
            return 0
        if await self.behind():
            self.result.held_back += len(messages)
            return 0
        sent = 0
        for message in messages:
            try:
                await self.context.storage.queue.send(message.encode())
            except AutopilotError as error:
                failed(self.result, "work queue", error)
            else:
                sent += 1
        return sent

    async def behind(self) -> bool:
        """Whether nothing is to be added; a queue that cannot be looked at takes nothing either."""
        if self._behind is None:
            try:
                self._behind = await self._look()
            except AutopilotError as error:
                failed(self.result, "work queue", error)
                self._behind = True
        return self._behind

    async def _look(self) -> bool:
        now, front = self.context.clock.now(), due(await self.context.storage.queue.look())
        if front is None:
            return False
        last = await recall(self.context)
        swept, since = instant_in(last, "at"), instant_in(last, "behindSince") or now
        if now - front < BEHIND and (swept is None or front > swept):
            return False
        if now - since >= PATIENCE:
            log.info("the queue has been behind since %s: this sweep adds to it all the same", since)
            return False
        self.result.behind_since = since
        log.info("the queue is behind, its next message is due since %s: this sweep adds nothing", front)
        return True


def due(look: QueueLook) -> datetime | None:
    """Since when the next message could have been taken: a wait is sent long before."""
    if look.oldest is None:
        return None
    try:
        work = decode(look.text, new_correlation_id="").work
    except InvalidInput:
        work = ()
    return max([look.oldest, *(message.wake_at for message in work if message.wake_at is not None)])
