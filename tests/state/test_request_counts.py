"""What a list and a detail page cost in storage, with as many connections as an installation may have."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from shared.api.queries import get_checks, get_connection, get_journal, list_connections
from shared.core.model.record import ConnectionRecord
from shared.requests import Service, correlated, take_spent
from shared.state import codec
from shared.state.rows import ConnectionRow
from tests.functions.trigger_parts import App, app_in_memory
from tests.state.state_backends import azure_storage

if TYPE_CHECKING:
    from local.storage.azurite import Azurite

CONNECTIONS = 10_000


async def filled(number: int = CONNECTIONS) -> tuple[App, str]:
    app = app_in_memory()
    last = ""
    for count in range(number):
        last = await app.keep(
            ConnectionRecord(f"/subscriptions/s/resourceGroups/g/providers/p/privateEndpoints/pe-{count}")
        )
    app.storage.connections.requests.clear()
    app.storage.control.requests.clear()
    return app, last


async def test_a_list_costs_one_request_for_each_thousand_connections_and_one_to_control() -> None:
    app, _ = await filled()
    listed = await list_connections(app.context)
    assert (len(listed["items"]), listed["matching"]) == (codec.PAGE, CONNECTIONS)
    assert dict(app.storage.connections.requests) == {"list": math.ceil(CONNECTIONS / codec.PAGE)}
    assert app.storage.control.requests.total() <= 1


async def test_a_detail_page_costs_one_request() -> None:
    app, wanted = await filled()
    assert (await get_connection(app.context, wanted))["id"] == wanted
    assert dict(app.storage.connections.requests) == {"get": 1}
    assert app.storage.control.requests.total() <= 1


@pytest.mark.parametrize("page", [get_journal, get_checks])
async def test_journal_and_checks_cost_one_request_beside_their_own(page: object) -> None:
    app, wanted = await filled(100)
    await page(app.context, wanted, 10, None)  # type: ignore[operator] # one of the two
    assert dict(app.storage.connections.requests) == {"get": 1}
    assert app.storage.control.requests.total() <= 1


@pytest.mark.azurite
async def test_the_real_table_answers_in_pages_of_a_thousand_and_one_row_at_once(azurite: Azurite) -> None:
    async with aclosing(azure_storage(azurite.connection_string)) as storage:
        await storage.connections.insert(ConnectionRow("0000"))
        for first in range(1, codec.PAGE + 5, 100):
            rows = [ConnectionRow(f"{number:04d}") for number in range(first, min(first + 100, codec.PAGE + 5))]
            await asyncio.gather(*(storage.connections.insert(row) for row in rows))
        with correlated("list"):
            assert len([row async for row in storage.connections.list_columns()]) == codec.PAGE + 5
            assert take_spent().calls == {Service.STORAGE: 2}
        with correlated("detail"):
            assert await storage.connections.get("0777") is not None
            assert take_spent().calls == {Service.STORAGE: 1}
