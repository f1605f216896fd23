"""Requests to Azure Storage carry the correlation id of the work they are made for, signed, and are counted."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from azure.core.pipeline.transport import AioHttpTransport

from local.storage.azurite import Azurite
from shared.requests import HEADER, Service, correlated, take_spent
from shared.state.rows import ConnectionRow, JournalEntry
from tests.state.state_backends import START, azure_storage


@pytest.mark.azurite
async def test_every_request_to_storage_carries_the_id_and_is_counted(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azurite checks the signatures, so the header is there before a request is signed where that matters."""
    sent: list[tuple[str, str, str]] = []
    send = AioHttpTransport.send

    async def noted(self: AioHttpTransport, request: Any, **options: Any) -> Any:
        sent.append((request.method, request.url, request.headers[HEADER]))
        return await send(self, request, **options)

    monkeypatch.setattr(AioHttpTransport, "send", noted)
    async with aclosing(azure_storage(azurite.connection_string)) as storage:
        with correlated("work-1"):
            row = await storage.connections.insert(ConnectionRow("c", {"a": 1}))
            await storage.connections.replace(row)
            assert [found.connection_id async for found in storage.connections.list()] == ["c"]
            entries = [JournalEntry(START, "r", "work-1", "manual", step) for step in ("one", "two")]
            await storage.journal.append("c", entries)
            await storage.queue.send("message")
            assert await storage.queue.poisoned() == 0
            spent = take_spent()
        assert {correlation for *_, correlation in sent} == {"work-1"}
        assert {("queue" if ":queue" in url or "messages" in url else "table") for _, url, _ in sent} == {
            "queue",
            "table",
        }
        assert spent.calls == {Service.STORAGE: len(sent)}
        await storage.connections.get("c")
        assert sent[-1][2] not in {"", "work-1"}, "outside of the work, the SDK's own id"
