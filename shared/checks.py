"""The health check of a connection: which names to test, the test itself, and the `Reachable` condition.

Used by `reconcile` (after a change) and `sweep` (on the timer).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.context import Context
from shared.core import conditions as c
from shared.core.conditions import Condition
from shared.core.connection import Connection, VerdictMemory
from shared.core.diagnosis import Evidence, Verdict, diagnose
from shared.core.private_urls import path_test_host
from shared.correlation import Stage, timed
from shared.probe import Target, Timeouts, probe

HEALTHY = "healthy"
UNKNOWN = "unknown"
NEEDED = (c.LINKED, c.RECORD_READY, c.POLICY_READY, c.APPROVED)
"""What must hold before a test can tell anything."""


@dataclass(frozen=True, slots=True)
class Check:
    """What became of testing a connection."""

    condition: Condition
    verdicts: tuple[VerdictMemory, ...] = ()


def testable(conditions: dict[str, Condition]) -> bool:
    """Whether a test could succeed: DNS and policy are there, and the connection is approved."""
    return all(name in conditions and conditions[name].true for name in NEEDED)


def not_tested() -> Check:
    """The condition of a connection whose turn has not come."""
    return Check(c.unknown(c.REACHABLE, "NotTested", "Tested once DNS, policy and approval are there."))


@timed(Stage.TEST)
async def check(context: Context, connection: Connection, zone_name: str) -> Check:
    """Test the Elasticsearch of every deployment the connection serves, or the path itself when it serves none."""
    hosts = [url.host for d in connection.deployments for url in d.urls if url.service == "elasticsearch"]
    path_only = not hosts
    hosts = hosts or [path_test_host(zone_name)]
    evidence = await asyncio.gather(*(_probe(context, connection, host) for host in hosts))
    verdicts = [diagnose(e, expect_unknown=path_only, shared_with=connection.record_addresses) for e in evidence]
    memories = tuple(
        VerdictMemory(
            host=e.host,
            status=str(verdict.status),
            reason=verdict.reason,
            checked_at=context.clock.now(),
            stages=tuple((str(stage.name), round(stage.milliseconds, 1)) for stage in e.stages),
            addresses=e.addresses,
        )
        for e, verdict in zip(evidence, verdicts, strict=True)
    )
    return Check(_reachable(list(zip(evidence, verdicts, strict=True))), memories)


async def _probe(context: Context, connection: Connection, host: str) -> Evidence:
    settings = context.settings
    target = Target(host, connection.address, settings.probe_port)
    return await probe(target, context.network, Timeouts(whole=settings.probe_seconds))


def _reachable(results: list[tuple[Evidence, Verdict]]) -> Condition:
    bad = [(evidence, verdict) for evidence, verdict in results if verdict.status != HEALTHY]
    if not bad:
        evidence, verdict = results[0]
        total = sum(stage.milliseconds for stage in evidence.stages)
        return c.good(c.REACHABLE, verdict.reason, f"{evidence.host}: {verdict.cause} ({total:.0f} ms)")
    evidence, verdict = bad[0]
    message = f"{evidence.host}: {verdict.cause}"
    status = c.Status.UNKNOWN if verdict.status == UNKNOWN else c.Status.FALSE
    return Condition(c.REACHABLE, status, verdict.reason, message, verdict.next_step, c.Kind.WORK)
