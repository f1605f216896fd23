"""What has our marker and no row: one list for the whole installation, which a person confirms once.

After the tables were lost everything is on it; at other times what a person gave the app's marks. Until the list is
confirmed these things are used and kept right, and only their removals wait. Called by the sweep, which keeps the list
complete, by runs and removals, and by the decision that a person sends.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass

from shared.context import Context, log
from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case, parse_endpoint_id
from shared.core.model.callers import Asked
from shared.core.model.errors import AutopilotError, InvalidInput
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.organizations import DEFAULT
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Policy, Zone
from shared.core.model.services import Family
from shared.core.model.things import Thing, Things, ThingState
from shared.core.planning.policy import nothing_known
from shared.core.planning.removal_dns import marked_things
from shared.installation import decided, things
from shared.state.codec import record_in

AT_ONCE = 8
"""Rows that are written side by side."""

ORGANIZATION = "organization/"
"""Begins the scope of associations; that of all else is a zone's id."""


@dataclass(frozen=True, slots=True)
class RecoveredList:
    """All that waits for the one confirmation. `id` names exactly this list: what comes later is another list."""

    id: str
    things: tuple[Thing, ...]


async def recovered_list(context: Context) -> RecoveredList:
    """The list as it is now; without things its id is empty."""
    return _list(await things.listed(context))


async def confirm_recovered(context: Context, list_id: str, asked: Asked) -> RecoveredList | None:
    """Make everything on the list ours, as a person decided who saw it; None: it is another list by now.

    The connections whose removals waited are sent to work. A confirmation that breaks off leaves a shorter list.
    """
    found = await recovered_list(context)
    if not found.things or found.id != list_id:
        return None
    await _side_by_side(things.confirm(context, [thing]) for thing in found.things)
    connections = dict.fromkeys(one for thing in found.things for one in thing.connections)
    records = await decided.note_all(context, connections, f"confirm recovered {list_id}", asked)
    await _side_by_side(_go_on(context, record, asked) for record in records)
    return found


# -- associations --------------------------------------------------------------------------------------------------


def _scope(organization: str, family: Family) -> str:
    return f"{ORGANIZATION}{organization or DEFAULT}/{family}"


def _association(policy_id: str, target_id: str, family: Family) -> str:
    """An association's id here; it has none of its own."""
    return f"policy {policy_id}, association with {family.noun} {target_id}"


async def confirmed_targets(context: Context, record: ConnectionRecord) -> frozenset[str]:
    """The targets whose recovered association a person has confirmed; of others the list has a row from now on."""
    elastic, found = record.elastic, set()
    for memory in elastic.associations:
        if not memory.recovered:
            continue
        family = record.identity.family
        scope, thing_id = (
            _scope(elastic.organization, family),
            _association(elastic.policy.id, memory.target_id, family),
        )
        thing = await things.read(context, scope, thing_id)
        if thing is None:
            await things.recover(context, scope, thing_id, record.id)
        elif thing.ours:
            found.add(memory.target_id)
    return frozenset(found)


# -- keeping the list ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sweep has read whole."""

    zones: Mapping[str, Iterable[Zone]]
    """By subscription."""
    policies: Mapping[tuple[str, Family], Iterable[Policy]]
    """By organization and family."""
    records: Mapping[str, ConnectionRecord]
    """By connection id; read before the rest."""
    left_out: frozenset[str] = frozenset()
    """Keys of those `zones` of which only the listing was read."""


async def keep_list(context: Context, seen: Seen) -> int:
    """Put on the list what these zones and policies show, and take off it what is gone from where all was read.

    Returns how much waits on it now for a person's word.
    The zones were read before the rows are: a thing that was made meanwhile has its row by then.
    """
    instance = context.options.installation.instance_id
    marked = {
        lower_case(thing_id): (zone.id.text, thing_id, connection)
        for zones in seen.zones.values()
        for zone in zones
        for thing_id, connection in marked_things(zone, instance)
    }
    marked |= await _marked_associations(context, seen)
    rows = await things.listed(context)
    waiting = {key for key, thing in rows.items() if thing.unconfirmed}
    new = [one for key, one in marked.items() if key not in rows]
    await _side_by_side(things.recover(context, *one) for one in new)
    subscriptions = {subscription.lower() for subscription in seen.zones}
    organizations = {_scope(*one) for one in seen.policies}
    for key, thing in rows.items():
        read = _subscription(thing.scope) in subscriptions and lower_case(thing.scope) not in seen.left_out
        of_zone = thing.unconfirmed and read
        if key not in marked and (of_zone or thing.scope in organizations):
            await things.forget(context, thing.scope, thing.id)
            waiting.discard(key)
    return len(waiting) + sum(Thing(scope, one, ThingState.RECOVERED).unconfirmed for scope, one, _ in new)


async def note_marked(context: Context, zone: Zone) -> None:
    """Put what of a zone has our marker and no row on the list, when a run that knew nothing of it has read it.

    After lost tables a sweep's reads do not suffice for the links of hundreds of zones; the runs read each anyway.
    """
    marked = marked_things(zone, context.options.installation.instance_id)
    try:
        rows = await things.listed(context, [zone.id.text]) if marked else {}
        for thing_id, connection in marked:
            if lower_case(thing_id) not in rows:
                await things.recover(context, zone.id.text, thing_id, connection)
    except AutopilotError as error:  # a later sweep sees to it
        log.info("what of zone %s was recovered is not noted: %s", zone.id.text, error)


async def _marked_associations(context: Context, seen: Seen) -> dict[str, tuple[str, str, str]]:
    """The associations of our policies that no record tells whose they are, as `keep_list` has its things."""
    instance, found = context.options.installation.instance_id, {}
    waiting = [record for record in seen.records.values() if any(one.recovered for one in record.elastic.associations)]
    for (organization, family), policies in seen.policies.items():
        listed = {policy.id: policy for policy in policies}
        unknown = [
            (policy.id, target, policy.marker.connection_id)
            for policy in listed.values()
            if policy.marker is not None and policy.marker.instance == instance and policy.associations
            for target in await _unknown_targets(context, seen.records.get(policy.marker.connection_id), policy)
        ]
        known = [
            (record.elastic.policy.id, target, record.id)
            for record in waiting
            if (record.elastic.organization or DEFAULT, record.identity.family) == (organization, family)
            for target in _still_recovered(record, listed.get(record.elastic.policy.id))
        ]
        for policy_id, target, connection in (*unknown, *known):
            thing_id = _association(policy_id, target, family)
            found[lower_case(thing_id)] = _scope(organization, family), thing_id, connection
    return found


async def _unknown_targets(context: Context, record: ConnectionRecord | None, policy: Policy) -> tuple[str, ...]:
    """The targets of a policy of ours of whose association no record tells whose it is."""
    if (record is None or nothing_known(record)) and policy.marker is not None:
        # A run may have made policy and association since the records were read; its record knows.
        record = await _record(context, policy.marker.connection_id)
    if record is None or nothing_known(record):
        return policy.associations
    if record.elastic.policy.id != policy.id or not record.elastic.policy.recovered:
        return ()
    told = {one.target_id for one in record.elastic.associations if not one.recovered}
    return tuple(one for one in policy.associations if one not in told)


def _still_recovered(record: ConnectionRecord, policy: Policy | None) -> list[str]:
    """The targets of a record's recovered associations, less those that are gone for certain."""
    recovered = [one.target_id for one in record.elastic.associations if one.recovered]
    certain = policy is not None and not policy.hidden_associations
    return [one for one in recovered if policy is None or not certain or one in policy.associations]


def _list(rows: Things) -> RecoveredList:
    found = things.unconfirmed(rows)
    if not found:
        return RecoveredList("", ())
    digest = hashlib.sha256("\n".join(lower_case(thing.id) for thing in found).encode()).hexdigest()
    return RecoveredList(digest[:16], found)


def _subscription(scope: str) -> str:
    """The lower-cased subscription of a zone's id; empty where the scope is none."""
    parts = lower_case(scope).split("/")
    return parts[2] if parts[:2] == ["", "subscriptions"] and len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/ID


async def _side_by_side(work: Iterable[Coroutine[None, None, object]]) -> None:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(part: Coroutine[None, None, object]) -> None:
        async with limit:
            await part

    await asyncio.gather(*(one(part) for part in work))


async def _record(context: Context, connection_id: str) -> ConnectionRecord | None:
    """The record of a connection as it is now; None: there is none, or it cannot be read."""
    row = await context.storage.connections.get(connection_id)
    try:
        return None if row is None else record_in(row)
    except InvalidInput as error:
        log.info("connection %s cannot be read: %s", connection_id, error)
        return None


async def _go_on(context: Context, record: ConnectionRecord, asked: Asked) -> None:
    """Let a removal that waited go on now; where that fails the sweep does it."""
    removed = record.condition(c.REMOVED)
    if removed is None or removed.reason is not Reason.RECOVERED_UNCONFIRMED:
        return
    try:
        endpoint = parse_endpoint_id(record.endpoint_id)
        await context.storage.queue.send(WorkMessage(endpoint, Cause.TIMER, asked.correlation_id).encode())
    except (AutopilotError, InvalidInput) as error:
        log.info("connection %s not sent to work after a confirmation: %s", record.id, error)
