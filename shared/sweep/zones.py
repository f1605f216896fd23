"""Which zones a sweep reads: all where they are few, else the doubtful ones at once and the others in turn.

Each zone is two of the private DNS reads that a subscription has, and the runs need them too. One listing shows every
zone; what is in it is read for `ZONES_PER_SWEEP` zones, or so many that each has its turn within the hour. Where the
last turn ended is kept in table `control`. A zone that is not read now tells nothing: its connections' DNS is not
judged. Called by `snapshot`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.context import Context, log
from shared.core.model.arm_ids import ArmId, lower_case
from shared.core.model.conditions import Phase
from shared.core.model.errors import AutopilotError, Throttled
from shared.core.model.json_values import text
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Zone
from shared.state.control import OnLostRace, read, update

TURNS = 11
"""Sweeps in which each zone is read at least once: an hour's, less one."""
TOGETHER = 10
"""Zones that are asked for, and read, side by side."""
LONGEST_WAIT = 45.0
"""Seconds that a sweep waits for its turn to read; then the rest is left to the next one."""
ROW = "sweep-zones-"
"""Before the subscription: after which zone the next turn begins."""


@dataclass(frozen=True, slots=True)
class SweptZones:
    """The zones of a subscription as a sweep knows them."""

    zones: tuple[Zone, ...]
    """Every one that was listed; of those in `left_out` nothing but what the listing shows."""
    left_out: frozenset[str]
    """Keys."""
    counts: Mapping[str, int]
    """Zones of any name in the subscription, where it may be listed."""


async def read_zones(
    context: Context,
    names: Iterable[str],
    subscription: str,
    homes: Collection[ArmId],
    expected: Mapping[str, int],
) -> SweptZones:
    """Read the zones of one subscription as far as its turn goes; raises what the listing meets.

    `homes`: those that are in it. `expected`: see `expected_sets`.
    """
    await _turn(context, subscription, 2)
    listed, counts = await context.dns.zones_listed(names, [subscription], homes=homes, anew=True)
    most = max(context.settings.health.zones_at_once, math.ceil(len(listed) / TURNS))
    doubtful = {zone.id.key for zone in _doubtful(listed, expected)}
    first = [zone for zone in listed if zone.id.key in doubtful]
    others = sorted((zone for zone in listed if zone.id.key not in doubtful), key=lambda zone: zone.id.key)
    if len(listed) > most:
        others = await _from_the_turn(context, subscription, others)
    chosen, done, last = [*first, *others[:most]], dict[str, Zone](), ""
    tried: set[str] = set()
    for start in range(0, len(chosen), TOGETHER):
        part = chosen[start : start + TOGETHER]
        try:
            await _turn(context, subscription, 2 * len(part))
            found = await context.dns.filled(part, homes=homes, partly=True)
        except Throttled as error:
            log.info("zones of %s left to the next sweep: %s", subscription, error)
            break
        done |= {zone.id.key: zone for zone in found}
        tried |= {zone.id.key for zone in part}
        last = next((zone.id.key for zone in reversed(part) if zone.id.key not in doubtful), last)
    unread = frozenset(zone.id.key for zone in listed if zone.id.key not in tried)
    if unread and last:
        await _keep_turn(context, subscription, last)
    # One that was tried and not found cannot be read: it is left out, as ever.
    zones = tuple(done.get(zone.id.key, zone) for zone in listed if zone.id.key in done or zone.id.key in unread)
    return SweptZones(zones, unread, counts)


def expected_sets(records: Iterable[ConnectionRecord]) -> dict[str, int]:
    """How many record sets the zones of Ready connections have, as far as we know, by the zones' keys."""
    expected: dict[str, int] = {}
    for record in records:
        dns = record.dns
        if dns.zone is not None and record.status.phase is Phase.READY and not dns.names:
            expected[lower_case(dns.zone.id)] = 1 if dns.record is not None else 0
    return expected


def _doubtful(zones: Iterable[Zone], expected: Mapping[str, int]) -> list[Zone]:
    """Those whose number of record sets, as the listing shows it, is not what it should be."""
    found = []
    for zone in zones:
        wanted = expected.get(zone.id.key)
        if wanted is not None and zone.other_records is not None and zone.other_records != wanted:
            found.append(zone)
    return found


async def _turn(context: Context, subscription: str, number: int) -> None:
    """Take so many reads; waits a while where there are none, and raises NoReadsLeft where that is too long."""
    try:
        await context.budget.ask(subscription, number)
    except Throttled as error:
        if error.after > LONGEST_WAIT:
            raise
        await context.clock.sleep(error.after)
        await context.budget.ask(subscription, number)


async def _from_the_turn(context: Context, subscription: str, zones: list[Zone]) -> list[Zone]:
    """The zones beginning after that with which the last turn ended."""
    last = await read(context.storage.control, f"{ROW}{subscription}", lambda one: text(one.get("after")), "")
    later = [zone for zone in zones if zone.id.key > last]
    return [*later, *(zone for zone in zones if zone.id.key <= last)]


async def _keep_turn(context: Context, subscription: str, last: str) -> None:
    def turn_over(_: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {"after": last}

    try:
        name = f"{ROW}{subscription}"
        await update(context.storage.control, context.clock, name, turn_over, lost=OnLostRace.SKIP, mend=True)
    except AutopilotError as error:
        log.info("where the turn of zones ended is not kept: %s", error)
