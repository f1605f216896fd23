"""Old rows of all tables: one list, which every table is in."""

from __future__ import annotations

from datetime import timedelta

from shared.core.guards.first_and_last_policy import TARGET_ROWS
from shared.state.ports import Storage
from shared.state.rows import ConnectionRow, JournalEntry
from shared.sweep.retention import RULES
from tests.harness.estate import Estate
from tests.sweep.sweep_parts import a_ready_connection

DAY = 24 * 3600


def test_every_table_has_a_line_in_the_list_and_no_more_than_one() -> None:
    tables = {name for name, value in vars(Storage).items() if isinstance(value, property)} - {"queue"}
    assert sorted(rule.table for rule in RULES) == sorted(tables)


def test_a_line_says_how_to_delete_and_what_stays() -> None:
    for rule in RULES:
        assert (rule.delete is None) != (rule.delete_all is None)
        assert rule.exception


async def test_what_a_dead_run_left_in_control_goes_a_day_later() -> None:
    """Its lease, and the word that another one left for it; also where its connection is long gone."""
    estate = await Estate().open()
    endpoint = await a_ready_connection(estate)
    await estate.sweep()
    leases = estate.worker.context.leases
    there, gone = (await estate.connection(endpoint)).id, "0" * 16
    for one in (there, gone):
        for _ in range(2):
            await leases.acquire(one, lambda one=one: ConnectionRow(one), "{}")
    row = await estate.storage.connections.get(gone)
    assert row is not None
    await estate.storage.connections.delete(row)
    names = [f"lease-{there}", f"lease-{gone}", f"word-{there}", f"word-{gone}"]
    assert [name for name in names if await estate.storage.control.get(name) is None] == []
    await estate.clock.sleep(DAY - 3600)
    await estate.sweep()
    assert [name for name in names if await estate.storage.control.get(name) is None] == []
    await estate.clock.sleep(DAY + 3600)
    await estate.sweep()
    assert [name for name in names if await estate.storage.control.get(name) is not None] == []


async def test_notes_of_a_target_go_when_none_was_written_for_a_month() -> None:
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": "*"}).open()
    await a_ready_connection(estate)

    async def rows() -> int:
        return len([row async for row in estate.storage.control.list(TARGET_ROWS)])

    await estate.sweep()
    assert await rows() == 1
    await estate.clock.sleep(29 * DAY)
    await estate.sweep()
    assert await rows() == 1
    await estate.clock.sleep(2 * DAY)
    await estate.sweep()
    assert await rows() == 0


async def test_the_journal_keeps_its_days_and_is_pruned_once_a_day() -> None:
    estate = await Estate(settings={"JOURNAL_DAYS": "2"}).open()
    endpoint = await a_ready_connection(estate)
    wanted = (await estate.connection(endpoint)).id
    made = (await estate.storage.journal.newest(wanted, 500)).entries
    assert made
    for _ in range(16):
        await estate.storage.journal.append(wanted, [entry(estate)])
        await estate.clock.sleep(DAY / 4)
        await estate.sweep()
    kept = (await estate.storage.journal.newest(wanted, 500)).entries
    ages = [estate.clock.now() - one.at for one in kept]
    assert timedelta(days=1.5) < max(ages) < timedelta(days=3.1)
    prunes = [call for call in estate.worker.wire.calls if (call.service, call.what) == ("journal", "prune")]
    assert len(prunes) in {3, 4}, "four days"


def entry(estate: Estate) -> JournalEntry:
    return JournalEntry(estate.clock.now(), "run", "test", "manual", "a step")
