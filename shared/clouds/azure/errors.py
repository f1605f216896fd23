"""Which of the product's errors an answer of Azure's is; pure. Used by `clients.arm_errors` and for failed operations.

The traps, from recordings of the live services: a failed long-running operation arrives as an error with HTTP status
200 and its truth in the code; a failed precondition on a zone or link comes the same way, never as 412; a network that
is already linked elsewhere is "BadRequest"; 429 may mean "another operation runs" instead of "too fast".
"""

from __future__ import annotations

import re
from http import HTTPStatus

from shared.clouds.answer_headers import seconds_to_wait
from shared.clouds.azure.refusals import Refusal, lasting_refusal, missing_right, read_refusal
from shared.clouds.foreign_answer import foreign_answer, is_foreign
from shared.core.model.errors import (
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
from shared.requests import Service, was_throttled

_BUSY = re.compile(
    r"^(AnotherOperationInProgress|ReferencedResourceNotProvisioned|RetryableError\w*|Conflict|OperationNotAllowed\w*|"
    r"ConcurrentOperation\w*|Canceled|OperationPreempted\w*)$",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"^(Internal(Server)?Error|ServiceUnavailable|Server(Timeout|Busy)|GatewayTimeout|OperationTimedOut|Timeout)$",
    re.IGNORECASE,
)
_DENIALS = {"AuthorizationFailed", "LinkedAuthorizationFailed", "Forbidden"}
"""Codes of a role that is missing; the last is that of services that say no more, as Event Grid's topics."""
_ABSENT = {"ResourceNotFound", "ParentResourceNotFound", "NotFound"}
"""Of a parent that is missing too: what is read or deleted below it is gone; who writes below it knows better."""
FORBIDDING = {
    Reason.DENY_ASSIGNMENT,
    Reason.NETWORK_OF_ANOTHER_TENANT,
    Reason.SUBSCRIPTION_OF_ANOTHER_TENANT,
}
"""Refused to this identity, as for a missing role: what cannot be read shows nothing, and stops nothing else."""
LONGEST = 600
"""Characters of Azure's own text that are shown."""
NO_STATUS = 0
_MAYBE_BUSY = {NO_STATUS, HTTPStatus.OK, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}


def is_our_bug(error: BaseException) -> bool:
    """Whether code of ours raised it, or called what raised it; else the SDK did, as it read an answer."""
    if type(error).__module__.startswith("azure."):
        return False
    packages, trace = [""], error.__traceback__
    while trace is not None:
        packages.append(str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        trace = trace.tb_next
    return next((one for one in reversed(packages) if one in {"azure", "shared", "functions", "tests"}), "") != "azure"


def unusable(doing: str, on: str) -> UnusableAnswer:
    """Nothing is concluded from an answer that is not as described."""
    return UnusableAnswer(f"Azure's answer could not be used when asked to {doing}.", on=on)


def not_signed_in(error: object, doing: str, on: str) -> AutopilotError:
    """azure-identity has one error for a token that is refused and for one that cannot be had just now.

    Seen with azure-identity 1.27 and an App Service endpoint that answers 500, 503 and 429. ARM's own 401 comes so too.
    """
    status = getattr(error, "status_code", None) or 0
    explained = lasting_refusal(_refusal(error, doing, on))
    if explained is not None:
        return Forbidden(explained, on=on)
    if status != HTTPStatus.TOO_MANY_REQUESTS and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return sign_in_failed(doing, on)
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    what = f"The identity endpoint answered {status}: no token could be had to {doing}."
    return RetryLater(what, on=on, after=seconds_to_wait(headers.get("Retry-After"), 15.0))


def sign_in_failed(doing: str, on: str) -> Forbidden:
    """The identity got no token, or a token that ARM refuses."""
    what = f"Azure refused the app's identity when asked to {doing}."
    return Forbidden(explain(Reason.AZURE_SIGN_IN_FAILED, what), on=on)


def classified(error: object, doing: str, on: str) -> AutopilotError:
    """The product's error for an HTTP answer that the SDK raises."""
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    refusal = _refusal(error, doing, on)
    if not refusal.code and is_foreign(refusal.status, headers.get("Content-Type")):
        return Blocked(foreign_answer("Azure", refusal.status, headers, _body(response), doing=doing), on=on)
    return classify(refusal, headers.get("Retry-After"))


def _refusal(error: object, doing: str, on: str) -> Refusal:
    """What the SDK's error holds: status, code and text of Azure, and what Azure Policy adds."""
    details = getattr(error, "error", None)
    code = str(getattr(details, "code", None) or "")
    message = str(getattr(details, "message", None) or getattr(error, "message", "") or "")
    added = getattr(details, "additional_info", None)
    infos = [getattr(one, "info", None) for one in added] if isinstance(added, list | tuple) else []
    return read_refusal(getattr(error, "status_code", None) or 0, code, message, doing, on, infos)


def _body(response: object) -> str:
    try:
        return str(response.text())  # type: ignore[attr-defined] # of no answer, or of one that was not read
    except (AttributeError, ValueError, LookupError):
        return ""


def classify(refusal: Refusal, retry_after: str | None) -> AutopilotError:
    """The product's error for what Azure answered; the status of a failed operation is 200."""
    status, code, on = refusal.status, refusal.code, refusal.on
    what = f"Azure answered {code or status} when asked to {refusal.doing}: {refusal.message[:LONGEST]}"
    if status == HTTPStatus.PRECONDITION_FAILED or code == "PreconditionFailed":
        return LostRace(what, on=on, after=1.0)
    if code in _DENIALS:
        return Forbidden(missing_right(refusal), on=on)
    explained = lasting_refusal(refusal)
    if explained is not None:
        return (Forbidden if explained.reason in FORBIDDING else Blocked)(explained, on=on)
    if status == HTTPStatus.UNAUTHORIZED:
        return sign_in_failed(refusal.doing, on)
    return _passing(status, code, retry_after, what, on) or _lasting(status, code, what, on)


def _passing(status: int, code: str, retry_after: str | None, what: str, on: str) -> AutopilotError | None:
    """What goes away by itself."""
    busy = status in _MAYBE_BUSY and _BUSY.match(code)
    if busy or status == HTTPStatus.CONFLICT:
        return NotVisibleYet(what, on=on, after=seconds_to_wait(retry_after, 5.0), code=code)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        was_throttled(Service.ARM)
        return Throttled(what, on=on, after=seconds_to_wait(retry_after))
    faulty = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {HTTPStatus.REQUEST_TIMEOUT, NO_STATUS}
    if faulty or _FAULT.match(code):
        return RetryLater(what, on=on, after=seconds_to_wait(retry_after))
    return None


def _lasting(status: int, code: str, what: str, on: str) -> AutopilotError:
    """What stays until a person changes something, and nothing here knows better."""
    if status == HTTPStatus.NOT_FOUND or code in _ABSENT:
        return NotFound(what, on=on, code=code)
    return Blocked(explain(Reason.AZURE_REFUSED, what), on=on)
