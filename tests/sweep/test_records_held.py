"""What a sweep holds of the rows that it reads, thousands at once: each record, and no text twice."""

from __future__ import annotations

import gc
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest

from shared.state.codec import holding, record_in
from shared.state.rows import ConnectionRow
from shared.sweep.records import StoredRecord, stored_record
from tests.harness.estate import Estate
from tests.sweep.sweep_parts import a_ready_connection


async def rows_of(estate: Estate) -> list[ConnectionRow]:
    return [row async for row in estate.storage.connections.list()]


def held_by(*roots: object) -> list[Any]:
    """All that is alive because of these, but for classes and what belongs to them."""
    found, todo = dict[int, object](), list(roots)
    while todo:
        one = todo.pop()
        if id(one) not in found and not isinstance(one, type | Enum):
            found[id(one)] = one
            todo += gc.get_referents(one)
    return list(found.values())


async def test_two_endpoints_of_one_network_share_every_text(estate: Estate) -> None:
    await a_ready_connection(estate)
    await estate.put_endpoint("pe-2")
    await estate.settle()
    texts: dict[str, str] = {}
    records = [stored_record(row, texts) for row in await rows_of(estate)]
    assert len(records) == 2
    held = [one for one in held_by(*records) if type(one) is str and len(one) > 1]  # Python has one of each letter
    assert sorted(held) == sorted(set(held))


async def test_nothing_of_a_row_is_held_that_its_record_tells(estate: Estate) -> None:
    await a_ready_connection(estate)
    (row,) = await rows_of(estate)
    held = held_by(stored_record(row, {}))
    assert [one for one in held if isinstance(one, dict) and one] == []


UNKNOWN = {"of a newer version": {"more": [1, "two"]}}


@pytest.mark.parametrize("document", [{}, UNKNOWN], ids=["known", "with-more"])
@pytest.mark.parametrize("column", [{}, {"newer": 1}], ids=["known-columns", "more-columns"])
async def test_what_is_written_back_is_what_would_be_if_the_row_had_been_kept(
    estate: Estate, document: dict[str, Any], column: dict[str, Any]
) -> None:
    await a_ready_connection(estate)
    (read,) = await rows_of(estate)
    row = replace(read, document={**read.document, **document}, unknown=column)
    stored: StoredRecord = stored_record(row, {})
    changed = record_in(row).with_health(last_reached=None)
    assert stored.record == record_in(row)
    assert holding(stored.row, changed) == holding(row, changed)
    assert stored.subscription == row.columns.subscription
    assert set(document) <= set(stored.row.document)
