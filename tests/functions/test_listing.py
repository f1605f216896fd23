"""The list of connections: filters, sorting, and pages that neither repeat nor hide what changes meanwhile."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from shared.api.export import COLUMNS, as_csv
from shared.api.listing import FILTERS, URGENCY, Filter, page_of
from shared.core.model.conditions import Phase
from shared.core.model.errors import InvalidInput
from shared.core.model.record_document import Columns
from shared.state.rows import ListedConnection
from tests.functions.http_parts import KNOWN
from tests.functions.trigger_parts import ENDPOINT_ID, App, call

SEARCH = ListedConnection(
    "0" * 16,
    Columns(
        subscription="s-1",
        name="pe-search",
        family="hosted",
        region="eastus2",
        phase="Blocked",
        reason="ScopeLocked",
        message="A lock stands on the zone.",
        targets='[["d1","Orders"]]',
        address="10.1.2.3",
        vnet_id="/subscriptions/s-1/vnets/spoke",
    ),
)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, True),
        ({"phase": "blocked"}, True),
        ({"phase": "Ready"}, False),
        ({"phase": "-Ready"}, True),
        ({"phase": "-blocked"}, False),
        ({"family": "serverless"}, False),
        ({"region": "EastUS2"}, True),
        ({"subscription": "S-1"}, True),
        ({"subscription": "s-2"}, False),
        ({"target": "orders"}, True),
        ({"target": "d1"}, True),
        ({"target": "order"}, False),
        ({"q": "10.1.2 spoke"}, True),
        ({"q": "lock orders"}, True),
        ({"q": "lock invoices"}, False),
        ({"phase": "Blocked", "region": "westeurope"}, False),
    ],
)
def test_a_filter_means_what_its_parts_mean_together(given: dict[str, str], found: bool) -> None:
    assert Filter(**given).matches(SEARCH) is found


def many(count: int) -> list[ListedConnection]:
    return [
        ListedConnection(f"{number:016x}", Columns(name=f"pe-{number % 7}", phase=("Ready", "Blocked")[number % 2]))
        for number in range(count)
    ]


def pages(rows: list[ListedConnection], sort: str, limit: int = 10) -> list[str]:
    shown, cursor = list[str](), None
    while True:
        page = page_of(rows, Filter(), sort=sort, limit=limit, cursor=cursor)
        assert page.total == len(rows)
        shown += [row.connection_id for row in page.rows]
        if page.next is None:
            return shown
        cursor = page.next


@pytest.mark.parametrize("sort", ["name", "-name", "phase", "-phase", "since", "target"])
def test_pages_together_show_each_connection_once_in_one_order(sort: str) -> None:
    rows = many(64)
    shown = pages(rows, sort)
    assert sorted(shown) == sorted(row.connection_id for row in rows)
    assert shown == [row.connection_id for row in page_of(rows, Filter(), sort=sort).rows]


def test_by_phase_the_pressing_ones_come_first() -> None:
    rows = [ListedConnection(f"{at:016x}", Columns(phase=phase)) for at, phase in enumerate(["OfLater", *Phase])]
    shown = [row.columns.phase for row in page_of(rows, Filter(), sort="phase").rows]
    assert shown == [*URGENCY, "OfLater"]
    assert set(URGENCY) == set(Phase)


def test_what_is_made_and_removed_between_two_pages_hides_and_repeats_no_other() -> None:
    rows = many(30)
    first = page_of(rows, Filter(), limit=10)
    gone = first.rows[-1]
    new = ListedConnection("f" * 16, Columns(name="pe-0"))
    later = [row for row in rows if row != gone] + [new]
    rest = page_of(later, Filter(), cursor=first.next)
    assert {row.connection_id for row in rest.rows} == {one.connection_id for one in rows} - {
        one.connection_id for one in first.rows
    } | ({new.connection_id} if new.columns.name > gone.columns.name else set())


@pytest.mark.parametrize("cursor", ["", "x", "????", "W10", "WyJwaGFzZSJd", "bnVsbA"])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        page_of(many(3), Filter(), sort="name", cursor=cursor)


# -- over HTTP -----------------------------------------------------------------------------------------------------


async def keep_two(app: App) -> None:
    await app.keep(KNOWN)
    await app.keep(
        replace(KNOWN, endpoint_id=ENDPOINT_ID.replace("pe-search", "pe-other")).with_identity(
            name="pe-other", region="westeurope"
        )
    )


async def test_a_list_is_filtered_sorted_and_paged_over_http(app: App) -> None:
    await keep_two(app)
    only = await call("list_connections", query={"region": "westeurope", "target": "orders"})
    assert ([one["name"] for one in only.body["items"]], only.body["matching"]) == (["pe-other"], 1)
    first = await call("list_connections", query={"sort": "-name", "limit": "1"})
    assert [one["name"] for one in first.body["items"]] == ["pe-search"]
    second = await call("list_connections", query={"sort": "-name", "limit": "1", "cursor": first.body["next"]})
    assert ([one["name"] for one in second.body["items"]], second.body["next"]) == (["pe-other"], None)


async def test_the_list_counts_all_regions_and_subscriptions_though_it_shows_some(app: App) -> None:
    await keep_two(app)
    answer = await call("list_connections", query={"region": "westeurope"})
    assert answer.body["regions"] == {KNOWN.identity.region: 1, "westeurope": 1}
    assert list(answer.body["subscriptions"].values()) == [2]
    assert answer.body["repairedToday"] == 0


async def test_the_list_is_a_table_too_in_which_no_cell_is_a_formula(app: App) -> None:
    await app.keep(KNOWN.with_identity(name="=HYPERLINK(1)", address="@10.0.0.1"))
    answer = await call("list_connections", query={"format": "csv", "sort": "-name"}, plain=True)
    assert answer.status == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="connections.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["name"], row["address"], row["phase"]) == ("'=HYPERLINK(1)", "'@10.0.0.1", KNOWN.status.phase)
    assert tuple(row) == COLUMNS
    one = (await call("list_connections")).body["items"][0]
    assert set(COLUMNS) == set(one) - {"ready"}, "all that a list shows"
    assert (await call("list_connections", query={"format": "xls"})).status == 400


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_as_a_formula_does_is_text(begin: str) -> None:
    item = dict.fromkeys(COLUMNS) | {"targets": [{"id": "d1", "name": f"{begin}1,2"}], "latencyMs": 7}
    (row,) = csv.DictReader(io.StringIO(as_csv([item]), newline=""))
    assert (row["targets"], row["latencyMs"], row["name"]) == (f"'{begin}1,2", "7", "")


@pytest.mark.parametrize(
    "query",
    [{"phase": "Fine"}, {"phase": ""}, {"family": ""}, {"sort": "colour"}, {"limit": "0"}, {"cursor": "x"}],
)
async def test_a_parameter_that_means_nothing_is_refused(app: App, query: dict[str, str]) -> None:
    await keep_two(app)
    assert (await call("list_connections", query=query)).status == 400


async def test_those_that_a_filter_means_are_run_again_in_one_operation(app: App) -> None:
    await keep_two(app)
    answer = await call("reconcile_endpoint", "/api/reconcile", body={"filter": {"region": "westeurope"}})
    assert (answer.status, len(answer.body["connections"])) == (202, 1)
    both = await call("reconcile_endpoint", "/api/reconcile", body={"filter": {"phase": "Blocked"}})
    assert len(both.body["connections"]) == 2
    assert len(app.messages) == 3
    shown = await call("get_operation", operation=both.body["operation"])
    assert (shown.body["status"], shown.body["of"]) == ("Running", 2)


@pytest.mark.parametrize("wanted", [None, {}, [], "Blocked", {"colour": "red"}, {"phase": 5}, {"phase": "Fine"}])
async def test_a_filter_that_means_nothing_runs_nothing_again(app: App, wanted: Any) -> None:
    await keep_two(app)
    answer = await call("reconcile_endpoint", "/api/reconcile", body={"filter": wanted})
    assert (answer.status, app.messages) == (400, [])


def test_the_filters_are_the_parameters() -> None:
    from functions.connections import FILTERS as PARAMETERS  # noqa: PLC0415 - the route's own list

    assert PARAMETERS == FILTERS
