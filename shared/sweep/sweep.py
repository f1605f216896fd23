"""The timer's use case: what events missed is found here. Called by `check_health`.

Everything is listed in pages, once per run: endpoints per subscription, zones by name, all policies, the targets
that matter. The same pure plan as in the loop says what is missing or drifted (`core.planning.triage`); the sweep
itself changes nothing in Azure or Elastic Cloud, it enqueues, unless the queue is behind (`sweep.backlog`). What needs
nothing is tested (`sweep.checks`). Where more would be removed than the limit allows, all removals stop until a person
confirms them (S6).
"""

from __future__ import annotations

import time

from shared import telemetry
from shared.context import Context, log
from shared.core.guards.removal_limit import SHOWN, Swept
from shared.core.model.conditions import Phase
from shared.core.model.errors import AutopilotError
from shared.core.notifications.app_problems import AppNews
from shared.core.planning.snapshot import Snapshot
from shared.core.planning.triage import Triage, triage
from shared.core.reports.app_health import AppProblem, found_by_sweep
from shared.health.networks import NetworkList
from shared.installation import app_health, removal_limit
from shared.installation.event_topics import look_hourly
from shared.installation.last_sweep import remember
from shared.installation.recovered import Seen, keep_list
from shared.installation.watched import find
from shared.notifications import outbox as notify
from shared.notifications.app_problems import tell_app_problems
from shared.requests import correlated
from shared.state.control import lease
from shared.sweep.backlog import Backlog
from shared.sweep.checks import test_or_share
from shared.sweep.retention import delete_old_rows
from shared.sweep.snapshot import SweepStats, failed, take_snapshot

LEASE = "sweep-lease"
"""Of the one sweep at a time in the whole installation, in table `control`.

Azure runs a timer once, but a person can start it by hand, and a run may outlast the next one's time. Two sweeps at
once would read everything twice and count one miss of an endpoint as two.
"""


async def sweep(context: Context, correlation_id: str) -> SweepStats:
    """Look at every connection and every endpoint in scope once."""
    control, clock = context.storage.control, context.clock
    with correlated(correlation_id):
        async with lease(control, clock, LEASE, holder=correlation_id) as held:
            if held is None:
                log.info("no sweep: another one is under way, or has just begun")
                return SweepStats(skipped=True)
            try:
                return await _sweep(context, correlation_id)
            except Exception as error:
                telemetry.sweep_failed()
                await _tell(context, await app_health.keep_failed(context, error), correlation_id)
                raise


async def _sweep(context: Context, correlation_id: str) -> SweepStats:
    result, started, began = SweepStats(), time.monotonic(), context.clock.now()
    context, unread = await find(context)
    for group, error in unread.items():
        failed(result, f"management group {group}", error)
    networks = NetworkList(context)
    snapshot, stored = await take_snapshot(context, correlation_id, result, networks)
    found = triage(snapshot, context.options, context.clock.now())
    on_record = sum(record.status.phase not in {Phase.REMOVED, Phase.IGNORED} for record in snapshot.records.values())
    await _limit_removals(context, found, on_record, correlation_id, result)
    for key in found.others:
        telemetry.connection_checked(snapshot.records[key], (), context.clock.now(), correlation_id)
    # Repairs first: tests of many unreachable endpoints take long, and no repair should wait for them.
    backlog = Backlog(context, result)
    result.enqueued += await backlog.send(found.work)
    to_test = [stored[key] for key in found.to_test]
    tested = await test_or_share(context, backlog, to_test, correlation_id, began, networks)
    result.enqueued += await backlog.send(tested)
    await _keep_recovered(context, snapshot, result)
    await delete_old_rows(context, stored.values())
    await _look_at_topics(context, result)
    await _count_poison(context, result)
    # Whether a key has an end is known only once Elastic Cloud has answered.
    await notify.after_sweep(context, snapshot.records.values(), snapshot.clouds.key_ends, correlation_id)
    await _report(context, result, correlation_id, started)
    await _tell(context, await app_health.keep(context, _problems(result), began), correlation_id)
    return result


async def _limit_removals(
    context: Context, found: Triage, on_record: int, correlation_id: str, result: SweepStats
) -> None:
    """Count what stands for removal (S6), and stop all removals or let them go on, before any message is sent."""
    seen = Swept(found.unwanted, found.unseen)
    try:
        removals = await removal_limit.swept(context, seen, correlation_id, on_record)
    except AutopilotError as error:
        failed(result, "the limit of removals", error)
        return
    result.removals = len(found.unwanted)
    stop = removals.stopped
    if stop is not None:
        result.stopped = True
        telemetry.removals_stopped(correlation_id, stop.id, stop.count, stop.connections[:SHOWN])


async def _keep_recovered(context: Context, snapshot: Snapshot, result: SweepStats) -> None:
    """Keep the list of what has our marker and no row, which a person confirms."""
    zones = {name: zones for name, zones in snapshot.clouds.zones.items() if zones is not None}
    organizations = snapshot.clouds.organizations.items()
    policies = {name: listing.policies for name, listing in organizations if listing.policies is not None}
    try:
        result.recovered = await keep_list(
            context, Seen(zones, policies, snapshot.records, snapshot.clouds.unread_zones)
        )
    except AutopilotError as error:
        failed(result, "the list of recovered things", error)


async def _look_at_topics(context: Context, result: SweepStats) -> None:
    try:
        seen = await look_hourly(context)
        for error in seen.errors:
            failed(result, "what delivers events", error)
        result.events_lost = tuple(one.subscription for one in seen.looks if one.lost)
    except AutopilotError as error:
        failed(result, "what delivers events", error)


async def _report(context: Context, result: SweepStats, correlation_id: str, started: float) -> None:
    ends = [api.key_expires for _, api in context.elastic.items() if api.key_expires is not None]
    expires = min(ends, default=None)  # of several organizations' keys, the one that ends first
    left = None if expires is None else round((expires - context.clock.now()).total_seconds() / 86400, 1)
    stats = {
        "endpoints": result.endpoints,
        "enqueued": result.enqueued,
        "held_back": result.held_back,
        "probed": result.probed,
        "shared": result.shared,
        "unhealthy": result.unhealthy,
        "throttled": result.throttled,
        "poisoned": result.poisoned,
        "removals": result.removals,
        "removals_stopped": result.stopped,
        "error_count": len(result.errors),
        "errors": "; ".join(result.errors)[:1000],
        "key_expires_at": expires,
        "key_days_left": left,
    }
    line = telemetry.sweep_completed(correlation_id, stats, round((time.monotonic() - started) * 1000))
    await remember(context, line, result.behind_since)


def _problems(result: SweepStats) -> tuple[AppProblem, ...]:
    return found_by_sweep(
        result.errors,
        result.keys_refused,
        result.events_lost,
        stopped=result.stopped,
        poisoned=result.poisoned,
        recovered=result.recovered,
    )


async def _tell(context: Context, problems: tuple[AppProblem, ...], correlation_id: str) -> None:
    """Tell others what is wrong with the app itself, the pause included."""
    if context.topic is None:
        return
    news = [AppNews(one.code, one.message, one.next_step) for one in (*problems, *await app_health.paused(context))]
    await tell_app_problems(context, news, correlation_id)


async def _count_poison(context: Context, result: SweepStats) -> None:
    try:
        result.poisoned = await context.storage.queue.poisoned()
    except AutopilotError as error:
        failed(result, "poison queue", error)
