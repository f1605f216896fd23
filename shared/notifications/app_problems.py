"""Tells the topic what is wrong with the app itself, and that it is over. Called by the sweep as it ends.

As for connections, an event is stored before it is sent and forgotten once the topic has taken it. While the settings
are wrong there is no sweep: the timer tells that alone, and nothing else is over for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from shared.clock import Clock
from shared.clouds.azure.event_grid import Topic
from shared.context import Context, log
from shared.core.model.errors import AutopilotError, InvalidSettings
from shared.core.notifications.app_problems import AppNews, AppNotices, from_document, note_problems, to_document
from shared.core.reports.app_health import wrong_settings
from shared.notifications.outbox import published
from shared.state.control import OnLostRace, update
from shared.state.ports import ControlTable

DOCUMENT = "notifications-app"
"""Name of the document in table `control`."""
LONGEST = 300
"""Characters of what is wrong with the settings."""


@dataclass(frozen=True, slots=True)
class Teller:
    """What telling takes: also where other settings are wrong."""

    topic: Topic
    control: ControlTable
    clock: Clock
    lasting: timedelta = timedelta(0)


async def tell_app_problems(context: Context, seen: Sequence[AppNews], correlation_id: str) -> None:
    """Tell what a sweep has seen, where a topic is set; raises nothing."""
    if context.topic is not None:
        lasting = timedelta(seconds=context.settings.notify.after_seconds)
        await _tell(Teller(context.topic, context.storage.control, context.clock, lasting), seen, correlation_id)


async def tell_wrong_settings(teller: Teller, error: InvalidSettings, correlation_id: str) -> None:
    """Tell that the settings are wrong; raises nothing."""
    found = wrong_settings(" ".join(error.what.split())[:LONGEST])
    await _tell(teller, [AppNews(found.code, found.message, found.next_step)], correlation_id, whole=False)


async def _tell(teller: Teller, seen: Sequence[AppNews], correlation_id: str, *, whole: bool = True) -> None:
    noted, control, clock = AppNotices(), teller.control, teller.clock

    def seeing(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        nonlocal noted
        memory = AppNotices() if document is None else from_document(document)
        noted = note_problems(
            memory, seen, clock.now(), lasting=teller.lasting, correlation_id=correlation_id, whole=whole
        )
        return document if noted == memory else to_document(noted)

    try:
        await update(control, clock, DOCUMENT, seeing, lost=OnLostRace.RAISE, mend=True)
        if noted.outbox and await published(clock, teller.topic, noted.outbox):
            told = to_document(replace(noted, outbox=()))
            await update(control, clock, DOCUMENT, lambda _: told, lost=OnLostRace.RAISE)
    except AutopilotError as error:
        log.warning("what is wrong with the app is told by the next sweep: %s correlation=%s", error, correlation_id)
