"""What an HTTP answer without credentials means: whose it is, and whether the product that should answer did. Pure.

Called by `path`. A probe asks each product for one page (`page_of`); the answers, and where they are documented:

    Elasticsearch      /            401, or 200 for anonymous users, with X-Elastic-Product (Private Link guide)
    Kibana             /            a redirect to its login page; 401 or 403 where sign-in is done elsewhere (seen)
    APM Server         /            200, empty without credentials ("APM Server information API")
    Fleet Server       /api/status  200 {"name":"fleet-server"}; 503 while it starts or fails (fleet-server's OpenAPI)
    Enterprise Search  /            a redirect or a page (not documented: any page that it gives counts)

Elastic's proxy, which stands before all of them, refuses in two ways, both `{"ok":false,...}`: 403 when no policy of
the deployment admits the endpoint, 404 when it knows no such name. What is neither the product's nor the proxy's is
reported as unexpected: something else may be listening.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from shared.core.diagnosis.evidence import Evidence, Wording
from shared.core.model.reasons import Reason

_REACHABLE = Wording("healthy", Reason.REACHABLE, "{product} answers at {host} with {status}.")
_PATH_WORKS = Wording(
    "healthy", Reason.PATH_WORKS, "Elastic's proxy answers through the private endpoint at {expected}."
)
_FORBIDDEN = Wording(
    "blocked",
    Reason.FORBIDDEN_BY_POLICY,
    "The path works, but no policy of what stands behind {host} admits this private endpoint.",
)
_NOT_ASSOCIATED = Wording(
    "blocked",
    Reason.NOT_ASSOCIATED,
    "The path works, but the endpoint's policy is not associated with what stands behind {host}, which lets "
    "nothing private in without.",
)
_ONLY_OTHER_POLICIES = Wording(
    "blocked",
    Reason.ONLY_OTHER_POLICIES,
    "The path works, but what stands behind {host} has other policies only, and none of them admits this endpoint.",
)
_UNKNOWN_RESOURCE = Wording(
    "unreachable",
    Reason.UNKNOWN_RESOURCE,
    "The path works, but Elastic's proxy knows nothing by the name {host}.",
)
_CHANGING = Wording(
    "degraded",
    Reason.DEPLOYMENT_CHANGING,
    "The path works; Elastic Cloud calls what stands behind {host} {state}, and its proxy does not lead there yet.",
)
_NOT_RUNNING = Wording(
    "blocked",
    Reason.DEPLOYMENT_NOT_RUNNING,
    "The path works; Elastic Cloud calls what stands behind {host} {state}, and it does not answer for that.",
)
_STOPPED = frozenset({"suspended", "suspending", "deleting"})
"""States that do not pass by themselves."""
_ALIAS_NOT_SERVED = Wording(
    "degraded",
    Reason.ALIAS_NOT_SERVED,
    "The path works, and {product} answers at {by_id}; by the alias, {host}, Elastic's proxy does not know it.",
    "Use https://{by_id} in place of the alias: in Fleet's settings for its server hosts and outputs, for example.",
)
_ELASTICSEARCH_ERROR = Wording(
    "degraded",
    Reason.ELASTICSEARCH_ERROR,
    "The path works, but what stands behind {host} answers with {status}.",
)
_SERVICE_ERROR = Wording(
    "degraded",
    Reason.SERVICE_ERROR,
    "The path works, but {product} at {host} answers with {status}.",
    "Check the health of {product} in the Elastic Cloud console; if it is not used there, switch it off.",
)
_UNEXPECTED = Wording(
    "degraded",
    Reason.UNEXPECTED_ANSWER,
    "{host} answered with {status}, which is not how {product} answers without credentials.",
    "Check what listens at {expected} port {port}.",
)
_INCOMPLETE = Wording("unknown", Reason.PROBE_FAILED, "The probe of {host} ended without an answer.")
_REFUSALS: Mapping[int, Wording] = {HTTPStatus.FORBIDDEN: _FORBIDDEN, HTTPStatus.NOT_FOUND: _UNKNOWN_RESOURCE}
_ARRIVED = frozenset({HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""Statuses that say that the request came to the product, which may well ask for credentials."""


def _from_elasticsearch(evidence: Evidence) -> bool:
    """Whether Elasticsearch itself answered; versions before 7.14 do not say so in a header."""
    return evidence.elastic_product or "security_exception" in evidence.body or "You Know, for Search" in evidence.body


def _from_kibana(evidence: Evidence) -> bool:
    """Kibana names itself in a header, else in the form of its errors; a redirect has to stay in its house."""
    document = json_object(evidence.body)
    own_error = document is not None and "statusCode" in document
    return evidence.kibana or own_error or _redirects(evidence)


def _from_apm(evidence: Evidence) -> bool:
    return not evidence.body.strip() or json_object(evidence.body) is not None


def _from_fleet(evidence: Evidence) -> bool:
    document = json_object(evidence.body)
    named = document is not None and document.get("name") == "fleet-server"
    return named or (document is not None and evidence.http_status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def _from_any(evidence: Evidence) -> bool:
    return not _leads_away(evidence)


@dataclass(frozen=True, slots=True)
class _Product:
    name: str
    answered: Callable[[Evidence], bool]
    """Whether an answer is this product's own."""
    page: str = "/"
    redirects: bool = False
    """Whether a redirect is how it greets a stranger."""


_ELASTICSEARCH = _Product("Elasticsearch", _from_elasticsearch)
_PRODUCTS: Mapping[str, _Product] = {
    "elasticsearch": _ELASTICSEARCH,
    "kibana": _Product("Kibana", _from_kibana, redirects=True),
    "integrations_server": _Product("APM Server", _from_apm),
    "apm": _Product("APM Server", _from_apm),
    "fleet": _Product("Fleet Server", _from_fleet, page="/api/status"),
    "enterprise_search": _Product("Enterprise Search", _from_any, redirects=True),
    "appsearch": _Product("App Search", _from_any, redirects=True),
}
TESTED = tuple(_PRODUCTS)
"""The services that are tested, as the API calls them.

Elastic's managed intake (`ingest`) is not: a deployment's does not work over a private connection (Elastic's guide,
limitations), and what a project's answers without credentials is not documented.
"""


def page_of(service: str) -> str:
    """The page that a probe asks a service for."""
    return _PRODUCTS.get(service, _ELASTICSEARCH).page


def read_answer(
    evidence: Evidence,
    *,
    expect_unknown: bool = False,
    associated: bool = True,
    policies: int | None = None,
    state: str = "",
    answers_by_id: bool = False,
) -> tuple[Wording, str]:
    """Tell from an HTTP answer who gave it and what it means; with it the name of the product for the texts.

    Both the proxy (`{"ok":false}`) and Elasticsearch (`security_exception`) answer with 403; Elasticsearch's is as good
    as its 401: the request arrived there. `associated` and `policies` say what the proxy's 403 is to be blamed on;
    `answers_by_id` and `state` (the deployment's, where it does not simply run) what its 404 is.
    """
    product = _PRODUCTS.get(evidence.service, _ELASTICSEARCH)
    reading = _read(product, evidence, expect_unknown=expect_unknown)
    if reading is _FORBIDDEN and not associated:
        reading = _ONLY_OTHER_POLICIES if policies else _NOT_ASSOCIATED
    if reading.status != "healthy" and state in _STOPPED:
        reading = _NOT_RUNNING
    if reading is _UNKNOWN_RESOURCE and (answers_by_id or state):
        reading = _ALIAS_NOT_SERVED if answers_by_id else _CHANGING
    return reading, product.name


def _read(product: _Product, evidence: Evidence, *, expect_unknown: bool) -> Wording:
    status = evidence.http_status
    if status is None:
        return _INCOMPLETE
    if status in _REFUSALS and _proxy_refused(evidence):
        return _PATH_WORKS if expect_unknown else _REFUSALS[status]
    own = product.answered(evidence)
    if own and (status in _ARRIVED or (product.redirects and _redirects(evidence))):
        return _REACHABLE
    busy = own and status == HTTPStatus.TOO_MANY_REQUESTS
    if busy or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _ELASTICSEARCH_ERROR if product is _ELASTICSEARCH else _SERVICE_ERROR
    return _UNEXPECTED


def _proxy_refused(evidence: Evidence) -> bool:
    """Whether the answer has the form of Elastic's proxy: `{"ok":false,...}`, or for its 403 also plain text."""
    if evidence.elastic_product or evidence.kibana:
        return False
    document = json_object(evidence.body)
    if document is not None:
        return document.get("ok") is False
    plain = evidence.body.strip(' \r\n"')
    return evidence.http_status == HTTPStatus.FORBIDDEN and plain.startswith("Forbidden")


def _redirects(evidence: Evidence) -> bool:
    status = evidence.http_status or 0
    moved = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return moved and bool(evidence.location) and not _leads_away(evidence)


def _leads_away(evidence: Evidence) -> bool:
    """Whether a redirect names another host, as a captive portal's does."""
    try:
        host = urlsplit(evidence.location).hostname
    except ValueError:  # such as an unclosed bracket
        return True
    return host is not None and host.rstrip(".") != evidence.host.lower().rstrip(".")


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
