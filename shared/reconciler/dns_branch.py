"""The DNS branch of a run: read the zones, plan, carry the steps out, each journalled. Used by `loop`.

The zone on record is read directly, instead of listing all of every subscription; else the one of the endpoint's
networks is found by a listing that many runs share, and by what our own records say of the zones in it. The plan that
is only shown reads the same. The branch stops at its first error, which becomes the condition of the step that met it.
Elastic Cloud's steps are in `elastic_branch`, those of a removal in `apply_removal`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TypeGuard

from shared.context import Context
from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case, parse_arm_id
from shared.core.model.errors import AutopilotError, Blocked, NotVisibleYet, Permanent, Waiting
from shared.core.model.messages import Cause
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import REFUSED_FOR
from shared.core.model.resources import NameResolution, Zone
from shared.core.model.steps import CreateLink, CreateZone, DnsStep, WithdrawAddress, creates, made_by
from shared.core.planning.desired import Desired, subscriptions_of, zone_subscriptions
from shared.core.planning.dns import DnsFacts, plan_dns
from shared.core.planning.dns_record import HolderFacts, other_holders
from shared.core.planning.plan import Observed, Plan, plan
from shared.core.planning.requeue import LINK_OVERDUE, address_awaited, awaited_step
from shared.installation import things
from shared.installation.recovered import note_marked
from shared.reconciler.further_links import goes_without
from shared.reconciler.holders import holder_facts, note_waiting, serving_others
from shared.reconciler.observe import observe_resolution
from shared.reconciler.run_state import Failures, Run, backoff_error, definite_failures, dns_failed, show_progress
from shared.requests import Stage, timed

# -- what is there -------------------------------------------------------------------------------------------------


@timed(Stage.OBSERVE_DNS)
async def observe_dns(
    context: Context,
    desired: Desired,
    record: ConnectionRecord,
    *,
    made: Zone | None = None,
    again: bool = True,
    full: bool = False,
) -> tuple[tuple[Zone, ...], DnsFacts]:
    """The zones of the service's name that matter, with links and records, and who answers the clients.

    `made`: a zone that was empty a moment ago, as it was made then. `again`: who answers is read again, also if it is
    known. `full`: no zone is left unread. Else one is, that we made for another connection and that by our records
    serves other networks: so the cost of an endpoint does not grow with the number of zones. What such a hint misses,
    Azure's refusal of a second link or a plan that ends with a person brings to light, and the full look is taken
    (`dns_branch`).
    """
    if not desired.endpoint.vnet_id:
        return (), DnsFacts()  # no zone serves it; the plan says what is missing
    resolution, zone = await asyncio.gather(
        observe_resolution(context, desired, record, again=again), _known_zone(context, desired, record, made)
    )

    def serves(one: Zone) -> bool:
        return _serves_all(one, desired, record, resolution, again=again)

    if zone is not None and not full and serves(zone):
        return (zone,), DnsFacts(resolution, full=False)
    subscriptions = dict.fromkeys((*zone_subscriptions(desired, context.options), *subscriptions_of(resolution)))
    if not full:
        zones, facts = await _one_look(context, desired, resolution, zone, subscriptions, serves)
        if not facts.narrow or not _ends_with_a_person(desired, record, zones, context, facts):
            return zones, facts
    zones, counts = await context.dns.zones_and_counts([desired.service.zone], subscriptions, homes=desired.zone_homes)
    return zones, DnsFacts(resolution, counts, unusable=dict(context.dns.unseen))


async def _one_look(
    context: Context,
    desired: Desired,
    resolution: NameResolution,
    zone: Zone | None,
    subscriptions: Iterable[str],
    serves: Callable[[Zone], bool],
) -> tuple[tuple[Zone, ...], DnsFacts]:
    """The zones that are not known to serve other networks, and `zone`, which has been read.

    Without records (their table was lost) none is known to: then the one with our marker for this endpoint comes first,
    and where it `serves` all of its networks, no other can serve one of them.
    """
    names, homes = [desired.service.zone], desired.zone_homes
    listed, counts = await context.dns.zones_listed(names, subscriptions, homes=homes)
    left = [one for one in listed if zone is None or one.id.key != zone.id.key]
    marked = [one for one in left if _made_for(desired, one)]
    mine = await context.dns.filled(marked, homes=homes) if marked else ()
    if (found := next(filter(serves, mine), None)) is not None:
        return (found,), DnsFacts(resolution, full=False)
    left = [one for one in left if one not in marked]
    matter = {lower_case(one) for one in (desired.endpoint.vnet_id, *desired.link_vnets, *resolution.networks)}
    ours = [one for one in left if desired.marker.same_maker(one.marker)]
    skipped = await serving_others(context, matter, ours) if ours else ()
    left = [one for one in left if one not in skipped]
    at_home = {home.key for home in homes}
    # What may become the zone in use is read now, not shared: it is written by what is read.
    own = [one for one in left if one.id.key in at_home]
    seen = await context.dns.looked_into([one for one in left if one not in own], homes=homes)
    serving = [one for one in seen if any(lower_case(link.vnet_id) in matter for link in one.links)]
    read = (*mine, *await context.dns.filled([*own, *serving], homes=homes))
    others = tuple(one for one in seen if one not in serving)
    known = () if zone is None else (zone,)
    return (*known, *read, *others, *skipped), DnsFacts(
        resolution, counts, narrow=bool(skipped), unusable=dict(context.dns.unseen)
    )


def _ends_with_a_person(
    desired: Desired, record: ConnectionRecord, zones: tuple[Zone, ...], context: Context, facts: DnsFacts
) -> bool:
    """Whether zone or links would need a person."""
    found = plan_dns(desired, zones, context.options, facts, record.dns).conditions
    return any(one.type in {c.ZONE_READY, c.LINKED} and one.needs is c.WaitingFor.PERSON for one in found)


def _made_for(desired: Desired, zone: Zone) -> bool:
    marker = zone.marker
    return desired.marker.same_maker(marker) and marker is not None and marker.connection_id == desired.connection_id


async def _known_zone(context: Context, desired: Desired, record: ConnectionRecord, made: Zone | None) -> Zone | None:
    """The zone that was just made, or the recorded one, as it is now."""
    if made is not None:
        return made
    if record.dns.zone is None or parse_arm_id(record.dns.zone.id).name.lower() != desired.service.zone:
        return None
    zone = await context.dns.zone(parse_arm_id(record.dns.zone.id))
    return zone and replace(zone, marker=desired.marker if record.dns.zone.owner is Owner.OURS else None)


def _serves_all(
    zone: Zone, desired: Desired, record: ConnectionRecord, resolution: NameResolution, *, again: bool
) -> bool:
    """Whether the zone serves every network that it should; anything else calls for the full look."""
    answering = resolution.networks or (desired.endpoint.vnet_id,)
    elsewhere = {*(one.vnet for one in record.dns.refused), *(() if again else record.dns.elsewhere)}
    further = (one for one in (desired.endpoint.vnet_id, *desired.link_vnets) if lower_case(one) not in elsewhere)
    return all(zone.link_to(one) for one in (*answering, *further))


# -- the branch ----------------------------------------------------------------------------------------------------

READS_OF_A_ZONE = 2
FIRST_READS = 4
"""A share of a listing, and looks at the operations that make zone and link; the second run reads the zone."""

HELD = frozenset({Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT, Reason.RECORD_FULL})
"""Reasons of an endpoint that waits for a place in the `*` record."""


async def dns_branch(run: Run, desired: Desired) -> tuple[Observed, Failures]:
    """Read, plan and act in private DNS; returns what then is there (no zones: not known), and what failed."""
    unseen = Observed(desired.endpoint)
    if not desired.endpoint.vnet_id:
        return unseen, {}
    if (busy := backoff_error(run, "Azure", run.record.dns.not_before)) is not None:
        return unseen, definite_failures(run, {c.ZONE_READY: busy})
    again = run.cause is not Cause.WAIT or run.changed
    try:
        if (rests := await _rests(run, desired)) is not None:
            return unseen, rests
        zones, facts, failures = await _looked_and_acted(run, desired, again=again)
        if facts.narrow and any(_is_overlap(error) for error in failures.values()):
            zones, facts, failures = await _looked_and_acted(run, desired, again=again, full=True)
    except AutopilotError as error:
        return unseen, definite_failures(run, dns_failed(run, {c.ZONE_READY: error}))
    return replace(unseen, zones=zones, facts=facts), dns_failed(run, failures)


async def _rests(run: Run, desired: Desired) -> Failures | None:
    """How the branch stands that waits for an operation or the address alone; None: there is more to be looked at."""
    if not run.observed_lately or run.changed:
        return None
    rests: Failures | None = {} if address_awaited(desired.endpoint, run.record) else None
    if (step := awaited_step(desired, run.record)) is not None:
        try:
            succeeded, _ = await _polled(run, step)
        except Waiting as error:
            rests = {step.condition: error}
        else:
            run.made = Zone(step.zone, step.marker) if succeeded and isinstance(step, CreateZone) else None
    run.rested |= rests is not None
    return rests


async def _ask_for_reads(run: Run, desired: Desired) -> None:
    """Take what this run reads before its first read; raises NoReadsLeft, which puts the run back into the queue."""
    zone = run.record.dns.zone
    known = parse_arm_id(zone.id) if zone is not None else None
    subscription = (known or desired.zone_homes[0]).subscription_id
    await run.context.budget.ask(subscription, FIRST_READS if known is None else READS_OF_A_ZONE)


def _planned(run: Run, desired: Desired, zones: tuple[Zone, ...], facts: DnsFacts) -> Plan:
    seen = Observed(desired.endpoint, zones=zones, facts=facts)
    found = plan(desired, seen, run.record, run.context.options, run.context.clock.now())
    return found if run.crowd is None or found.dns is None else replace(found, dns=found.dns.held_by(run.crowd))


async def _targets_counted(run: Run, before: Plan) -> None:
    """Without a policy: wait until Elastic Cloud was read, as far as it can be; there may be too many targets."""
    if before.dns_steps and not run.record.elastic.policy.id and run.effective_mode.enforces:
        with suppress(TimeoutError):
            async with asyncio.timeout(run.before_half):
                await run.looked.wait()


def _is_overlap(error: AutopilotError) -> bool:
    return isinstance(error, Blocked) and error.reason is Reason.NETWORK_LINKED_TO_ANOTHER_ZONE


async def _looked_and_acted(
    run: Run, desired: Desired, *, again: bool, full: bool = False
) -> tuple[tuple[Zone, ...], DnsFacts, Failures]:
    """Read, plan and act; returns the zones and facts as they then are, and what failed. Raises what reading meets."""
    run.record = _tried_again(run, desired)
    knew = run.record.dns.zone
    await _ask_for_reads(run, desired)
    zones, facts = await observe_dns(
        run.context, desired, run.record, made=None if full else run.made, again=again, full=full
    )
    run.record = run.record.with_dns(resolution=facts.resolution)
    before = _planned(run, desired, zones, facts)
    facts = replace(facts, holders=await _holders(run, desired, zones, before))
    await _targets_counted(run, before)
    before = _planned(run, desired, zones, facts)
    await show_progress(run, before.conditions)

    async def done(zones: tuple[Zone, ...]) -> None:
        await show_progress(run, _planned(run, desired, zones, facts).conditions)

    run.waits |= before.restores.waits
    zones, failures = await _apply(run, desired, before, zones, done)
    if knew is None and (zone := _zone_of(before, zones)) is not None:
        await note_marked(run.context, zone)
    await _wait_for_record(run, before, facts)
    return zones, facts, failures


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
    wanted = {lower_case(one) for one in (desired.endpoint.vnet_id, *desired.link_vnets)}
    kept = () if old or run.cause is Cause.MANUAL else tuple(one for one in dns.refused if one.vnet in wanted)
    return run.record.with_dns(refused=kept, refused_at=dns.refused_at if kept else None)


@timed(Stage.APPLY_DNS)
async def _apply(
    run: Run,
    desired: Desired,
    before: Plan,
    zones: tuple[Zone, ...],
    done: Callable[[tuple[Zone, ...]], Awaitable[None]],
) -> tuple[tuple[Zone, ...], Failures]:
    """Do the DNS steps in order, telling `done` after each; returns the zones as they then are, and what failed.

    The link to a further network that fails holds up no other link.
    """
    failures: Failures = {}
    for step in before.dns_steps if run.effective_mode.enforces else ():
        started, begun_at = time.monotonic(), run.context.clock.now()
        try:
            if not await run.may_write():
                break
            await _begun_before(run, step)
            zones = await _noted(run, step, zones)
        except AutopilotError as error:
            run.note_failure(step, error, started)
            lasts = isinstance(error, Blocked | Permanent)
            if (lasts or isinstance(error, NotVisibleYet)) and _decides_nothing(step, run, desired):
                if await goes_without(run, desired, step, error):
                    continue
                if lasts:
                    failures = {step.condition: error} | failures
                    continue
            if isinstance(error, Waiting) and error.operation:
                known = run.record.operation(str(step))
                at = known.begun_at if known is not None and known.begun_at is not None else begun_at
                run.record = run.record.with_operation(str(step), error.operation, at)
            return zones, {step.condition: error}
        run.note_done(step, before.restores, started)
        await done(zones)
    return zones, failures


def _decides_nothing(step: DnsStep, run: Run, desired: Desired) -> TypeGuard[CreateLink]:
    """Whether it is a link to a network that answers none of this endpoint's clients."""
    resolution = run.record.dns.resolution
    answering = resolution.networks if resolution is not None else ()
    decide = {lower_case(one) for one in answering or (desired.endpoint.vnet_id,)}
    return isinstance(step, CreateLink) and lower_case(step.vnet_id) not in decide


async def _begun_before(run: Run, step: DnsStep) -> None:
    """Of a step that an earlier run began: how did it go? To begin it anew would never tell why it fails."""
    if run.record.operation(str(step)) is None or not isinstance(step, CreateZone | CreateLink):
        return
    begun = run.record.operation(str(step))
    since = None if begun is None or begun.begun_at is None else run.context.clock.now() - begun.begun_at
    if isinstance(step, CreateLink) and since is not None and since >= LINK_OVERDUE:
        # A link shows from its first moment on: this one was overdue, and was deleted.
        run.record = run.record.with_operation(str(step), "")
        return
    _, failed = await _polled(run, step)
    run.record = run.record.with_operation(str(step), "")
    if failed is not None:
        raise failed


async def _polled(run: Run, step: CreateZone | CreateLink) -> tuple[bool, AutopilotError | None]:
    """What Azure tells of the step's operation, asked once in a run; raises Waiting while it runs."""
    begun = run.record.operation(str(step))
    if begun is not None and str(step) not in run.polled:
        since = None if begun.begun_at is None else (run.context.clock.now() - begun.begun_at).total_seconds()
        run.polled[str(step)] = await run.context.dns.poll_previous(step, begun.url, since)
    return run.polled.get(str(step), (False, None))


async def _noted(run: Run, step: DnsStep, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
    """A step between its two notes: what is about to be made, and that it is."""
    (scope, thing_id), create = made_by(step), creates(step)
    thing, first = await things.intend(run.context, scope, thing_id, run.record.id, create=create)
    try:
        zones, version = await _dns_step(run, step, zones)
    except (Blocked, Permanent):
        if first:  # surely nothing was made
            await things.forget(run.context, scope, thing_id)
        raise
    await things.made(run.context, thing, version, create=create or thing.known_by_marker)
    return zones


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
