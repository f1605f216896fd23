"""Documents of table `control`: changed against others that do the same, and held by one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from shared.core.model.errors import AutopilotError, LostRace, RetryLater
from shared.state.control import LASTING, TRIES, DamagedRow, HeldLease, OnLostRace, lease, read, take, update
from shared.state.rows import ControlRow
from tests.state.lease_parts import VIRTUAL_TIME, AheadTable, AnswersLost
from tests.state.state_backends import virtual

if TYPE_CHECKING:
    from tests.state.state_backends import Backend


def counted(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {"count": int((document or {})["count"]) + 1}


def one_more(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {"count": document["count"] + 1 if document else 1}


async def count(backend: Backend) -> int:
    return await read(backend.control, "counter", lambda document: int(document["count"]), 0)


async def test_changes_made_at_the_same_time_are_all_kept(backend: Backend) -> None:
    assert await count(backend) == 0
    await asyncio.gather(*(update(backend.control, backend.clock, "counter", one_more) for _ in range(4)))
    assert await count(backend) == 4


async def test_nothing_is_written_where_nothing_changes_and_none_deletes(backend: Backend) -> None:
    await update(backend.control, backend.clock, "counter", lambda _: None)
    assert await backend.control.get("counter") is None
    await update(backend.control, backend.clock, "counter", one_more)
    before = await backend.control.get("counter")
    await update(backend.control, backend.clock, "counter", lambda document: document)
    assert await backend.control.get("counter") == before
    await update(backend.control, backend.clock, "counter", lambda _: None)
    assert await backend.control.get("counter") is None


class Quicker:
    """A table in which another worker always writes in between."""

    def __init__(self, backend: Backend) -> None:
        self.get = backend.control.get
        self.delete = backend.control.delete
        self.lost = 0

    async def put(self, row: ControlRow) -> ControlRow:
        self.lost += 1
        raise LostRace("another worker was quicker", on=row.name)


@pytest.mark.parametrize(
    ("lost", "error", "tries"),
    [(OnLostRace.AGAIN, RetryLater, TRIES), (OnLostRace.RAISE, LostRace, 1), (OnLostRace.SKIP, None, 1)],
)
async def test_the_caller_says_what_a_lost_race_means(
    lost: OnLostRace, error: type[AutopilotError] | None, tries: int
) -> None:
    backend = virtual()
    table = Quicker(backend)
    raised = None
    try:
        await update(table, backend.clock, "counter", one_more, lost=lost)
    except AutopilotError as one:
        raised = type(one)
    assert (raised, table.lost) == (error, tries)


@pytest.mark.parametrize("document", [{}, {"count": "x"}, {"count": None}])
async def test_a_damaged_row_is_one_error_that_names_it_and_how_to_mend_it(document: dict[str, Any]) -> None:
    backend = virtual()
    await backend.control.put(ControlRow("counter", document))
    with pytest.raises(DamagedRow, match=r"counter.*take-over-row"):
        await count(backend)
    with pytest.raises(DamagedRow, match=r"counter.*take-over-row"):
        await update(
            backend.control, backend.clock, "counter", lambda found: {"count": int((found or {})["count"]) + 1}
        )


async def test_a_lease_is_held_by_one_and_given_back_with_its_document(backend: Backend) -> None:
    async with lease(backend.control, backend.clock, "one", holder="a") as held:
        assert held is not None
        async with lease(backend.control, backend.clock, "one", holder="b") as other:
            assert other is None
        held.document = {"note": 1}
    async with lease(backend.control, backend.clock, "one", holder="b") as held:
        assert held is not None
        assert held.document == {"note": 1}


async def test_of_two_that_take_a_lease_at_once_one_has_it(backend: Backend) -> None:
    held, all_have_tried = [], asyncio.Barrier(3)

    async def take(name: str) -> None:
        async with lease(backend.control, backend.clock, "one", holder=name) as found:
            held.append(found is not None)
            await all_have_tried.wait()

    await asyncio.gather(*(take(name) for name in "abc"))
    assert sorted(held) == [False, False, True]


@VIRTUAL_TIME
async def test_a_lease_whose_holder_died_is_free_when_its_time_is_over_and_not_before(backend: Backend) -> None:
    assert isinstance(await take(backend.control, backend.clock, "one", holder="dead"), HeldLease)
    await backend.advance(LASTING - 1)
    async with lease(backend.control, backend.clock, "one", holder="b") as held:
        assert held is None
    await backend.advance(2)  # a Date is cut to the second
    async with lease(backend.control, backend.clock, "one", holder="b") as held:
        assert held is not None


async def test_a_lease_that_keeps_no_document_leaves_no_row(backend: Backend) -> None:
    async with lease(backend.control, backend.clock, "one", holder="a") as held:
        assert held is not None
        assert await backend.control.get("one") is not None
    assert await backend.control.get("one") is None


async def test_a_lease_whose_answer_was_lost_is_recognised_as_ones_own() -> None:
    backend = virtual()
    table = AnswersLost(backend.control)
    async with lease(table, backend.clock, "one", holder="a") as held:
        assert table.lost == 1
        assert held is not None
    assert await backend.control.get("one") is None


async def test_a_holder_that_was_overtaken_does_not_write_over_its_successor(backend: Backend) -> None:
    async with lease(backend.control, backend.clock, "one", holder="slow") as slow:
        assert slow is not None
        ahead = AheadTable(backend.control, LASTING + 1)
        async with lease(ahead, backend.clock, "one", holder="fast") as fast:
            assert fast is not None
            fast.document = {"by": "fast"}
        slow.document = {"by": "slow"}
    row = await backend.control.get("one")
    assert row is not None
    assert row.document == {"by": "fast"}
