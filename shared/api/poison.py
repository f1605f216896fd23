"""Sending again what the platform gave up on, over HTTP. Called by the HTTP triggers, once the cause is repaired.

A message whose cause is still there comes back to the poison queue after eight more tries: no harm, and no help.
"""

from __future__ import annotations

from typing import Any

from shared.context import Context, log
from shared.core.model.callers import Asked


async def replay(context: Context, limit: int, asked: Asked) -> dict[str, Any]:
    """Put up to `limit` poisoned messages back on the work queue; how many it was, and about how many are left."""
    replayed = await context.storage.queue.replay_poison(limit)
    left = await context.storage.queue.poisoned()
    log.warning("poison: %d messages sent again, %d left %s", replayed, left, asked)
    return {"replayed": replayed, "left": left, "correlationId": asked.correlation_id}
