"""What the products of a deployment answer to a request without credentials; called by `Proxy` for what it lets in.

Documented: Elasticsearch's 401, APM Server's empty 200, the status of Fleet Server. Not documented, so switches of
`ElasticSettings`: what Kibana and Enterprise Search do with `/`, and what the proxy says for a product that is down.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from local.elastic.model import ProxyAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.elastic.deployments import Deployment
    from local.elastic.settings import ElasticSettings

_AUTHENTICATE = ('Basic realm="security", charset="UTF-8"', 'Bearer realm="security"', "ApiKey")


class Target(NamedTuple):
    """The deployment and product a host leads to."""

    deployment: Deployment
    product: str


def served(target: Target, path: str, settings: ElasticSettings) -> ProxyAnswer:
    """The product's own answer: proof that the request got there."""
    return product_answer(target.product, path, settings, unwell=target.product in target.deployment.unwell)


def product_answer(product: str, path: str, settings: ElasticSettings, *, unwell: bool) -> ProxyAnswer:
    """What a product answers, or the proxy in its place when its instances are down."""
    if unwell:
        return json_answer(settings.unwell_status, {"ok": False, "message": "There are no healthy instances."})
    return _ANSWERS.get(product, _unauthorized)(path, settings)


def json_answer(status: int, body: object, *headers: tuple[str, str]) -> ProxyAnswer:
    """An answer in JSON."""
    return ProxyAnswer(status, (("Content-Type", "application/json"), *headers), json.dumps(body))


def _elasticsearch(_path: str, _settings: ElasticSettings) -> ProxyAnswer:
    reason = {
        "type": "security_exception",
        "reason": "missing authentication credentials for REST request [/]",
        "header": {"WWW-Authenticate": list(_AUTHENTICATE)},
    }
    headers = [("WWW-Authenticate", challenge) for challenge in _AUTHENTICATE]
    body = {"error": {"root_cause": [reason], **reason}, "status": 401}
    return json_answer(401, body, *headers, ("X-Elastic-Product", "Elasticsearch"))


def _kibana(path: str, settings: ElasticSettings) -> ProxyAnswer:
    name = ("kbn-name", "kibana")
    if settings.kibana_answer == "login":
        return _redirect(f"/login?next={path.replace('/', '%2F')}", name)
    status, word = (401, "Unauthorized") if settings.kibana_answer == "unauthorized" else (403, "Forbidden")
    return json_answer(status, {"statusCode": status, "error": word, "message": word}, name)


def _apm(path: str, _settings: ElasticSettings) -> ProxyAnswer:
    if path != "/":
        return json_answer(404, {"error": "404 page not found"})
    return ProxyAnswer(200, (("X-Content-Type-Options", "nosniff"), ("Content-Length", "0")), "")


def _fleet(path: str, settings: ElasticSettings) -> ProxyAnswer:
    if path != "/api/status":
        return ProxyAnswer(404, (("Content-Type", "text/plain; charset=utf-8"),), "404 page not found\n")
    status = 200 if settings.fleet_status in ("HEALTHY", "DEGRADED") else 503
    return json_answer(status, {"name": "fleet-server", "status": settings.fleet_status})


def _enterprise_search(_path: str, settings: ElasticSettings) -> ProxyAnswer:
    if settings.enterprise_search_answer == "redirect":
        return _redirect("/ent/select")
    return ProxyAnswer(200, (("Content-Type", "text/html; charset=utf-8"),), "<!doctype html><title>Search</title>")


def _unauthorized(_path: str, _settings: ElasticSettings) -> ProxyAnswer:
    return json_answer(401, {"error": "unauthorized"})


def _redirect(location: str, *headers: tuple[str, str]) -> ProxyAnswer:
    return ProxyAnswer(302, (("Location", location), *headers, ("Content-Length", "0")), "")


_ANSWERS: dict[str, Callable[[str, ElasticSettings], ProxyAnswer]] = {
    "es": _elasticsearch,
    "kb": _kibana,
    "apm": _apm,
    "fleet": _fleet,
    "ent": _enterprise_search,
}
