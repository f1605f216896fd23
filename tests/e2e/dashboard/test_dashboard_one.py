"""One connection in a real browser: path, addresses, checks and journal, and what its buttons do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from e2e_instance import Instance, connection, eventually
from playwright.async_api import Route, expect

from local.cli.story import alias_of
from local.world import endpoint_body, vnet_id
from shared.core.model.arm_ids import connection_id

if TYPE_CHECKING:
    from tests.e2e.dashboard.browser_parts import Estate, Visiting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-dashboard"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_a_good_connection_shows_its_path_its_addresses_its_checks_and_its_journal(
    estate: Estate, visit: Visiting
) -> None:
    async with visit(permissions=["clipboard-read", "clipboard-write"]) as seen:
        page = await seen.open(f"/{connection_id(estate.good)}")
        await expect(page).to_have_title("pe-good · Ready")
        path = page.get_by_label("Path", exact=True)
        await expect(path.locator("[data-hop]")).to_have_count(6)
        await expect(path.locator("[data-hop].tone-good")).to_have_count(6)
        await expect(path.locator("[data-hop=dns]")).to_contain_text(re.compile(r"\* → \d+\.\d+\.\d+\.\d+"))
        await expect(page.locator("[data-condition][data-status=True]")).to_have_count(9)
        host = "privatelink.uksouth.azure.elastic-cloud.com"
        urls = page.get_by_label("Private URLs")
        await expect(urls.get_by_text(f".es.{host}:9243")).to_be_visible()
        await expect(urls.get_by_text("Healthy").first).to_be_attached()
        await urls.get_by_role("button", name="Copy Elasticsearch").click()
        assert (await page.evaluate("navigator.clipboard.readText()")).endswith(f".es.{host}:9243")
        fleet = page.get_by_label("Fleet settings")
        await expect(fleet.get_by_role("listitem").filter(has_text="Fleet Server host")).to_contain_text(
            f".fleet.{host}:443"
        )
        await expect(fleet.get_by_role("listitem").filter(has_text="output")).to_contain_text(f".es.{host}:443")
        await expect(page.locator(".strip .verdict.healthy").first).to_be_visible()
        journal = page.get_by_label("Journal")
        await journal.get_by_role("button", name="Older entries").click()
        await expect(journal.get_by_text("create private connection policy").last).to_be_visible()


async def test_who_may_only_read_is_asked_for_a_deciding_key_before_a_check(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        seen.expected = "status of 403"
        page = await seen.open(f"/{connection_id(estate.good)}", "#code={key}")
        await page.get_by_role("button", name="Check now").click()
        field = page.get_by_label("Deciding key")
        await field.fill("a-key-that-is-not-known")
        await page.get_by_role("button", name="Go on").click()
        refused = page.get_by_role("alert").filter(has_text="deciding key")
        await expect(refused).to_be_visible()
        assert await page.evaluate("sessionStorage.getItem('autopilot.deciding')") == "a-key-that-is-not-known"
        await field.fill(seen.deciding_key)
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_text(re.compile("Check now: done, .*; nothing to do")).first).to_be_visible()
        await expect(field).to_have_count(0)


async def test_a_check_that_is_asked_for_is_made_and_shown(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        deciding = seen.instance.endpoints["deciding_key"]
        page = await seen.open(f"/{connection_id(estate.good)}", f"#code={{key}}&deciding={deciding}")
        async with page.expect_request("**/check") as asked:
            await page.get_by_role("button", name="Check now").click()
        headers = await (await asked.value).all_headers()
        assert headers["origin"] == seen.origin, "App Service authentication refuses a browser's POST without it"
        assert (headers["x-functions-key"], headers.get("referer")) == (seen.key, None)
        assert headers["x-autopilot-key"] == seen.deciding_key
        await expect(page.get_by_text(re.compile("Check now: done, .*; nothing to do")).first).to_be_visible()
        await page.get_by_text("As a table").click()
        await expect(page.get_by_role("cell", name="check", exact=True).first).to_be_visible()
        await page.get_by_role("slider").focus()
        await page.keyboard.press("Home")
        await expect(page.get_by_role("slider")).to_have_attribute("aria-valuenow", "1")
        await expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("Healthy"))


async def test_a_broken_connection_turns_green_by_itself_after_the_repair(
    estate: Estate, visit: Visiting, instance: Instance
) -> None:
    async with visit() as seen, instance.client() as client:
        await seen.page.clock.install()
        page = await seen.open(f"/{connection_id(estate.broken)}")
        broken = page.locator("[data-hop][data-at=broken]")
        await expect(broken).to_have_attribute("data-hop", "target")
        await expect(broken).to_contain_text("broken here")
        await expect(page.get_by_label("Summary")).to_contain_text("Correct the endpoint's tag")
        await page.get_by_text("Evidence").click()
        await expect(page.get_by_text("Associated False, DeploymentNotFound")).to_be_visible()
        tags = {"elastic-deployments": "logs-northeurope"}
        body = endpoint_body("eastus2", vnet_id("eastus2"), alias_of("northeurope"), tags)
        await client.azure("PUT", estate.broken, body)
        await eventually(lambda: connection(client, estate.broken), lambda found: found.get("phase") == "Ready")
        await page.clock.fast_forward("00:15")
        await expect(page).to_have_title("pe-broken · Ready")
        await expect(broken).to_have_count(0)
        await expect(page.locator("[data-hop].tone-good")).to_have_count(6)


@pytest.mark.parametrize(
    ("mode", "paused", "said"), [("observe", False, "Mode observe."), ("enforce", "Change freeze", "(Change freeze)")]
)
async def test_what_holds_the_app_back_stands_above_all_and_what_it_would_do_below(
    estate: Estate, visit: Visiting, instance: Instance, mode: str, paused: str | bool, said: str
) -> None:
    now = datetime.now(UTC)
    pause = {"since": now.isoformat(), "until": (now + timedelta(hours=1)).isoformat(), "reason": paused}
    wanted = connection_id(estate.good)
    async with instance.client() as client:
        answer = (await client.app("GET", f"/connections/{wanted}")).json()
    refused = {"code": "KeyRefused", "message": "No key is taken.", "nextStep": "Create a new key."}
    answer["app"] = {"mode": mode, "paused": pause if paused else None, "problems": [refused]}
    answer["planned"], answer["left"] = ["create the * record"], ["the zone, which others use"]
    answer["verdict"]["advice"] = [{"reason": "KeyEnds", "message": "The key ends soon.", "nextStep": "Make another."}]
    async with visit() as seen:
        await seen.answer_with(f"/api/connections/{wanted}$", answer)
        page = await seen.open(f"/{wanted}")
        await expect(page.get_by_role("note")).to_contain_text(said)
        await expect(page.get_by_role("alert")).to_contain_text("No key is taken. Create a new key.")
        for text in ("Planned, not done", "create the * record", "Left behind", "the zone, which others use"):
            await expect(page.get_by_label("Not done")).to_contain_text(text)
        advice = page.get_by_label("Good to know")
        await expect(advice).to_contain_text("The key ends soon.")
        await expect(advice.get_by_role("link", name="KeyEnds")).to_have_attribute(
            "href", re.compile("reasons.html#keyends$")
        )


@pytest.mark.parametrize(
    ("type_", "reason", "needs", "hop", "mark"),
    [
        ("Linked", "NetworkLinkedToAnotherZone", "person", "network", "broken"),
        ("Reachable", "WrongAddress", "work", "dns", "broken"),
        ("Reachable", "ForbiddenByPolicy", "work", "policy", "broken"),
        ("Approved", "AwaitingApproval", "time", "approval", "waiting"),
        ("RecordReady", "Throttled", "work", "dns", "waiting"),
        ("Reachable", "NoRouteFromApp", "work", "app", None),
        ("Linked", "AnsweredByAnotherZone", "person", "dns", "broken"),
    ],
)
async def test_the_mark_stands_at_the_hop_that_the_diagnosis_names_and_how_it_stands_is_told_apart(
    estate: Estate, visit: Visiting, instance: Instance, type_: str, reason: str, needs: str, hop: str, mark: str | None
) -> None:
    wanted = connection_id(estate.good)
    async with instance.client() as client:
        answer = (await client.app("GET", f"/connections/{wanted}")).json()
    failing = {"status": "False", "reason": reason, "needs": needs, "message": "It is not well.", "nextStep": ""}
    for condition in answer["conditions"]:
        if condition["type"] in {type_, "Ready"}:
            condition.update(failing)
    answer["verdict"] |= {"status": "degraded", "reason": reason, "cause": "It is not well.", "hop": hop}
    async with visit() as seen:
        await seen.answer_with(f"/api/connections/{wanted}$", answer)
        page = await seen.open(f"/{wanted}")
        await expect(page.get_by_label("Summary")).to_contain_text("It is not well.")
        await expect(page.locator("[data-hop]")).to_have_count(6)
        marked = await page.locator("[data-at]").evaluate_all(
            "all => all.map(one => [one.dataset.hop, one.dataset.at])"
        )
        assert marked == ([[hop, mark]] if mark else [])


async def test_a_decision_is_shown_with_what_it_does_asked_twice_and_followed_to_its_end(
    estate: Estate, visit: Visiting, instance: Instance
) -> None:
    wanted = connection_id(estate.good)
    does = "The association with the target counts as removed; the target stays as it is."
    async with instance.client() as client:
        answer = (await client.app("GET", f"/connections/{wanted}")).json()
    answer["decisions"] = [{"decision": "forget-target", "field": "target", "subject": "d1", "does": does}]
    ended = {"id": wanted, "changed": ["forget the association"], "reason": "AllConditionsTrue", "phase": "Ready"}
    operation = {"status": "Running", "outcome": "", "connections": [ended]}
    async with visit() as seen:
        await seen.page.clock.install()
        await seen.answer_with(f"/api/connections/{wanted}$", answer)
        sent: list[object] = []

        async def decided(route: Route) -> None:
            sent.append(route.request.post_data_json)
            body = {"operation": "op-12345", "statusUrl": "/api/operations/op-12345", "correlationId": "c-1"}
            await route.fulfill(status=202, json=body | {"does": does})

        await seen.page.route("**/decisions", decided)
        await seen.page.route("**/api/operations/*", lambda route: route.fulfill(json=operation))
        page = await seen.open(f"/{wanted}")
        panel = page.get_by_label("Decisions")
        await expect(panel).to_contain_text(does)
        await panel.get_by_role("button", name="Forget target d1").click()
        await panel.get_by_role("button", name="Not now").click()
        assert sent == []
        await panel.get_by_role("button", name="Forget target d1").click()
        await panel.get_by_role("button", name="Yes, forget target d1").click()
        await expect(page.get_by_text("Forget target d1: asked for.")).to_be_visible()
        assert sent == [{"decision": "forget-target", "target": "d1"}]
        await expect(page.get_by_role("button", name="Check now")).to_be_disabled()
        await page.reload()  # what was asked for is followed all the same
        await expect(page.get_by_text("Forget target d1: asked for.")).to_be_visible()
        operation["status"] = "Succeeded"
        await page.clock.fast_forward("00:05")
        await expect(
            page.get_by_text(re.compile("Forget target d1: done, .* 1 changes, see the journal")).first
        ).to_be_visible()
        await expect(page.get_by_role("button", name="Check now")).to_be_enabled()


async def test_each_reason_leads_to_its_entry_and_no_meaning_stands_in_a_tooltip_only(
    estate: Estate, visit: Visiting
) -> None:
    async with visit() as seen:
        page = await seen.open()
        async with page.context.expect_page() as opening:
            await page.get_by_role("link", name="Would cut off public traffic").click()
        other = await opening.value
        await expect(other.locator("#wouldcutoffpublictraffic")).to_be_visible()
        await other.close()
        await page.get_by_text("What the phases mean").click()
        await expect(page.get_by_text("A person must act; the next step says how.")).to_be_visible()
        await page.get_by_role("link", name="pe-blocked").click()
        rows = page.locator("[data-condition]")
        await expect(rows.first).to_be_visible()
        await expect(rows.locator("a[href*='reasons.html#']")).to_have_count(await rows.count())
        await expect(page.get_by_label("What is used")).to_contain_text("it keeps it true and may remove it")
        titles = """[...document.querySelectorAll("main [title]")].filter((one) => one.tagName !== "TIME")
            .map((one) => [one.tagName, one.title])"""
        assert await page.evaluate(titles) == [], "of a time, a button shows what it hides"
        zone = page.get_by_label("What is used").get_by_role("listitem").first
        await zone.locator("summary").focus()
        await page.keyboard.press("Enter")
        await expect(zone.get_by_text(re.compile("^/subscriptions/.*/privateDnsZones/"))).to_be_visible()


HIDDEN = """() => {
  const plain = (text) => text.replace(/\\s+/g, " ").trim();
  const others = [...document.querySelectorAll("main section:not([aria-label=Path])")];
  const beside = plain(others.map((one) => one.innerText).join(" "));
  return [...document.querySelectorAll("main svg title")].filter((one) => {
    const meaning = plain(one.textContent.slice(one.textContent.indexOf(": ") + 2));
    const drawn = plain([...one.parentElement.querySelectorAll("text")].map((text) => text.textContent).join(" "));
    return !beside.includes(meaning) && !drawn.includes(meaning);
  }).map((one) => one.textContent);
}"""
"""What the picture of the path says in tooltips, and neither draws nor the page says beside it."""


async def test_the_picture_of_the_path_says_nothing_in_a_tooltip_only(estate: Estate, visit: Visiting) -> None:
    async with visit() as seen:
        for one in (estate.good, estate.blocked, estate.broken):
            page = await seen.open(f"/{connection_id(one)}")
            await expect(page.get_by_label("Path", exact=True).locator("[data-hop] title")).to_have_count(6)
            await expect(page.locator("[data-condition]").first).to_be_visible()
            assert await page.evaluate(HIDDEN) == []


async def test_what_a_person_runs_about_a_reason_is_filled_in_and_copied_as_it_stands(
    estate: Estate, visit: Visiting
) -> None:
    async with visit(permissions=["clipboard-read", "clipboard-write"]) as seen:
        page = await seen.open(f"/{connection_id(estate.blocked)}")
        remedy = page.locator("[data-condition=Associated] .remedy")
        await remedy.get_by_text("The command").click()
        shown = await remedy.locator("pre").inner_text()
        assert re.fullmatch(r"curl -X PUT .*/deployments/[0-9a-f]{32}/tags -d '\{\"tags\": \[[^<>]*\]\}'", shown), shown
        await remedy.get_by_role("button", name="Copy the commands").click()
        await expect(remedy.get_by_role("button")).to_contain_text("Copied")
        assert await page.evaluate("navigator.clipboard.readText()") == shown


async def test_a_connection_of_a_thousand_deployments_is_shown_in_parts_failed_ones_first_and_each_is_found(
    estate: Estate, visit: Visiting, instance: Instance
) -> None:
    wanted = connection_id(estate.good)
    async with instance.client() as client:
        answer = (await client.app("GET", f"/connections/{wanted}")).json()
    target, check = answer["targets"][0], answer["checks"][0]
    service = target["urls"][0]["service"]
    numbers = range(1000)
    answer["targets"] = [
        target
        | {"id": f"d{one}", "name": f"orders-{one}", "urls": [{"service": service, "url": f"https://o-{one}.example"}]}
        for one in numbers
    ]
    answer["checks"] = [check | {"host": f"o-{one}.example", "status": "healthy"} for one in numbers]
    answer["checks"][777]["status"] = "unreachable"
    owned = answer["associations"][0]
    answer["associations"] = [owned | {"targetId": f"d{one}"} for one in numbers]
    async with visit() as seen:
        await seen.answer_with(f"/api/connections/{wanted}$", answer)
        page = await seen.open(f"/{wanted}")
        urls, used = page.get_by_label("Private URLs"), page.get_by_label("What is used")
        await expect(urls.get_by_role("heading", level=3)).to_have_count(20)
        await expect(urls.get_by_role("heading", level=3).first).to_have_text("orders-777")
        await expect(used.get_by_role("listitem")).to_have_count(20)
        await urls.get_by_role("button", name="Show 100 more of 1000").click()
        await expect(urls.get_by_role("heading", level=3)).to_have_count(120)
        await urls.get_by_role("searchbox").fill("orders-99")
        await expect(urls).to_contain_text("11 of 1000 deployments and projects")
        await expect(urls.get_by_role("heading", level=3)).to_have_count(11)
        await expect(page.get_by_label("Health checks").locator("svg").first).to_be_visible()
        assert await seen.fits()
