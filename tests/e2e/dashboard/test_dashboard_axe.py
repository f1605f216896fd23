"""Every page of the dashboard, with all opened, breaks no rule of axe: in both schemes, at three widths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from shared.core.model.arm_ids import connection_id
from tests.e2e.dashboard.axe import violations

if TYPE_CHECKING:
    from e2e_instance import Instance

    from tests.e2e.dashboard.browser_parts import Estate, Visiting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-dashboard"),
    pytest.mark.asyncio(loop_scope="session"),
]
OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
DOES = "The association with the target counts as removed; the target stays as it is."
PAUSED = {"since": "2026-05-06T07:08:09+00:00", "until": "2036-05-06T07:08:09+00:00", "reason": "freeze"}
REFUSED = {"code": "KeyRefused", "message": "Elastic Cloud takes no API key.", "nextStep": "Create a new key."}
STOPPED = {
    "id": "stop-1",
    "at": "2026-05-06T07:08:09+00:00",
    "count": 25,
    "connections": [{"id": "0" * 16, "name": "pe-1", "endpoint": "/e", "made": ["zone", "record"]}],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
async def test_no_page_breaks_a_rule_of_accessibility(
    estate: Estate, visit: Visiting, instance: Instance, scheme: str, width: int
) -> None:
    wanted = connection_id(estate.blocked)
    async with instance.client() as client:
        one = (await client.app("GET", f"/connections/{wanted}")).json()
        every = (await client.app("GET", "/connections")).json()
    app = one["app"] | {"paused": PAUSED, "problems": [REFUSED, REFUSED | {"code": "RemovalsStopped"}]}
    one |= {"app": app, "planned": ["create the * record"], "left": ["the zone, which others use"]}
    one["decisions"] = [{"decision": "forget-target", "field": "target", "subject": "d1", "does": DOES}]
    one["verdict"]["advice"] = [{"reason": "KeyEnds", "message": "The key ends soon.", "nextStep": "Make another."}]
    async with visit(viewport={"width": width, "height": 900}, color_scheme=scheme) as seen:
        seen.expected = "status of 40[134]"
        found = {}
        page = await seen.open("", "")
        await expect(page.get_by_label("Key", exact=True)).to_be_visible()
        found["key form"] = await violations(page)

        await seen.answer_with(r"/api/connections\?.*$", every | {"app": app})
        removals = {"limit": 10, "standing": 25, "tornDown": 0, "stopped": STOPPED, "confirmed": None}
        await seen.answer_with("/api/removals$", removals)
        page = await seen.open("", "#code={key}")
        await expect(page.get_by_label("Decisions")).to_contain_text("25 stand for removal")
        await page.evaluate(OPEN)
        found["overview, banner and decisions"] = await violations(page)

        await seen.answer_with(f"/api/connections/{wanted}$", one)
        await page.get_by_role("link", name="pe-blocked").click()
        await expect(page.locator("[data-hop][data-at=broken]")).to_be_visible()
        await expect(page.get_by_label("Health checks", exact=True).locator("svg").first).to_be_visible()
        await page.get_by_role("button", name="Forget target d1").click()
        await page.get_by_role("button", name="Check now").click()
        await expect(page.get_by_label("Deciding key")).to_be_visible()
        await page.evaluate(OPEN)
        found["detail, all opened"] = await violations(page)
        assert await seen.fits()

        page = await seen.open("/0123456789abcdef", "#code={key}")
        await expect(page.get_by_role("heading", name="No such connection")).to_be_visible()
        found["no such connection"] = await violations(page)
        assert {name: broken for name, broken in found.items() if broken} == {}
