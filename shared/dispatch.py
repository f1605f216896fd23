"""What a message of the work queue leads to: a run of the loop, a part of a sweep, or messages of our own.

Called by the queue trigger. An event subscription can deliver straight to the queue. What such an event says of the
person behind it would stay among the poisoned messages if its work failed; so it is put back as a message that names
the endpoint only, before anything is tried, and before the settings are looked at: the storage alone is enough for it.

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
from shared.core.model.errors import InvalidSettings
from shared.core.model.messages import PUT_BACKS_MAX, Decoded, WorkMessage
from shared.core.model.record_document import NewerRecord
from shared.installation.watched import WatchedUnknown, with_found
from shared.reconciler.loop import reconcile
from shared.state.ports import WorkQueue
from shared.sweep.checks import check_subscription

PUT_BACK = 60.0
"""Seconds until a message is looked at again with which this instance can do nothing."""

log = logging.getLogger("privatelink.queue")


async def take(decoded: Decoded, start: Callable[[], Context], queue: Callable[[], WorkQueue]) -> None:
    """Do what a decoded message asks for; raises what the platform should deliver again.

    `start` answers what the work needs, `queue` the work queue, also where `start` raises for wrong settings.
    """
    for text in decoded.newer:
        await queue().send(text, PUT_BACK)
        log.info("put back: a newer version of the app wrote the message")
    if decoded.raw:
        for work in decoded.work:
            await queue().send(work.encode())
            _log("taken", work)
        return
    try:
        context = await _watching(start())
    except (InvalidSettings, WatchedUnknown) as error:
        # The part of a sweep is not put back: the next sweep makes it anew.
        for work in decoded.work:
            await queue().send(work.encode(), PUT_BACK)
            _log(f"put back, {error.what.splitlines()[0]}", work)
        return
    for part in decoded.checks:
        await check_subscription(context, part)
    for work in decoded.work:
        try:
            _log(await reconcile(context, work), work)
        except NewerRecord:
            if work.put_backs >= PUT_BACKS_MAX:
                raise
            await queue().send(replace(work, put_backs=work.put_backs + 1).encode(), PUT_BACK)
            _log("put back, a newer version of the app wrote the record", work)


async def _watching(context: Context) -> Context:
    return await with_found(context) if context.settings.scope.management_groups else context


def _log(outcome: str, work: WorkMessage) -> None:
    log.info("%s: %s %s correlation=%s", outcome, work.cause, work.endpoint.text, work.correlation_id)
