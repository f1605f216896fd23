"""What the tests of the dashboard share: a real Chromium, and visits that tolerate no error and ask no other host."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from e2e_instance import Instance
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

EVIL = "<img src=x onerror=\"document.title='taken over'\">"
NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = "needs Chromium (`apt-get install chromium`), or its path in CHROMIUM"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Path of a Chromium; None where there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Visit:
    """A browser window on the dashboard, and everything that it complained of or asked for."""

    instance: Instance
    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    expected: str = "nothing is"
    """What complaints may say, where a test provokes them."""

    @property
    def origin(self) -> str:
        return str(self.instance.endpoints["functions"])

    @property
    def key(self) -> str:
        return str(self.instance.endpoints["function_key"])

    @property
    def deciding_key(self) -> str:
        return str(self.instance.endpoints["deciding_key"])

    async def open(self, path: str = "", key: str = "#code={key}&deciding={deciding}") -> Page:
        """Go to the dashboard (or below it) with the keys in the address."""
        keys = key.format(key=self.key, deciding=self.deciding_key)
        await self.page.goto(f"{self.origin}/api/dashboard{path}{keys}")
        return self.page

    async def answer_with(self, path: str, body: Any) -> None:
        """From now on, let the app's API answer so."""
        await self.page.route(re.compile(re.escape(self.origin) + path), lambda route: route.fulfill(json=body))

    async def fits(self) -> bool:
        """Whether nothing is wider than the window."""
        return bool(await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    def watch(self, page: Page) -> None:
        """Take note of what a page of this visit says and asks for."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._requested)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _requested(self, request: Request) -> None:
        self.asked.append(request.url)

    def check(self) -> None:
        """No complaint (a broken security policy is one), nothing asked of others, the key in no request's address."""
        assert [said for said in self.complaints if not re.search(self.expected, said)] == []
        assert {urlsplit(url)[:2] for url in self.asked} <= {urlsplit(self.origin)[:2]}
        keys = (self.key, self.deciding_key)
        with_key = {urlsplit(url).path for url in self.asked if any(key in url for key in keys)}
        assert with_key <= {"/api/dashboard"}, "only the page itself was ever opened with a key in its address"


@asynccontextmanager
async def visiting(browser: Browser, instance: Instance, **options: Any) -> AsyncIterator[Visit]:
    """A fresh window; what it saw is checked at the end."""
    context: BrowserContext = await browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
    try:
        visit = Visit(instance, await context.new_page())
        visit.page.set_default_timeout(20_000)
        visit.watch(visit.page)
        yield visit
        visit.check()
    finally:
        await context.close()


Visiting = Callable[..., AbstractAsyncContextManager[Visit]]


@dataclass
class Estate:
    """Two connections that work, one to a Serverless project, and three that need a person.

    Those have no consent, an attack for a tag, and a tag with a typo.
    """

    good: str
    blocked: str
    evil: str
    broken: str
    project: str
