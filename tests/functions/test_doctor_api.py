"""`GET /api/doctor`: JSON for machines, text for people, and an answer even while nothing else can give one."""

from __future__ import annotations

import json
from collections.abc import Mapping

import azure.functions as func
import pytest

from shared.core.model.errors import InvalidSettings
from shared.settings import load
from shared.version import VERSION
from tests.functions.conftest import Provide
from tests.functions.trigger_parts import ADDRESS, functions
from tests.harness.estate import SETTINGS, Estate


async def ask(query: Mapping[str, str] | None = None, **headers: str) -> tuple[int, str, str]:
    """Status, type and text of the answer."""
    request = func.HttpRequest("GET", f"{ADDRESS}/api/doctor", headers=headers, params=query, body=b"")
    answer: func.HttpResponse = await functions()["doctor"](request)
    return answer.status_code, str(answer.mimetype), answer.get_body().decode()


@pytest.fixture
async def estate(provided: Provide) -> Estate:
    estate = await Estate().open()
    provided(estate.worker.context)
    return estate


async def test_machines_get_json_with_every_finding_and_the_worst_of_them(estate: Estate) -> None:
    await estate.sweep()
    estate.arm_settings.denied_actions.add("Microsoft.Network/networkInterfaces/read")
    status, kind, body = await ask()
    report = json.loads(body)
    assert (status, kind, report["status"], report["instance"]) == (200, "application/json", "problem", "autopilot")
    assert report["version"] == VERSION
    assert {tuple(finding) for finding in report["findings"]} == {
        ("check", "level", "what", "on", "nextStep", "details")
    }
    (denied,) = [finding for finding in report["findings"] if finding["level"] != "ok"]
    assert denied["check"] == "azure rights"
    assert "Microsoft.Network/networkInterfaces/read" in denied["nextStep"]
    assert report["at"] == estate.clock.now().isoformat()
    assert report["correlationId"]


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        (None, "text/plain", "text/plain"),
        (None, "application/json, text/plain", "application/json"),
        (None, "*/*", "application/json"),
        ({"format": "text"}, "application/json", "text/plain"),
        ({"format": "json"}, "text/plain", "application/json"),
        ({"format": "xml"}, "*/*", "application/json"),
    ],
)
async def test_who_asks_for_text_gets_text(
    estate: Estate, query: Mapping[str, str] | None, accept: str, kind: str
) -> None:
    status, found, body = await ask(query, accept=accept)
    assert found == kind
    assert status == (400 if query == {"format": "xml"} else 200)
    assert (kind == "text/plain") is ("No sweep has ended yet." in body and not body.startswith("{"))


async def test_the_text_begins_with_what_is_bad_and_says_what_to_do(estate: Estate) -> None:
    estate.arm_settings.denied_actions.add("Microsoft.Network/networkInterfaces/read")
    _, _, body = await ask({"format": "text"})
    headline, _, first, *rest = body.splitlines()
    assert headline.startswith(f"autopilot {VERSION} 2026-01-05T09:00:")
    assert "1 problem, 1 warning" in headline
    assert first.startswith("PROBLEM  azure rights")
    kinds = [line.split()[0] for line in body.splitlines()[2:] if not line.startswith(" ")]
    assert kinds == ["PROBLEM", "WARNING", *["ok"] * (len(kinds) - 2)]
    assert any("Next: Assign a role" in line for line in rest)
    assert [line for line in body.splitlines() if len(line) > 110 and " " in line.strip()] == []


async def test_when_all_is_well_it_says_that(estate: Estate) -> None:
    await estate.sweep()
    _, _, body = await ask({"format": "text"})
    assert body.splitlines()[0].split(": ")[1].startswith("all is well")


async def test_it_answers_while_the_settings_are_wrong(estate: Estate, provided: Provide) -> None:
    wrong = dict(SETTINGS)
    del wrong["EC_API_KEY"]
    with pytest.raises(InvalidSettings) as found_wrong:
        load(wrong)
    provided(found_wrong.value, estate.storage)
    status, _, body = await ask()
    found = json.loads(body)["findings"]
    assert status == 200
    assert [(f["check"], f["level"]) for f in found] == [
        ("settings", "problem"), ("storage", "ok"), ("queue", "ok"), ("poison", "ok"),
    ]  # fmt: skip
    assert found[0]["what"] == "EC_API_KEY: required, and not set"


async def test_no_secret_is_told_though_the_key_is_refused(estate: Estate) -> None:
    estate.elastic_settings.api_key_expires_at = estate.clock.now()
    _, _, body = await ask()
    assert "ElasticKeyRefused" in body or "refused the API key" in body
    assert SETTINGS["EC_API_KEY"] not in body
