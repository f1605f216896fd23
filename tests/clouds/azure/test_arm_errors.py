"""Azure's errors become the product's: by code where the status lies, with the missing right named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core import exceptions as azure
from azure.core.pipeline.transport import HttpRequest, HttpResponse

from shared.clouds.answer_headers import DEFAULT_RETRY_AFTER
from shared.clouds.answer_headers import LONGEST_RETRY_AFTER as MAX_RETRY_AFTER
from shared.clouds.azure.clients import arm_errors, arm_read_errors
from shared.clouds.azure.errors import classify
from shared.clouds.azure.refusals import read_refusal
from shared.core.model.errors import (
    AnswerLost,
    AutopilotError,
    Blocked,
    Forbidden,
    LostRace,
    NotFound,
    NotVisibleYet,
    RetryLater,
    Throttled,
    UnusableAnswer,
)

SCOPE = "/subscriptions/0a1b2c3d-0000-4000-8000-00000000beef/resourceGroups/dns"
VNET = f"{SCOPE}/providers/Microsoft.Network/virtualNetworks/spoke"
JOIN = "Microsoft.Network/virtualNetworks/join/action"
DENIED = (
    "The client 'aaaa' with object id 'aaaa' does not have authorization to perform action "
    f"'Microsoft.Network/privateDnsZones/write' over scope '{SCOPE}' or the scope is invalid. "
    "If access was recently granted, please refresh your credentials."
)
LINK_DENIED = (
    "The client 'aaaa' with object id 'aaaa' has permission to perform action "
    f"'Microsoft.Network/privateDnsZones/virtualNetworkLinks/write' on scope '{SCOPE}'; however, it does not have "
    f"permission to perform action(s) '{JOIN}' on the linked scope(s) '{VNET}' (respectively) "
    "or the linked scope(s) are invalid."
)
TENANT_DENIED = (
    "The client has permission; however, the current tenant 'x' is not authorized to access linked subscription."
)
OVERLAP = (
    "A virtual network cannot be linked to multiple zones with overlapping namespaces. "
    "You tried to link virtual network with 'a' and 'a' zones."
)


def found(status: int, code: str = "", message: str = "said", retry_after: str | None = None) -> AutopilotError:
    return classify(read_refusal(status, code, message, "make it", "the zone"), retry_after)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (412, "", LostRace),
        (412, "PreconditionFailed", LostRace),
        (200, "PreconditionFailed", LostRace),
        (409, "AnotherOperationInProgress", NotVisibleYet),
        (200, "AnotherOperationInProgress", NotVisibleYet),
        (0, "AnotherOperationInProgress", NotVisibleYet),
        (429, "RetryableError", NotVisibleYet),
        (429, "RetryableErrorDueToAnotherOperation", NotVisibleYet),
        (429, "ReferencedResourceNotProvisioned", NotVisibleYet),
        (200, "ReferencedResourceNotProvisioned", NotVisibleYet),
        (200, "OperationPreemptedByNewerOperation", NotVisibleYet),
        (200, "Canceled", NotVisibleYet),
        (200, "Conflict", NotVisibleYet),
        (409, "Conflict", NotVisibleYet),
        (409, "", NotVisibleYet),
        (409, "AnyOtherCode", NotVisibleYet),
        (429, "", Throttled),
        (429, "TooManyRequests", Throttled),
        (429, "SubscriptionRequestsThrottled", Throttled),
        (408, "", RetryLater),
        (500, "InternalServerError", RetryLater),
        (502, "", RetryLater),
        (503, "ServerBusy", RetryLater),
        (504, "GatewayTimeout", RetryLater),
        (0, "", RetryLater),
        (404, "ResourceNotFound", NotFound),
        (404, "NotFound", NotFound),
        (404, "ParentResourceNotFound", NotFound),
        (404, "ResourceGroupNotFound", Blocked),
        (404, "SubscriptionNotFound", Blocked),
        (404, "", NotFound),
        (200, "ResourceNotFound", NotFound),
        (200, "NotFound", NotFound),
        (200, "ParentResourceNotFound", NotFound),
        (401, "ExpiredAuthenticationToken", Forbidden),
        (403, "AuthorizationFailed", Forbidden),
        (403, "LinkedAuthorizationFailed", Forbidden),
        (200, "LinkedAuthorizationFailed", Forbidden),
        (403, "RequestDisallowedByPolicy", Blocked),
        (409, "ScopeLocked", Blocked),
        (409, "MissingSubscriptionRegistration", Blocked),
        (409, "ReadOnlyDisabledSubscription", Blocked),
        (200, "InternalServerError", RetryLater),
        (200, "ServiceUnavailable", RetryLater),
        (400, "BadRequest", Blocked),
        (400, "InvalidParameter", Blocked),
        (200, "BadRequest", Blocked),
        (400, "OperationNotAllowed", Blocked),
        (400, "AnotherOperationInProgress", Blocked),
        (405, "", Blocked),
    ],
)
def test_every_status_and_code_has_one_meaning(status: int, code: str, kind: type[AutopilotError]) -> None:
    error = found(status, code)
    assert type(error) is kind
    assert error.on == "the zone"
    assert "make it" in error.what
    if isinstance(error, Blocked):
        assert error.reason
        assert error.next_step


@pytest.mark.parametrize("code", ["anotheroperationinprogress", "RETRYABLEERROR"])
def test_codes_of_a_busy_service_are_known_in_any_case(code: str) -> None:
    assert type(found(409, code)) is NotVisibleYet


@pytest.mark.parametrize("status", [200, 400])
def test_a_network_that_another_zone_serves_is_told_apart_from_other_bad_requests(status: int) -> None:
    error = found(status, "BadRequest", OVERLAP)
    assert isinstance(error, Blocked)
    assert error.reason == "NetworkLinkedToAnotherZone"
    other = found(status, "BadRequest")
    assert isinstance(other, Blocked)
    assert other.reason == "AzureRefused"


@pytest.mark.parametrize(
    ("code", "message", "action", "scope"),
    [
        ("AuthorizationFailed", DENIED, "Microsoft.Network/privateDnsZones/write", SCOPE),
        ("LinkedAuthorizationFailed", LINK_DENIED, JOIN, VNET),
    ],
)
def test_the_missing_right_and_its_scope_are_named(code: str, message: str, action: str, scope: str) -> None:
    error = found(403, code, message)
    assert isinstance(error, Forbidden)
    assert (error.reason, f"{action} on {scope}" in error.what, action in error.next_step) == (
        "AzureRightsMissing",
        True,
        True,
    )


def test_a_refusal_without_an_action_says_what_was_tried() -> None:
    error = found(403, "LinkedAuthorizationFailed", TENANT_DENIED)
    assert isinstance(error, Forbidden)
    assert (error.reason, "make it" in error.what) == ("AzureRightsMissing", True)


def test_an_identity_endpoint_that_is_busy_is_no_refusal() -> None:
    """azure-identity has one error for a token that is refused and for one that cannot be had just now."""
    told = raised(azure.ClientAuthenticationError(response=Answer(429, b"", {"Retry-After": "7"})))
    assert type(told) is RetryLater
    assert (told.after, "no token" in told.what) == (7, True)


def test_a_refused_identity_is_no_missing_right() -> None:
    error = found(401, "InvalidAuthenticationToken", "The access token is invalid.")
    assert isinstance(error, Forbidden)
    assert (error.reason, "AZURE_CLIENT_ID" in error.next_step) == ("AzureSignInFailed", True)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("17", 17.0),
        (" 17 ", 17.0),
        ("1.5", 1.5),
        ("0", 1.0),
        ("-5", 1.0),
        ("nan", 1.0),
        ("inf", MAX_RETRY_AFTER),
        ("999999999999", MAX_RETRY_AFTER),
        (None, DEFAULT_RETRY_AFTER),
        ("", DEFAULT_RETRY_AFTER),
        ("soon", DEFAULT_RETRY_AFTER),
        ("Wed, 21 Oct 2026 07:28:00 GMT", DEFAULT_RETRY_AFTER),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_is_kept_within_reason_in_every_form(status: int, text: str | None, after: float) -> None:
    error = found(status, retry_after=text)
    assert isinstance(error, RetryLater)
    assert error.after == after


def test_a_busy_service_is_asked_again_sooner_than_a_throttling_one() -> None:
    busy, throttled = found(429, "RetryableError"), found(429)
    assert isinstance(busy, RetryLater)
    assert isinstance(throttled, RetryLater)
    assert busy.after < throttled.after
    asked = found(409, "AnotherOperationInProgress", retry_after="20")
    assert isinstance(asked, RetryLater)
    assert asked.after == 20


def test_a_long_message_is_cut() -> None:
    assert len(found(400, "BadRequest", "x" * 10_000).what) < 700


# -- as the SDK raises them ----------------------------------------------------------------------------------------


class Answer(HttpResponse):
    """An answer of ARM with this body."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(HttpRequest("GET", "https://arm.example/"), None)
        self.status_code = status
        self.reason = "said so"
        self.headers = headers or {}
        self.content_type = "application/json"
        self._content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def body(self) -> bytes:
        return self._content


def raised(error: Exception) -> AutopilotError:
    with pytest.raises(AutopilotError) as caught, arm_errors("read it", "the zone"):
        raise error
    assert caught.value.__cause__ is error
    assert caught.value.on == "the zone"
    return caught.value


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_code_is_found_in_wrapped_and_unwrapped_bodies(wrapped: bool) -> None:
    error = {"code": "ParentResourceNotFound", "message": "no zone"}
    told = raised(azure.HttpResponseError(response=Answer(200, {"error": error} if wrapped else error)))
    assert type(told) is NotFound
    assert "no zone" in told.what


def test_an_operation_that_failed_with_status_200_is_judged_by_its_code() -> None:
    body = {"status": "Failed", "error": {"code": "PreconditionFailed", "message": "exists already"}}
    assert type(raised(azure.HttpResponseError(response=Answer(200, body)))) is LostRace


def test_the_retry_after_of_an_answer_is_used() -> None:
    told = raised(azure.HttpResponseError(response=Answer(429, {}, {"Retry-After": "7"})))
    assert isinstance(told, Throttled)
    assert told.after == 7


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b"[1]", b"null", b'{"error":"text"}', b'{"error":null}'])
def test_a_body_that_is_no_error_of_arm_is_judged_by_its_status(body: bytes) -> None:
    assert type(raised(azure.HttpResponseError(response=Answer(503, body)))) is RetryLater
    assert type(raised(azure.ResourceNotFoundError(response=Answer(404, body)))) is NotFound


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (azure.ClientAuthenticationError("no token"), Forbidden),
        (azure.ClientAuthenticationError(response=Answer(400, {"statusCode": 400})), Forbidden),
        (azure.ClientAuthenticationError(response=Answer(401, {"error": {"code": "ExpiredToken"}})), Forbidden),
        (azure.ClientAuthenticationError(response=Answer(500, b"")), RetryLater),
        (azure.ClientAuthenticationError(response=Answer(503, b"")), RetryLater),
        (azure.ClientAuthenticationError(response=Answer(429, b"")), RetryLater),
        (azure.ServiceRequestError("no route"), RetryLater),
        (azure.ServiceRequestTimeoutError("connect"), RetryLater),
        (azure.ServiceResponseError("cut off"), AnswerLost),
        (azure.ServiceResponseTimeoutError("read"), AnswerLost),
        (azure.IncompleteReadError("cut off"), UnusableAnswer),
        (azure.DecodeError("octets", response=Answer(200, b"\x00")), UnusableAnswer),
        (azure.DeserializationError("Retry-After is a date"), UnusableAnswer),
        (azure.HttpResponseError("no response at all"), RetryLater),
        (azure.AzureError("anything"), UnusableAnswer),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_every_failure_of_the_sdk_has_its_meaning(error: Exception, kind: type[AutopilotError]) -> None:
    assert type(raised(error)) is kind


def test_what_is_read_in_a_group_that_is_gone_is_gone_and_what_is_made_there_needs_a_person() -> None:
    body = {"error": {"code": "ResourceGroupNotFound", "message": "Resource group 'dns' could not be found."}}
    error = azure.ResourceNotFoundError(response=Answer(404, body))
    made = raised(error)
    assert isinstance(made, Blocked)
    assert made.reason == "ResourceGroupNotFound"
    with pytest.raises(NotFound, match="does not exist"), arm_read_errors("read it", "the zone"):
        raise error


@pytest.mark.parametrize(("status", "code"), [(404, "SubscriptionNotFound"), (400, "BadRequest"), (403, "")])
def test_no_other_refusal_of_a_read_says_that_the_thing_is_gone(status: int, code: str) -> None:
    error = azure.HttpResponseError(response=Answer(status, {"error": {"code": code, "message": "m"}}))
    with pytest.raises(Blocked), arm_read_errors("read it", "the zone"):
        raise error


def test_our_own_errors_and_bugs_pass_unchanged() -> None:
    for error in (NotFound("ours"), KeyError("a bug")):
        with pytest.raises(type(error)) as caught, arm_errors("read it", "the zone"):
            raise error
        assert caught.value is error


def test_nothing_happens_when_nothing_fails() -> None:
    with arm_errors("read it", "the zone"):
        done = True
    assert done
