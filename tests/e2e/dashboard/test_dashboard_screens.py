"""The dashboard on a phone, in the dark, and for eyes that need contrast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from shared.core.model.arm_ids import connection_id

if TYPE_CHECKING:
    from tests.e2e.dashboard.browser_parts import Estate, Visiting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-dashboard"),
    pytest.mark.asyncio(loop_scope="session"),
]

CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")

UNREACHABLE = """[...document.querySelectorAll('main *')].filter((one) => {
  const { overflowX, overflowY } = getComputedStyle(one);
  const scrolls = (/auto|scroll/.test(overflowX) && one.scrollWidth > one.clientWidth)
    || (/auto|scroll/.test(overflowY) && one.scrollHeight > one.clientHeight);
  return scrolls && one.tabIndex < 0 && !one.querySelector('a, button, [tabindex]');
}).map((one) => one.className)"""
"""The classes of what scrolls and has no place in the order of the keyboard."""


@pytest.mark.parametrize("width", [360, 390, 768])
async def test_on_a_narrow_screen_nothing_runs_over_and_everything_is_there(
    estate: Estate, visit: Visiting, width: int
) -> None:
    async with visit(viewport={"width": width, "height": 740}, has_touch=True) as seen:
        page = await seen.open()
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
        assert await seen.fits()
        await page.get_by_role("link", name="pe-blocked").tap()
        await expect(page.locator("[data-hop][data-at=broken]")).to_contain_text("broken here")
        await expect(page.get_by_label("Health checks", exact=True).locator("svg").first).to_be_visible()
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert await seen.fits()
        assert await page.evaluate(UNREACHABLE) == [], "what scrolls is reached with the keyboard"
        for name in ("Check now", "Run again"):
            box = await page.get_by_role("button", name=name).bounding_box()
            assert box is not None
            assert box["height"] >= 32, "large enough for a finger"


async def test_the_dark_one_is_dark_and_every_text_can_be_read_in_both(estate: Estate, visit: Visiting) -> None:
    for scheme in ("light", "dark"):
        async with visit(color_scheme=scheme) as seen:
            page = await seen.open(f"/{connection_id(estate.blocked)}")
            await expect(page.locator("[data-hop][data-at=broken]")).to_be_visible()
            ground, weakest = await page.evaluate(CONTRAST)
            assert (ground < 0.1) is (scheme == "dark")
            assert weakest["ratio"] >= 4.5, f"{scheme}: {weakest}"


SHOWN = """(wanted) => [...document.querySelectorAll(wanted)].filter((one) => one.checkVisibility())
  .map((one) => one.textContent || one.className)"""
CUT = """[...document.querySelectorAll('main :not(.unseen)')].filter((one) => one.checkVisibility()
  && /auto|scroll|hidden/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1)
  .map((one) => one.className)"""


async def test_on_paper_everything_stands_open_and_nothing_asks_to_be_pressed(estate: Estate, visit: Visiting) -> None:
    for path in ("", f"/{connection_id(estate.blocked)}"):
        async with visit(color_scheme="dark") as seen:
            page = await seen.open(path)
            await expect(page.get_by_text("Would cut off public traffic").first).to_be_visible()
            await page.emulate_media(media="print")
            assert (await page.pdf()).startswith(b"%PDF")
            assert await page.evaluate(SHOWN, "details:not([open])") == []
            assert await page.evaluate(SHOWN, "button:not(.tile, thead *), input, select, form, .skip") == []
            assert await page.evaluate(CUT) == [], "paper does not scroll"
            ground, weakest = await page.evaluate(CONTRAST)
            assert (ground, weakest["ratio"] >= 4.5) == (1, True), weakest
