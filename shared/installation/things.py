"""Table `things`: a row for each thing that the app makes, so that a marker alone never makes a thing ours.

`intend` stands before the request that makes a thing, `made` after it. Called by the branches of a run, the removal and
the sweep; Elastic Cloud's things are noted by the same functions, with the organization as their scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from shared.context import Context, log
from shared.core.model.arm_ids import lower_case, parse_arm_id, record_id
from shared.core.model.errors import AutopilotError, InvalidInput, LostRace, RetryLater
from shared.core.model.json_values import is_newer, mapping
from shared.core.model.resources import Zone
from shared.core.model.things import WAITING, WAITING_MAX, Thing, Things, ThingState
from shared.state import codec
from shared.state.rows import ThingRow

TRIES = 4
PUT_BACK = 60.0
"""Seconds until a run looks again that met the row of a newer version."""
PRUNED_ZONES = 20
"""Zones that are read at most to find rows of what is gone; the others have their turn the next day."""


async def intend(
    context: Context, scope: str, thing_id: str, connection_id: str, *, create: bool = True
) -> tuple[Thing, bool]:
    """Note that a thing is about to be made for a connection; also whether nothing was noted of it before.

    Not `create`: it is there, with our marker, and is only written anew.
    """
    state = ThingState.INTENDED if create else ThingState.RECOVERED
    wanted = Thing(scope, thing_id, state, (connection_id,))
    for _ in range(TRIES):
        try:
            return await _put(context, wanted), True
        except LostRace:
            present = await read(context, scope, thing_id)
        if present is None:
            continue
        if connection_id in present.connections:
            return present, False
        try:
            return await _put(context, present.for_connection(connection_id)), False
        except LostRace:
            continue
    raise RetryLater("Others keep changing what is noted of this thing.", on=thing_id, after=5.0)


async def made(context: Context, thing: Thing, version: str = "", *, create: bool = True) -> None:
    """Note that it is made, as which version. A note that cannot be written now changes nothing: it is intended."""
    wanted = replace(thing, state=ThingState.MADE if create else thing.state, version=version)
    if wanted == thing:
        return
    try:
        await _put(context, wanted)
    except AutopilotError as error:
        log.info("that %s is made is not noted: %s", thing.id, error)


async def forget(context: Context, scope: str, thing_id: str) -> None:
    """The thing is gone: so is its row. One that cannot be deleted now goes with a later sweep."""
    try:
        present = await read(context, scope, thing_id)
        if present is not None and not present.newer:
            await context.storage.things.delete(_row(present))
    except AutopilotError as error:
        log.info("the row of %s is not deleted: %s", thing_id, error)


async def read(context: Context, scope: str, thing_id: str) -> Thing | None:
    """What is noted of a thing; None: nothing, or nothing that can be understood."""
    row = await context.storage.things.get(scope, thing_id)
    return None if row is None else _thing(row)


async def listed(context: Context, scopes: Iterable[str] | None = None) -> dict[str, Thing]:
    """What is noted of the things of these scopes, or of all, by their lower-cased ids."""
    wanted = [None] if scopes is None else list(dict.fromkeys(scopes))
    rows = [row for scope in wanted async for row in context.storage.things.list(scope)]
    found = (_thing(row) for row in rows if _is_named(row))
    return {lower_case(thing.id): thing for thing in found}


async def first_seen(context: Context, scope: str, thing_id: str, version: str) -> None:
    """Note a version that no row tells of: from now on its age is known."""
    present = await read(context, scope, thing_id) or Thing(scope, thing_id, ThingState.RECOVERED)
    try:
        await _put(context, replace(present, version=version))
    except LostRace:
        log.info("version of %s noted by another run", thing_id)


async def recover(context: Context, scope: str, thing_id: str, connection_id: str) -> None:
    """Note a thing that has our marker and no row. Another run's row stays as it is."""
    try:
        await _put(context, Thing(scope, thing_id, ThingState.RECOVERED, (connection_id,)))
    except LostRace:
        return


async def prune(context: Context, oldest: datetime) -> None:
    """Delete the rows of what is not there any more, of connections that have no record, written before `oldest`."""
    known = {one.connection_id async for one in context.storage.connections.list_columns()}
    rows = [row async for row in context.storage.things.list()]
    old: dict[str, list[Thing]] = {}
    for thing in map(_thing, rows):
        old_enough = thing.stored_at is not None and thing.stored_at < oldest
        if old_enough and not thing.newer and not known & set(thing.connections):
            old.setdefault(thing.scope, []).append(thing)
    for scope, gone in list(old.items())[:PRUNED_ZONES]:
        with suppress(InvalidInput):  # of an organization, not of a zone: the sweep that reads its policies sees to it
            there = _ids(await context.dns.whole_zone(parse_arm_id(scope)))
            for thing in gone:
                if lower_case(thing.id).removesuffix(WAITING) not in there:
                    await context.storage.things.delete(_row(thing))


def _ids(zone: Zone | None) -> set[str]:
    """The lower-cased ids of a zone and of what is in it."""
    if zone is None:
        return set()
    record = {lower_case(record_id(zone.id))} if zone.record is not None else set()
    return {zone.id.key, *record, *(lower_case(link.id) for link in zone.links)}


# -- who waits for a record, or for a zone's end -----------------------------------------------------------------------


async def note_waiting(context: Context, scope: str, thing_id: str, endpoint_id: str) -> None:
    """Add an endpoint to those that wait for a thing."""
    present = await read(context, scope, thing_id + WAITING) or Thing(scope, thing_id + WAITING, ThingState.MADE)
    if lower_case(endpoint_id) not in present.connections:
        waiting = (*present.connections, lower_case(endpoint_id))[-WAITING_MAX:]
        await _put(context, replace(present, connections=waiting))


async def waiting_for(context: Context, scope: str, thing_id: str) -> tuple[str, ...]:
    """The lower-cased ids of the endpoints that wait for a thing."""
    present = await read(context, scope, thing_id + WAITING)
    return () if present is None else present.connections


async def forget_waiting(context: Context, scope: str, thing_id: str) -> None:
    """They were told; one that still waits notes it again."""
    await forget(context, scope, thing_id + WAITING)


# -- what a person decides -----------------------------------------------------------------------------------------


async def confirm(context: Context, things: Iterable[Thing]) -> int:
    """Make recovered things ours, as a person decided; how many were still as the person saw them."""
    done = 0
    for thing in things:
        try:
            await _put(context, replace(thing, state=ThingState.MADE))
        except LostRace:
            continue
        done += 1
    return done


def unconfirmed(things: Things) -> tuple[Thing, ...]:
    """Those that wait for a person's word, in the order of their ids."""
    return tuple(things[key] for key in sorted(things) if things[key].unconfirmed)


# -- rows ----------------------------------------------------------------------------------------------------------


async def _put(context: Context, thing: Thing) -> Thing:
    if thing.newer:  # the run is put back, for the newer version's instances to take
        what = "A newer version of the app wrote the row of this thing, so this one leaves it as it is."
        raise RetryLater(what, on=thing.id, after=PUT_BACK)
    stored = await context.storage.things.put(_row(thing))
    return replace(thing, etag=stored.etag)


def _row(thing: Thing) -> ThingRow:
    document = {**thing.unknown, "connections": list(thing.connections), "version": thing.version}
    return ThingRow(thing.scope, thing.id, thing.state, document, thing.etag, columns=thing.columns)


def is_damaged(row: ThingRow) -> bool:
    """Whether a row does not say of which thing it is, or what was done with it: then a person's word is needed."""
    document = mapping(row.document)
    whole = isinstance(document.get("connections"), list) and isinstance(document.get("version"), str)
    return not _is_named(row) or not whole or row.state not in set(ThingState)


def _is_named(row: ThingRow) -> bool:
    """Whether the row stands where its scope and its id belong."""
    return row.key in {"", "/".join(codec.thing_keys(replace(row, key="")))}


def _thing(row: ThingRow) -> Thing:
    """What a row says. A damaged one says that we did not make the thing, which costs a person's word."""
    document = row.document if isinstance(row.document, Mapping) else {}
    connections, version = document.get("connections"), document.get("version")
    newer = is_newer(document)
    known = row.state in set(ThingState) and isinstance(connections, list) and isinstance(version, str) and not newer
    return Thing(
        row.scope,
        row.resource_id,
        ThingState(row.state) if known else ThingState.RECOVERED,
        tuple(str(one) for one in connections) if isinstance(connections, list) else (),
        version if isinstance(version, str) else "",
        row.stored_at,
        row.at,
        row.etag,
        {name: value for name, value in document.items() if name not in {"connections", "version"}},
        row.columns,
        newer,
    )
