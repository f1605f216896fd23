"""How many endpoints that no record tells of may be named over HTTP: `MOST` a minute in the whole installation.

Called by `api.queries` before it asks Azure about one. Counted in one row of table `control`, by the storage service's
minutes: a caller with a key can make ids without end, and each would cost a request to Azure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.context import Context
from shared.core.model.errors import RetryLater
from shared.state.control import update

NAME = "unknown-endpoints"
MOST = 100


class TooManyUnknownEndpoints(RetryLater):
    """More endpoints that no record tells of were named within a minute than may be."""


async def ensure_few(context: Context) -> None:
    """Count one more; raises TooManyUnknownEndpoints where there were too many within this minute."""
    count, now = 0, context.clock.now()

    def counted(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        nonlocal count, now
        now = context.clock.now()
        minute = now.replace(second=0, microsecond=0).isoformat()
        before = document.get("count") if document is not None and document.get("minute") == minute else 0
        before = before if type(before) is int and before >= 0 else 0
        count = before + 1
        return document if document is not None and count > MOST else {"minute": minute, "count": count}

    await update(context.storage.control, context.clock, NAME, counted, mend=True)
    if count > MOST:
        what = f"{MOST} endpoints that no record tells of were named within a minute; more are not looked up."
        step = "Name endpoints that exist; sweeps find those that no person names."
        raise TooManyUnknownEndpoints(what, next_step=step, after=_left(now))


def _left(now: datetime) -> float:
    """Seconds until the next minute begins."""
    return max(1.0, 60.0 - now.second)
