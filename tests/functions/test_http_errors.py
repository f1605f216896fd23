"""The HTTP API: one shape for every error: of a request, a record, the storage or the app."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from functions.responses import MAX_BODY
from local.storage.memory import MemoryStorage
from shared.api.queries import EXAMPLE
from shared.core.model.conditions import Explanation
from shared.core.model.errors import AutopilotError, Forbidden, LostRace, Permanent, RetryLater, Throttled
from shared.core.model.reasons import Reason
from shared.core.model.record_document import to_document
from shared.state.codec import holding
from shared.state.rows import ConnectionRow
from tests.functions.conftest import Provide
from tests.functions.http_parts import KNOWN, PAGED, UNKNOWN, WITH_BODY
from tests.functions.trigger_parts import ENDPOINT_ID, SUBSCRIPTION, App, app_in_memory, call, wrong_settings


@pytest.mark.parametrize("body", [b"{", b"text", b"\xff\xfe", b"[" * 10_000, b"null", b"[]", b'"text"', b"7"])
@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_body_that_is_no_json_object_is_refused(app: App, name: str, body: bytes) -> None:
    wanted = await app.keep(KNOWN)
    answer = await call(name, body=body, connection=wanted)
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    wanted_body = EXAMPLE if name == "reconcile_endpoint" else "no body"
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
        ENDPOINT_ID.replace(SUBSCRIPTION, "no-guid"),
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
    assert f"setting {setting} " in answer.error["nextStep"]
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


@pytest.mark.parametrize(("schema", "status", "code"), [(99, 503, "NewerRecord"), (0, 500, "UnreadableRecord")])
async def test_a_record_that_this_version_cannot_read_is_the_apps_fault_and_says_what_to_do(
    app: App, schema: int, status: int, code: str
) -> None:
    document = to_document(KNOWN) | {"schema": schema}
    await app.storage.connections.insert(replace(holding(ConnectionRow(KNOWN.id), KNOWN), document=document))
    answer = await call("get_connection", connection=KNOWN.id)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert ("newer version" if schema else "take-over-row") in answer.error["nextStep"]
    assert (await call("list_connections")).body["items"][0]["name"] == "pe-search"


class Failing(MemoryStorage):
    """Storage whose every use fails with one error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(app_in_memory().context.clock)
        self.error = error
        self.connections = self  # type: ignore[assignment]  # it is every port at once

    async def list_columns(self) -> AsyncIterator[ConnectionRow]:
        raise self.error
        yield

    async def get(self, wanted: str) -> None:
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
            Forbidden(Explanation(Reason.STORAGE_ACCESS_DENIED, "A role is missing.", "Grant it.")),
            502,
            "StorageAccessDenied",
            None,
        ),
        (Permanent("It can never work."), 500, "Permanent", None),
        (AutopilotError("Something."), 500, "AutopilotError", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_storage_that_fails_is_no_fault_of_the_caller(
    provided: Provide,
    name: str,
    connection: str | None,
    error: AutopilotError,
    status: int,
    code: str,
    retry_after: str | None,
) -> None:
    context = app_in_memory(Failing(error)).context
    provided(context)
    answer = await call(name, connection=connection)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry_after


@pytest.mark.parametrize(("name", "connection"), EVERY)
async def test_a_bug_is_answered_without_details_which_stand_in_the_log(
    provided: Provide, caplog: pytest.LogCaptureFixture, name: str, connection: str | None
) -> None:
    context = app_in_memory(Failing(KeyError("inside-detail"))).context
    provided(context)
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
    provided: Provide, name: str, connection: str | None
) -> None:
    provided(wrong_settings())
    answer = await call(name, body={"endpoint": ENDPOINT_ID}, connection=connection)
    assert (answer.status, answer.error["code"]) == (503, "InvalidSettings")
    assert "AZURE_SUBSCRIPTIONS" in answer.error["message"]
