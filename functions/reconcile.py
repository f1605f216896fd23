"""Queue trigger: one message of the work queue, one run of the loop.

A message that cannot be understood raises, so that the platform moves it to `reconcile-poison` for a person to see. Raw
events that are not for us are dropped with one line, as in the Event Grid trigger.
"""

from __future__ import annotations

import logging
import os
import uuid

import azure.functions as func

from shared.app import check_tenants, clock_alone, start, work_queue
from shared.core.model.messages import QUEUE, decode

log = logging.getLogger("privatelink.queue")
blueprint = func.Blueprint()


@blueprint.function_name("reconcile")
@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
async def reconcile(message: func.QueueMessage) -> None:
    """Bring the endpoint that the message names to what it should be."""
    from shared import telemetry
    from shared.dispatch import take

    own_client = os.environ.get("AZURE_CLIENT_ID", "")
    decoded = decode(message.get_body(), new_correlation_id=str(uuid.uuid4()), own_client=own_client)
    for why in decoded.dropped:
        log.info("event dropped: %s", why)
    for work in decoded.work:
        telemetry.waited(message.insertion_time, work.wake_at, clock_alone().now())
    await check_tenants()
    await take(decoded, start, work_queue)
