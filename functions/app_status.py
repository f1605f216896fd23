"""What every answer says of the app itself: its version, its mode, and whether it is paused. Used by `responses`.

Read anew for each answer, because instances share nothing else. Where it cannot be read the answer says so and is
otherwise the same: what a person asked for must not fail because of what they did not ask for.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.app import start
from shared.core.model.errors import AutopilotError
from shared.version import VERSION

if TYPE_CHECKING:
    from shared.core.guards.pause import Pause

log = logging.getLogger("privatelink.http")

PATIENCE = 2.0
"""Seconds that an answer is held up for this."""

MODE_HEADER = "X-Privatelink-Mode"
PAUSE_HEADER = "X-Privatelink-Paused-Until"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AppStatus:
    """The app's mode and pause. `mode` empty, `pause_known` False: could not be read."""

    mode: str = ""
    pause: Pause | None = None
    pause_known: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """It as JSON values."""
        paused: Any = self.pause.document() if self.pause is not None else False
        return {"version": VERSION, "mode": self.mode or None, "paused": paused if self.pause_known else None}

    @property
    def headers(self) -> dict[str, str]:
        """It as headers; without a pause the second one is left out."""
        headers = {MODE_HEADER: self.mode or UNKNOWN}
        if not self.pause_known:
            headers[PAUSE_HEADER] = UNKNOWN
        elif self.pause is not None:
            headers[PAUSE_HEADER] = self.pause.until.isoformat()
        return headers


def forget_seen() -> None:
    """What an earlier request has read does not count for this one."""
    from shared.installation.pause import last_read

    last_read.set(None)


async def read_app_status(*, seen: bool = False) -> AppStatus:
    """The app's status now; raises nothing. `seen`: a pause that this request has read is recent enough."""
    from shared.installation.pause import last_read, present_pause

    mode = ""
    try:
        context = start()
        mode = str(context.options.installation.mode)
        if seen and (read := last_read.get()) is not None:
            return AppStatus(mode, read[0], pause_known=True)
        async with asyncio.timeout(PATIENCE):
            return AppStatus(mode, await present_pause(context), pause_known=True)
    except (AutopilotError, TimeoutError) as error:
        log.info("an answer does not tell whether the app is paused: %s", error)
    except Exception:
        log.exception("an answer does not tell whether the app is paused")
    return AppStatus(mode)
