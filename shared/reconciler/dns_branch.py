"""Carrying out a plan's DNS steps, each journalled, each returning what is then known to be there. Used by `branches`.

The branch stops at its first error, which becomes the condition of the step that met it. Elastic Cloud's steps are in
`apply_elastic`, those of a removal in `removal.apply`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.core.model.errors import AutopilotError, Waiting
from shared.core.model.resources import Zone
from shared.core.model.steps import CreateLink, CreateZone, DnsStep
from shared.correlation import Stage, timed
from shared.reconciler.run_state import Failures, Run


@timed(Stage.APPLY_DNS)
async def apply_dns(
    run: Run,
    steps: tuple[DnsStep, ...],
    zones: tuple[Zone, ...],
    done: Callable[[tuple[Zone, ...]], Awaitable[None]],
) -> tuple[tuple[Zone, ...], Failures]:
    """Do the DNS steps in order, telling `done` after each; returns the zones as they then are, and what failed."""
    for step in steps:
        started = time.monotonic()
        try:
            await _begun_before(run, step)
            zones = await _dns_step(run, step, zones)
        except AutopilotError as error:
            run.note_failure(step, error, started)
            if isinstance(error, Waiting) and error.operation:
                run.connection = run.connection.with_operation(str(step), error.operation)
            return zones, {step.condition: error}
        run.note(step, "done", started=started)
        await done(zones)
    return zones, {}


async def _begun_before(run: Run, step: DnsStep) -> None:
    """Of a step that an earlier run began: how did it go? To begin it anew would never tell why it fails."""
    begun = run.connection.operation(str(step))
    if begun is None or not isinstance(step, CreateZone | CreateLink):
        return
    failed = await run.context.dns.poll_previous(step, begun.url)
    run.connection = run.connection.with_operation(str(step), "")
    if failed is not None:
        raise failed


async def _dns_step(run: Run, step: DnsStep, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
    dns = run.context.dns
    if isinstance(step, CreateZone):
        return (*zones, await dns.create_zone(step))
    zone = next(zone for zone in zones if zone.id.key == step.zone.key)
    if isinstance(step, CreateLink):
        changed = replace(zone, links=(*zone.links, await dns.create_link(step)))
    else:
        changed = replace(zone, record=await dns.put_record(step))
    return tuple(changed if other is zone else other for other in zones)
