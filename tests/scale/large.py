"""A large estate after a burst of changes: what others did to 5 % of it is put right. Used by `benchmarks`.

A third of the changed endpoints lose their `*` record, a third are deleted (within S6), a third get another address in
their record. Nothing tells of the changes to private DNS but the sweep; of deletions, events. All
endpoints are approved from the beginning: the local Elastic Cloud would look at each of them at every change.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.core.model.errors import RetryLater
from tests.harness.dns import DNS_API
from tests.harness.estate import Estate, Worker
from tests.scale.estates import INTERVAL, large_estate

WORKERS, SIDE_BY_SIDE = 4, 12
PAUSE = 5.0
"""Seconds between two looks at a queue that is empty."""
LONGEST = 4 * 3600.0
CHANGED = 0.05
EASED = 1_000_000


@dataclass(frozen=True, slots=True)
class Converged:
    """Seconds are the simulated clouds'."""

    ready_after: float
    """From the first sweep, which sees all endpoints for the first time, to the last one's Ready."""
    right_after: float
    """From the changes to the last one's being put right."""
    changed: int
    removed: int
    refused: int
    requests: int
    """Of ARM, after the changes."""


async def converged(
    endpoints: int, subscriptions: int, told: Callable[[str], None] = lambda _: None, *, eased: bool = False
) -> Converged:
    """Make the estate, let the app connect all of it, change 5 %, and let the app put that right.

    `told`: hears every minute how far it is. `eased`: until all are connected, Azure says that a subscription has many
    more private DNS reads than it documents; an estate whose zones are all in one is connected within minutes then.
    """
    estate = await large_estate(endpoints, subscriptions)
    documented = estate.arm_settings.private_dns_reads_per_5_minutes
    if eased:
        estate.arm_settings.private_dns_reads_per_5_minutes = EASED
    estate.elastic_settings.max_rulesets = 2 * endpoints
    for endpoint in estate.arm.private_endpoints():
        estate.arm.set_connection(endpoint.id, "Approved")
    processes = [estate.new_worker() for _ in range(WORKERS)]
    tasks = [asyncio.create_task(_slot(estate, one)) for one in processes for _ in range(SIDE_BY_SIDE)]
    began = estate.clock.passed()
    await _sweeps(estate, began, {"Ready": endpoints}, told)
    ready_after = estate.clock.passed() - began
    if eased:
        estate.arm_settings.private_dns_reads_per_5_minutes = documented
        await estate.clock.sleep(2 * INTERVAL)  # until what Azure said is old
    estate.events.settings.drop = False
    chosen = [one.id for one in estate.arm.private_endpoints()][:: round(1 / CHANGED)]
    estate.arm.requests.clear()
    changed = estate.clock.passed()
    for number, endpoint in enumerate(chosen):
        if number % 3 == 0:
            await estate.azure("DELETE", endpoint)
        else:
            await _disturb(estate, endpoint, deletes=number % 3 == 1)
    removed = len(chosen[::3])
    await _sweeps(estate, changed, {"Ready": endpoints - removed}, told, disturbed=chosen)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    refused = len([one for one in estate.arm.requests if one.status == 429])
    right = estate.clock.passed() - changed
    return Converged(ready_after, right, len(chosen), removed, refused, len(estate.arm.requests))


async def _sweeps(
    estate: Estate,
    began: float,
    phases: dict[str, int],
    told: Callable[[str], None],
    disturbed: Sequence[str] = (),
) -> None:
    """The timer, every five minutes, until so many connections are in each phase and no record is disturbed."""
    next_one = next_told = began
    while estate.clock.passed() - began < LONGEST:
        if estate.clock.passed() >= next_one:
            await estate.sweep()
            next_one += INTERVAL
        if estate.clock.passed() >= next_told:
            next_told += 60
            passed = estate.clock.passed() - began
            told(f"{passed:.0f} s: {await _phases(estate)}, {await _wrong(estate, disturbed)} wrong")
        await estate.clock.sleep(5)
        if await _phases(estate) == phases and not await _wrong(estate, disturbed):
            return
    raise AssertionError(f"{await _phases(estate)} after {LONGEST:.0f} s, {await _wrong(estate, disturbed)} are wrong")


async def _phases(estate: Estate) -> dict[str, int]:
    found = Counter([str(row.columns.phase) async for row in estate.storage.connections.list_columns()])
    del found["Removed"]
    return dict(found)


async def _slot(estate: Estate, worker: Worker) -> None:
    while True:
        message = estate.queue.receive()
        if message is None:
            await asyncio.sleep(PAUSE)
            continue
        with suppress(RetryLater):
            await estate.handle(message, worker)


async def _record_of(estate: Estate, endpoint: str) -> tuple[str, str]:
    """The zone that the endpoint's record stands in, and the address that it has to have."""
    connection = await estate.connection(endpoint)
    assert connection.dns.zone is not None
    return connection.dns.zone.id, connection.identity.address


async def _disturb(estate: Estate, endpoint: str, *, deletes: bool) -> None:
    zone, _ = await _record_of(estate, endpoint)
    if deletes:
        await estate.azure("DELETE", f"{zone}/A/*", api=DNS_API)
        return
    body = {"properties": {"aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    await estate.azure("PATCH", f"{zone}/A/*", body, api=DNS_API)


async def _wrong(estate: Estate, endpoints: Sequence[str]) -> int:
    """How many living endpoints have no record, or one with another address."""
    zones = {one.id.lower(): one for one in estate.arm.private_dns_zones()}
    wrong = 0
    for endpoint in endpoints:
        if estate.arm.private_endpoint(endpoint) is None:
            continue
        zone, address = await _record_of(estate, endpoint)
        found = zones.get(zone.lower())
        wrong += found is None or found.a_record("*") != [address]
    return wrong
