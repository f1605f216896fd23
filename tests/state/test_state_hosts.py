"""The hosts: the last check of each name comes back, a race is lost by the hundred, a damaged row is written anew."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from shared.core.model.conditions import Explanation
from shared.core.model.reasons import Reason
from shared.core.model.record_health import EffectiveVerdict, HostCheck, ResolvedBy
from shared.requests import Service, correlated, take_spent
from shared.state import codec
from shared.state.rows import HostRow
from tests.state.state_backends import azure_storage

if TYPE_CHECKING:
    from local.storage.azurite import Azurite
    from shared.state.ports import HostTable
    from tests.state.state_backends import Backend

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ZONE = "es.privatelink.eastus2.azure.elastic-cloud.com"
FULL = HostCheck(
    f"logs.{ZONE}",
    "unreachable",
    Explanation(Reason.NO_ROUTE, "It does not answer.", "Peer the networks."),
    AT,
    (("resolve", 1.5), ("connect", 0.4)),
    ("10.1.0.4", "10.2.0.4"),
    ResolvedBy.ZONE,
    "kibana",
    False,
    ("unreachable NoRoute", "healthy Reachable"),
    EffectiveVerdict("healthy", Explanation(Reason.REACHABLE, "It answers.")),
)


def check(number: int) -> HostCheck:
    return HostCheck(f"h{number:04}.{ZONE}", "healthy", Explanation(Reason.REACHABLE, "It answers."), AT)


def failed(host: str) -> HostCheck:
    return replace(FULL, host=host)


def rows(numbers: range) -> list[HostRow]:
    return [HostRow(check(number).host, check(number)) for number in numbers]


async def all_of(hosts: HostTable, name: str = "c1") -> dict[str, HostRow]:
    return {row.host: row async for row in hosts.list(name)}


async def test_the_check_of_a_host_comes_back_whole_and_of_its_connection_alone(backend: Backend) -> None:
    assert await all_of(backend.hosts) == {}
    assert await backend.hosts.write("c1", [HostRow(FULL.host, FULL, guid="g-1")]) == 0
    assert await backend.hosts.write("c2", rows(range(1))) == 0
    (row,) = (await all_of(backend.hosts)).values()
    assert (row.host, row.check, row.guid) == (FULL.host, FULL, "g-1")
    assert list(await all_of(backend.hosts, "c2")) == [check(0).host]


async def test_rows_are_written_over_and_those_that_are_gone_deleted(backend: Backend) -> None:
    await backend.hosts.write("c1", rows(range(250)))
    found = await all_of(backend.hosts)
    again = [HostRow(FULL.host, FULL), *(HostRow(one.host, one.check, one.etag) for one in list(found.values())[:120])]
    assert await backend.hosts.write("c1", again, list(found.values())[120:]) == 0
    assert set(await all_of(backend.hosts)) == {FULL.host, *list(found)[:120]}


async def test_a_hundred_of_which_another_worker_wrote_one_are_left_as_that_one_wrote_them(backend: Backend) -> None:
    await backend.hosts.write("c1", rows(range(150)))
    mine, theirs = await all_of(backend.hosts), await all_of(backend.hosts)
    last = check(149).host
    assert await backend.hosts.write("c1", [HostRow(last, failed(last), theirs[last].etag)]) == 0
    assert await backend.hosts.write("c1", [HostRow(one, failed(one), row.etag) for one, row in mine.items()]) == 50
    found = await all_of(backend.hosts)
    assert [row.check == failed(one) for one, row in found.items()] == [True] * 100 + [False] * 49 + [True]
    assert await backend.hosts.write("c1", rows(range(1))) == 1, "made by another meanwhile"
    assert await backend.hosts.write("c1", (), [mine[last]]) == 1, "changed since"


async def test_a_row_that_cannot_be_read_has_no_check_and_is_written_anew(backend: Backend) -> None:
    await backend.hosts.write("c1", [HostRow("damaged.example", None)])
    (row,) = (await all_of(backend.hosts)).values()
    assert row.check is None
    check = failed("damaged.example")
    assert await backend.hosts.write("c1", [HostRow("damaged.example", check, row.etag)]) == 0
    assert (await all_of(backend.hosts))["damaged.example"].check == check


async def test_a_row_that_tells_of_another_host_is_not_believed(backend: Backend) -> None:
    await backend.hosts.write("c1", [HostRow("other.example", FULL)])
    assert (await all_of(backend.hosts))["other.example"].check is None


@pytest.mark.azurite
async def test_the_real_table_answers_a_thousand_hosts_at_once(azurite: Azurite) -> None:
    async with aclosing(azure_storage(azurite.connection_string)) as storage:
        with correlated("write"):
            assert await storage.hosts.write("c1", rows(range(codec.PAGE + 5))) == 0
            written = take_spent().calls[Service.STORAGE]
        assert written <= 11 + 2, "one for each hundred, and once the table is made"
        with correlated("list"):
            assert len(await all_of(storage.hosts)) == codec.PAGE + 5
            assert take_spent().calls == {Service.STORAGE: 2}
