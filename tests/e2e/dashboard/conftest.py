"""One browser, and one estate of connections, for all tests of the dashboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from e2e_instance import Instance, connection, eventually, put_endpoint, ready
from playwright.async_api import Browser, async_playwright, expect

from local.cli.client import LocalClient
from tests.e2e.dashboard.browser_parts import EVIL, FLAGS, HOW, Estate, Visiting, chromium, visiting

expect.set_options(timeout=20_000)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip(HOW)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def estate(browser: Browser, instance: Instance) -> Estate:
    async with instance.client() as client:
        endpoints = await asyncio.gather(
            put_endpoint(client, "pe-good", "uksouth"),
            put_endpoint(client, "pe-blocked", "westeurope", "search-westeurope"),
            put_endpoint(client, "pe-evil", "japaneast", EVIL),
            put_endpoint(client, "pe-broken", "northeurope", "logs-nortehurope"),
            put_endpoint(client, "to-a-project", "spaincentral", serverless=True),
        )
        good = [ready(client, endpoints[0]), ready(client, endpoints[-1])]
        await asyncio.gather(*good, *(blocked_at_last(client, one) for one in endpoints[1:-1]))
        await asyncio.gather(*(read_links(client, one) for one in endpoints))
    return Estate(*endpoints)


async def read_links(client: LocalClient, endpoint: str) -> None:
    """Read each link by its id: the app may have learned from a list, and by no poll, that it was made.

    A run that ends Blocked leaves the link that it began to the next one, which lists the zone's links first. Who
    judges the recorded exchanges takes only a poll or the link itself for the end of the operation.
    """
    zone = (await connection(client, endpoint))["zone"]["id"]
    for link in (await client.azure("GET", f"{zone}/virtualNetworkLinks"))["value"]:
        await client.azure("GET", link["id"])


async def blocked_at_last(client: LocalClient, endpoint: str) -> None:
    """Wait until everything is done but what needs a person."""

    def stands(found: dict[str, object]) -> bool:
        conditions = found.get("conditions")
        holds = {c["type"] for c in conditions if c["status"] == "True"} if isinstance(conditions, list) else set()
        return found.get("phase") == "Blocked" and {"RecordReady", "Approved", "Reachable"} <= holds

    await eventually(lambda: connection(client, endpoint), stands)


@pytest.fixture
def visit(browser: Browser, instance: Instance) -> Visiting:
    """What opens a window, with the options of a browser context: width, colours, permissions."""
    return lambda **options: visiting(browser, instance, **options)
