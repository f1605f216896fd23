"""Records of connections long removed are deleted, or every sweep would read them for ever. Used by `sweep`.

Not those that say that something is retained: the endpoint's tag, which asked for it, went with the endpoint. Without
the record the markers alone would speak of what was made for it, and it would be removed after all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.context import Context, log
from shared.core.model import conditions as c
from shared.core.model.conditions import Phase
from shared.core.model.errors import AutopilotError
from shared.core.model.reasons import Reason
from shared.core.model.record import Connection
from shared.sweep.snapshot import StoredRecord


async def forget_removed(context: Context, known: Iterable[StoredRecord]) -> None:
    """Delete what was removed longer ago than journal entries are kept; what others write meanwhile stays."""
    oldest = context.clock.now() - timedelta(days=context.settings.timing.journal_days)
    for entry in known:
        if _long_removed(entry.record, oldest):
            try:
                await context.storage.connections.delete(entry.row)
            except AutopilotError as error:
                log.info("record of removed connection %s not deleted: %s", entry.record.id, error)


def _long_removed(connection: Connection, oldest: datetime) -> bool:
    """Settled, long ago, nothing of it retained, and nothing about it still to be told."""
    removed = connection.condition(c.REMOVED)
    if removed is None or not removed.true or connection.phase is not Phase.REMOVED or connection.notices.outbox:
        return False
    return removed.reason is not Reason.RETAINED and removed.since is not None and removed.since < oldest
