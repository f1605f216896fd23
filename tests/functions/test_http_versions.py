"""A poll of what has not changed costs no body and two requests to storage; a parameter without effect is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from shared.core.reports.app_health import found_by_sweep
from shared.installation.app_health import keep
from shared.state.codec import holding
from shared.state.rows import ConnectionRow
from tests.functions.conftest import Provide
from tests.functions.http_parts import KNOWN
from tests.functions.trigger_parts import App, call, routes
from tests.harness.wire import Wire, WiredStorage

ASKS_THE_CLOUDS = {"doctor", "plan"}
READING = [
    one for one in routes() if one.keyed and not one.decides and "{" not in one.path and one.path not in ASKS_THE_CLOUDS
]


async def test_the_poll_of_an_unchanged_list_has_no_body_and_costs_two_requests(app: App, provided: Provide) -> None:
    for number in range(1000):
        record = replace(KNOWN, endpoint_id=f"{KNOWN.endpoint_id}-{number}")
        await app.storage.connections.insert(holding(ConnectionRow(record.id), record))
    wire = Wire()
    storage = WiredStorage(app.storage, wire, app.context.clock)
    provided(replace(app.context, storage=storage))
    first = await call("list_connections")
    assert len(first.body["items"]) == 1000
    wire.calls.clear()
    again = await call("list_connections", headers={"if-none-match": first.headers["etag"]}, plain=True)
    assert (again.status, again.text) == (304, "")
    assert again.headers["etag"] == first.headers["etag"]
    assert Counter(one.service for one in wire.calls) == {"connections": 1, "control": 1}


@pytest.mark.parametrize("route", READING, ids=[one.function for one in READING])
async def test_what_is_read_has_a_version_that_no_request_id_changes(app: App, route: object) -> None:
    del app
    name = route.function  # type: ignore[attr-defined]
    tags = {(await call(name, f"/api/{name}", headers={"x-ms-client-request-id": f"request-{n}"})).headers["etag"]
            for n in range(2)}  # fmt: skip
    assert len(tags) == 1


async def test_a_change_has_another_version(app: App) -> None:
    await app.keep(KNOWN)
    before = (await call("list_connections")).headers["etag"]
    await call("set_pause", "/api/pause", body={"minutes": 5})
    paused = (await call("list_connections")).headers["etag"]
    await app.keep(replace(KNOWN, endpoint_id=f"{KNOWN.endpoint_id}-2"))
    assert len({before, paused, (await call("list_connections")).headers["etag"]}) == 3


async def test_an_answer_that_may_hold_nothing_old_is_stored_nowhere(app: App) -> None:
    del app
    for answer in (await call("get_connection", connection="0" * 16), await call("set_pause", body={"minutes": 5})):
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


@pytest.mark.parametrize("route", [one for one in routes() if one.keyed], ids=lambda one: one.function)
async def test_a_parameter_that_a_route_does_not_take_is_refused(app: App, route: object) -> None:
    connection = await app.keep(KNOWN)
    answer = await call(
        route.function,  # type: ignore[attr-defined]
        connection=connection,
        operation="0123456789",
        query={"phases": "Ready", "code": "a-key"},
        method=str(route.method),  # type: ignore[attr-defined]
    )
    assert (answer.status, answer.error["code"], answer.error["target"]) == (400, "InvalidInput", "phases")
    assert app.messages == []


async def test_what_is_wrong_with_the_app_is_in_the_list_at_no_further_request(app: App, provided: Provide) -> None:
    await keep(app.context, found_by_sweep(["policies: refused"], ["policies"], [], stopped=False, poisoned=0))
    wire = Wire()
    provided(replace(app.context, storage=WiredStorage(app.storage, wire, app.context.clock)))
    (told,) = (await call("list_connections")).app["problems"]
    assert told["code"] == "KeyRefused"
    assert Counter(one.service for one in wire.calls) == {"connections": 1, "control": 1}
