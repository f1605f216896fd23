"""The checks: every health check comes back whole, newest first. The rest of a diary is held by the journal's tests."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shared.core.model.errors import Permanent
from shared.core.model.reasons import Reason
from shared.core.model.record_health import ResolvedBy
from shared.state.rows import CheckedHost, CheckEntry, JournalEntry

if TYPE_CHECKING:
    from tests.state.state_backends import Backend

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
STAGES = (("resolve", 1.5), ("connect", 0.4), ("tls", 12.25), ("http", 3.0))
GOOD = CheckedHost(
    "logs.es.privatelink.eastus2.azure.elastic-cloud.com",
    "healthy",
    Reason.REACHABLE,
    ("10.1.0.4", "10.2.0.4"),
    STAGES,
    ResolvedBy.ZONE,
)
BAD = CheckedHost("logs.kb.privatelink.eastus2.azure.elastic-cloud.com", "unreachable", Reason.NAME_NOT_FOUND)
ENTRY = CheckEntry(AT, "correlation-1", "timer", "unreachable", "NameNotFound", "… has no address.", (GOOD, BAD))


async def test_a_check_comes_back_as_it_was_written(backend: Backend) -> None:
    untested = CheckEntry(AT - timedelta(days=1), "c", "check", "unknown", "NoRouteFromApp")
    await backend.checks.append("c1", [untested, ENTRY])
    assert await backend.checks.newest("c1") == ((ENTRY, untested), None)


async def test_checks_are_paged_newest_first_and_pruned_by_age(backend: Backend) -> None:
    for number in (3, 1, 0, 4, 2):
        await backend.checks.append("c1", [replace(ENTRY, at=AT + timedelta(minutes=number), reason=str(number))])
    first = await backend.checks.newest("c1", 2)
    second = await backend.checks.newest("c1", 2, first.continuation)
    assert [entry.reason for entry in (*first.entries, *second.entries)] == ["4", "3", "2", "1"]
    assert await backend.checks.prune("c1", AT + timedelta(minutes=3)) == 3
    assert [entry.reason for entry in (await backend.checks.newest("c1")).entries] == ["4", "3"]


async def test_checks_and_journal_of_one_connection_do_not_mix(backend: Backend) -> None:
    await backend.checks.append("c1", [ENTRY])
    await backend.journal.append("c1", [JournalEntry(AT, "r", "c", "timer", "step")])
    assert await backend.journal.prune("c1", AT + timedelta(days=1)) == 1
    assert (await backend.checks.newest("c1")).entries == (ENTRY,)


async def test_a_check_of_very_many_names_is_kept_whole(backend: Backend) -> None:
    many = tuple(replace(GOOD, host=f"d{number}.{GOOD.host}") for number in range(1000))
    await backend.checks.append("c1", [replace(ENTRY, hosts=many)])
    assert (await backend.checks.newest("c1")).entries[0].hosts == many


async def test_a_check_that_no_row_can_hold_is_refused_before_it_is_sent(backend: Backend) -> None:
    name = random.Random(1).randbytes(1_000_000).hex()  # no compression makes it less than half as long
    with pytest.raises(Permanent, match="a table row holds"):
        await backend.checks.append("c1", [replace(ENTRY, hosts=(replace(GOOD, host=name),))])
