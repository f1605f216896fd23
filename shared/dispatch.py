"""What a message of the work queue leads to: a run of the loop, a part of a sweep, or messages of our own.

Called by the queue trigger. An event subscription can deliver straight to the queue. What such an event says of the
person behind it would stay among the poisoned messages if its work failed; so it is put back as a message that names
the endpoint only, before anything is tried, and before the settings are looked at: the storage alone is enough for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from shared.context import Context
from shared.core.model.messages import Decoded, WorkMessage
from shared.reconciler.loop import reconcile
from shared.state.ports import WorkQueue
from shared.sweep.checks import check_subscription

log = logging.getLogger("privatelink.queue")


async def take(decoded: Decoded, start: Callable[[], Context], queue: Callable[[], WorkQueue]) -> None:
    """Do what a decoded message asks for; raises what the platform should deliver again.

    `start` answers what the work needs, `queue` the work queue, also where `start` raises for wrong settings.
    """
    for part in decoded.checks:
        await check_subscription(start(), part)
    for work in decoded.work:
        if decoded.raw:
            await queue().send(work.encode())
            _log("taken", work)
        else:
            _log(await reconcile(start(), work), work)


def _log(outcome: str, work: WorkMessage) -> None:
    log.info("%s: %s %s correlation=%s", outcome, work.cause, work.endpoint.text, work.correlation_id)
