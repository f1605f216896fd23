"""The operations of the API: name, method, path, parameters and what they call; a table for `local.elastic.gateway`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from local.elastic import schema, views
from local.elastic.errors import ApiError, no_such_deployment
from local.elastic.search import search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.elastic.deployments import Deployment, DeploymentBook
    from local.elastic.settings import ElasticSettings
    from local.elastic.traffic_filters import TrafficFilters

Kind = Literal["boolean", "integer", "string"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, parsed: path values, query values by their kind, JSON body."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    headers: Mapping[str, str]

    def header(self, name: str) -> str:
        """A header of the request, empty if it has none of that name."""
        return self.headers.get(name, "")

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean query parameter."""
        return bool(self.query.get(name, default))


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table."""

    name: str
    method: str
    path: str
    run: Callable[[Call], Reply]
    query: Mapping[str, Kind] = field(default_factory=dict)
    body: Literal["none", "optional", "required"] = "none"


_RULESETS = "/deployments/traffic-filter/rulesets"
_LINKS = "/deployments/traffic-filter/link-ids"
_SHOW: dict[str, Kind] = {
    "show_security": "boolean",
    "show_metadata": "boolean",
    "show_plans": "boolean",
    "show_plan_logs": "boolean",
    "show_plan_history": "boolean",
    "show_plan_defaults": "boolean",
    "convert_legacy_plans": "boolean",
    "show_system_alerts": "integer",
    "show_settings": "boolean",
    "show_instance_configurations": "boolean",
    "enrich_with_template": "boolean",
    "force_all_plan_history": "boolean",
    "clear_transient": "boolean",
}


def operations(settings: ElasticSettings, book: DeploymentBook, filters: TrafficFilters) -> list[Operation]:
    """Every operation of this Elastic Cloud."""
    deployments = DeploymentOperations(settings, book, filters)
    return [
        *_ruleset_operations(filters),
        *_association_operations(filters),
        *_claim_operations(filters),
        *deployments.table(),
    ]


def _ruleset_operations(filters: TrafficFilters) -> list[Operation]:
    def list_rulesets(call: Call) -> Reply:
        associations = call.flag("include_associations")
        return Reply(200, filters.list_rulesets(call.query.get("region"), include_associations=associations))

    def get_ruleset(call: Call) -> Reply:
        associations = call.flag("include_associations")
        return Reply(200, filters.get(call.path["ruleset_id"], include_associations=associations))

    def delete_ruleset(call: Call) -> Reply:
        regardless = call.flag("ignore_associations")
        return Reply(200, filters.delete(call.path["ruleset_id"], ignore_associations=regardless))

    one = f"{_RULESETS}/{{ruleset_id}}"
    listing: dict[str, Kind] = {"include_associations": "boolean", "region": "string", "organization_id": "string"}
    return [
        Operation("list rulesets", "GET", _RULESETS, list_rulesets, listing),
        Operation("create ruleset", "POST", _RULESETS, lambda c: Reply(201, filters.create(c.body)), body="required"),
        Operation("get ruleset", "GET", one, get_ruleset, {"include_associations": "boolean"}),
        Operation(
            "update ruleset",
            "PUT",
            one,
            lambda c: Reply(200, filters.update(c.path["ruleset_id"], c.body)),
            body="required",
        ),
        Operation("delete ruleset", "DELETE", one, delete_ruleset, {"ignore_associations": "boolean"}),
    ]


def _association_operations(filters: TrafficFilters) -> list[Operation]:
    def listed(call: Call) -> Reply:
        return Reply(200, filters.associations_of(call.path["ruleset_id"]))

    def associate(call: Call) -> Reply:
        return Reply(*filters.associate(call.path["ruleset_id"], call.body))

    def disassociate(call: Call) -> Reply:
        where = call.path
        return Reply(200, filters.disassociate(where["ruleset_id"], where["association_type"], where["entity_id"]))

    def of_entity(call: Call) -> Reply:
        return Reply(200, filters.rulesets_of(call.path["association_type"], call.path["entity_id"]))

    every = f"{_RULESETS}/{{ruleset_id}}/associations"
    entity = "/deployments/traffic-filter/associations/{association_type}/{entity_id}/rulesets"
    return [
        Operation("list associations", "GET", every, listed),
        Operation("create association", "POST", every, associate, body="required"),
        Operation("delete association", "DELETE", f"{every}/{{association_type}}/{{entity_id}}", disassociate),
        Operation("list rulesets of deployment", "GET", entity, of_entity),
    ]


def _claim_operations(filters: TrafficFilters) -> list[Operation]:
    def listed(call: Call) -> Reply:
        return Reply(200, filters.list_claims(call.query.get("region")))

    return [
        Operation("list claims", "GET", _LINKS, listed, {"region": "string", "organization_id": "string"}),
        Operation("claim", "POST", f"{_LINKS}/_claim", lambda c: Reply(201, filters.claim(c.body)), body="required"),
        Operation(
            "unclaim", "POST", f"{_LINKS}/_unclaim", lambda c: Reply(200, filters.unclaim(c.body)), body="required"
        ),
    ]


class DeploymentOperations:
    """List, search, get, change, shut down and restore deployments."""

    def __init__(self, settings: ElasticSettings, book: DeploymentBook, filters: TrafficFilters) -> None:
        self._settings = settings
        self._book = book
        self._filters = filters

    def table(self) -> list[Operation]:
        """The rows of these operations."""
        one = "/deployments/{deployment_id}"
        update: dict[str, Kind] = {"hide_pruned_orphans": "boolean", "skip_snapshot": "boolean"}
        shutdown: dict[str, Kind] = {"hide": "boolean", "skip_snapshot": "boolean"}
        return [
            Operation("list deployments", "GET", "/deployments", self.listing),
            Operation("search deployments", "POST", "/deployments/_search", self.search, body="optional"),
            Operation("get deployment", "GET", one, self.get, _SHOW),
            Operation("update deployment", "PUT", one, self.update, update, body="required"),
            Operation("get deployment tags", "GET", f"{one}/tags", self.tags),
            Operation("set deployment tags", "PUT", f"{one}/tags", self.set_tags, body="required"),
            Operation("shut down deployment", "POST", f"{one}/_shutdown", self.shutdown, shutdown, body="optional"),
            Operation(
                "restore deployment",
                "POST",
                f"{one}/_restore",
                self.restore,
                {"restore_snapshot": "boolean"},
                body="optional",
            ),
        ]

    def _visible(self) -> list[Deployment]:
        return [one for one in self._book.all() if one.id not in self._settings.invisible_deployments]

    def _seen(self, call: Call) -> Deployment:
        """The deployment of the path, or the API's 404."""
        deployment_id = call.path["deployment_id"]
        if deployment_id in self._settings.invisible_deployments:
            raise no_such_deployment(deployment_id)
        return self._book.get(deployment_id)

    def listing(self, _call: Call) -> Reply:
        """`GET /deployments`."""
        return Reply(200, {"deployments": [views.listing(d) for d in self._visible()]})

    def search(self, call: Call) -> Reply:
        """`POST /deployments/_search`."""
        listed = self._filters.listed_of_all()
        found = [
            views.document(one, listed.get(one.id, []), self._settings, show_settings=True, show_plans=False)
            for one in self._visible()
        ]
        return Reply(200, search(call.body, found, self._settings.hits_per_page))

    def get(self, call: Call) -> Reply:
        """`GET /deployments/{id}`; the settings only when asked for."""
        deployment = self._seen(call)
        shown = self._document(
            deployment, show_settings=call.flag("show_settings"), show_plans=call.flag("show_plans", default=True)
        )
        headers = {
            "x-cloud-resource-version": str(deployment.version),
            "x-cloud-resource-last-modified": views.timestamp(deployment.changed_at),
        }
        return Reply(200, shown, headers)

    def update(self, call: Call) -> Reply:
        """`PUT /deployments/{id}`: name, alias and tags; what is left out stays."""
        deployment = self._seen(call)
        request = schema.deployment_update(call.body)
        if "tags" in request.get("metadata", {}):
            self._book.set_tags(deployment, request["metadata"]["tags"])
        if "alias" in request:
            self._book.set_alias(deployment, request["alias"])
        deployment.name = request.get("name", deployment.name)
        self._book.touched(deployment)
        answer = {"id": deployment.id, "name": deployment.name, "resources": views.listing(deployment)["resources"]}
        if deployment.alias:
            answer["alias"] = deployment.alias
        return Reply(200, answer)

    def tags(self, call: Call) -> Reply:
        """`GET /deployments/{id}/tags`."""
        return Reply(200, {"tags": views.tags(self._seen(call))})

    def set_tags(self, call: Call) -> Reply:
        """`PUT /deployments/{id}/tags`: all of them are replaced."""
        deployment = self._seen(call)
        self._book.set_tags(deployment, schema.deployment_tags(call.body))
        self._book.touched(deployment)
        return Reply(200, {"tags": views.tags(deployment)})

    def shutdown(self, call: Call) -> Reply:
        """`POST /deployments/{id}/_shutdown`: it stops and stays listed, hidden when asked for."""
        deployment = self._seen(call)
        deployment.status = "stopped"
        deployment.hidden = call.flag("hide")
        self._book.touched(deployment)
        return Reply(200, {"id": deployment.id, "name": deployment.name, "orphaned": _no_orphans()})

    def restore(self, call: Call) -> Reply:
        """`POST /deployments/{id}/_restore`: what was shut down starts again, with its policies as they are now."""
        deployment = self._seen(call)
        if deployment.status != "stopped":
            # Status and words are documented, the code is ours.
            message = f"The deployment [{deployment.id}] has Elasticsearch resources that are not shut down."
            raise ApiError(400, "deployments.elasticsearch_not_stopped", message)
        deployment.status = "started"
        self._book.touched(deployment)
        return Reply(200, {"id": deployment.id})

    def _document(
        self, deployment: Deployment, *, show_settings: bool = True, show_plans: bool = False
    ) -> dict[str, Any]:
        rulesets = self._filters.listed(deployment.id)
        return views.document(deployment, rulesets, self._settings, show_settings=show_settings, show_plans=show_plans)


def _no_orphans() -> dict[str, list[Any]]:
    kinds = ("apm", "appsearch", "elasticsearch", "enterprise_search", "integrations_server", "kibana")
    return {kind: [] for kind in kinds}
