"""What a message of the work queue leads to: a run of the loop, a part of a sweep, or messages of our own.

Called by the queue trigger. An event subscription can deliver straight to the queue. What such an event says of the
person behind it would stay among the poisoned messages if its work failed; so it is put back as a message that names
the endpoint only, before anything is tried.
"""

from __future__ import annotations

import logging

from shared.context import Context
from shared.core.messages import Decoded
from shared.reconcile import reconcile
from shared.sweeping.checks import check_subscription

log = logging.getLogger("privatelink.queue")


async def take(context: Context, decoded: Decoded) -> None:
    """Do what a decoded message asks for; raises what the platform should deliver again."""
    for part in decoded.checks:
        await check_subscription(context, part)
    for work in decoded.work:
        if decoded.raw:
            await context.storage.queue.send(work.encode())
            outcome = "taken"
        else:
            outcome = await reconcile(context, work)
        log.info("%s: %s %s correlation=%s", outcome, work.cause, work.endpoint.text, work.correlation_id)
