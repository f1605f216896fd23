"""What Elastic's proxy answers: over a private link (`decide`) and on the public side (`decide_public`).

Called by the data plane of `local.network` and by tests. The private hosts of a region are served by that region only.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from local.elastic.deployments import PRODUCTS, Deployment, DeploymentBook
from local.elastic.model import ProxyAnswer, service_region

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.elastic.settings import ElasticSettings
    from local.elastic.traffic_filters import TrafficFilters

_HOST = re.compile(
    r"^(?P<labels>[^.]+(?:\.(?!privatelink\.)[^.]+)?)(?P<private>\.privatelink)?\.(?P<region>[a-z0-9]+)\.azure\.elastic-cloud\.com$"
)
_FORBIDDEN = (
    "Forbidden due to traffic filtering. "
    "Please see the Elastic documentation on Traffic Filtering for more information."
)
_AUTHENTICATE = ('Basic realm="security", charset="UTF-8"', 'Bearer realm="security"', "ApiKey")


class Target(NamedTuple):
    """The deployment and product a host leads to."""

    deployment: Deployment
    product: str


class Proxy:
    """Traffic filters and routing by host, as in front of every deployment."""

    def __init__(
        self,
        settings: ElasticSettings,
        book: DeploymentBook,
        filters: TrafficFilters,
        alias_of: Callable[[str], str | None],
    ) -> None:
        self._settings = settings
        self._book = book
        self._filters = filters
        self._alias_of = alias_of

    def decide(self, host: str, endpoint_guid: str) -> ProxyAnswer:
        """The answer to a request for a private host through the endpoint with this GUID."""
        target = self._target(host, private=True)
        region = service_region(self._alias_of(endpoint_guid))
        if target is None or (region and region != target.deployment.azure_region):
            return _unknown_resource()
        attached = self._filters.attached(target.deployment.id)
        guid = endpoint_guid.lower()
        if attached:
            admitted = any(guid in ruleset.guids for ruleset in attached)
        else:
            known = any(
                guid in ruleset.guids and ruleset.region == target.deployment.region
                for ruleset in self._filters.rulesets.values()
            )
            admitted = known and self._settings.unassociated_unfiltered_answer == 200
        return _served(target) if admitted else _forbidden()

    def decide_public(self, host: str, client_ip: str) -> ProxyAnswer:
        """The answer to a request for a public host from this address of the internet."""
        target = self._target(host, private=False)
        if target is None:
            return _unknown_resource()
        attached = self._filters.attached(target.deployment.id)
        address = ipaddress.ip_address(client_ip)
        sources = [rule["source"] for ruleset in attached if ruleset.type == "ip" for rule in ruleset.rules]
        admitted = not attached or any(address in ipaddress.ip_network(source) for source in sources)
        return _served(target) if admitted else _forbidden()

    def _target(self, host: str, *, private: bool) -> Target | None:
        match = _HOST.match(host.lower().rstrip("."))
        if match is None or bool(match["private"]) != private:
            return None
        name, _, product = match["labels"].partition(".")
        for deployment in self._book.all():
            if deployment.azure_region != match["region"] or deployment.status != "started":
                continue
            found = _product(deployment, name, product)
            if found:
                return Target(deployment, found)
        return None


def _product(deployment: Deployment, name: str, product: str) -> str | None:
    """The product of the deployment that `name.product` or a bare resource id means."""
    if product:
        known = product in PRODUCTS and name in (deployment.alias, deployment.resource_id(product))
        return product if known else None
    return {deployment.elasticsearch_id: "es", deployment.kibana_id: "kb"}.get(name)


def _json(status: int, body: object, *headers: tuple[str, str]) -> ProxyAnswer:
    return ProxyAnswer(status, (("Content-Type", "application/json"), *headers), json.dumps(body))


def _unknown_resource() -> ProxyAnswer:
    return _json(404, {"ok": False, "message": "Unknown resource."})


def _forbidden() -> ProxyAnswer:
    return _json(403, {"ok": False, "message": _FORBIDDEN})


def _served(target: Target) -> ProxyAnswer:
    """The product's own answer to a request without credentials: proof that the request got there."""
    if target.product == "es":
        return _elasticsearch()
    if target.product == "kb":
        return ProxyAnswer(302, (("Location", "/login?next=%2F"), ("kbn-name", "kibana"), ("Content-Length", "0")), "")
    return ProxyAnswer(200, (("Content-Type", "application/json"),), "")


def _elasticsearch() -> ProxyAnswer:
    reason = {
        "type": "security_exception",
        "reason": "missing authentication credentials for REST request [/]",
        "header": {"WWW-Authenticate": list(_AUTHENTICATE)},
    }
    headers = [("WWW-Authenticate", challenge) for challenge in _AUTHENTICATE]
    body = {"error": {"root_cause": [reason], **reason}, "status": 401}
    return _json(401, body, *headers, ("X-Elastic-Product", "Elasticsearch"))
