"""The HTTP API: what is answered, and the manual re-run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.core.model.arm_ids import connection_id
from shared.core.model.conditions import Phase
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import Identity
from shared.core.model.services import Family
from shared.state.rows import CheckedHost, CheckEntry, JournalEntry
from tests.functions.http_parts import BY_PERSON, HOST, KNOWN
from tests.functions.trigger_parts import ENDPOINT_ID, START, SUBSCRIPTION, App, call

# -- what is there -------------------------------------------------------------------------------------------------


async def test_the_list_of_nothing_is_an_empty_list(app: App) -> None:
    answer = await call("list_connections")
    phases = dict.fromkeys(map(str, Phase), 0)
    nothing = {"items": [], "next": None, "matching": 0, "families": {"hosted": 0, "serverless": 0}, "phases": phases}
    assert (answer.status, answer.body) == (
        200,
        nothing | {"regions": {}, "subscriptions": {}, "repairedToday": 0},
    )
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_the_list_shows_every_connection_in_short_by_name(app: App) -> None:
    await app.keep(KNOWN)
    await app.keep(ConnectionRecord(ENDPOINT_ID.replace("pe-search", "pe-alpha"), identity=Identity(name="pe-alpha")))
    answer = await call("list_connections")
    alpha, search = answer.body["items"]
    assert (alpha["name"], alpha["phase"], alpha["ready"]) == ("pe-alpha", "Provisioning", None)
    assert search == {
        "id": KNOWN.id,
        "name": "pe-search",
        "endpointId": ENDPOINT_ID,
        "subscription": SUBSCRIPTION,
        "family": "hosted",
        "region": "eastus2",
        "phase": "Blocked",
        "mode": "enforce",
        "ready": "False",
        "reason": "NetworkLinkedToAnotherZone",
        "message": "Linked: served elsewhere.",
        "nextStep": "Remove the other link.",
        "since": None,
        "targets": [{"id": "d1", "name": "orders"}],
        "address": "",
        "vnetId": "",
        "testedAt": None,
        "latencyMs": None,
        "repairedToday": 0,
    }


async def test_a_row_that_lost_its_columns_has_a_phase_in_the_list_its_counts_and_filters(app: App) -> None:
    await app.keep(KNOWN)
    app.storage.connections.damage(KNOWN.id, phase=None, ready=None)
    for query, found in (({}, 1), ({"phase": "Provisioning"}, 1), ({"phase": "-Provisioning"}, 0)):
        answer = await call("list_connections", query=query)
        assert [one["phase"] for one in answer.body["items"]] == ["Provisioning"] * found
        assert answer.body["phases"]["Provisioning"] == 1
        assert all("GET /api/doctor" in one["message"] for one in answer.body["items"])


async def test_the_list_counts_deployments_and_projects_and_shows_those_of_one_family(app: App) -> None:
    await app.keep(KNOWN)
    for number in range(2):
        endpoint = ENDPOINT_ID.replace("pe-search", f"pe-project-{number}")
        identity = Identity(name=f"pe-project-{number}", region="spaincentral", family=Family.SERVERLESS)
        await app.keep(ConnectionRecord(endpoint, identity=identity))
    await app.keep(
        ConnectionRecord(ENDPOINT_ID.replace("pe-search", "pe-storage"), identity=Identity(name="pe-storage"))
    )
    shown: dict[str | None, list[str]] = {}
    for family in (None, "hosted", "serverless"):
        answer = await call("list_connections", query={"family": family} if family else {})
        assert answer.body["families"] == {"hosted": 1, "serverless": 2}, "of all, whichever are shown"
        shown[family] = [one["name"] for one in answer.body["items"]]
    assert shown["hosted"] == ["pe-search"]
    assert shown["serverless"] == ["pe-project-0", "pe-project-1"]
    assert "pe-storage" in shown[None], "it leads to nothing of Elastic's, and so to neither family"
    refused = await call("list_connections", query={"family": "cloud"})
    assert (refused.status, refused.body["error"]["message"]) == (400, "family must be hosted or serverless.")


async def test_the_detail_shows_conditions_with_next_steps_and_the_urls_to_use(app: App) -> None:
    wanted = await app.keep(KNOWN)
    answer = await call("get_connection", connection=wanted)
    body = answer.body
    assert (answer.status, body["id"], body["endpointId"]) == (200, wanted, ENDPOINT_ID)
    assert body["conditions"][0]["nextStep"] == "Remove the other link."
    assert body["targets"] == [
        {"id": "d1", "name": "orders", "urls": [{"service": "elasticsearch", "url": f"https://{HOST}:9243"}]}
    ]
    assert body["firstSeen"] == START.isoformat()
    assert "_" not in "".join(body)


async def test_the_addresses_that_azure_signed_for_the_app_are_not_shown(app: App) -> None:
    wanted = await app.keep(KNOWN.with_operation("a step", "https://management.azure.com/x?t=1&s=signature"))
    for answer in (await call("get_connection", connection=wanted), await call("list_connections")):
        assert answer.status == 200
        assert "signature" not in answer.text


async def test_the_journal_is_paged_newest_first(app: App) -> None:
    wanted = await app.keep(KNOWN)
    entries = [
        JournalEntry(START + timedelta(seconds=n), "r", "c", "timer", f"step {n}", outcome="done") for n in range(5)
    ]
    await app.storage.journal.append(wanted, entries)
    steps: list[str] = []
    before: str | None = None
    for _ in range(3):
        query = {"limit": "2"} | ({"cursor": before} if before else {})
        page = (await call("get_journal", connection=wanted, query=query)).body
        assert page["connection"] == wanted
        steps += [entry["step"] for entry in page["items"]]
        before = page["next"]
    assert steps == ["step 4", "step 3", "step 2", "step 1", "step 0"]
    assert before is None
    assert {"at", "runId", "correlationId", "durationMs", "outcome"} <= set(page["items"][0])


async def test_the_journal_without_a_limit_has_up_to_50_entries(app: App) -> None:
    wanted = await app.keep(KNOWN)
    entries = [JournalEntry(START + timedelta(seconds=n), "r", "c", "timer", f"step {n}") for n in range(60)]
    await app.storage.journal.append(wanted, entries)
    assert len((await call("get_journal", connection=wanted)).body["items"]) == 50
    assert len((await call("get_journal", connection=wanted, query={"limit": "500"})).body["items"]) == 60


async def test_the_checks_are_paged_newest_first_with_each_name_that_was_tested(app: App) -> None:
    wanted = await app.keep(KNOWN)
    host = CheckedHost(HOST, "healthy", Reason.REACHABLE, ("10.1.0.4",), (("resolve", 1.5), ("connect", 0.4)))
    checks = [
        CheckEntry(START + timedelta(minutes=n), f"c{n}", "timer", "healthy", "Reachable", "Good.", (host,))
        for n in range(3)
    ]
    await app.storage.checks.append(wanted, checks)
    first = (await call("get_checks", connection=wanted, query={"limit": "2"})).body
    second = (await call("get_checks", connection=wanted, query={"limit": "2", "cursor": first["next"]})).body
    assert [entry["correlationId"] for entry in (*first["items"], *second["items"])] == ["c2", "c1", "c0"]
    assert second["next"] is None
    assert second["items"] == [
        {
            "at": START.isoformat(),
            "correlationId": "c0",
            "cause": "timer",
            "verdict": "healthy",
            "reason": "Reachable",
            "message": "Good.",
            "hosts": [
                {
                    "host": HOST,
                    "verdict": "healthy",
                    "reason": "Reachable",
                    "addresses": ["10.1.0.4"],
                    "stages": [["resolve", 1.5], ["connect", 0.4]],
                    "resolvedBy": "resolver",
                }
            ],
            "tested": 0,
            "failed": 0,
        }
    ]


# -- the manual re-run ---------------------------------------------------------------------------------------------


async def test_a_rerun_is_accepted_says_where_to_look_and_goes_through_the_queue(app: App) -> None:
    path = "/api/reconcile?code=the-function-key"
    answer = await call("reconcile_endpoint", path, body={"endpoint": ENDPOINT_ID})
    expected = connection_id(ENDPOINT_ID)
    url = f"/api/operations/{answer.body['operation']}"
    assert (answer.status, answer.headers["location"], answer.headers["operation-location"]) == (202, url, url)
    assert answer.headers["retry-after"] == "2"
    assert (answer.body["connections"], answer.body["statusUrl"]) == ([expected], url)
    (message,) = app.messages
    assert (message["endpoint"], message["cause"]) == (ENDPOINT_ID, "manual")
    assert message["correlationId"] == answer.body["correlationId"]
    assert "the-function-key" not in f"{answer.headers} {answer.text} {message}"


@pytest.mark.parametrize("body", [None, {}, {"anything": 1}])
@pytest.mark.parametrize(("name", "verb", "cause"), BY_PERSON)
async def test_a_known_connection_is_rerun_or_tested_by_its_id(
    app: App, body: Any, name: str, verb: str, cause: str
) -> None:
    wanted = await app.keep(KNOWN)
    answer = await call(name, f"/api/connections/{wanted}/{verb}", body=body, connection=wanted)
    url = f"/api/operations/{answer.body['operation']}"
    assert (answer.status, answer.body["connections"], answer.headers["location"]) == (202, [wanted], url)
    assert [(message["endpoint"], message["cause"]) for message in app.messages] == [(ENDPOINT_ID, cause)]


@pytest.mark.parametrize(
    ("given", "kept"), [("4c1c7f3a-req-1", True), ("short", False), ("with blank inside", False), ("x" * 65, False)]
)
async def test_the_callers_own_id_goes_with_the_work_if_it_is_a_plain_one(app: App, given: str, kept: bool) -> None:
    headers = {"x-ms-client-request-id": given}
    answer = await call("reconcile_endpoint", body={"endpoint": ENDPOINT_ID}, headers=headers)
    assert (app.messages[0]["correlationId"] == answer.body["correlationId"] == given) is kept
    assert answer.body["correlationId"]
