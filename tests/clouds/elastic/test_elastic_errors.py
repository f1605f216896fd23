"""The Elastic Cloud API's errors become the product's, with any body; a key never shows in a text."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from shared.clouds.answer_headers import DEFAULT_RETRY_AFTER
from shared.clouds.answer_headers import LONGEST_RETRY_AFTER as MAX_RETRY_AFTER
from shared.clouds.elastic.errors import elastic_error
from shared.clouds.elastic.hosted.client import HostedConnections
from shared.clouds.elastic.transport import ElasticOptions, FixedKey, Organizations
from shared.core.model.errors import AnswerLost, AutopilotError, Blocked, Forbidden, NotFound, RetryLater, Throttled
from shared.core.model.markers import Marker
from shared.core.model.services import Family
from shared.core.model.steps import Associate, CreatePolicy

KEY = "essu_verysecret"
DENIED = {"errors": [{"code": "root.permission_denied", "message": "To access the resource [r:/x] ..."}]}


def found(status: int, body: object = "", **headers: str) -> AutopilotError:
    text = body if isinstance(body, str) else json.dumps(body)
    return elastic_error(status, text, httpx.Headers(headers), doing="list policies", on="azure-eastus2")


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, Blocked, "ElasticRefused"),
        (409, Blocked, "ElasticRefused"),
        (422, Blocked, "ElasticRefused"),
        (401, Forbidden, "ElasticKeyRefused"),
        (404, NotFound, ""),
        (408, AnswerLost, ""),
        (429, Throttled, ""),
        (500, AnswerLost, ""),
        (502, AnswerLost, ""),
        (503, AnswerLost, ""),
        (504, AnswerLost, ""),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        DENIED,
        "",
        "<html><body>502 Bad Gateway</body></html>",
        "null",
        "[]",
        "7",
        {},
        {"errors": None},
        {"errors": []},
        {"errors": [None]},
        {"errors": ["text"]},
        {"errors": [{"code": None, "message": None}]},
        {"errors": {"code": "x"}},
        {"ok": False, "message": "Forbidden"},
        "[" * 100_000,
    ],
    ids=lambda body: str(body)[:30],
)
def test_every_status_has_one_meaning_with_any_body(
    status: int, kind: type[AutopilotError], reason: str, body: object
) -> None:
    error = found(status, body)
    assert type(error) is kind
    assert error.on == "azure-eastus2"
    assert "list policies" in error.what
    if isinstance(error, Blocked):
        assert (error.reason, bool(error.next_step)) == (reason, True)


@pytest.mark.parametrize("status", [302, 308, 403, 407, 413, 421, 449])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><head><title>Access\n denied &amp; logged</title></head></html>",
        {"error": "policy_denied"},
        {"ok": False, "message": "Forbidden"},
        "[" * 100_000,
    ],
    ids=lambda body: str(body)[:30],
)
def test_an_answer_of_something_in_between_is_no_missing_right(status: int, body: object) -> None:
    told = {"Server": "Zscaler/6.2", "Location": "https://login.proxy.example/?u=1"}
    error = found(status, body, **told)
    assert isinstance(error, Blocked)
    assert (error.reason, type(error)) == ("ForeignAnswer", Blocked)
    assert "Something between the app and Elastic Cloud answered" in error.what
    for word in (f"status {status}", "server Zscaler/6.2", "login.proxy.example"):
        assert word in error.what
    assert ('"Access denied & logged"' in error.what) == ("title" in str(body))
    assert "role" not in error.next_step.lower()
    assert error.next_step.startswith("Let the app's requests")


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [(403, DENIED, {}), (403, "<html>", {"x-cloud-error-codes": "root.permission_denied"})],
)
def test_an_answer_of_elastic_cloud_itself_is_known_by_its_errors(
    status: int, body: object, headers: dict[str, str]
) -> None:
    error = found(status, body, **headers)
    assert isinstance(error, Forbidden)
    assert error.reason == "ElasticRightsMissing"


def test_what_the_api_says_is_told_and_cut() -> None:
    assert "To access the resource" in found(403, DENIED).what
    error = found(400, {"errors": [{"code": "root.invalid_json_request", "message": "x" * 9999}]})
    assert "root.invalid_json_request" in error.what
    assert len(error.what) < 500


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("9", 9.0),
        ("0", 1.0),
        ("inf", MAX_RETRY_AFTER),
        ("99999999999", MAX_RETRY_AFTER),
        ("", DEFAULT_RETRY_AFTER),
        ("Wed, 21 Oct 2026 07:28:00 GMT", DEFAULT_RETRY_AFTER),
    ],
)
def test_a_retry_after_is_kept_within_reason(text: str, after: float) -> None:
    error = found(429, **{"Retry-After": text})
    assert isinstance(error, RetryLater)
    assert error.after == after


def test_throttling_without_a_retry_after_has_one_of_ours() -> None:
    error = found(429)
    assert isinstance(error, RetryLater)
    assert error.after == DEFAULT_RETRY_AFTER


def test_the_key_of_another_organization_is_named_by_its_own_setting() -> None:
    refused = elastic_error(401, "", {}, doing="list policies", on="all", organization="eu-west")
    assert "of organization eu-west" in str(refused)
    assert "set EC_API_KEY_EU_WEST" in str(refused)
    assert "of organization eu-west" in str(
        elastic_error(403, json.dumps(DENIED), {}, doing="x", on="y", organization="eu-west")
    )


def test_the_client_says_whose_key_it_is_and_never_the_key() -> None:
    options = ElasticOptions("https://elastic.example", organization="eu")
    assert "eu" in repr(options)
    client = HostedConnections(options, FixedKey(KEY, "eu"))
    assert KEY not in repr(options) + repr(client) + repr(client.key) + repr(
        Organizations({("eu", Family.HOSTED): client})
    )


# -- through the client --------------------------------------------------------------------------------------------

CREATE = CreatePolicy("pe", "azure-eastus2", "pe", "guid-1", Marker("autopilot", "0123456789abcdef", "/x"))


def cloud(answer: httpx.Response | Exception, seen: list[httpx.Request] | None = None) -> HostedConnections:
    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return HostedConnections(
        ElasticOptions("https://elastic.example"), FixedKey(KEY, "default"), httpx.MockTransport(handle)
    )


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("no route"), RetryLater),
        (httpx.ConnectTimeout("no route"), RetryLater),
        (httpx.PoolTimeout("busy"), RetryLater),
        (httpx.ReadTimeout("slow"), AnswerLost),
        (httpx.WriteTimeout("slow"), AnswerLost),
        (httpx.ReadError("cut off"), AnswerLost),
        (httpx.RemoteProtocolError("cut off"), AnswerLost),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_request_that_was_never_sent_is_told_apart_from_an_answer_that_never_came(
    failure: Exception, kind: type[AutopilotError]
) -> None:
    with pytest.raises(AutopilotError) as caught:
        await cloud(failure).create_policy(CREATE)
    assert type(caught.value) is kind


@pytest.mark.parametrize("body", ["<html>", "", "[]", "null", "{}", '{"id":null}', '{"id":7}', '{"id":""}'])
async def test_a_created_policy_without_an_id_may_exist_and_is_not_created_again_blindly(body: str) -> None:
    with pytest.raises(AnswerLost):
        await cloud(httpx.Response(201, text=body)).create_policy(CREATE)


async def test_the_body_of_a_new_policy_is_never_applied_by_default() -> None:
    seen: list[httpx.Request] = []
    assert await cloud(httpx.Response(201, json={"id": "p-1"}), seen).create_policy(CREATE) == "p-1"
    (request,) = seen
    sent: dict[str, Any] = json.loads(request.content)
    assert (sent["include_by_default"], sent["type"], sent["region"]) == (
        False,
        "azure_private_endpoint",
        "azure-eastus2",
    )
    assert sent["rules"] == [{"azure_endpoint_name": "pe", "azure_endpoint_guid": "guid-1"}]
    assert request.headers["Authorization"] == f"ApiKey {KEY}"


@pytest.mark.parametrize(("status", "made"), [(201, True), (200, False)])
async def test_an_association_says_whether_it_was_there_before(status: int, made: bool) -> None:
    step = Associate("p-1", "d1", "orders")
    assert await cloud(httpx.Response(status, json={})).associate(step) is made


async def test_an_empty_list_is_no_policies() -> None:
    assert await cloud(httpx.Response(200, text='{"rulesets":[]}')).policies() == ()


@pytest.mark.parametrize("body", ["<html>", "null", "[]", '{"rulesets":null}', "{}"])
async def test_an_answer_that_is_none_is_not_taken_for_no_policies(body: str) -> None:
    with pytest.raises(AnswerLost):
        await cloud(httpx.Response(200, text=body)).policies()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_the_key_shows_in_no_error_and_no_description(status: int) -> None:
    elastic = cloud(httpx.Response(status, json=DENIED))
    with pytest.raises(AutopilotError) as caught:
        await elastic.policies()
    assert KEY not in f"{caught.value} {caught.value!r} {caught.value.next_step}"
    assert KEY not in repr(elastic) + repr(elastic.key)
    await elastic.aclose()
