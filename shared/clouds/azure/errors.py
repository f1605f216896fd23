"""Azure's errors, turned into the product's. Used by every ARM client; the rules are pure and stand in one place.

The traps, from recordings of the live services: a failed long-running operation arrives as an error with HTTP status
200 and its truth in the code; a failed precondition on a zone or link comes the same way, never as 412; a network that
is already linked elsewhere is "BadRequest"; 429 may mean "another operation runs" instead of "too fast".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from shared.clouds.answer_headers import seconds_to_wait
from shared.clouds.refusal_text import LONGEST, refusal_text
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
from shared.core.model.reasons import Reason
from shared.core.reasons import explain

_BUSY = re.compile(
    r"^(AnotherOperationInProgress|ReferencedResourceNotProvisioned|RetryableError\w*|Conflict|OperationNotAllowed\w*|"
    r"ConcurrentOperation\w*|Canceled|OperationPreempted\w*)$",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"^(Internal(Server)?Error|ServiceUnavailable|Server(Timeout|Busy)|GatewayTimeout|OperationTimedOut|Timeout)$",
    re.IGNORECASE,
)
_REFUSED = {
    "RequestDisallowedByPolicy": Reason.REQUEST_DISALLOWED_BY_POLICY,
    "ScopeLocked": Reason.SCOPE_LOCKED,
    "MissingSubscriptionRegistration": Reason.MISSING_SUBSCRIPTION_REGISTRATION,
    "ReadOnlyDisabledSubscription": Reason.READ_ONLY_DISABLED_SUBSCRIPTION,
}
"""Codes that come as 403 or 409 and mean neither a missing right nor another operation."""
_UNKNOWN = {
    "ResourceGroupNotFound": Reason.RESOURCE_GROUP_NOT_FOUND,
    "SubscriptionNotFound": Reason.SUBSCRIPTION_NOT_FOUND,
}
"""Codes of what a setting names and Azure does not know."""
_DENIALS = {"AuthorizationFailed", "LinkedAuthorizationFailed"}
_ABSENT = {"ResourceNotFound", "ParentResourceNotFound", "NotFound"}
"""Of a parent that is missing too: what is read or deleted below it is gone; who writes below it knows better."""
NO_STATUS = 0
_MAYBE_BUSY = {NO_STATUS, HTTPStatus.OK, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}
_DENIED = re.compile(
    r"not have (?:authorization|permission) to perform action(?:\(s\))? '(?P<action>[^']+)' "
    r"(?:over scope|on the linked scope\(s\)) '(?P<scope>[^']+)'"
)
_OVERLAP = "overlapping namespace"


@contextmanager
def arm_errors(doing: str, on: str) -> Iterator[None]:
    """Raise the product's error for each error that the SDK raises inside."""
    from azure.core import exceptions as azure  # noqa: PLC0415 - the SDK is imported when first used

    try:
        yield
    except azure.ClientAuthenticationError as error:
        raise _not_signed_in(error, doing, on) from error
    except azure.DecodeError as error:
        raise _unusable(doing, on) from error
    except azure.HttpResponseError as error:
        raise _classified(error, doing, on) from error
    except azure.ServiceRequestError as error:
        raise RetryLater(f"Azure could not be reached to {doing}.", on=on) from error
    except azure.ServiceResponseError as error:
        raise AnswerLost(f"Azure's answer was lost while asked to {doing}.", on=on) from error
    except azure.AzureError as error:
        raise _unusable(doing, on) from error
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        # Of answers that are not as described: a list that is null, a Retry-After that is a date, very deep lists.
        if _is_our_bug(error):
            raise
        raise _unusable(doing, on) from error


@contextmanager
def arm_read_errors(doing: str, on: str) -> Iterator[None]:
    """The same for reading one thing: where its resource group is gone, it is gone too."""
    try:
        with arm_errors(doing, on):
            yield
    except Blocked as error:
        if error.reason is Reason.RESOURCE_GROUP_NOT_FOUND:
            raise NotFound(error.what, on=on, code="ResourceGroupNotFound") from error
        raise


def _is_our_bug(error: BaseException) -> bool:
    """Whether code of ours raised it, or called what raised it; else the SDK did, as it read an answer."""
    if type(error).__module__.startswith("azure."):
        return False
    packages, trace = [""], error.__traceback__
    while trace is not None:
        packages.append(str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        trace = trace.tb_next
    return next((one for one in reversed(packages) if one in {"azure", "shared", "functions", "tests"}), "") != "azure"


def _unusable(doing: str, on: str) -> UnusableAnswer:
    return UnusableAnswer(f"Azure's answer could not be used when asked to {doing}.", on=on)


def _not_signed_in(error: object, doing: str, on: str) -> AutopilotError:
    """azure-identity has one error for a token that is refused and for one that cannot be had just now.

    Seen with azure-identity 1.27 and an App Service endpoint that answers 500, 503 and 429.
    """
    status = getattr(error, "status_code", None) or 0
    if status != HTTPStatus.TOO_MANY_REQUESTS and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return sign_in_failed(doing, on)
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    what = f"The identity endpoint answered {status}: no token could be had to {doing}."
    return RetryLater(what, on=on, after=seconds_to_wait(headers.get("Retry-After"), 15.0))


def sign_in_failed(doing: str, on: str) -> Forbidden:
    """The identity got no token, or a token that ARM refuses."""
    what = f"Azure refused the app's identity when asked to {doing}."
    return Forbidden(explain(Reason.AZURE_SIGN_IN_FAILED, what), on=on)


def _classified(error: object, doing: str, on: str) -> AutopilotError:
    status = getattr(error, "status_code", None) or 0
    details = getattr(error, "error", None)
    code = str(getattr(details, "code", None) or "")
    message = str(getattr(details, "message", None) or getattr(error, "message", "") or "")
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    return classify(status, code, message, headers.get("Retry-After"), doing=doing, on=on)


def classify(status: int, code: str, message: str, retry_after: str | None, *, doing: str, on: str) -> AutopilotError:
    """The product's error for Azure's `status`, `code` and `message`; the status of a failed operation is 200."""
    message = refusal_text(message, longest=2_000)
    named = refusal_text(code, longest=100) or status
    what = f"Azure answered {named} when asked to {doing}: {message[:LONGEST]}"
    if status == HTTPStatus.PRECONDITION_FAILED or code == "PreconditionFailed":
        return LostRace(what, on=on, after=1.0)
    if code in _REFUSED:
        return Blocked(explain(_REFUSED[code], what), on=on)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or code in _DENIALS:
        return _forbidden(status, message, doing, on)
    return _passing(status, code, retry_after, what, on) or _lasting(status, code, message, what, on)


def _passing(status: int, code: str, retry_after: str | None, what: str, on: str) -> AutopilotError | None:
    """What goes away by itself."""
    busy = status in _MAYBE_BUSY and _BUSY.match(code)
    if busy or status == HTTPStatus.CONFLICT:
        return NotVisibleYet(what, on=on, after=seconds_to_wait(retry_after, 5.0))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(what, on=on, after=seconds_to_wait(retry_after))
    faulty = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {HTTPStatus.REQUEST_TIMEOUT, NO_STATUS}
    if faulty or _FAULT.match(code):
        return RetryLater(what, on=on, after=seconds_to_wait(retry_after))
    return None


def _lasting(status: int, code: str, message: str, what: str, on: str) -> AutopilotError:
    """What stays until a person changes something."""
    if code in _UNKNOWN:
        return Blocked(explain(_UNKNOWN[code], what), on=on)
    if status == HTTPStatus.NOT_FOUND or code in _ABSENT:
        return NotFound(what, on=on, code=code)
    if _OVERLAP in message.lower():
        linked = "The network is already linked to another private DNS zone of this name, which this app cannot see."
        step = "Give the app read access to that zone so that it can be used, or remove the other link."
        return Blocked(explain(Reason.NETWORK_LINKED_TO_ANOTHER_ZONE, linked, step), on=on)
    return Blocked(explain(Reason.AZURE_REFUSED, what), on=on)


def _forbidden(status: int, message: str, doing: str, on: str) -> Forbidden:
    if status == HTTPStatus.UNAUTHORIZED:
        return sign_in_failed(doing, on)
    denied = _DENIED.search(message)
    missing = f"{denied['action']} on {denied['scope']}" if denied else f"to {doing}"
    what = f"The app's identity lacks the right {missing}."
    step = f"Assign a role that includes {denied['action']} at that scope." if denied else ""
    return Forbidden(explain(Reason.AZURE_RIGHTS_MISSING, what, step), on=on)
