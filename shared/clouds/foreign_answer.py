"""An answer that is not of the service that was asked: a firewall, a proxy, a portal stood in between. Pure.

Used by the clients of Azure and of Elastic Cloud. Nothing is concluded from such an answer, least of all a missing
role.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from shared.clouds.refusal_text import refusal_text
from shared.core.model.conditions import Explanation
from shared.core.model.reasons import Reason
from shared.core.reasons import explain

_TITLE = re.compile(r"<title[^>]*>(?P<title>.{1,200}?)</title>", re.IGNORECASE | re.DOTALL)
_OF_PROXIES = {
    HTTPStatus.USE_PROXY,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.MISDIRECTED_REQUEST,
    449,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
}
_REDIRECTS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)


def is_foreign(status: int, content_type: str | None) -> bool:
    """Whether an answer without the service's own error is of something in between."""
    if status in _REDIRECTS or status in _OF_PROXIES:
        return True
    page = "html" in (content_type or "").lower()
    return page and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _OWN_PAGES


_OWN_PAGES = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""What a gateway of the service itself answers as a page too."""


def foreign_answer(
    service: str, status: int, headers: Mapping[str, str], body: str, *, doing: str, secret: str = "", at: str = ""
) -> Explanation:
    """What stood in between, as far as it says so. `secret`: what was sent and may come back; `at`: the host asked."""
    found = {name.lower(): value for name, value in headers.items()}
    told = [f"status {status}"]
    if server := refusal_text(found.get("server"), secret, longest=60):
        told.append(f"server {server}")
    if leads_to := refusal_text(urlsplit(found.get("location", "")).hostname or "", secret, longest=100):
        told.append(f"it leads to {leads_to}")
    title = _TITLE.search(body[:20_000])
    if title and (page := refusal_text(" ".join(html.unescape(title["title"]).split()), secret, longest=100)):
        told.append(f'its page is called "{page}"')
    what = f"Something between the app and {service} answered when it was asked to {doing}: {', '.join(told)}."
    where = f" to {at}" if at else ""
    step = f"Let the app's requests{where} pass the firewall, proxy or portal on the way; its log has their addresses."
    return explain(Reason.FOREIGN_ANSWER, what, step)
