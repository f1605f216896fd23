"""What happened to all connections, newest first: one list over their journals, in few requests."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from shared.api.events import EventFilter
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import Identity
from shared.state.rows import JournalEntry
from tests.functions.http_parts import KNOWN
from tests.functions.trigger_parts import ENDPOINT_ID, START, App, call

OTHER = ConnectionRecord(
    ENDPOINT_ID.replace("pe-search", "pe-other"), identity=Identity(name="pe-other", region="westeurope")
)
STEP = JournalEntry(START, "r", "c", "timer", "", outcome="done")


async def keep_both(app: App, each: int = 4) -> None:
    """Two connections whose entries alternate, the youngest made now."""
    for first, record in enumerate((KNOWN, OTHER)):
        connection = await app.keep(record)
        entries = [
            replace(STEP, at=app.context.clock.now() - timedelta(minutes=number), step=f"step {number}")
            for number in reversed(range(first, 2 * each, 2))
        ]
        await app.storage.journal.append(connection, entries)


async def test_the_journals_of_all_connections_are_one_list_in_pages_newest_first(app: App) -> None:
    await keep_both(app)
    steps, names, query = list[str](), set[str](), {"limit": "3"}
    while True:
        page = (await call("list_events", query=query)).body
        steps += [one["step"] for one in page["items"]]
        names |= {one["name"] for one in page["items"]}
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert steps == [f"step {number}" for number in range(8)]
    assert names == {"pe-search", "pe-other"}
    assert page["items"][0]["connection"] in {KNOWN.id, OTHER.id}
    assert {"at", "runId", "cause", "durationMs", "subscription"} <= set(page["items"][0])


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        ({"region": "WestEurope"}, [1, 3, 5, 7]),
        ({"q": "PE-search step"}, [0, 2, 4, 6]),
        ({"outcome": "failed"}, []),
        ({"outcome": "done", "q": "timer", "limit": "2"}, [0, 1]),
        ({"subscription": "none"}, []),
    ],
)
async def test_events_are_filtered(app: App, query: dict[str, str], steps: list[int]) -> None:
    await keep_both(app)
    found = (await call("list_events", query=query)).body["items"]
    assert [one["step"] for one in found] == [f"step {number}" for number in steps]


async def test_the_last_day_is_shown_unless_since_says_another_time(app: App) -> None:
    connection = await app.keep(KNOWN)
    now = app.context.clock.now()
    for hours in (30, 20, 2):
        await app.storage.journal.append(connection, [replace(STEP, at=now - timedelta(hours=hours), step=str(hours))])

    async def shown(**query: str) -> list[str]:
        return [one["step"] for one in (await call("list_events", query=query)).body["items"]]

    assert await shown() == ["2", "20"]
    assert await shown(since=(now - timedelta(hours=3)).isoformat()) == ["2"]
    assert await shown(since=(now - timedelta(days=3)).isoformat().replace("+", " ")) == ["2", "20", "30"]
    assert await shown(since=(now - timedelta(hours=19)).strftime("%Y-%m-%dT%H:%MZ")) == ["2"]


async def test_an_entry_whose_connection_is_gone_is_shown_without_a_name(app: App) -> None:
    await app.storage.journal.append("f" * 16, [replace(STEP, at=app.context.clock.now(), step="removed")])
    (one,) = (await call("list_events")).body["items"]
    assert (one["connection"], one["name"], one["step"]) == ("f" * 16, "", "removed")


async def test_a_page_costs_a_bounded_number_of_requests_and_too_long_a_time_is_refused(app: App) -> None:
    connection, now = await app.keep(KNOWN), app.context.clock.now()
    await app.storage.journal.append(
        connection, [replace(STEP, at=now - timedelta(seconds=number)) for number in range(20_001)]
    )
    short = await call("list_events", query={"since": (now - timedelta(seconds=1_999)).isoformat()})
    assert (short.status, len(short.body["items"])) == (200, 50)
    assert app.storage.journal.requests == {"across": 2}
    refused = await call("list_events")
    assert refused.status == 400
    assert refused.body["error"]["nextStep"] == "Give a later since."


@pytest.mark.parametrize(
    "query",
    [{"since": "yesterday"}, {"since": "2026-01-01T00:00:00"}, {"cursor": "x"}, {"limit": "0"}, {"phase": "Ready"}],
)
async def test_a_parameter_that_means_nothing_for_events_is_refused(app: App, query: dict[str, str]) -> None:
    assert (await call("list_events", query=query)).status == 400


def test_the_filters_of_events_are_the_parameters() -> None:
    from functions.connections import EVENT_FILTERS  # noqa: PLC0415 - the route's own list

    assert tuple(field.name for field in fields(EventFilter)) == EVENT_FILTERS
