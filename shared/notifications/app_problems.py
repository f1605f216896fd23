"""Tells the topic what is wrong with the app itself, and that it is over. Called by the sweep as it ends.

As for connections, an event is stored before it is sent and forgotten once the topic has taken it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.context import Context, log
from shared.core.model.errors import AutopilotError
from shared.core.notifications.app_problems import AppNews, AppNotices, from_document, note_problems, to_document
from shared.notifications.outbox import published
from shared.state.control import OnLostRace, update

DOCUMENT = "notifications-app"
"""Name of the document in table `control`."""


async def tell_app_problems(context: Context, seen: Sequence[AppNews], correlation_id: str) -> None:
    """Tell what a sweep has seen, where a topic is set; raises nothing."""
    if context.topic is None:
        return
    noted, lasting = AppNotices(), timedelta(seconds=context.settings.notify.after_seconds)

    def seeing(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        nonlocal noted
        memory = AppNotices() if document is None else from_document(document)
        noted = note_problems(memory, seen, context.clock.now(), lasting=lasting, correlation_id=correlation_id)
        return document if noted == memory else to_document(noted)

    try:
        control, clock = context.storage.control, context.clock
        await update(control, clock, DOCUMENT, seeing, lost=OnLostRace.RAISE, mend=True)
        if noted.outbox and await published(context, context.topic, noted.outbox):
            told = to_document(replace(noted, outbox=()))
            await update(control, clock, DOCUMENT, lambda _: told, lost=OnLostRace.RAISE)
    except AutopilotError as error:
        log.warning("what is wrong with the app is told by the next sweep: %s correlation=%s", error, correlation_id)
