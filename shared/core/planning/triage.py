"""What a sweep hands to the loop, decided from the records and the listings alone. Used by `sweep` and `plans`.

Nothing is called here. Of every endpoint: is there anything to do, is it to be tested, is it gone? Of everything that
carries our marker: does the endpoint that it was made for still exist?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.context import Context
from shared.core.guards.modes import asked_mode, stance_of
from shared.core.guards.options import OnDelete
from shared.core.guards.pause import Pause
from shared.core.guards.removal_limit import LIMITED
from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, connection_id, parse_endpoint_id
from shared.core.model.conditions import Phase
from shared.core.model.errors import InvalidInput
from shared.core.model.messages import WorkMessage
from shared.core.model.record import Connection
from shared.core.model.resources import Endpoint
from shared.core.model.services import Kind, recognise
from shared.core.model.steps import destructive
from shared.core.model.things import things_of
from shared.core.planning.deletion import has_things
from shared.core.planning.desired import Desired, desired_of
from shared.core.planning.drift import calls_for_another_look, calls_for_work, to_be_tested
from shared.core.planning.organization_change import moved
from shared.core.planning.plan import Observed, Plan, plan
from shared.reconciler.loop import in_scope
from shared.reconciler.out_of_scope import is_aside, newly_aside
from shared.reconciler.recover import orphans
from shared.core.planning.snapshot import elastic_for
from shared.sweep.snapshot import Known, World

OVERDUE = timedelta(minutes=2)
"""How late a connection's own wake-up may be before the sweep takes its place."""

HEARTBEAT = timedelta(hours=1)
"""How long a blocked connection is left to itself while nothing about it seems to have changed."""


@dataclass(frozen=True, slots=True)
class Look:
    """All that a sweep has read."""

    context: Context
    known: dict[str, Known]
    """By connection id."""
    unreadable: set[str]
    """Ids of the connections whose record cannot be read."""
    listed: dict[str, Endpoint]
    """By lower-cased ARM id, without those whose record cannot be read."""
    complete: set[str]
    """Subscriptions whose listing was complete."""
    world: World
    pause: Pause | None
    correlation_id: str

    def message(self, endpoint: ArmId, cause: str = "timer") -> WorkMessage:
        """Work for the loop."""
        return WorkMessage(endpoint, cause, self.correlation_id)

    def desired(self) -> list[Desired]:
        """What is wanted for each listed endpoint that is handled at all."""
        handled = (endpoint for endpoint in self.listed.values() if not is_aside(self.context, endpoint))
        return [wanted for endpoint in handled if (wanted := desired_of(endpoint, self.context.rules))]


@dataclass(slots=True)
class Triage:
    """What a sweep found to be done."""

    work: list[WorkMessage] = field(default_factory=list)
    to_test: list[Known] = field(default_factory=list)
    others: list[Known] = field(default_factory=list)
    """Living connections that are not tested now."""
    removes: dict[str, int] = field(default_factory=dict)
    """Destructive steps that would be taken, by connection id (S6)."""


def triage(look: Look, desired: list[Desired]) -> Triage:
    """Sort everything that was read."""
    found = Triage()
    for wanted in desired:
        _judge(look, wanted, look.known.get(wanted.connection_id), found)
    for entry, endpoint in missing(look):
        _judge_missing(look, entry, endpoint, found)
    found.work += [look.message(endpoint) for endpoint in _unexplained(look)]
    records = {key: entry.connection for key, entry in look.known.items()}
    found.work += [look.message(endpoint) for endpoint in newly_aside(look.context, look.listed, records)]
    found.work += [look.message(endpoint, "orphan") for endpoint in _orphaned(look)]
    return found


# -- endpoints that are there --------------------------------------------------------------------------------------


def _judge(look: Look, desired: Desired, entry: Known | None, found: Triage) -> None:
    """Missing, unfinished or drifted; a connection that will look again by itself soon is left to do so."""
    if entry is None:
        found.work.append(look.message(desired.endpoint.id))
        return
    known, context = entry.connection, look.context
    stance = stance_of(known.mode, context.rules.mode, look.pause)
    planned, complete = plan_of(context, desired, known, look.world)
    removes = destructive(planned.steps) if stance.enforces else 0
    if removes:
        found.removes[known.id] = removes
    now = context.clock.now()
    if known.wake_at is not None and now - known.wake_at < OVERDUE:
        work = False
    elif known.unread_since is not None or known.mode != asked_mode(desired.endpoint, context.rules.scope):
        work = True
    elif stance.enforces:
        work = _unfinished(known, desired.endpoint, now) or calls_for_work(known, planned)
    else:
        work = calls_for_another_look(known, planned, stance, complete=complete)
    if work:
        found.work.append(look.message(desired.endpoint.id))
    elif to_be_tested(known, enforces=stance.enforces):
        found.to_test.append(entry)
        return
    found.others.append(entry)


def plan_of(context: Context, desired: Desired, known: Connection, world: World) -> tuple[Plan, bool]:
    """The plan by what the listings answered, and whether they answered all that it takes."""
    elastic, refused = elastic_for(context, desired, known, world.organizations)
    if elastic is not None:
        known = moved(known, desired.organization)
    zones = world.zones_for(context, desired)
    found = plan(desired, Observed(desired.endpoint, zones, elastic), known, context.rules, context.clock.now())
    if refused is not None:
        found = replace(found, conditions=(*found.conditions, refused))
    return found, zones is not None and (elastic is not None or refused is not None)


def _unfinished(known: Connection, endpoint: Endpoint, now: datetime) -> bool:
    """Whether the record alone tells that there is something to do."""
    if known.phase not in {Phase.READY, Phase.BLOCKED} or _waits_for_us(known):
        return True
    if (known.guid.lower(), known.address) != (endpoint.guid.lower(), endpoint.address or ""):
        return True
    return known.phase is Phase.BLOCKED and _long_ago(known, now)


def _long_ago(known: Connection, now: datetime) -> bool:
    return known.observed_at is None or now - known.observed_at > HEARTBEAT


def _waits_for_us(known: Connection) -> bool:
    """Whether anything but a person is still needed."""
    return any(
        condition.wanting and condition.needs is not c.Kind.PERSON and condition.reason != "NotTested"
        for condition in known.conditions
        if condition.type != c.READY
    )


def _unexplained(look: Look) -> Iterator[ArmId]:
    """Endpoints that look like Elastic's but cannot be handled, and have no record that says why."""
    for endpoint in look.listed.values():
        explained = recognise(endpoint.alias).kind in {Kind.SERVERLESS, Kind.UNKNOWN_ELASTIC}
        if explained and not is_aside(look.context, endpoint) and connection_id(endpoint.id.text) not in look.known:
            yield endpoint.id


# -- endpoints that are not ----------------------------------------------------------------------------------------


def missing(look: Look) -> Iterator[tuple[Known, ArmId]]:
    """Connections whose endpoint a complete listing did not show; the loop reads each before it believes it."""
    for entry in look.known.values():
        endpoint = _endpoint_id(entry.connection.endpoint_id)
        settled = entry.connection.phase in {Phase.REMOVED, Phase.IGNORED}
        if endpoint is not None and not settled and _really_missing(look, endpoint):
            yield entry, endpoint


def _really_missing(look: Look, endpoint: ArmId) -> bool:
    known_to_be_read = endpoint.subscription_id in look.complete and in_scope(look.context, endpoint)
    return known_to_be_read and endpoint.key not in look.listed


def _judge_missing(look: Look, entry: Known, endpoint: ArmId, found: Triage) -> None:
    known, now, rules = entry.connection, look.context.clock.now(), look.context.rules
    stance = stance_of(known.mode, rules.mode, look.pause)
    retained = (known.on_delete or rules.on_delete) == OnDelete.RETAIN
    removed = known.condition(c.REMOVED)
    limited = removed is not None and removed.reason == LIMITED
    if stance.enforces and not retained:
        # Whoever was refused had read what is there; of what a worker made that died, the record does not know.
        found.removes[known.id] = max(len(things_of(known)), len(known.planned) if limited else 0)
    if known.removing_since is not None and known.wake_at is not None and now - known.wake_at < OVERDUE:
        return  # the grace period runs; before it, only a sweep's own look counts as a miss
    waits = removed is not None and removed.needs is c.Kind.PERSON and not limited
    if waits and not _long_ago(known, now):
        return
    if known.removing_since is not None and known.planned and not stance.enforces:
        return  # the removal is reported already, and nothing is carried out
    found.work.append(look.message(endpoint))


def _orphaned(look: Look) -> Iterator[ArmId]:
    """Endpoints that markers name, that are gone, and of which no record knows anything: the tables were lost."""
    zones = [zone for zones in look.world.zones.values() for zone in zones or ()]
    for text in sorted(orphans(zones, look.world.policies, look.context.rules.instance_id)):
        endpoint = _endpoint_id(text)
        entry = look.known.get(connection_id(text))
        recorded = connection_id(text) in look.unreadable or (entry is not None and has_things(entry.connection))
        if endpoint is not None and not recorded and _really_missing(look, endpoint):
            yield endpoint


def _endpoint_id(text: str) -> ArmId | None:
    try:
        return parse_endpoint_id(text)
    except InvalidInput:
        return None
