"""What a message of the work queue leads to: a run of the loop, a part of a sweep, or messages of our own.

Called by the queue trigger. An event subscription can deliver straight to the queue. What such an event says of the
person behind it would stay among the poisoned messages if its work failed; so it is put back as a message that names
the resource only, before anything is tried, and before the settings are looked at: the storage alone is enough for it.

While the settings are wrong, or it is not known which subscriptions are watched, a message waits: it is put back with a
delay, as a new one, so that the platform does not count it among the deliveries that failed, and it is there when a
person has put the settings right. So does a message,
or the record that it is about, which a newer version of the app wrote: that runs already, beside this one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from shared.context import Context
from shared.core.model.errors import InvalidSettings, RetryLater
from shared.core.model.messages import PUT_BACKS_MAX, Cause, Decoded, DriftMessage, WorkMessage
from shared.core.model.record_document import NewerRecord
from shared.installation.watched import WatchedUnknown, with_found
from shared.reconciler.drift import wake_concerned
from shared.reconciler.loop import reconcile
from shared.state.ports import WorkQueue
from shared.sweep.checks import check_subscription

PUT_BACK = 60.0
"""Seconds until a message is looked at again with which this instance can do nothing."""
LOOKS_AT_DRIFT = 5
"""How often a change of private DNS is looked at that cannot be read; after that the sweep finds what it did."""

log = logging.getLogger("privatelink.queue")


async def take(decoded: Decoded, start: Callable[[], Context], queue: Callable[[], WorkQueue]) -> None:
    """Do what a decoded message asks for; raises what the platform should deliver again.

    `start` answers what the work needs, `queue` the work queue, also where `start` raises for wrong settings.
    """
    for text in decoded.newer:
        await queue().send(text, PUT_BACK)
        log.info("put back: a newer version of the app wrote the message")
    if decoded.raw:
        await _sent(decoded, queue(), "taken")
        return
    try:
        context = await _watching(start())
    except (InvalidSettings, WatchedUnknown) as error:
        # The part of a sweep is not put back: the next sweep makes it anew.
        await _sent(decoded, queue(), f"put back, {error.what.splitlines()[0]}", PUT_BACK)
        return
    for part in decoded.checks:
        await check_subscription(context, part)
    for drift in decoded.drift:
        _log(await _drift(context, drift, queue), drift)
    for work in decoded.work:
        try:
            _log(await reconcile(context, work), work)
        except NewerRecord:
            if work.put_backs >= PUT_BACKS_MAX:
                raise
            await queue().send(replace(work, put_backs=work.put_backs + 1).encode(), PUT_BACK)
            _log("put back, a newer version of the app wrote the record", work)


async def _sent(decoded: Decoded, queue: WorkQueue, outcome: str, delay: float = 0.0) -> None:
    messages: tuple[WorkMessage | DriftMessage, ...] = (*decoded.work, *decoded.drift)
    for message in messages:
        await queue.send(message.encode(), delay)
        _log(outcome, message)


async def _drift(context: Context, message: DriftMessage, queue: Callable[[], WorkQueue]) -> str:
    try:
        return await wake_concerned(context, message)
    except RetryLater as error:
        if message.put_backs >= LOOKS_AT_DRIFT:
            return f"dropped, the sweep will see it, {error.what}"
        again = replace(message, put_backs=message.put_backs + 1)
        await queue().send(again.encode(), error.after or PUT_BACK)
        return f"put back, {error.what}"


async def _watching(context: Context) -> Context:
    return await with_found(context) if context.settings.scope.management_groups else context


def _log(outcome: str, message: WorkMessage | DriftMessage) -> None:
    about = message.endpoint if isinstance(message, WorkMessage) else message.resource
    cause = message.cause if isinstance(message, WorkMessage) else Cause.DRIFT
    log.info("%s: %s %s correlation=%s", outcome, cause, about.text, message.correlation_id)
