"""Timer trigger: the sweep that makes lost events harmless and tests what is connected."""

from __future__ import annotations

import logging
import uuid

import azure.functions as func

from shared.app import check_tenants, health_schedule, start

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
    await sweep(start(), str(uuid.uuid4()))
