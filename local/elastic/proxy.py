"""What Elastic's proxy answers: over a private link (`decide`) and on the public side (`decide_public`).

Called by the data plane of `local.network` and by tests. The private hosts of a region are served by that region only.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from local.elastic.deployments import LABELS, Deployment, DeploymentBook
from local.elastic.model import ProxyAnswer, service_region
from local.elastic.products import Target, json_answer, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.elastic.model import Ruleset
    from local.elastic.settings import ElasticSettings
    from local.elastic.traffic_filters import TrafficFilters

_HOST = re.compile(
    r"^(?P<labels>[^.]+(?:\.(?!privatelink\.)[^.]+)?)(?P<private>\.privatelink)?\.(?P<region>[a-z0-9]+)\.azure\.elastic-cloud\.com$"
)
_FORBIDDEN = (
    "Forbidden due to traffic filtering. "
    "Please see the Elastic documentation on Traffic Filtering for more information."
)


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

    def decide(self, host: str, endpoint_guid: str, path: str = "/") -> ProxyAnswer:
        """The answer to a request for a private host through the endpoint with this GUID."""
        target = self._target(host, private=True)
        region = service_region(self._alias_of(endpoint_guid))
        if target is None or (region and region != target.deployment.azure_region):
            return unknown_resource(self._settings.unknown_resource)
        attached = self._attached(target.deployment.id)
        guid = endpoint_guid.lower()
        if attached:
            admitted = any(guid in ruleset.guids for ruleset in attached)
        else:
            known = any(
                guid in ruleset.guids and ruleset.region == target.deployment.region
                for ruleset in self._filters.rulesets.values()
            )
            admitted = known and self._settings.unassociated_unfiltered_answer == 200
        return served(target, path, self._settings) if admitted else forbidden()

    def decide_public(self, host: str, client_ip: str) -> ProxyAnswer:
        """The answer to a request for a public host from this address of the internet."""
        target = self._target(host, private=False)
        if target is None:
            return unknown_resource(self._settings.unknown_resource)
        attached = self._attached(target.deployment.id)
        address = ipaddress.ip_address(client_ip)
        sources = [rule["source"] for ruleset in attached if ruleset.type == "ip" for rule in ruleset.rules]
        admitted = not attached or any(address in ipaddress.ip_network(source) for source in sources)
        return served(target, "/", self._settings) if admitted else forbidden()

    def _attached(self, deployment_id: str) -> list[Ruleset]:
        missing = self._settings.proxy_missing_policies
        return [ruleset for ruleset in self._filters.in_force(deployment_id) if ruleset.id not in missing]

    def _target(self, host: str, *, private: bool) -> Target | None:
        host = host.lower().rstrip(".")
        match = None if host in self._settings.proxy_unknown_hosts else _HOST.match(host)
        if match is None or bool(match["private"]) != private:
            return None
        name, _, product = match["labels"].partition(".")
        for deployment in self._book.all():
            if deployment.azure_region != match["region"] or deployment.status not in self._settings.served_states:
                continue
            found = self._product(deployment, name, product)
            if found:
                return Target(deployment, found)
        return None

    def _product(self, deployment: Deployment, name: str, product: str) -> str | None:
        """The product of the deployment that `name.product` or a bare resource id means."""
        if not product:
            found = {deployment.elasticsearch_id: "es", deployment.kibana_id: "kb"}.get(name)
        else:
            known = LABELS.get(product, "")
            alias = None if known in self._settings.proxy_unknown_aliases else deployment.alias_of(known)
            found = known if known and name in (alias, deployment.resource_id(known)) else None
        return found if found and deployment.runs(found, self._settings.served_states) else None


def unknown_resource(message: str = "Unknown resource.") -> ProxyAnswer:
    """The answer for a host that leads nowhere."""
    return json_answer(404, {"ok": False, "message": message})


def forbidden() -> ProxyAnswer:
    """The answer to a request that the filters do not let in."""
    return json_answer(403, {"ok": False, "message": _FORBIDDEN})
