"""The HTTP API: what is answered, and one shape for every error."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from trigger_parts import ADDRESS, ENDPOINT_ID, START, SUBSCRIPTION, App, app_in_memory, call, wrong_settings

from functions.answers import MAX_BODY
from local.memory import MemoryStorage
from shared.core import conditions as c
from shared.core.arm_ids import connection_id
from shared.core.conditions import Phase
from shared.core.connection import Connection, DeploymentMemory
from shared.core.connection_document import to_document
from shared.core.errors import AutopilotError, Forbidden, LostRace, Permanent, RetryLater, Throttled
from shared.core.private_urls import PrivateUrl
from shared.state.rows import CheckedHost, CheckEntry, ConnectionRow, JournalEntry

HOST = "orders.es.privatelink.eastus2.azure.elastic-cloud.com"
KNOWN = Connection(
    ENDPOINT_ID,
    name="pe-search",
    region="eastus2",
    phase=Phase.BLOCKED,
    conditions=(
        c.blocked(c.LINKED, "NetworkLinkedToAnotherZone", "Served elsewhere.", "Remove the other link."),
        c.blocked(c.READY, "NetworkLinkedToAnotherZone", "Linked: served elsewhere.", "Remove the other link."),
    ),
    deployments=(DeploymentMemory("d1", "orders", (PrivateUrl("elasticsearch", HOST, 9243),)),),
    first_seen=START,
)
UNKNOWN = "0123456789abcdef"
BY_PERSON = [("reconcile_connection", "reconcile", "manual"), ("check_connection", "check", "check")]
WITH_BODY = ["reconcile_endpoint", "reconcile_connection", "check_connection"]
PAGED = ["get_journal", "get_checks"]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    app = app_in_memory()
    monkeypatch.setattr("shared.app._started", lambda: app.context)
    return app


# -- what is there -------------------------------------------------------------------------------------------------


async def test_the_list_of_nothing_is_an_empty_list(app: App) -> None:
    answer = await call("list_connections")
    assert (answer.status, answer.body) == (200, {"connections": []})
    assert answer.headers["cache-control"] == "no-store"


async def test_the_list_shows_every_connection_in_short_by_name(app: App) -> None:
    await app.keep(KNOWN)
    await app.keep(Connection(ENDPOINT_ID.replace("pe-search", "pe-alpha"), name="pe-alpha"))
    answer = await call("list_connections")
    alpha, search = answer.body["connections"]
    assert (alpha["name"], alpha["phase"], alpha["ready"]) == ("pe-alpha", "Provisioning", None)
    assert search == {
        "id": KNOWN.id,
        "name": "pe-search",
        "endpoint": ENDPOINT_ID,
        "region": "eastus2",
        "phase": "Blocked",
        "mode": "enforce",
        "ready": "False",
        "reason": "NetworkLinkedToAnotherZone",
        "message": "Linked: served elsewhere.",
        "nextStep": "Remove the other link.",
        "since": None,
    }


async def test_the_detail_shows_conditions_with_next_steps_and_the_urls_to_use(app: App) -> None:
    wanted = await app.keep(KNOWN)
    answer = await call("get_connection", connection=wanted)
    body = answer.body
    assert (answer.status, body["id"], body["endpointId"]) == (200, wanted, ENDPOINT_ID)
    assert body["conditions"][0]["nextStep"] == "Remove the other link."
    assert body["deployments"] == [
        {"id": "d1", "name": "orders", "urls": [{"service": "elasticsearch", "url": f"https://{HOST}:9243"}]}
    ]
    assert body["firstSeen"] == START.isoformat()
    assert "_" not in "".join(body)


async def test_the_addresses_that_azure_signed_for_the_app_are_shown_to_nobody(app: App) -> None:
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
        query = {"limit": "2"} | ({"before": before} if before else {})
        page = (await call("get_journal", connection=wanted, query=query)).body
        assert page["connection"] == wanted
        steps += [entry["step"] for entry in page["entries"]]
        before = page["before"]
    assert steps == ["step 4", "step 3", "step 2", "step 1", "step 0"]
    assert before is None
    assert {"at", "runId", "correlationId", "durationMs", "outcome"} <= set(page["entries"][0])


async def test_the_journal_without_a_limit_has_up_to_50_entries(app: App) -> None:
    wanted = await app.keep(KNOWN)
    entries = [JournalEntry(START + timedelta(seconds=n), "r", "c", "timer", f"step {n}") for n in range(60)]
    await app.storage.journal.append(wanted, entries)
    assert len((await call("get_journal", connection=wanted)).body["entries"]) == 50
    assert len((await call("get_journal", connection=wanted, query={"limit": "500"})).body["entries"]) == 60


async def test_the_checks_are_paged_newest_first_with_each_name_that_was_tested(app: App) -> None:
    wanted = await app.keep(KNOWN)
    host = CheckedHost(HOST, "healthy", "Reachable", ("10.1.0.4",), (("resolve", 1.5), ("connect", 0.4)))
    checks = [
        CheckEntry(START + timedelta(minutes=n), f"c{n}", "timer", "healthy", "Reachable", "Good.", (host,))
        for n in range(3)
    ]
    await app.storage.checks.append(wanted, checks)
    first = (await call("get_checks", connection=wanted, query={"limit": "2"})).body
    second = (await call("get_checks", connection=wanted, query={"limit": "2", "before": first["before"]})).body
    assert [entry["correlationId"] for entry in (*first["entries"], *second["entries"])] == ["c2", "c1", "c0"]
    assert second["before"] is None
    assert second["entries"] == [
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
                }
            ],
        }
    ]


# -- the manual re-run ---------------------------------------------------------------------------------------------


async def test_a_rerun_is_accepted_says_where_to_look_and_goes_through_the_queue(app: App) -> None:
    path = "/api/reconcile?code=the-function-key"
    answer = await call("reconcile_endpoint", path, body={"endpoint": ENDPOINT_ID})
    expected = connection_id(ENDPOINT_ID)
    url = f"{ADDRESS}/api/connections/{expected}"
    assert (answer.status, answer.headers["location"]) == (202, url)
    assert (answer.body["connection"], answer.body["statusUrl"]) == (expected, url)
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
    url = f"{ADDRESS}/api/connections/{wanted}"
    assert (answer.status, answer.body["connection"], answer.headers["location"]) == (202, wanted, url)
    assert [(message["endpoint"], message["cause"]) for message in app.messages] == [(ENDPOINT_ID, cause)]


@pytest.mark.parametrize(
    ("given", "kept"), [("4c1c7f3a-req-1", True), ("short", False), ("with blank inside", False), ("x" * 65, False)]
)
async def test_the_callers_own_id_goes_with_the_work_if_it_is_a_plain_one(app: App, given: str, kept: bool) -> None:
    headers = {"x-ms-client-request-id": given}
    answer = await call("reconcile_endpoint", body={"endpoint": ENDPOINT_ID}, headers=headers)
    assert (app.messages[0]["correlationId"] == answer.body["correlationId"] == given) is kept
    assert answer.body["correlationId"]


# -- one shape for every error -------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{", b"text", b"\xff\xfe", b"[" * 10_000, b"null", b"[]", b'"text"', b"7"])
@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_body_that_is_no_json_object_is_refused(app: App, name: str, body: bytes) -> None:
    wanted = await app.keep(KNOWN)
    answer = await call(name, body=body, connection=wanted)
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    wanted_body = '{"endpoint": "<id of the private endpoint>"}' if name == "reconcile_endpoint" else "no body"
    assert answer.error["nextStep"] == f"Send {wanted_body}."
    assert app.messages == []


@pytest.mark.parametrize("name", WITH_BODY)
async def test_an_oversized_body_is_refused(app: App, name: str) -> None:
    wanted = await app.keep(KNOWN)
    answer = await call(name, body=b'"' + b"x" * MAX_BODY, connection=wanted)
    assert (answer.status, answer.error["code"]) == (413, "BodyTooLarge")
    assert str(MAX_BODY) in answer.error["message"]
    assert answer.error["nextStep"].startswith("Send ")


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        "",
        7,
        ["x"],
        {"id": ENDPOINT_ID},
        "pe-search",
        ENDPOINT_ID.replace("privateEndpoints", "virtualNetworks"),
        f"{ENDPOINT_ID}/privateDnsZoneGroups/default",
        ENDPOINT_ID.replace(SUBSCRIPTION, "nobody"),
        ENDPOINT_ID.replace("pe-search", "a\ud800b"),
    ],
)
async def test_an_id_that_is_no_private_endpoint_is_refused(app: App, endpoint: object) -> None:
    answer = await call("reconcile_endpoint", body={"endpoint": endpoint})
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    assert '{"endpoint": ' in answer.error["nextStep"]
    assert app.messages == []


@pytest.mark.parametrize("body", [{}, {"endpoint": None}, {"endpoint": 7}, {"endpoint": ""}, {"Endpoint": ENDPOINT_ID}])
async def test_a_body_without_an_endpoint_is_refused_and_shown_what_to_send(app: App, body: dict[str, object]) -> None:
    answer = await call("reconcile_endpoint", body=body)
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    assert (answer.error["message"], answer.error["target"]) == ("The body names no endpoint.", "")
    assert '{"endpoint": ' in answer.error["nextStep"]
    assert app.messages == []


async def test_a_request_without_the_body_that_it_needs_is_refused(app: App) -> None:
    assert (await call("reconcile_endpoint", body=b"")).status == 400
    assert app.messages == []


async def test_a_connection_id_is_found_in_any_case(app: App) -> None:
    wanted = await app.keep(KNOWN)
    assert wanted != wanted.upper()
    assert (await call("get_connection", connection=wanted.upper())).body["id"] == wanted


@pytest.mark.parametrize(
    ("part", "other", "setting"),
    [
        (SUBSCRIPTION, "99999999-0000-4000-8000-00000000beef", "AZURE_SUBSCRIPTIONS"),
        ("net-prod", "elsewhere", "AZURE_RESOURCE_GROUPS"),
    ],
)
async def test_an_endpoint_out_of_scope_is_refused_and_names_the_setting(
    app: App, part: str, other: str, setting: str
) -> None:
    answer = await call("reconcile_endpoint", body={"endpoint": ENDPOINT_ID.replace(part, other)})
    assert (answer.status, answer.error["code"]) == (400, "EndpointOutOfScope")
    assert other in answer.error["target"]
    assert f"setting {setting}." in answer.error["nextStep"]
    assert app.messages == []


BY_ID = ["get_connection", *PAGED, "reconcile_connection", "check_connection"]


@pytest.mark.parametrize("name", BY_ID)
async def test_an_unknown_connection_is_not_found(app: App, name: str) -> None:
    await app.keep(KNOWN)
    answer = await call(name, connection=UNKNOWN)
    assert (answer.status, answer.error["code"], answer.error["target"]) == (404, "ConnectionNotFound", UNKNOWN)
    assert answer.error["nextStep"]


@pytest.mark.parametrize("name", BY_ID)
@pytest.mark.parametrize(
    "wanted", ["", "x", KNOWN.id.upper() + "0", "../../etc", "' or 1 eq 1", "0" * 5000, "pe-search"]
)
async def test_a_malformed_connection_id_is_refused(app: App, name: str, wanted: str) -> None:
    answer = await call(name, connection=wanted)
    assert (answer.status, answer.error["code"]) == (400, "InvalidConnectionId")
    assert len(answer.text) < 1000


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize("limit", ["0", "501", "-1", "1.5", "all", "", "\u0663", "9" * 5000, "000000001" + "9" * 9])
async def test_a_limit_out_of_range_is_refused(app: App, name: str, limit: str) -> None:
    wanted = await app.keep(KNOWN)
    answer = await call(name, connection=wanted, query={"limit": limit})
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    assert "between 1 and 500" in answer.error["message"]


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize("before", ["x", "", "' or 1 eq 1", "0" * 100])
async def test_a_page_that_starts_nowhere_is_refused(app: App, name: str, before: str) -> None:
    wanted = await app.keep(KNOWN)
    answer = await call(name, connection=wanted, query={"before": before})
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")


async def test_a_record_that_this_version_cannot_read_is_the_apps_fault_and_says_what_to_do(app: App) -> None:
    document = to_document(KNOWN) | {"schema": 99}
    await app.storage.connections.insert(ConnectionRow(SUBSCRIPTION, KNOWN.id, document, name="pe-search"))
    answer = await call("get_connection", connection=KNOWN.id)
    assert (answer.status, answer.error["code"]) == (500, "UnreadableRecord")
    assert "newer version" in answer.error["nextStep"]
    assert (await call("list_connections")).body["connections"][0]["name"] == "pe-search"


class Failing(MemoryStorage):
    """Storage whose every use fails with one error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(app_in_memory().context.clock)
        self.error = error
        self.connections = self  # type: ignore[assignment]  # it is every port at once

    async def list(self) -> AsyncIterator[ConnectionRow]:
        raise self.error
        yield

    async def find(self, wanted: str) -> None:
        del wanted
        raise self.error


EVERY = [("list_connections", None), *((name, UNKNOWN) for name in BY_ID)]


@pytest.mark.parametrize(("name", "connection"), EVERY)
@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (RetryLater("Storage is not available.", after=10.4), 503, "RetryLater", "10"),
        (Throttled("Storage is busy.", after=7), 503, "Throttled", "7"),
        (LostRace("Others write.", after=1), 503, "LostRace", "1"),
        (
            Forbidden("A role is missing.", reason="StorageRightsMissing", next_step="Grant it."),
            502,
            "StorageRightsMissing",
            None,
        ),
        (Permanent("It can never work."), 500, "Permanent", None),
        (AutopilotError("Something."), 500, "AutopilotError", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_storage_that_fails_is_no_fault_of_the_caller(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    connection: str | None,
    error: AutopilotError,
    status: int,
    code: str,
    retry_after: str | None,
) -> None:
    context = app_in_memory(Failing(error)).context
    monkeypatch.setattr("shared.app._started", lambda: context)
    answer = await call(name, connection=connection)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry_after


@pytest.mark.parametrize(("name", "connection"), EVERY)
async def test_a_bug_is_answered_without_details_which_stand_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, connection: str | None
) -> None:
    context = app_in_memory(Failing(KeyError("inside-detail"))).context
    monkeypatch.setattr("shared.app._started", lambda: context)
    with caplog.at_level(logging.ERROR):
        answer = await call(name, connection=connection)
    assert (answer.status, answer.error["code"]) == (500, "InternalError")
    assert "inside-detail" not in answer.text
    assert "Traceback" not in answer.text
    assert "inside-detail" in caplog.text
    assert answer.error["correlationId"] in caplog.text
    assert answer.error["correlationId"] in answer.error["nextStep"]


@pytest.mark.parametrize(("name", "connection"), [*EVERY, ("reconcile_endpoint", None)])
async def test_wrong_settings_are_told_to_everyone_who_asks(
    monkeypatch: pytest.MonkeyPatch, name: str, connection: str | None
) -> None:
    monkeypatch.setattr("shared.app._started", wrong_settings)
    answer = await call(name, body={"endpoint": ENDPOINT_ID}, connection=connection)
    assert (answer.status, answer.error["code"]) == (503, "InvalidSettings")
    assert "AZURE_SUBSCRIPTIONS" in answer.error["message"]
