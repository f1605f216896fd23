"""A thousand connections in a real browser: the app filters, sorts and pages, and the way back finds all as it was."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.async_api import Page, Route, expect

from shared.api.export import as_csv
from shared.api.listing import PAGE, filter_of, page_of
from shared.core.model.record_document import Columns
from shared.state.rows import ListedConnection

if TYPE_CHECKING:
    from tests.e2e.dashboard.browser_parts import Visit, Visiting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-dashboard"),
    pytest.mark.asyncio(loop_scope="session"),
]
PHASES = ["Ready", "Ready", "Degraded", "Blocked", "AwaitingApproval", "Ignored", "OfALaterVersion", "Removed"]
LINKS = "table.connections tbody a[data-inside]"


class Many:
    """The API's list of a thousand connections, as the app answers it; what was asked of it."""

    def __init__(self) -> None:
        self.rows = [self._row(number) for number in range(1000)]
        self.asked: list[dict[str, str]] = []
        self.problems: list[dict[str, str]] = []

    @staticmethod
    def _row(number: int) -> ListedConnection:
        phase, target = PHASES[number % len(PHASES)], [[f"d{number}", f"orders-{number}"]]
        columns = Columns(
            subscription=f"s-{number % 3}",
            endpoint_id=f"/subscriptions/s/resourceGroups/rg-{number % 40}/providers/x/privateEndpoints/pe-{number}",
            name=f"pe-{number:03}", family="hosted", region=("eastus2", "uksouth")[number % 2], phase=phase,
            ready="True" if phase == "Ready" else "False", reason="AwaitingApproval", message="Something is said.",
            next_step="" if phase == "Ready" else "Do something.", since=datetime.now(UTC).isoformat(),
            targets=json.dumps(target), address=f"10.0.{number // 250}.{number % 250}", latency_ms="12",
            vnet_id="/subscriptions/s/resourceGroups/rg/providers/x/virtualNetworks/spoke",
            tested_at=datetime.now(UTC).isoformat(),
        )  # fmt: skip
        return ListedConnection(f"{number:016x}", columns)

    async def answer(self, route: Route) -> None:
        query = dict(parse_qsl(urlsplit(route.request.url).query))
        self.asked.append(dict(query))
        sort, limit, cursor = query.pop("sort", "name"), int(query.pop("limit", PAGE)), query.pop("cursor", None)
        wanted = query.pop("format", "json")
        page = page_of(self.rows, filter_of(query), sort=sort, limit=PAGE if wanted == "csv" else limit, cursor=cursor)
        items = [self._item(row) for row in page.rows]
        if wanted == "csv":
            await route.fulfill(body=as_csv(items), content_type="text/csv")
            return
        counted = {name: sum(row.columns.phase == name for row in self.rows) for name in PHASES}
        body = {
            "items": items,
            "next": page.next,
            "matching": page.total,
            "phases": counted,
            "regions": {"eastus2": 500, "uksouth": 500},
            "subscriptions": {"s-0": 334, "s-1": 333, "s-2": 333},
            "families": {"hosted": 1000, "serverless": 0},
            "repairedToday": 0,
            "app": {"version": "1.0.0", "mode": "enforce", "paused": None, "problems": self.problems},
        }
        now = format_datetime(datetime.now(UTC), usegmt=True)
        await route.fulfill(json=body, headers={"date": now})

    @staticmethod
    def _item(row: ListedConnection) -> dict[str, Any]:
        of = row.columns
        return {
            "id": row.connection_id, "name": of.name, "endpointId": of.endpoint_id, "region": of.region,
            "phase": of.phase, "ready": of.ready, "reason": of.reason, "message": of.message,
            "nextStep": of.next_step, "since": of.since, "address": of.address, "vnetId": of.vnet_id,
            "subscription": of.subscription, "testedAt": of.tested_at, "latencyMs": 12, "family": of.family,
            "mode": "enforce", "repairedToday": 0,
            "targets": [{"id": one, "name": name} for one, name in of.target_list],
        }  # fmt: skip

    async def opened(self, seen: Visit, path: str = "") -> Page:
        await seen.page.route("**/api/connections?*", self.answer)
        return await seen.open(path)


async def test_the_app_pages_filters_and_sorts_and_removed_ones_are_hidden(visit: Visiting) -> None:
    many = Many()
    async with visit() as seen:
        page = await many.opened(seen)
        await expect(page.get_by_text("875 connections", exact=True)).to_be_visible()
        await expect(page.locator(LINKS)).to_have_count(100)
        await expect(page.locator("tbody tr").first).to_contain_text("Blocked")
        await expect(page.locator("tbody tr").first).to_contain_text("spoke")
        assert many.asked[-1] == {"phase": "-Removed", "sort": "phase", "limit": "100"}
        await page.get_by_role("button", name="Show 100 more of 875").click()
        await expect(page.locator(LINKS)).to_have_count(200)
        await page.get_by_label("Subscription").select_option("s-1")
        await page.get_by_role("searchbox").fill("pe-99")
        await expect(page.locator(LINKS)).to_have_text(["pe-994", "pe-997"])  # pe-991 is removed
        assert "subscription=s-1" in page.url
        assert "q=pe-99" in page.url
        await page.get_by_role("searchbox").fill("")
        await page.get_by_label("Subscription").select_option("")
        await page.get_by_role("button", name="125 Removed").click()
        await expect(page.get_by_text("125 of 1000 connections")).to_be_visible()
        assert many.asked[-1]["phase"] == "Removed"
        assert page.url.endswith("phase=Removed")
        async with page.expect_response(lambda answer: "sort=-since" in answer.url):
            await page.get_by_role("button", name="For", exact=True).click()
        await expect(page.get_by_role("columnheader", name="For")).to_have_attribute("aria-sort", "ascending")
        assert many.asked[-1]["sort"] == "-since"


async def test_six_keystrokes_among_a_thousand_are_one_request(visit: Visiting) -> None:
    many = Many()
    async with visit() as seen:
        page = await many.opened(seen)
        await expect(page.locator(LINKS)).to_have_count(100)
        before = len(many.asked)
        await page.get_by_role("searchbox").press_sequentially("pe-998")
        await expect(page.locator(LINKS)).to_have_text(["pe-998"])
        assert len(many.asked) - before <= 3, "on a slow machine a key may take longer than the page waits for the next"


async def test_back_finds_rows_filter_and_scroll_position_as_they_were(visit: Visiting) -> None:
    many = Many()
    async with visit() as seen:
        seen.expected = "status of 404"  # there are no such connections but in the list
        page = await many.opened(seen, "?region=uksouth")
        await page.get_by_role("button", name="Show 100 more").click()
        await expect(page.locator(LINKS)).to_have_count(200)
        link = page.locator(LINKS).nth(170)
        name = await link.inner_text()
        await link.scroll_into_view_if_needed()
        where = await page.evaluate("scrollY")
        assert where > 1000
        await link.click()
        await expect(page.get_by_role("heading", name="No such connection")).to_be_visible()
        await page.go_back()
        await expect(page.locator(LINKS)).to_have_count(200)
        await expect(page.get_by_role("link", name=name, exact=True)).to_be_in_viewport()
        assert abs(await page.evaluate("scrollY") - where) < 5
        assert await page.get_by_label("Region").input_value() == "uksouth"


async def test_all_that_match_are_saved_as_a_table_without_formulas(visit: Visiting) -> None:
    many = Many()
    many.rows[0] = many.rows[0]._replace(columns=replace(many.rows[0].columns, name="=1+1"))
    async with visit() as seen:
        page = await many.opened(seen, "?phase=Ready")
        async with page.expect_download() as saving:
            await page.get_by_role("button", name="Export CSV").click()
        download = await saving.value
        rows = list(csv.DictReader(io.StringIO((await download.path()).read_text(encoding="utf-8"))))
        assert (download.suggested_filename, len(rows)) == ("connections.csv", 250)
        assert "'=1+1" in {row["name"] for row in rows}


async def test_each_moment_is_told_by_the_apps_clock_and_exactly_where_wanted(visit: Visiting) -> None:
    many = Many()
    async with visit() as seen:
        await seen.page.clock.install(time=datetime(2031, 1, 1, tzinfo=UTC))  # a browser whose clock is years off
        page = await many.opened(seen)
        since = page.locator("tbody .c-since").first
        await expect(since).to_have_text(re.compile(r"^\d+ (s|min)$"))
        await page.get_by_role("button", name="Exact times").click()
        await expect(since).to_contain_text(str(datetime.now(UTC).year))


async def test_what_was_recovered_is_read_only_while_the_app_says_that_it_waits(visit: Visiting) -> None:
    many = Many()
    entries = [{"id": f"/zones/zone-{number}", "in": "/zones", "connections": []} for number in range(25)]
    found = {"list": "list-1", "count": 25, "entries": entries, "app": {}}
    asked: list[str] = []

    async def recovered(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(json=found)

    async with visit() as seen:
        await seen.page.route("**/api/recovered", recovered)
        page = await many.opened(seen)
        await page.locator("#refresh").click()
        await expect(page.get_by_label("Decisions")).to_be_hidden()
        assert asked == []
        many.problems = [{"code": "RecoveredUnconfirmed", "message": "25 things.", "nextStep": "Look."}]
        await page.locator("#refresh").click()
        panel = page.get_by_label("Decisions")
        for text in ("25 things have the app's marks", "zone-0", "and 5 more", "removes it with its endpoint"):
            await expect(panel).to_contain_text(text)


async def test_removals_that_are_stopped_are_shown_with_what_a_confirmation_does(visit: Visiting) -> None:
    many = Many()
    many.problems = [{"code": "RemovalsStopped", "message": "Nothing is removed.", "nextStep": "Look."}]
    stopped = {
        "id": "stop-1",
        "at": "2026-05-06T07:08:09+00:00",
        "count": 25,
        "connections": [{"id": "0" * 16, "name": "pe-1", "endpoint": "/e", "made": ["zone", "record"]}],
    }
    removals = {"limit": 10, "standing": 25, "tornDown": 0, "stopped": stopped, "confirmed": None, "app": {}}
    async with visit() as seen:
        await seen.page.route("**/api/removals", lambda route: route.fulfill(json=removals))
        sent: list[Any] = []

        async def decided(route: Route) -> None:
            sent.append((route.request.post_data_json, await route.request.header_value("x-autopilot-key")))
            await route.fulfill(json={"decision": "confirm-removals"})

        await seen.page.route("**/api/decisions", decided)
        page = await many.opened(seen)
        panel = page.get_by_label("Decisions")
        for text in ("25 stand for removal, the limit is 10", "pe-1: 2 made by the app", "and 24 more", "take away"):
            await expect(panel).to_contain_text(text)
        await panel.get_by_role("button", name="Confirm removals").click()
        assert sent == [], "it asks once more"
        await panel.get_by_role("button", name="Yes, confirm removals").click()
        await expect(page.get_by_text("Confirm removals: done.")).to_be_visible()
        assert sent == [({"decision": "confirm-removals", "stop": "stop-1"}, seen.deciding_key)]
