"""A newer version's rows: of its own form this version keeps what is unknown to it, those of a newer form it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.api.damaged_rows import take_over_row, unreadable_rows
from shared.core.guards.first_and_last_policy import TARGET_ROWS
from shared.core.model.errors import AutopilotError, InvalidInput
from shared.installation.pause import lift_pause, pause
from shared.installation.removal_limit import stand_for_removal
from shared.state.control import NewerRow
from tests.harness.changing import take_away
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE, connected
from tests.harness.platform_parts import ASKED

NEWER = {"newer": {"by": "a later version"}}


def documents(estate: Estate, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a table that have a document, each by its name."""
    for key, stored in getattr(estate.storage, table).stored.items():
        entities = [one for one, _ in stored.values()] if table == "hosts" else [stored[0]]
        yield from ((f"{key} {one['RowKey']}", one) for one in entities)


def write(estate: Estate, table: str, fields: dict[str, Any], **columns: Any) -> dict[str, dict[str, Any]]:
    """Put fields into the documents of a table, and columns into its rows; the rows as they are then."""
    found = {}
    for name, entity in documents(estate, table):
        if table == "control" and not entity["RowKey"].startswith((TARGET_ROWS, "removals")):
            continue
        entity["document"] = json.dumps(json.loads(entity["document"]) | fields)
        entity.update(columns)
        found[name] = dict(entity)
    assert found
    return found


async def lived_in() -> tuple[Estate, str]:
    """A connection that is Ready, and one that counts as standing for removal."""
    estate = await Estate(settings={"REMOVAL_LIMIT": "5"}).open()
    endpoint = await connected(estate)
    await stand_for_removal(estate.worker.context, "another", "stop")
    return estate, endpoint


async def changed(estate: Estate, endpoint: str) -> None:
    """Everything of the connection is written anew: its address, its associations, its tests, the count of removals."""
    zone = estate.zone()
    zone.record_sets["A", "*"].records["aRecords"] = [{"ipv4Address": "10.9.9.9"}]
    take_away(estate, endpoint, "logs-eastus2")
    await estate.clock.sleep(3700)
    for _ in range(2):
        await estate.sweep()
        await estate.settle()
        await estate.clock.sleep(1200)
    await stand_for_removal(estate.worker.context, "a third", "stop")


@pytest.mark.parametrize("table", ["things", "hosts", "control"])
async def test_what_this_version_does_not_know_in_a_row_of_its_form_stays(table: str) -> None:
    estate, endpoint = await lived_in()
    columns = {} if table == "control" else {"later": 7}
    before = write(estate, table, NEWER, **columns)
    await changed(estate, endpoint)
    await estate.ready(endpoint)
    after = dict(documents(estate, table))
    assert [name for name, entity in before.items() if after[name] != entity], "some were written anew"
    for name in before:
        assert json.loads(after[name]["document"])["newer"] == NEWER["newer"], name
        assert all(after[name][column] == value for column, value in columns.items())


@pytest.mark.parametrize("table", ["things", "hosts", "control"])
async def test_a_row_of_a_newer_form_is_left_as_it_is_and_the_rest_goes_on(table: str) -> None:
    estate, endpoint = await lived_in()
    other = await connected(estate, "pe-2", region="westeurope")
    before = write(estate, table, {"schema": 2} | NEWER)
    await estate.delete(endpoint)
    for _ in range(3):
        await estate.sweep()
        await estate.settle(2 * GRACE)
    after = dict(documents(estate, table))
    assert {name: after.get(name) for name in before} == before
    await estate.ready(other)
    told = {one.row: one for one in await unreadable_rows(estate.worker.context)}
    assert bool(told) == (table != "hosts"), (
        "a host's row says what the last test gave, and the next one says that again"
    )
    for name, row in told.items():
        assert row.newer
        with pytest.raises(InvalidInput, match="newer version"):
            await take_over_row(estate.worker.context, row.table, name, ASKED)
    for entity in (entity for _, entity in documents(estate, table)):
        entity["document"] = json.dumps({k: v for k, v in json.loads(entity["document"]).items() if k != "schema"})
    for _ in range(4):
        await estate.clock.sleep(3700)
        await estate.sweep()
        await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removed"


async def test_a_person_is_told_that_a_newer_versions_pause_is_not_changed(estate: Estate) -> None:
    context = estate.worker.context
    await pause(context, {"minutes": 60}, ASKED)
    (entity, _, *_rest) = next(one for key, one in estate.storage.control.stored.items() if "pause" in str(key))
    entity["document"] = json.dumps(json.loads(entity["document"]) | {"schema": 2})
    with pytest.raises(NewerRow):
        await pause(context, {"minutes": 5}, ASKED)
    with pytest.raises(AutopilotError, match="newer version"):
        await lift_pause(context, ASKED)
