"""The dashboard where others mean harm or things fail: attacks are text, keys do not leak, the app may be silent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from shared.core.model.arm_ids import connection_id
from tests.e2e.dashboard.browser_parts import EVIL, Estate, Visiting

if TYPE_CHECKING:
    from e2e_instance import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-dashboard"),
    pytest.mark.asyncio(loop_scope="session"),
]


# -- what others wrote ---------------------------------------------------------------------------------------------


async def test_a_tag_that_is_an_attack_is_shown_as_the_text_it_is(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        page = await seen.open()
        await expect(page.get_by_role("row").filter(has_text="pe-evil")).to_contain_text(EVIL)
        await page.get_by_role("link", name="pe-evil").click()
        await expect(page.get_by_label("Summary")).to_contain_text(EVIL)
        await expect(page.get_by_label("Journal")).to_contain_text(EVIL)
        assert await page.locator("main img").count() == 0
        assert await page.title() == "pe-evil · Blocked"


async def test_nothing_that_the_api_answers_becomes_markup(estate: Estate, visit: Visiting, instance: Instance) -> None:
    """Every text of every answer is an attack, names of deployments and ids included."""
    wanted = connection_id(estate.good)
    async with instance.client() as client:
        answers = {
            suffix: poisoned((await client.app("GET", f"/connections{suffix}")).json())
            for suffix in ("", f"/{wanted}", f"/{wanted}/checks", f"/{wanted}/journal")
        }
    async with visit() as seen:
        for suffix, body in answers.items():
            await seen.answer_with(f"/api/connections{suffix}(\\?.*)?$", body)
        page = await seen.open()
        await expect(page.get_by_role("row").filter(has_text=EVIL).first).to_be_visible()
        await page.goto(f"{seen.origin}/api/dashboard/{wanted}")
        await expect(page.get_by_label("Journal")).to_contain_text(EVIL)
        await page.get_by_text("As a table").click()
        assert await page.locator("main img, main script, main a[href^='javascript']").count() == 0
        assert "taken over" not in (await page.title()).split("onerror")[0]


KEPT = {
    "at",
    "since",
    "phase",
    "status",
    "needs",
    "checkedAt",
    "testedAt",
    "firstSeen",
    "readySince",
    "observedAt",
    "wakeAt",
    "verdict",
}


def poisoned(value: Any, name: str = "") -> Any:
    """The same answer with an attack in every text that is no moment and no word of ours."""
    if isinstance(value, dict):
        return {key: poisoned(entry, key) for key, entry in value.items()}
    if isinstance(value, list):
        return [poisoned(entry, name) for entry in value]
    return EVIL if isinstance(value, str) and name not in KEPT else value


# -- the key -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["#code={key}", "?code={key}", "?phase=Ready&code={key}"])
async def test_a_key_in_the_address_is_taken_out_of_it_and_outlives_a_reload(
    estate: Estate, visit: Visiting, given: str
) -> None:
    async with visit() as seen:
        page = await seen.open("", given)
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
        assert seen.key not in page.url
        assert await page.evaluate("history.length") <= 2
        await page.reload()
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()


async def test_without_a_key_it_is_asked_for_and_a_wrong_one_is_refused(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        seen.expected = "status of 401"
        page = await seen.open("", "")
        for key, after in (
            ("wrong", page.get_by_text("does not accept this key")),
            (seen.key, page.get_by_role("link", name="pe-good")),
        ):
            await page.get_by_label("Key", exact=True).fill(key)
            await page.get_by_role("button", name="Open").click()
            await expect(after).to_be_visible()


async def test_an_address_with_a_key_that_is_pasted_into_the_open_form_is_enough(
    estate: Estate, visit: Visiting
) -> None:
    async with visit() as seen:
        seen.expected = "status of 401"
        page = await seen.open("", "")
        await expect(page.get_by_label("Key", exact=True)).to_be_visible()
        await seen.open()  # the same document, with another fragment
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
        await page.wait_for_load_state("networkidle")
        await page.reload()
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
        assert seen.key not in page.url


async def test_another_tab_borrows_the_key_of_the_first(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        page = await seen.open()
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
        other = await page.context.new_page()
        seen.watch(other)
        await other.goto(f"{seen.origin}/api/dashboard/{connection_id(estate.good)}")
        await expect(other.get_by_role("heading", level=1)).to_contain_text("pe-good")


# -- when things are otherwise -------------------------------------------------------------------------------------


async def test_while_the_app_does_not_answer_the_last_state_stays_and_says_of_when_it_is(
    estate: Estate, visit: Visiting
) -> None:
    async with visit() as seen:
        seen.expected = "status of 503|ERR_CONNECTION_FAILED"
        page = await seen.open()
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
        error = {"code": "Throttled", "message": "Storage is busy.", "nextStep": "Wait.", "correlationId": "c-1"}
        for failing in (
            lambda route: route.abort("connectionfailed"),
            lambda route: route.fulfill(status=503, json={"error": error}),
        ):
            await page.route("**/api/connections?*", failing)
            await page.get_by_role("button", name="Refresh").click()
            said = page.locator(".notice")
            await expect(said).to_contain_text(re.compile("The app does not answer|Storage is busy. Wait. .*c-1"))
            await expect(said).to_contain_text("What you see is of")
            await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
            await page.unroute("**/api/connections?*")
        await page.get_by_role("button", name="Refresh").click()
        await expect(page.locator(".notice")).to_have_count(0)


async def test_an_unknown_connection_is_said_to_be_none(visit: Visiting) -> None:
    async with visit() as seen:
        seen.expected = "status of 404"
        page = await seen.open("/0123456789abcdef")
        await expect(page.get_by_role("heading", name="No such connection")).to_be_visible()
        await expect(page.get_by_text("There is no connection with this id.")).to_be_visible()
        await page.get_by_role("main").get_by_role("link", name="All connections").click()
        await expect(page.get_by_role("searchbox")).to_be_visible()


async def test_a_403_keeps_the_key_and_quotes_who_said_it(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        seen.expected = "status of 403"
        page = await seen.open()
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
        said = "<html><style>p { color: red }</style><h1>Error 403</h1><p>Ip Forbidden</p></html>"
        await page.route("**/api/connections?*", lambda route: route.fulfill(status=403, body=said))
        await page.get_by_role("button", name="Refresh").click()
        await expect(page.locator(".notice")).to_contain_text("The answer was 403: “Error 403 Ip Forbidden”")
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
        await page.unroute("**/api/connections?*")
        await page.reload()
        await expect(page.get_by_role("link", name="pe-good")).to_be_visible()
