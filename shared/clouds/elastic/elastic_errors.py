"""The Elastic Cloud API's errors, turned into the product's. Used by `elastic` only; pure.

Error bodies are `{"errors":[{"code","message"}]}`, but a gateway may answer HTML: nothing assumes JSON. 403 is used
both for a missing right and for a policy that no longer exists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from shared.clouds import retry_after
from shared.core.model.errors import AnswerLost, AutopilotError, Blocked, Forbidden, NotFound, Throttled
from shared.core.model.organizations import DEFAULT, key_setting


def elastic_error(
    status: int, body: str, headers: Mapping[str, str], *, doing: str, on: str, organization: str = DEFAULT
) -> AutopilotError:
    """The product's error for an answer of the Elastic Cloud API that is no success."""
    code, message = _first_error(body)
    whose = "" if organization == DEFAULT else f" of organization {organization}"
    what = f"Elastic Cloud answered {status} {code} when asked to {doing}: {message}".strip().rstrip(":")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(what, on=on, after=retry_after.seconds(headers.get("retry-after")))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        # Nothing tells whether a failing service applied the request before it failed.
        return AnswerLost(what, on=on, after=retry_after.DEFAULT)
    if status == HTTPStatus.UNAUTHORIZED:
        return Forbidden(
            f"Elastic Cloud refused the API key{whose} when asked to {doing}.",
            reason="ElasticKeyRefused",
            on=on,
            next_step="Create a new Elastic Cloud API key (they expire, often after 3 months); "
            f"set {key_setting(organization)}.",
        )
    if status == HTTPStatus.FORBIDDEN:
        return Forbidden(
            f"The Elastic Cloud API key{whose} may not {doing}: {message}",
            reason="ElasticRightsMissing",
            on=on,
            next_step="Give the key the role Editor (deployment-editor) on the deployments that are to be connected.",
        )
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(what, on=on)
    return Blocked(what, reason="ElasticRefused", on=on, next_step="Correct what the message names.")


def _first_error(body: str) -> tuple[str, str]:
    try:
        first = json.loads(body)["errors"][0]
        return str(first.get("code") or ""), str(first.get("message") or "")[:300]
    except (ValueError, RecursionError, KeyError, IndexError, TypeError, AttributeError):
        return "", ""
