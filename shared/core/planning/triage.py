"""What a sweep hands to the loop, decided from a snapshot, the options and the time alone. Pure.

Called by the sweep, and for the plans of all connections that are shown. Of every endpoint: is there anything to do,
is it to be tested, is it gone? Of everything that carries our marker: does the endpoint that it was made for still
exist?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.core.guards.scope import asked_mode, effective_mode_of, in_scope, is_out_of_scope, outside, outside_by_id
from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets
from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, connection_id, lower_case, parse_arm_id, parse_endpoint_id
from shared.core.model.conditions import Phase
from shared.core.model.errors import InvalidInput
from shared.core.model.markers import Marker
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.reasons import KEY_REASONS, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Endpoint, Listing, Policy, Zone, id_of, zone_key
from shared.core.model.services import ServiceKind, Services
from shared.core.model.steps import destructive
from shared.core.options.plan_options import PlanOptions
from shared.core.options.removal import OnDelete
from shared.core.options.scope import Scope
from shared.core.planning.deletion import confirmed, has_things, left_something, leftovers_due
from shared.core.planning.desired import TERMINAL, Desired
from shared.core.planning.drift import calls_for_another_look, calls_for_work, to_be_tested
from shared.core.planning.former import (
    former_stands_for_removal,
    organization_on_record,
    serving,
    switch_record,
)
from shared.core.planning.plan import Observed, ObservedElastic, Plan, plan
from shared.core.planning.snapshot import CloudListing, Snapshot

OVERDUE = timedelta(minutes=2)
"""How late a connection's own wake-up may be before the sweep takes its place."""

HEARTBEAT = timedelta(hours=1)
"""How long a blocked connection is left to itself while nothing about it seems to have changed."""


@dataclass(slots=True)
class Triage:
    """What a sweep found to be done."""

    work: list[WorkMessage] = field(default_factory=list)
    to_test: list[str] = field(default_factory=list)
    """Ids of the connections to be tested now."""
    others: list[str] = field(default_factory=list)
    """Ids of the living connections that are not tested now."""
    unwanted: set[str] = field(default_factory=set)
    """Ids of the connections that would lose something, unconfirmed (S6); a pause makes them no fewer."""
    unseen: set[str] = field(default_factory=set)
    """Ids of those of which it could not be read whether they still are wanted."""


def triage(snapshot: Snapshot, options: PlanOptions, now: datetime) -> Triage:
    """Sort everything that was read."""
    found = Triage(unseen=_unseen(snapshot, options.scope))
    for desired in snapshot.desired(options):
        _judge(snapshot, desired, options, now, found)
    for key, endpoint in missing(snapshot, options.scope):
        _judge_missing(snapshot, snapshot.records[key], endpoint, options, now, found)
    found.work += [snapshot.message(endpoint) for endpoint in _left_behind(snapshot, options, now)]
    found.work += [snapshot.message(endpoint) for endpoint in _unexplained(snapshot, options)]
    found.work += [snapshot.message(endpoint) for endpoint in newly_skipped(snapshot, options)]
    found.work += [snapshot.message(endpoint, Cause.ORPHAN) for endpoint in _orphaned(snapshot, options)]
    return found


# -- endpoints that are there --------------------------------------------------------------------------------------


def _judge(snapshot: Snapshot, desired: Desired, options: PlanOptions, now: datetime, found: Triage) -> None:
    """Missing, unfinished or drifted; a connection that will look again by itself soon is left to do so."""
    record = snapshot.records.get(desired.connection_id)
    if record is None:
        found.work.append(snapshot.message(desired.endpoint.id))
        return
    effective = effective_mode_of(record.identity.mode, options.installation.mode, snapshot.pause)
    planned, complete = plan_of(desired, record, snapshot.clouds, options, now)
    if _would_enforce(record, options) and (destructive(planned.steps) or former_stands_for_removal(record, options)):
        found.unwanted.add(record.id)
    later = snapshot.clouds.left_to_another_sweep(desired, record) and desired.endpoint.status not in TERMINAL
    if not complete and not later:
        found.unseen.add(record.id)
    if record.schedule.wake_at is not None and now - record.schedule.wake_at < OVERDUE:
        work = False
    elif record.schedule.stale_since is not None or record.identity.mode != asked_mode(desired.endpoint, options.scope):
        work = True
    elif effective.enforces:
        work = _unfinished(record, desired.endpoint, now) or calls_for_work(record, planned)
    else:
        work = calls_for_another_look(record, planned, effective, complete=complete)
    if work:
        found.work.append(snapshot.message(desired.endpoint.id))
    elif to_be_tested(record, enforces=effective.enforces):
        found.to_test.append(desired.connection_id)
        return
    found.others.append(desired.connection_id)


def plan_of(
    desired: Desired, record: ConnectionRecord, clouds: CloudListing, options: PlanOptions, now: datetime
) -> tuple[Plan, bool]:
    """The plan by what the listings answered, and whether they answered all that it takes."""
    elastic, refused = clouds.elastic_for(desired, record, options, now)
    if elastic is not None:
        record = switch_record(record, serving(desired, record).organization)
        unseen = _unseen_targets(record, elastic)
        elastic = elastic if unseen is NONE_UNSEEN else replace(elastic, unseen=unseen)
    zones = clouds.zones_for(desired, record, options)
    observed = Observed(desired.endpoint, zones, elastic, clouds.facts_for(desired, record))
    found = plan(desired, observed, record, options, now)
    if refused is not None:
        found = replace(found, conditions=(*found.conditions, refused))
    return found, zones is not None and (
        elastic is not None or (refused is not None and refused.reason not in KEY_REASONS)
    )


def _unseen_targets(record: ConnectionRecord, elastic: ObservedElastic) -> UnseenTargets:
    """The targets that the last run did not find by their ids: a sweep does not read them one by one."""
    told = {one.reason for one in record.status.conditions if one.type in {c.ASSOCIATED, c.POLICY_READY}}
    none_visible = Reason.NO_PROJECT_VISIBLE in told and not elastic.targets
    if not told & {Reason.DEPLOYMENT_GONE, Reason.OTHER_ORGANIZATIONS_KEY}:
        return UnseenTargets(none_visible=True) if none_visible else NONE_UNSEEN
    seen = Listing.of(elastic.targets or ())
    gone = (one.target_id for one in record.elastic.associations if not seen.where(id_of, one.target_id))
    return UnseenTargets(frozenset(gone), none_visible=none_visible)


def _would_enforce(record: ConnectionRecord, options: PlanOptions) -> bool:
    """Whether the app would act, were it not for a pause."""
    return effective_mode_of(record.identity.mode, options.installation.mode, None).enforces


def _unfinished(record: ConnectionRecord, endpoint: Endpoint, now: datetime) -> bool:
    """Whether the record alone tells that there is something to do."""
    if record.status.phase not in {Phase.READY, Phase.BLOCKED, Phase.DEGRADED} or _waits_for_us(record):
        return True
    if (record.identity.guid.lower(), record.identity.address) != (endpoint.guid.lower(), endpoint.address or ""):
        return True
    return record.status.phase is not Phase.READY and _long_ago(record, now)


def _long_ago(record: ConnectionRecord, now: datetime) -> bool:
    return record.schedule.observed_at is None or now - record.schedule.observed_at > HEARTBEAT


def _waits_for_us(record: ConnectionRecord) -> bool:
    """Whether anything but a person is still needed. While a person is, a failing test is left to the sweep's tests."""
    persons = any(one.type != c.READY and one.needs is c.WaitingFor.PERSON for one in record.status.conditions)
    return any(
        condition.pending and condition.needs is not c.WaitingFor.PERSON and condition.reason is not Reason.NOT_TESTED
        for condition in record.status.conditions
        if condition.type != c.READY and not (persons and condition.type == c.REACHABLE)
    )


def _unexplained(snapshot: Snapshot, options: PlanOptions) -> Iterator[ArmId]:
    """Endpoints that look like Elastic's but cannot be handled, and have no record that says why."""
    for endpoint in snapshot.listed.values():
        kind = options.services.recognise(endpoint.alias).kind
        if (
            kind is ServiceKind.UNKNOWN_ELASTIC
            and not is_out_of_scope(endpoint, options.scope)
            and connection_id(endpoint.id.text) not in snapshot.records
        ):
            yield endpoint.id


# -- endpoints that the app stays away from ----------------------------------------------------------------------------


def newly_skipped(snapshot: Snapshot, options: PlanOptions) -> Iterator[ArmId]:
    """The endpoints whose record does not say yet that they are left alone. What is out of scope needs no record."""
    scope = options.scope
    for endpoint in snapshot.listed.values():
        if not is_out_of_scope(endpoint, scope):
            continue
        record = snapshot.records.get(connection_id(endpoint.id.text))
        reason = Reason.IGNORED_BY_TAG if outside(scope, endpoint) is None else Reason.OUT_OF_SCOPE
        wanted = reason is Reason.IGNORED_BY_TAG and _handled(endpoint, options.services)
        if wanted if record is None else not _says(record, reason):
            yield endpoint.id
    for record in snapshot.records.values():
        endpoint_id = _endpoint_id(record.endpoint_id)
        if endpoint_id is not None and outside_by_id(scope, endpoint_id) and not _says(record, Reason.OUT_OF_SCOPE):
            yield endpoint_id


def _handled(endpoint: Endpoint, services: Services) -> bool:
    return services.recognise(endpoint.alias).service is not None


def _says(record: ConnectionRecord, reason: Reason) -> bool:
    recognised = record.condition(c.RECOGNISED)
    return recognised is not None and recognised.reason == reason


# -- endpoints that are not ----------------------------------------------------------------------------------------


def missing(snapshot: Snapshot, scope: Scope) -> Iterator[tuple[str, ArmId]]:
    """Connections whose endpoint a complete listing did not show; the loop reads each before it believes it."""
    for key, record in snapshot.records.items():
        endpoint = _endpoint_id(record.endpoint_id)
        settled = record.status.phase in {Phase.REMOVED, Phase.IGNORED}
        if endpoint is not None and not settled and _really_missing(snapshot, endpoint, scope):
            yield key, endpoint


def _unseen(snapshot: Snapshot, scope: Scope) -> set[str]:
    """Connections of which this sweep does not know whether their endpoints are there."""
    unseen = set(snapshot.unreadable)
    for key, record in snapshot.records.items():
        endpoint = _endpoint_id(record.endpoint_id)
        if endpoint is None or (in_scope(scope, endpoint) and endpoint.subscription_id not in snapshot.complete):
            unseen.add(key)
    return unseen


def _left_behind(snapshot: Snapshot, options: PlanOptions, now: datetime) -> Iterator[ArmId]:
    """Endpoints whose removal has ended and had to leave something that may go by now."""
    for record in snapshot.records.values():
        endpoint = _endpoint_id(record.endpoint_id)
        if endpoint is None or record.status.phase is not Phase.REMOVED:
            continue
        if not leftovers_due(record, now) and not (left_something(record) and _zone_gone(snapshot, record)):
            continue
        effective = effective_mode_of(record.identity.mode, options.installation.mode, snapshot.pause)
        if effective.enforces and _really_missing(snapshot, endpoint, options.scope):
            yield endpoint


def _zone_gone(snapshot: Snapshot, record: ConnectionRecord) -> bool:
    """Whether the zone that a removal had to leave is gone: with another endpoint that used it, or by a person."""
    zone = record.dns.zone
    if zone is None:
        return False
    listed = snapshot.clouds.zones.get(parse_arm_id(zone.id).subscription_id)
    return listed is not None and not listed.where(zone_key, lower_case(zone.id))


def _really_missing(snapshot: Snapshot, endpoint: ArmId, scope: Scope) -> bool:
    known_to_be_read = endpoint.subscription_id in snapshot.complete and in_scope(scope, endpoint)
    return known_to_be_read and endpoint.key not in snapshot.listed


def _judge_missing(
    snapshot: Snapshot, record: ConnectionRecord, endpoint: ArmId, options: PlanOptions, now: datetime, found: Triage
) -> None:
    effective = effective_mode_of(record.identity.mode, options.installation.mode, snapshot.pause)
    retained = (record.identity.on_delete or options.removal.on_delete) == OnDelete.RETAIN
    removed = record.condition(c.REMOVED)
    limited = removed is not None and removed.reason is Reason.REMOVAL_LIMIT_REACHED
    if _would_enforce(record, options) and not retained and not confirmed(record) and has_things(record):
        found.unwanted.add(record.id)
    if (
        record.removal.removing_since is not None
        and record.schedule.wake_at is not None
        and now - record.schedule.wake_at < OVERDUE
    ):
        return  # the grace period runs; before it, only a sweep's own look counts as a miss
    waits = removed is not None and removed.needs is c.WaitingFor.PERSON and not limited
    waits = waits and not _key_works_again(snapshot, record)
    if waits and not _long_ago(record, now) and not _zone_gone(snapshot, record):
        return
    if record.removal.removing_since is not None and record.status.planned and not effective.enforces:
        return  # the removal is reported already, and nothing is carried out
    found.work.append(snapshot.message(endpoint))


def _key_works_again(snapshot: Snapshot, record: ConnectionRecord) -> bool:
    """Whether the removal waits for an API key, and the organization's answers by now."""
    removed = record.condition(c.REMOVED)
    listing = snapshot.clouds.organizations.get((organization_on_record(record), record.identity.family))
    asked = removed is not None and removed.reason in KEY_REASONS
    return asked and listing is not None and listing.policies is not None


def _orphaned(snapshot: Snapshot, options: PlanOptions) -> Iterator[ArmId]:
    """Endpoints that markers name, that are gone, and of which no record knows anything: the tables were lost."""
    zones = [zone for zones in snapshot.clouds.zones.values() for zone in zones or ()]
    for text in sorted(orphans(zones, snapshot.clouds.policies, options.installation.instance_id)):
        endpoint = _endpoint_id(text)
        record = snapshot.records.get(connection_id(text))
        recorded = connection_id(text) in snapshot.unreadable or (record is not None and has_things(record))
        if endpoint is not None and not recorded and _really_missing(snapshot, endpoint, options.scope):
            yield endpoint


def orphans(zones: Iterable[Zone], policies: Iterable[Policy], instance: str) -> set[str]:
    """The ids of the endpoints that markers of this installation name; those that still live are among them."""
    found = [marker for zone in zones for marker in _markers(zone, instance)]
    found += [policy.marker for policy in policies if policy.marker and policy.marker.instance == instance]
    # As good as its hash: under another name nothing would be found of what it stands on.
    return {one.endpoint_id for one in found if one.endpoint_id and connection_id(one.endpoint_id) == one.connection_id}


def _markers(zone: Zone, instance: str) -> list[Marker]:
    direct = [zone.marker, *(link.marker for link in zone.links)]
    record = zone.record.marker if zone.record else None
    holders = record.holders if record is not None and record.instance == instance else ()
    return [marker for marker in direct if marker is not None and marker.instance == instance] + [
        Marker(instance, holder.connection_id, holder.endpoint_id) for holder in holders
    ]


def _endpoint_id(text: str) -> ArmId | None:
    try:
        return parse_endpoint_id(text)
    except InvalidInput:
        return None
