"""What a second visit of the dashboard fetches, counted by the browser itself: the page and its data, no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from shared.core.model.arm_ids import connection_id

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.e2e.dashboard.browser_parts import Estate, Visit, Visiting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-dashboard"),
    pytest.mark.asyncio(loop_scope="session"),
]
FILES = "/api/dashboard/files/"
PAGE_BYTES = 8_000
"""Of the page itself with its headers: it names its files, and holds none."""


class Fetched:
    """What went over the network: bytes with headers, by path; what came out of the browser's own cache is none."""

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        self._kept: set[str] = set()
        self.bytes: dict[str, int] = {}

    async def watch(self, page: Page) -> Fetched:
        session = await page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.requestServedFromCache", lambda event: self._kept.add(event["requestId"]))
        session.on("Network.responseReceived", self._answered)
        session.on("Network.loadingFinished", self._ended)
        await session.send("Network.enable")
        return self

    def _asked(self, event: dict[str, Any]) -> None:
        self._paths[event["requestId"]] = urlsplit(event["request"]["url"]).path

    def _answered(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache") or event["response"].get("fromPrefetchCache"):
            self._kept.add(event["requestId"])

    def _ended(self, event: dict[str, Any]) -> None:
        one = event["requestId"]
        if one in self._paths and one not in self._kept:
            path = self._paths[one]
            self.bytes[path] = self.bytes.get(path, 0) + int(event["encodedDataLength"])


async def visited(seen: Visit, page: Page, path: str) -> Fetched:
    """Open the dashboard in this tab until its data is there."""
    fetched = await Fetched().watch(page)
    await page.goto(f"{seen.origin}/api/dashboard{path}#code={seen.key}")
    await expect(page.locator("#version")).to_contain_text("Version")
    await page.wait_for_load_state("networkidle")
    return fetched


async def test_a_second_visit_fetches_the_page_and_its_data_only(estate: Estate, visit: Visiting) -> None:
    one = connection_id(estate.good)
    data = {
        "": {"/api/connections"},
        f"/{one}": {f"/api/connections/{one}", f"/api/connections/{one}/journal", f"/api/connections/{one}/checks"},
    }
    for path, wanted in data.items():
        async with visit() as seen:
            first = await visited(seen, seen.page, path)
            files = {name for name in first.bytes if name.startswith(FILES)}
            assert len(files) >= 15
            assert sum(first.bytes[name] for name in files) > 50_000
            again = await seen.page.context.new_page()
            seen.watch(again)
            second = await visited(seen, again, path)
            assert set(second.bytes) == {f"/api/dashboard{path}", *wanted}
            assert second.bytes[f"/api/dashboard{path}"] < PAGE_BYTES
