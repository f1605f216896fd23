"""What the storage SDKs raise -> the product's errors. Used by `azure_tables` and `azure_queue` around every call.

Texts name the service's error code and request id, never the SDK's message: on a refused signature that one quotes the
signed request.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import ClientConnectorError, ClientError
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.core.model.errors import AnswerLost, AutopilotError, Forbidden, Permanent, RetryLater, Throttled
from shared.core.model.reasons import Reason
from shared.core.reasons import explain
from shared.requests import Service, was_throttled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AGAIN = 10.0  # seconds to wait where the service says nothing
_LONGEST = 3600.0  # seconds; a longer wait is cut
_DIGITS = 10  # a number of more is none
_THROTTLED = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
}  # 503 is ServerBusy: the account's or the partition's limit
_BEING_DELETED = {"TableBeingDeleted", "QueueBeingDeleted", "OperationTimedOut"}

_NO_ROLE_HELPS = {
    "KeyBasedAuthenticationNotPermitted": Reason.STORAGE_KEYS_NOT_PERMITTED,
    "AuthorizationFailure": Reason.STORAGE_CLOSED_TO_NETWORK,
    "IpAuthorizationError": Reason.STORAGE_CLOSED_TO_NETWORK,
    "PublicAccessNotPermitted": Reason.STORAGE_ANONYMOUS,
    "NoAuthenticationInformation": Reason.STORAGE_ANONYMOUS,
    "AccountIsDisabled": Reason.STORAGE_ACCOUNT_DISABLED,
}
"""Codes of the account's own rules; https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes. A
missing role is AuthorizationPermissionMismatch."""


@contextmanager
def storage_errors(on: str, role: str) -> Iterator[None]:
    """Translate what is raised inside; `on` is the table or queue, `role` the one that its use takes."""
    try:
        yield
    except HttpResponseError as error:
        raise _from_answer(error, on, role) from error
    except AzureError as error:
        if _was_sent(error):
            raise AnswerLost("Azure Storage took a request and gave no answer.", on=on, after=_AGAIN) from error
        raise RetryLater(
            f"Azure Storage could not be asked ({type(error).__name__}).",
            on=on,
            next_step="Check the storage account's firewall and the app's identity if it stays.",
            after=_AGAIN,
        ) from error


def _was_sent(error: AzureError) -> bool:
    """Whether the request may have reached the service. No connection and no token are the ways it cannot have."""
    if isinstance(error, ServiceRequestError):
        # The aiohttp transport also reports a connection that broke while the answer was awaited as "request" error.
        cause = error.inner_exception
        return isinstance(cause, ClientError) and not isinstance(cause, ClientConnectorError)
    return isinstance(error, ServiceResponseError)


def error_code(error: HttpResponseError) -> str:
    """The service's error code, for example `TableNotFound`; empty if it gave none."""
    known = getattr(error, "error_code", None)
    if known:
        return str(getattr(known, "value", known))
    return _headers(error).get("x-ms-error-code") or _code_in_body(error)


def _headers(error: HttpResponseError) -> Mapping[str, str]:
    return getattr(error.response, "headers", None) or {}


def _code_in_body(error: HttpResponseError) -> str:
    # Table Storage names the code in the body only: {"odata.error": {"code": ...}}.
    try:
        body = json.loads(error.response.text())  # type: ignore[union-attr] # no answer is an AttributeError
        return str(body["odata.error"]["code"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _from_answer(error: HttpResponseError, on: str, role: str) -> AutopilotError:
    status = error.status_code or 0
    code = error_code(error) or error.reason or "no code"
    request_id = _headers(error).get("x-ms-request-id", "none")
    what = f"Azure Storage answered {status} {code} (request {request_id})."
    if code in _NO_ROLE_HELPS:
        return Forbidden(explain(_NO_ROLE_HELPS[code], what), on=on)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        next_step = f"Give the app's identity the role '{role}' on the storage account, or correct its key."
        return Forbidden(explain(Reason.STORAGE_ACCESS_DENIED, what, next_step, {"role": role}), on=on)
    if isinstance(error, ClientAuthenticationError):
        return _no_token(status, on)
    if status in _THROTTLED:
        was_throttled(Service.STORAGE)
        return Throttled(what, on=on, after=_retry_after(error))
    if (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or status in (0, HTTPStatus.REQUEST_TIMEOUT)
        or code in _BEING_DELETED
    ):
        return RetryLater(what, on=on, after=_AGAIN)
    return Permanent(what, on=on)


def _no_token(status: int, on: str) -> AutopilotError:
    """What the identity endpoint answered: storage itself refuses with 401 and 403 only."""
    what = f"The identity endpoint answered {status}: no token could be had for Azure Storage."
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return RetryLater(what, on=on, after=_AGAIN)
    next_step = "Check that the function app has its managed identity and that AzureWebJobsStorage__clientId names it."
    return Forbidden(explain(Reason.STORAGE_ACCESS_DENIED, what, next_step), on=on)


def _retry_after(error: HttpResponseError) -> float:
    text = _headers(error).get("Retry-After", "")
    return min(_LONGEST, float(text)) if text.isdecimal() and len(text) < _DIGITS else _AGAIN
