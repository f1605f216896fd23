"""The table of things: writes are conditional, a scope is listed by itself, answers bring the service's time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from shared.core.model.errors import LostRace
from shared.state.rows import ThingRow

if TYPE_CHECKING:
    from tests.state.state_backends import Backend

ZONE = "/subscriptions/s/resourceGroups/Hub/providers/Microsoft.Network/privateDnsZones/z.example"
LINK = ThingRow(ZONE, f"{ZONE}/virtualNetworkLinks/l", "intended", {"connections": ["c1"]})


async def test_a_row_comes_back_as_it_was_stored_in_any_letter_case(backend: Backend) -> None:
    assert await backend.things.get(ZONE, LINK.resource_id) is None
    stored = await backend.things.put(LINK)
    found = await backend.things.get(ZONE.upper(), LINK.resource_id.lower())
    assert found == stored == replace(LINK, etag=stored.etag)
    assert await backend.things.get(ZONE, f"{ZONE}/A/*") is None


async def test_a_scope_is_listed_by_itself_and_all_are_listed_too(backend: Backend) -> None:
    mine = await backend.things.put(LINK)
    other = await backend.things.put(replace(LINK, scope="production", resource_id="policy 1"))
    assert [row async for row in backend.things.list(ZONE)] == [mine]
    assert {row.resource_id async for row in backend.things.list()} == {mine.resource_id, other.resource_id}
    assert [row async for row in backend.things.list("nothing")] == []


async def test_only_the_version_that_was_read_is_replaced_or_deleted(backend: Backend) -> None:
    first = await backend.things.put(LINK)
    with pytest.raises(LostRace):
        await backend.things.put(LINK)
    second = await backend.things.put(replace(first, state="made"))
    with pytest.raises(LostRace):
        await backend.things.put(first)
    with pytest.raises(LostRace):
        await backend.things.delete(first)
    await backend.things.delete(second)
    await backend.things.delete(second)
    assert await backend.things.get(ZONE, LINK.resource_id) is None


async def test_every_answer_brings_the_services_time(backend: Backend) -> None:
    stored = await backend.things.put(LINK)
    again = await backend.things.put(replace(stored, state="made"))
    found = await backend.things.get(ZONE, LINK.resource_id)
    (listed,) = [row async for row in backend.things.list(ZONE)]
    times = [stored.at, again.at, found and found.at, listed.at]
    for earlier, later in pairwise(times):
        assert earlier is not None
        assert later is not None
        assert earlier <= later
