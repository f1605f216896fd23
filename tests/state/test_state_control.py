"""The table of the installation's own documents: every write is conditional, and what goes in comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from shared.core.model.errors import LostRace
from shared.state.rows import ControlRow

if TYPE_CHECKING:
    from tests.state.state_backends import Backend

PAUSE = ControlRow("pause", {"until": "2026-03-04T06:00:00+00:00", "reason": "Azure maintenance ✓"})


async def test_a_document_comes_back_as_it_was_stored_and_others_are_not_there(backend: Backend) -> None:
    assert await backend.control.get("pause") is None
    stored = await backend.control.put(PAUSE)
    assert stored.etag
    assert await backend.control.get("pause") == stored == replace(PAUSE, etag=stored.etag)
    assert await backend.control.get("removals") is None


async def test_what_is_there_is_not_created_again(backend: Backend) -> None:
    await backend.control.put(PAUSE)
    with pytest.raises(LostRace):
        await backend.control.put(PAUSE)


async def test_only_the_version_that_was_read_is_replaced_or_deleted(backend: Backend) -> None:
    first = await backend.control.put(PAUSE)
    second = await backend.control.put(replace(first, document={"until": None}))
    for outdated in (first, replace(first, etag='W/"none"')):
        with pytest.raises(LostRace):
            await backend.control.put(outdated)
        with pytest.raises(LostRace):
            await backend.control.delete(outdated)
    await backend.control.delete(second)
    await backend.control.delete(second)
    assert await backend.control.get("pause") is None
    with pytest.raises(LostRace):
        await backend.control.put(second)
