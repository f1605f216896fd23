"""A damaged row holds up its own connection and nothing else; the doctor names it, and a person's word mends it.

A sample; `make hostile` damages a row of every kind at every place.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random

import pytest

from shared.api.damaged_rows import take_over_row, unreadable_rows
from shared.api.doctor import examine
from shared.core.model.arm_ids import connection_id
from shared.core.model.errors import InvalidInput
from shared.core.reports.doctor.findings import Finding
from shared.state.rows import ControlRow
from tests.damaged.parts import EVERYTHING, SEED, one_of_each, part_of
from tests.damaged.stand import TABLES, Damage, Stand, stand
from tests.harness.estate import Estate
from tests.harness.platform_parts import ASKED

SAMPLE = {"connections": 6, "control": 8, "things": 3, "journal": 2, "checks": 2, "hosts": 3}
"""Of each table, each column at most once before any comes twice."""
WHOLE = 0.2
"""Of the rows that cannot be read those that are tried in whole."""


def sampled(found: Stand, table: str) -> list[Damage]:
    """The damages that are tried."""
    by_column = defaultdict(list)
    for damage in found.damages():
        if damage.table == table:
            by_column[damage.row, damage.column].append(damage)
    if EVERYTHING:
        every = [one for damages in by_column.values() for one in damages]
        return list(part_of(one_of_each(every, lambda damage: damage.kind)))
    chance, picked = Random(11), []
    columns = list(by_column.values())
    chance.shuffle(columns)
    while len(picked) < SAMPLE[table]:
        picked += [chance.choice(damages) for damages in columns]
    return picked[: SAMPLE[table]]


async def _problems(found: Stand, damage: Damage) -> list[str]:
    """All rows that are not read are one to a sweep and to a run: of most of these only what reads is tried."""
    if EVERYTHING and Random(f"{SEED} {damage}").random() > WHOLE:
        problems = await found.problems_where_it_is_not_read(damage)
        if problems is not None:
            return problems
        found.restore()
        found.do(damage)
    return await found.problems(damage)


@pytest.mark.parametrize("table", TABLES)
async def test_one_damaged_row_holds_up_nothing_else_and_can_be_mended(table: str) -> None:
    found = await stand()
    problems = []
    for damage in sampled(found, table):
        found.restore()
        found.do(damage)
        problems += [f"{damage}: {problem}" for problem in await _problems(found, damage)]
    assert problems == []


def document_of(estate: Estate, name: str) -> str:
    """A record as its row has it."""
    return str(estate.storage.connections.rows()[name].entity["document"])


async def rows(estate: Estate) -> list[Finding]:
    """The doctor's findings about rows."""
    return [one for one in (await examine(estate.worker.context)).findings if one.check == "rows"]


async def test_the_doctor_names_a_damaged_record_and_a_persons_word_makes_it_anew(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert [one.what for one in await rows(estate)] == ["Every row of the tables can be understood."]
    estate.storage.connections.damage(connection_id(endpoint), document="{")
    (finding,) = await rows(estate)
    assert (finding.level, finding.on) == ("problem", f"table connections, row {connection_id(endpoint)}")
    assert f'"row": "{connection_id(endpoint)}"' in finding.next_step
    await take_over_row(estate.worker.context, "connections", connection_id(endpoint), ASKED)
    await estate.settle()
    await estate.ready(endpoint)
    assert [one.level for one in await rows(estate)] == ["ok"]


async def test_a_row_that_can_be_understood_and_a_newer_versions_are_not_given_up(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    context, name = estate.worker.context, connection_id(endpoint)
    with pytest.raises(InvalidInput, match="can be understood"):
        await take_over_row(context, "connections", name, ASKED)
    estate.storage.connections.damage(name, document=document_of(estate, name).replace('"schema":1', '"schema":2'))
    (finding,) = await rows(estate)
    assert finding.next_step == "Deploy the newer version of the app again."
    with pytest.raises(InvalidInput, match="schema 2"):
        await take_over_row(context, "connections", name, ASKED)


async def test_removals_that_cannot_be_counted_wait_until_the_row_is_taken_over(estate: Estate) -> None:
    """What was counted decides whether anything may be removed: without it nothing is."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    before = await estate.storage.control.get("removals")
    damaged = ControlRow("removals", {"torn": {"x": "9999-12-31T00:00:00+00:00"}}, before.etag if before else None)
    await estate.storage.control.put(damaged)
    estate.events.settings.drop = True  # no event tells the deletion: it counts against the limit
    await estate.delete(endpoint)
    for _ in range(3):
        await estate.sweep()
        await estate.settle(1200)
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    assert [one.row for one in await unreadable_rows(estate.worker.context)] == ["removals"]
    await take_over_row(estate.worker.context, "control", "removals", ASKED)
    await estate.settle(3600)
    assert (await estate.connection(endpoint)).status.phase == "Removed"


async def test_a_damaged_pause_ends_by_itself_as_the_longest_pause_would(estate: Estate) -> None:
    await estate.storage.control.put(ControlRow("pause", {"since": "x", "until": "9999-12-31T00:00:00+00:00"}))
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Provisioning"
    await estate.clock.sleep(7 * 24 * 3600 + 60)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_what_this_version_does_not_know_in_a_record_of_its_schema_stays(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    table, name = estate.storage.connections, connection_id(endpoint)
    text = document_of(estate, name).replace('{"endpoint_id"', '{"newer":[1],"endpoint_id"', 1)
    text = text.replace('"identity":{', '"identity":{"newer":2,', 1)
    text = text.replace('"associations":[{', '"associations":[{"newer":3,', 1)
    table.damage(name, document=text, newer="a column")
    await estate.send(endpoint)
    await estate.settle()
    row = await table.get(name)
    assert row is not None
    assert row.unknown == {"newer": "a column"}
    document = row.document
    assert (document["newer"], document["identity"]["newer"]) == ([1], 2)
    assert document["elastic"]["associations"][0]["newer"] == 3
