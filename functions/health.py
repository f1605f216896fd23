"""Timer trigger: the sweep that makes lost events harmless and tests what is connected."""

from __future__ import annotations

import logging
import uuid

import azure.functions as func

from shared.app import check_tenants, clock_alone, health_schedule, start, storage_alone, topic_alone
from shared.core.model.errors import InvalidSettings

log = logging.getLogger("privatelink.timer")
blueprint = func.Blueprint()


@blueprint.function_name("check_health")
@blueprint.timer_trigger(arg_name="timer", schedule=health_schedule(), run_on_startup=False, use_monitor=True)
async def check_health(timer: func.TimerRequest) -> None:
    """Look at everything once. Returns nothing: a timer that answers a value fails."""
    from shared.sweep.sweep import sweep

    if timer.past_due:
        log.info("the timer is late")
    await check_tenants()
    correlation_id = str(uuid.uuid4())
    try:
        context = start()
    except InvalidSettings as error:
        await _tell(error, correlation_id)
        raise
    await sweep(context, correlation_id)


async def _tell(error: InvalidSettings, correlation_id: str) -> None:
    """Tell the topic, where what it takes is right, that nothing else is done."""
    from shared.notifications.app_problems import Teller, tell_wrong_settings

    topic, storage = topic_alone(), storage_alone()
    if topic is not None and storage is not None:
        await tell_wrong_settings(Teller(topic, storage.control, clock_alone()), error, correlation_id)
