"""The DNS branch of a run: read the zones, plan, carry the steps out, each journalled. Used by `loop`.

The branch stops at its first error, which becomes the condition of the step that met it. Elastic Cloud's steps are in
`elastic_branch`, those of a removal in `apply_removal`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case, parse_arm_id
from shared.core.model.errors import AutopilotError, Blocked, Permanent, Waiting
from shared.core.model.messages import Cause
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import REFUSED_FOR
from shared.core.model.resources import Zone
from shared.core.model.steps import CreateLink, CreateZone, DnsStep, WithdrawAddress
from shared.core.model.things import made_by
from shared.core.planning.desired import Desired
from shared.core.planning.dns import DnsFacts
from shared.core.planning.dns_record import HolderFacts, other_holders
from shared.core.planning.plan import Observed, Plan, plan
from shared.correlation import Stage, timed
from shared.installation import things
from shared.reconciler.holders import holder_facts, note_waiting
from shared.reconciler.observe import observe_dns
from shared.reconciler.run_state import Failures, Run, backoff_error, definite_failures, dns_failed, show_progress

HELD = frozenset({Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT, Reason.RECORD_FULL})
"""Reasons of an endpoint that waits for a place in the `*` record."""


async def dns_branch(run: Run, desired: Desired) -> tuple[Observed, Failures]:
    """Read, plan and act in private DNS; returns what then is there (no zones: not known), and what failed."""
    context, unseen = run.context, Observed(desired.endpoint)
    if (busy := backoff_error(run, "Azure", run.record.dns.not_before)) is not None:
        return unseen, definite_failures(run, {c.ZONE_READY: busy})
    again = run.cause is not Cause.WAIT or run.changed
    try:
        zones, facts = await observe_dns(context, desired, run.record, again=again)
    except AutopilotError as error:
        return unseen, definite_failures(run, dns_failed(run, {c.ZONE_READY: error}))
    run.record = _tried_again(run, desired).with_dns(resolution=facts.resolution)

    def planned(zones: tuple[Zone, ...]) -> Plan:
        seen = replace(unseen, zones=zones, facts=facts)
        return plan(desired, seen, run.record, context.options, context.clock.now())

    async def done(zones: tuple[Zone, ...]) -> None:
        await show_progress(run, planned(zones).conditions)

    before = planned(zones)
    facts = replace(facts, holders=await _holders(run, desired, zones, before))
    before = planned(zones)
    await show_progress(run, before.conditions)
    zones, failures = await _apply(run, desired, before.dns_steps if run.effective_mode.enforces else (), zones, done)
    await _wait_for_record(run, before, facts)
    return replace(unseen, zones=zones, facts=facts), dns_failed(run, failures)


async def _holders(run: Run, desired: Desired, zones: tuple[Zone, ...], before: Plan) -> HolderFacts:
    """What is so of the other endpoints that hold the record: only those that are gone give it away."""
    zone = _zone_of(before, zones)
    others = () if zone is None else other_holders(desired, zone)
    ready = any(one.type == c.RECORD_READY and one.true for one in before.conditions)
    if zone is None or not others or (ready and run.cause is Cause.WAIT):
        return HolderFacts()
    return await holder_facts(run.context, zone, others, note=run.effective_mode.enforces)


def _zone_of(found: Plan, zones: tuple[Zone, ...]) -> Zone | None:
    used = found.dns.zone if found.dns is not None else None
    return next((zone for zone in zones if used is not None and zone.id.key == lower_case(used.id)), None)


async def _wait_for_record(run: Run, before: Plan, facts: DnsFacts) -> None:
    """Where another endpoint holds the record: come back when it may be taken over, or be told when its holder goes."""
    record = next((one for one in before.conditions if one.type == c.RECORD_READY), None)
    if record is None or record.reason not in HELD:
        return
    if record.needs is c.WaitingFor.TIME:
        run.waits[c.RECORD_READY] = facts.holders.too_young + 1.0
    elif before.dns is not None and before.dns.zone is not None and run.effective_mode.enforces:
        await note_waiting(run.context, parse_arm_id(before.dns.zone.id), run.record.endpoint_id)


def _tried_again(run: Run, desired: Desired) -> ConnectionRecord:
    """The record without the refusals that are old, that a person wants tried again, or that are asked for no more."""
    dns, now = run.record.dns, run.context.clock.now()
    old = dns.refused_at is not None and now - dns.refused_at > REFUSED_FOR
    wanted = {one.lower() for one in (desired.endpoint.vnet_id, *desired.link_vnets)}
    kept = () if old or run.cause is Cause.MANUAL else tuple(one for one in dns.refused if one in wanted)
    return run.record.with_dns(refused=kept, refused_at=dns.refused_at if kept else None)


@timed(Stage.APPLY_DNS)
async def _apply(
    run: Run,
    desired: Desired,
    steps: tuple[DnsStep, ...],
    zones: tuple[Zone, ...],
    done: Callable[[tuple[Zone, ...]], Awaitable[None]],
) -> tuple[tuple[Zone, ...], Failures]:
    """Do the DNS steps in order, telling `done` after each; returns the zones as they then are, and what failed."""
    for step in steps:
        started = time.monotonic()
        try:
            if not await run.may_write():
                break
            await _begun_before(run, step)
            zones = await _noted(run, step, zones)
        except AutopilotError as error:
            run.note_failure(step, error, started)
            if _may_go_without(run, desired, step, error):
                continue
            if isinstance(error, Waiting) and error.operation:
                run.record = run.record.with_operation(str(step), error.operation)
            return zones, {step.condition: error}
        run.note(step, "done", started=started)
        await done(zones)
    return zones, {}


def _may_go_without(run: Run, desired: Desired, step: DnsStep, error: AutopilotError) -> bool:
    """Whether a link was refused that decides nothing: the network has another zone, and others' clients ask it.

    It is remembered, for a day, so that not every sweep asks for it again.
    """
    refused = isinstance(error, Blocked) and error.reason is Reason.NETWORK_LINKED_TO_ANOTHER_ZONE
    if not refused or not isinstance(step, CreateLink):
        return False
    resolution = run.record.dns.resolution
    answering = resolution.networks if resolution is not None else (desired.endpoint.vnet_id,)
    if step.vnet_id.lower() in {one.lower() for one in answering or (desired.endpoint.vnet_id,)}:
        return False
    dns = run.record.dns
    at = dns.refused_at or run.context.clock.now()
    run.record = run.record.with_dns(refused=(*dns.refused, step.vnet_id.lower()), refused_at=at)
    return True


async def _begun_before(run: Run, step: DnsStep) -> None:
    """Of a step that an earlier run began: how did it go? To begin it anew would never tell why it fails."""
    begun = run.record.operation(str(step))
    if begun is None or not isinstance(step, CreateZone | CreateLink):
        return
    failed = await run.context.dns.poll_previous(step, begun.url)
    run.record = run.record.with_operation(str(step), "")
    if failed is not None:
        raise failed


async def _noted(run: Run, step: DnsStep, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
    """A step between its two notes: what is about to be made, and that it is."""
    (scope, thing_id), create = made_by(step), _creates(step)
    thing, first = await things.intend(run.context, scope, thing_id, run.record.id, create=create)
    try:
        zones, version = await _dns_step(run, step, zones)
    except (Blocked, Permanent):
        if first:  # surely nothing was made
            await things.forget(run.context, scope, thing_id)
        raise
    await things.made(run.context, thing, version, create=create or thing.known_by_marker)
    return zones


def _creates(step: DnsStep) -> bool:
    """Whether the step makes what is not there."""
    match step:
        case CreateZone():
            return True
        case WithdrawAddress():
            return False
    return step.etag is None


async def _dns_step(run: Run, step: DnsStep, zones: tuple[Zone, ...]) -> tuple[tuple[Zone, ...], str]:
    """Take a step; returns the zones as they then are, and the version of the record if that was written."""
    dns, version = run.context.dns, ""
    if isinstance(step, CreateZone):
        return (*zones, await dns.create_zone(step)), version
    zone = next(zone for zone in zones if zone.id.key == step.zone.key)
    if isinstance(step, CreateLink):
        changed = replace(zone, links=(*zone.links, await dns.create_link(step)))
    else:
        record = await dns.put_record(step.record if isinstance(step, WithdrawAddress) else step)
        changed, version = replace(zone, record=record), record.etag
    return tuple(changed if other is zone else other for other in zones), version
