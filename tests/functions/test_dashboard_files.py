"""The dashboard as it is served: what anybody may fetch, under which headers, and that no data and no key is in it."""

from __future__ import annotations

import json
import re

import azure.functions as func
import pytest

from functions.dashboard import KINDS, PAGE, build, files, page
from tests.functions.trigger_parts import ADDRESS, functions

SERVED = sorted(set(files()) - {PAGE})
TEXTS = {name: file.content.decode() for name, file in files().items()}
SCRIPTS = {name: text for name, text in TEXTS.items() if name.endswith(".js")}
PREFIX = f"/api/dashboard/files/{build()}/"


async def get(function: str, path: str, headers: dict[str, str] | None = None, **route: str) -> func.HttpResponse:
    """Ask as a browser does: without a key."""
    route = {"build": build()} | route if "name" in route else route
    request = func.HttpRequest("GET", f"{ADDRESS}{path}", headers=headers, params={}, route_params=route, body=b"")
    answer: func.HttpResponse = await functions()[function](request)
    return answer


async def every_answer() -> list[func.HttpResponse]:
    pages = [await get("dashboard", "/api/dashboard"), await get("dashboard_connection", "/api/dashboard/x", id="x")]
    return pages + [await get("dashboard_file", PREFIX + name, name=name) for name in SERVED]


def directives(answer: func.HttpResponse) -> dict[str, str]:
    """The content security policy by its directives."""
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


async def test_page_and_files_are_served_without_settings_and_without_a_key() -> None:
    for answer in await every_answer():
        assert answer.status_code == 200
        assert answer.get_body()


async def test_an_answer_without_a_key_does_not_tell_the_apps_status() -> None:
    unknown = await get("dashboard_file", f"{PREFIX}nothing.js", name="nothing.js")
    assert unknown.status_code == 404
    assert set(json.loads(unknown.get_body())) == {"error"}
    for answer in [*await every_answer(), unknown]:
        assert "X-Privatelink-Mode" not in answer.headers
        assert "X-Privatelink-Paused-Until" not in answer.headers


async def test_every_connection_has_the_same_page_for_any_address() -> None:
    overview = await get("dashboard", "/api/dashboard?code=the-function-key")
    for wanted in ("90db92ac76a26877", "<script>alert(1)</script>", "../../etc/passwd", "x" * 5000):
        answer = await get("dashboard_connection", "/api/dashboard/x?code=the-function-key", id=wanted)
        assert answer.get_body() == overview.get_body(), "nothing of a request comes back in the page"


async def test_every_answer_forbids_what_the_page_does_not_need() -> None:
    for answer in await every_answer():
        policy = directives(answer)
        assert (
            policy["default-src"]
            == policy["frame-ancestors"]
            == policy["base-uri"]
            == policy["form-action"]
            == "'none'"
        )
        assert {policy[name] for name in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
        assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_is_not_stored_because_its_address_may_hold_a_key() -> None:
    assert (await get("dashboard", "/api/dashboard")).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", SERVED)
async def test_a_file_is_kept_for_good_under_the_address_of_its_build(name: str) -> None:
    answer = await get("dashboard_file", PREFIX + name, name=name)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    other = await get("dashboard_file", f"/api/dashboard/files/another/{name}", name=name, build="another")
    assert (other.get_body(), other.headers["Cache-Control"]) == (answer.get_body(), "no-cache")


def test_every_script_is_asked_for_at_once() -> None:
    assert set(re.findall(rf'modulepreload" href="{PREFIX}([^"]+)"', page().decode())) == set(SCRIPTS)


@pytest.mark.parametrize("name", SERVED)
async def test_a_file_that_a_browser_has_is_not_sent_again(name: str) -> None:
    first = await get("dashboard_file", PREFIX + name, name=name)
    assert first.mimetype == KINDS["." + name.rpartition(".")[2]]
    tag = first.headers["ETag"]
    # What compresses an answer on its way marks its tag as weak.
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await get("dashboard_file", PREFIX + name, {"If-None-Match": known}, name=name)
        assert (again.status_code, again.get_body(), again.headers["ETag"]) == (304, b"", tag)
    changed = await get("dashboard_file", PREFIX + name, {"If-None-Match": '"other"'}, name=name)
    assert changed.get_body() == first.get_body()


@pytest.mark.parametrize(
    "name", ["", PAGE, "nothing.js", "../dashboard.py", "..%2f..%2fhost.json", "/etc/passwd", "MAIN.JS", "x" * 5000]
)
async def test_nothing_but_the_files_of_the_page_is_served(name: str) -> None:
    answer = await get("dashboard_file", "/api/dashboard/files/x", name=name)
    assert answer.status_code == 404
    assert len(answer.get_body()) < 1000


def test_everything_that_page_and_scripts_ask_for_is_there() -> None:
    wanted = set(re.findall(rf'(?:href|src)="{PREFIX}([^"]+)"', page().decode()))
    for text in SCRIPTS.values():
        wanted |= set(re.findall(r'from "\./([^"]+)"', text))
        wanted |= set(re.findall(r'new URL\("\./([^"]+)"', text))  # a page that a reason leads to
    assert wanted == set(SERVED), "asked for, and served"


# What would turn text into markup, run it, or show it to others; and styles that the policy would drop.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML|\beval\(|new Function|localStorage"
    r"|document\.cookie|style="
)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_nothing_in_the_files_makes_markup_of_text_or_reaches_elsewhere(name: str) -> None:
    text = TEXTS[name]
    assert FORBIDDEN.findall(text) == []
    addresses: list[str] = re.findall(r"https?://[^\s\"'`)]+", text)
    allowed: tuple[str, ...] = ("http://www.w3.org/2000/svg", "https://${")
    if name == "reasons.html":  # nothing of these is fetched: pages that a person may open, and lines to copy
        allowed += ("https://learn.microsoft.com/azure/", "https://api.elastic-cloud.com/", "https://$host/")
    assert [address for address in addresses if not address.startswith(allowed)] == []


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    page = TEXTS[PAGE]
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=", page) == []
