"""All connections in a real browser: the totals, and the table by mouse and by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

if TYPE_CHECKING:
    from e2e_instance import Instance

    from tests.e2e.dashboard.browser_parts import Estate, Visiting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-dashboard"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def blocked_now(instance: Instance) -> int:
    """How many connections the API says are blocked: one of them is repaired by a test."""
    async with instance.client() as client:
        answer = (await client.app("GET", "/connections")).json()
    return [one["phase"] for one in answer["items"]].count("Blocked")


async def names(page: Page) -> list[str]:
    return await page.locator("table.connections tbody a[data-inside]").all_inner_texts()


async def shows(page: Page, wanted: list[str]) -> None:
    """Wait until the table shows these connections: the app filters and sorts."""
    await expect(page.locator("table.connections tbody a[data-inside]")).to_have_text(wanted)


async def test_all_connections_stand_there_the_pressing_ones_first_with_the_next_step(
    estate: Estate, visit: Visiting, instance: Instance
) -> None:
    blocked = await blocked_now(instance)
    async with visit() as seen:
        page = await seen.open()
        await expect(page.get_by_role("heading", level=1)).to_have_text(f"{blocked} connections need a person")
        assert "pe-good" not in (await names(page))[:blocked]
        row = page.get_by_role("row").filter(has_text="pe-blocked")
        for text in ("Blocked", "westeurope", "ELASTIC_FIRST_POLICY_ALLOWED"):
            await expect(row).to_contain_text(text)
        await expect(page.get_by_role("button", name=f"{blocked} Blocked")).to_be_visible()
        await expect(page).to_have_title(f"({blocked}) Private Link Autopilot")


async def test_the_table_filters_and_sorts_and_its_address_remembers_how(
    estate: Estate, visit: Visiting, instance: Instance
) -> None:
    blocked = await blocked_now(instance)
    async with visit() as seen:
        page = await seen.open()
        await page.get_by_role("button", name=f"{blocked} Blocked").click()
        await expect(page.get_by_text(f"{blocked} of 5 connections")).to_be_visible()
        await page.get_by_role("searchbox").fill("westeurope policy")
        await shows(page, ["pe-blocked"])
        await page.reload()
        await expect(page.get_by_text("1 of 5 connections")).to_be_visible()
        await shows(page, ["pe-blocked"])
        await page.get_by_role("searchbox").fill("no such thing")
        await page.get_by_role("button", name="Show all").click()
        await page.get_by_label("Region").select_option("uksouth")
        await shows(page, ["pe-good"])
        await page.get_by_label("Region").select_option("")
        up = ["pe-blocked", "pe-broken", "pe-evil", "pe-good", "to-a-project"]
        for direction, wanted in (("ascending", up), ("descending", up[::-1])):
            await page.get_by_role("button", name="Connection", exact=True).click()
            header = page.get_by_role("columnheader", name="Connection")
            await expect(header).to_have_attribute("aria-sort", direction)
            await shows(page, wanted)


async def test_connections_to_projects_are_counted_and_shown_alone(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        page = await seen.open()
        targets = page.get_by_label("Targets")
        await expect(targets.get_by_role("option")).to_have_text(["All targets", "Deployments (4)", "Projects (1)"])
        await targets.select_option("serverless")
        await expect(page.get_by_text("1 of 5 connections")).to_be_visible()
        await shows(page, ["to-a-project"])
        await expect(page.get_by_role("row").filter(has_text="to-a-project")).to_contain_text("projects")
        assert page.url.endswith("family=serverless")
        await page.get_by_role("link", name="to-a-project").click()
        await expect(page.locator("[data-hop=target]")).to_contain_text("Project")
        await expect(page.get_by_label("Facts")).to_contain_text("projects in Elastic's region spaincentral")
        es = page.get_by_label("Private URLs").get_by_text(".es.private.spaincentral.azure.elastic.cloud")
        await expect(es).to_be_visible()
        assert ":" not in (await es.inner_text()).removeprefix("https://"), "on the one port that projects have"


async def test_the_keyboard_is_enough(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        page = await seen.open()
        await expect(page.get_by_text("5 connections", exact=True)).to_be_visible()
        await page.keyboard.press("/")
        await page.keyboard.type("pe-")
        await expect(page.get_by_text("4 of 5 connections")).to_be_visible()
        for key in ("ArrowDown", "ArrowDown", "ArrowUp", *["ArrowDown"] * 3):
            await page.keyboard.press(key)
        await expect(page.get_by_role("link", name="pe-good")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("pe-good")
        await page.go_back()
        await expect(page.get_by_role("searchbox")).to_have_value("pe-")


async def test_a_second_visit_fetches_the_page_and_its_data_only(visit: Visiting) -> None:
    async with visit() as seen:
        page = await seen.open()
        await expect(page.get_by_role("searchbox")).to_be_visible()
        sizes = "performance.getEntriesByType('resource').map((one) => [one.name, one.transferSize])"
        await page.reload()  # by the same address only the fragment would be another, and nothing be loaded
        await expect(page.get_by_role("searchbox")).to_be_visible()
        over_the_wire = [url for url, size in await page.evaluate(sizes) if size > 0]
        assert [url for url in over_the_wire if "/files/" in url] == []
