"""Which of the product's errors an answer of the Elastic Cloud API is that is no success; pure. Used by `transport`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from shared.clouds.answer_headers import DEFAULT_RETRY_AFTER, seconds_to_wait
from shared.clouds.foreign_answer import foreign_answer, is_foreign
from shared.clouds.refusal_text import refusal_text
from shared.core.model.errors import AnswerLost, AutopilotError, Blocked, Forbidden, LostRace, NotFound, Throttled
from shared.core.model.organizations import DEFAULT, key_setting
from shared.core.model.reasons import Reason
from shared.core.reasons import explain
from shared.requests import Service, was_throttled


def elastic_error(
    status: int,
    body: str,
    headers: Mapping[str, str],
    *,
    doing: str,
    on: str,
    organization: str = DEFAULT,
    renewal: str = "",
    key: str = "",
    at: str = "",
) -> AutopilotError:
    """The product's error for an answer of the Elastic Cloud API that is no success; `renewal` as in `KeySource`.

    `key`: what was sent; a gateway may echo it. `at`: the host that was asked.
    """
    found = _first_error(body, key)
    if found is None and "x-cloud-error-codes" not in headers and is_foreign(status, headers.get("content-type")):
        foreign = foreign_answer("Elastic Cloud", status, headers, body, doing=doing, secret=key, at=at)
        return Blocked(foreign, on=on)
    code, message = found or ("", "")
    what = f"Elastic Cloud answered {status} {code} when asked to {doing}: {message}".strip().rstrip(":")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _refused_key(status, message, doing=doing, on=on, organization=organization, renewal=renewal)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        was_throttled(Service.ELASTIC)
        return Throttled(what, on=on, after=seconds_to_wait(headers.get("retry-after")))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        # Nothing tells whether a failing service applied the request before it failed.
        return AnswerLost(what, on=on, after=DEFAULT_RETRY_AFTER)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED):
        return NotFound(what, on=on) if status == HTTPStatus.NOT_FOUND else LostRace(what, on=on)
    return Blocked(explain(Reason.ELASTIC_REFUSED, what), on=on)


def _refused_key(status: int, message: str, *, doing: str, on: str, organization: str, renewal: str) -> Forbidden:
    """The key itself is refused, or it lacks a role."""
    whose = "" if organization == DEFAULT else f" of organization {organization}"
    if status == HTTPStatus.UNAUTHORIZED:
        refused = f"Elastic Cloud refused the API key{whose} when asked to {doing}."
        step = f"Create a new Elastic Cloud API key and {renewal or f'set {key_setting(organization)}.'}"
        return Forbidden(explain(Reason.ELASTIC_KEY_REFUSED, refused, step), on=on)
    may_not = f"The Elastic Cloud API key{whose} may not {doing}: {message}"
    return Forbidden(explain(Reason.ELASTIC_RIGHTS_MISSING, may_not), on=on)


def _first_error(body: str, key: str) -> tuple[str, str] | None:
    """Code and text of the first error, in the shape that Elastic Cloud's errors have; None: it is none of its own."""
    try:
        first = json.loads(body)["errors"][0]
        return refusal_text(first.get("code"), key, longest=100), refusal_text(first.get("message"), key)
    except (ValueError, RecursionError, KeyError, IndexError, TypeError, AttributeError):
        return None
