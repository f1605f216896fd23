"""What Elastic's proxy answers for a Serverless project, over a private link and on the public side."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from local.elastic.model import ProxyAnswer, serverless_region
from local.elastic.products import product_answer
from local.elastic.proxy import forbidden, unknown_resource
from local.elastic.serverless.projects import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.elastic.serverless.filters import ServerlessFilters
    from local.elastic.serverless.projects import Project, ProjectBook
    from local.elastic.settings import ElasticSettings

ENDING = ".azure.elastic.cloud"
_HOST = re.compile(
    r"(?P<name>[^.]+)\.(?P<product>[a-z]+)(?P<private>\.private)?\.(?P<region>[a-z0-9]+)" + re.escape(ENDING)
)


class ServerlessProxy:
    """Traffic filters and routing by host, as in front of every project."""

    def __init__(
        self,
        settings: ElasticSettings,
        projects: ProjectBook,
        filters: ServerlessFilters,
        alias_of: Callable[[str], str | None],
    ) -> None:
        self._settings, self._projects, self._filters, self._alias_of = settings, projects, filters, alias_of

    def decide(self, host: str, endpoint_guid: str, path: str) -> ProxyAnswer:
        """The answer to a request for a private host through the endpoint with this GUID."""
        project, product = self._target(host, private=True)
        region = serverless_region(self._alias_of(endpoint_guid))
        if project is None or (region and region != project.region):
            return unknown_resource()
        in_force, guid = self._filters.in_force(project), endpoint_guid.lower()
        # A private connection policy is always required in Azure, associated or not.
        known = in_force or [one for one in self._filters.all.values() if one.region == f"azure-{project.region}"]
        if not any(guid in one.guids for one in known):
            return forbidden()
        return product_answer(product, path, self._settings, unwell=product in project.unwell)

    def decide_public(self, host: str, client_ip: str) -> ProxyAnswer:
        """The answer to a request for a public host from this address of the internet."""
        project, product = self._target(host, private=False)
        if project is None:
            return unknown_resource()
        in_force, address = self._filters.in_force(project), ipaddress.ip_address(client_ip)
        sources = [rule["source"] for one in in_force if one.type == "ip" for rule in one.rules]
        if in_force and not any(address in ipaddress.ip_network(source) for source in sources):
            return forbidden()
        return product_answer(product, "/", self._settings, unwell=product in project.unwell)

    def _target(self, host: str, *, private: bool) -> tuple[Project | None, str]:
        match = _HOST.fullmatch(host.lower().rstrip("."))
        if match is None or bool(match["private"]) != private or host.lower() in self._settings.proxy_unknown_hosts:
            return None, ""
        for project in self._projects.all():
            named = match["name"] in (project.alias, project.id) and match["region"] == project.region
            if named and match["product"] in PRODUCTS[project.type] and project.phase == "initialized":
                return project, match["product"]
        return None, ""
