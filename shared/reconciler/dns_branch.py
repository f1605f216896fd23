"""The DNS branch of a run: read the zones, plan, carry the steps out, each journalled. Used by `loop`.

The branch stops at its first error, which becomes the condition of the step that met it. Elastic Cloud's steps are in
`elastic_branch`, those of a removal in `apply_removal`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.core.model import conditions as c
from shared.core.model.errors import AutopilotError, Waiting
from shared.core.model.resources import Zone
from shared.core.model.steps import CreateLink, CreateZone, DnsStep
from shared.core.planning.desired import Desired
from shared.core.planning.plan import Observed, plan
from shared.correlation import Stage, timed
from shared.reconciler.observe import observe_dns
from shared.reconciler.run_state import Failures, Run
from shared.reconciler.status import backoff_error, definite_failures, dns_failed, show_progress


async def dns_branch(run: Run, desired: Desired) -> tuple[tuple[Zone, ...] | None, Failures]:
    """Read, plan and act in private DNS; returns the zones as they then are (None: not known), and what failed."""
    context = run.context
    if (busy := backoff_error(run, "Azure", run.record.dns.not_before)) is not None:
        return None, definite_failures(run, {c.ZONE_READY: busy})
    try:
        zones = await observe_dns(context, desired, run.record)
    except AutopilotError as error:
        return None, definite_failures(run, dns_failed(run, {c.ZONE_READY: error}))

    async def done(zones: tuple[Zone, ...]) -> None:
        after = plan(desired, Observed(desired.endpoint, zones), run.record, context.options, context.clock.now())
        await show_progress(run, after.conditions)

    before = plan(desired, Observed(desired.endpoint, zones), run.record, context.options, context.clock.now())
    await show_progress(run, before.conditions)
    zones, failures = await _apply(run, before.dns_steps if run.effective_mode.enforces else (), zones, done)
    return zones, dns_failed(run, failures)


@timed(Stage.APPLY_DNS)
async def _apply(
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
                run.record = run.record.with_operation(str(step), error.operation)
            return zones, {step.condition: error}
        run.note(step, "done", started=started)
        await done(zones)
    return zones, {}


async def _begun_before(run: Run, step: DnsStep) -> None:
    """Of a step that an earlier run began: how did it go? To begin it anew would never tell why it fails."""
    begun = run.record.operation(str(step))
    if begun is None or not isinstance(step, CreateZone | CreateLink):
        return
    failed = await run.context.dns.poll_previous(step, begun.url)
    run.record = run.record.with_operation(str(step), "")
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
