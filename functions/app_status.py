"""What every answer says of the app itself: its version, its mode, a pause, what is wrong. Used by `responses`.

Read anew for each answer, because instances share nothing else. Where it cannot be read the answer says so and is
otherwise the same: what a person asked for must not fail because of what they did not ask for.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.app import start
from shared.core.model.errors import AutopilotError, InvalidSettings
from shared.version import VERSION

if TYPE_CHECKING:
    from shared.core.reports.app_health import AppProblem
    from shared.installation.app_health import PauseAndProblems

log = logging.getLogger("privatelink.http")

PATIENCE = 2.0
"""Seconds that an answer is held up for this."""

MODE_HEADER = "X-Privatelink-Mode"
PAUSE_HEADER = "X-Privatelink-Paused-Until"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AppStatus:
    """The app's mode, pause and problems. `mode` empty, `looked` None: could not be read."""

    mode: str = ""
    looked: PauseAndProblems | None = None
    problems: tuple[AppProblem, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """It as JSON values."""
        looked, known = self.looked, self.looked is not None or bool(self.problems)
        paused = looked.pause.document() if looked is not None and looked.pause is not None else None
        problems = [one.document() for one in (*self.problems, *(looked.problems if looked is not None else ()))]
        body = {"version": VERSION, "mode": self.mode or None, "paused": paused}
        return body | {"problems": problems if known else None}

    @property
    def headers(self) -> dict[str, str]:
        """It as headers; without a pause the second one is left out."""
        headers = {MODE_HEADER: self.mode or UNKNOWN}
        if self.looked is None:
            headers[PAUSE_HEADER] = UNKNOWN
        elif self.looked.pause is not None:
            headers[PAUSE_HEADER] = self.looked.pause.until.isoformat()
        return headers


def forget_seen() -> None:
    """What an earlier request has read does not count for this one."""
    from shared.installation.app_health import last_look

    last_look.set(None)


async def read_app_status(*, seen: bool = False) -> AppStatus:
    """The app's status now; raises nothing. `seen`: what this request has read is recent enough."""
    from shared.core.reports.app_health import wrong_settings
    from shared.installation.app_health import last_look, look

    mode = ""
    try:
        context = start()
        mode = str(context.options.installation.mode)
        if seen and (looked := last_look.get()) is not None:
            return AppStatus(mode, looked)
        async with asyncio.timeout(PATIENCE):
            return AppStatus(mode, await look(context))
    except InvalidSettings as error:
        return AppStatus(mode, problems=(wrong_settings(error.what),))
    except (AutopilotError, TimeoutError) as error:
        log.info("an answer does not tell whether the app is paused: %s", error)
    except Exception:
        log.exception("an answer does not tell whether the app is paused")
    return AppStatus(mode)
