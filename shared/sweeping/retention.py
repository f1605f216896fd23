"""Records of connections long removed are deleted, or every sweep would read them for ever. Used by `sweep`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.context import Context, log
from shared.core import conditions as c
from shared.core.conditions import Phase
from shared.core.connection import Connection
from shared.core.errors import AutopilotError
from shared.sweeping.inventory import Known


async def forget_removed(context: Context, known: Iterable[Known]) -> None:
    """Delete what was removed longer ago than journal entries are kept; what others write meanwhile stays."""
    oldest = context.clock.now() - timedelta(days=context.settings.journal_days)
    for entry in known:
        if _long_removed(entry.connection, oldest):
            try:
                await context.storage.connections.delete(entry.row)
            except AutopilotError as error:
                log.info("record of removed connection %s not deleted: %s", entry.connection.id, error)


def _long_removed(connection: Connection, oldest: datetime) -> bool:
    """Settled, long ago, and nothing about it is still to be told."""
    removed = connection.condition(c.REMOVED)
    settled = connection.phase is Phase.REMOVED and removed is not None and removed.true
    told = not connection.notices.outbox
    return settled and told and removed is not None and removed.since is not None and removed.since < oldest
