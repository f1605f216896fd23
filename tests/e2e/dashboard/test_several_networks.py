"""A hub answers for three networks: the dashboard says which connections are led elsewhere, by whom, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from local.cli.connecting import endpoint_name
from local.cli.next_steps import HUB, REGIONS, SPOKES

if TYPE_CHECKING:
    from e2e_networks import ThreeNetworks

    from tests.e2e.dashboard.browser_parts import Visiting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-commands"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def listed(page: Page, region: str) -> dict[str, str]:
    """The rows of a region's three connections, by network."""
    rows = page.locator("table.connections tbody tr")
    names = {name: page.get_by_role("link", name=endpoint_name(region, name)) for name in SPOKES}
    return {name: await rows.filter(has=link).inner_text() for name, link in names.items()}


async def test_a_hub_that_answers_is_seen_in_the_list_and_on_the_page_of_one_that_is_led_elsewhere(
    three_networks: ThreeNetworks, visit: Visiting
) -> None:
    seen = await three_networks.while_at("the hub answers")
    region = REGIONS[0]
    phases = {name: str(seen.connections[name, region]["phase"]) for name in SPOKES}
    (holder,) = (name for name in SPOKES if phases[name] == "Ready")
    led = next(name for name in SPOKES if phases[name] == "Degraded")
    async with visit() as window:
        page = await window.open()
        await expect(page.get_by_role("link", name=endpoint_name(region, led))).to_be_visible()
        rows = await listed(page, region)
        assert {name: phases[name] in row for name, row in rows.items()} == dict.fromkeys(SPOKES, True)
        assert "DNS_RECORD_MODE=union" in rows[led], "the next step"

        await page.get_by_role("link", name=endpoint_name(region, led)).click()
        marked = page.locator("[data-hop][data-at]:not([data-at=''])")
        await expect(marked).to_have_count(1)
        await expect(marked).to_have_attribute("data-hop", "dns")
        summary = page.get_by_label("Summary")
        zone = str(seen.connections[holder, region]["zone"]["id"])
        for said in (HUB, zone, endpoint_name(region, holder), "DNS_RECORD_MODE=union"):
            await expect(summary).to_contain_text(said)


async def test_with_union_the_advice_counts_and_names_the_addresses(
    three_networks: ThreeNetworks, visit: Visiting
) -> None:
    seen = await three_networks.while_at("union")
    region, name = REGIONS[0], SPOKES[0]
    others = [str(seen.connections[other, region]["address"]) for other in SPOKES if other != name]
    async with visit() as window:
        page = await window.open(f"/{seen.connections[name, region]['id']}")
        await expect(page).to_have_title(f"{endpoint_name(region, name)} · Ready")
        (line,) = await page.get_by_label("Good to know").get_by_role("listitem").filter(has_text="RecordShared").all()
        for said in ("3 addresses", *others):
            await expect(line).to_contain_text(said)
        await expect(page.locator("[data-hop].tone-good")).to_have_count(6)
