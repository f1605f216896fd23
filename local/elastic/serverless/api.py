"""The operations of the Serverless API: a table for `local.elastic.gateway`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.elastic.errors import ApiError
from local.elastic.operations import Call, Kind, Operation, Reply
from local.elastic.serverless import schema, views
from local.elastic.serverless.projects import TYPES
from local.elastic.serverless.schema import PRIVATE_ENDPOINT

if TYPE_CHECKING:
    from local.elastic.serverless.filters import ServerlessFilters, TrafficFilter
    from local.elastic.serverless.projects import Project, ProjectBook
    from local.elastic.serverless.regions import ServerlessRegion
    from local.elastic.serverless.settings import ServerlessSettings

_FILTERS = "/serverless/traffic-filters"
_PROJECTS = "/serverless/projects/{type}"
_LISTING: dict[str, Kind] = {"include_by_default": "boolean", "region": "string"}
_WHICH: dict[str, Kind] = {"csp": "string", "region": "string"}
_LARGEST_PAGE = 1000
NEXT_PAGE = "X-Elastic-Next-Page"
PAGE_SIZE = "X-Elastic-Page-Size"


class FilterOperations:
    """Metadata and traffic filters."""

    def __init__(
        self, settings: ServerlessSettings, filters: ServerlessFilters, regions: list[ServerlessRegion]
    ) -> None:
        self._settings, self._filters, self._regions = settings, filters, regions

    def table(self) -> list[Operation]:
        """The rows of these operations; `metadata` before the pattern of one filter's path."""
        one = f"{_FILTERS}/{{filter_id}}"
        return [
            Operation("serverless metadata", "GET", f"{_FILTERS}/metadata", self.metadata, _WHICH),
            Operation("list serverless filters", "GET", _FILTERS, self.listing, _LISTING),
            Operation("create serverless filter", "POST", _FILTERS, self.create, body="required"),
            Operation("get serverless filter", "GET", one, self.get),
            Operation("patch serverless filter", "PATCH", one, self.patch, body="required"),
            Operation("delete serverless filter", "DELETE", one, self.delete),
        ]

    def metadata(self, call: Call) -> Reply:
        """The regions with Private Link, their services and zones."""
        csp, region = call.query.get("csp"), call.query.get("region")
        shown = [one for one in self._regions if csp in (None, "azure") and region in (None, f"azure-{one.region}")]
        return Reply(200, {"regions": [_metadata(one) for one in shown]})

    def listing(self, call: Call) -> Reply:
        """One page of the filters."""
        default = call.flag("include_by_default")
        found = self._filters.listed(call.query.get("region"), include_by_default=default)
        size = min(self._settings.page_size, _number(call.header(PAGE_SIZE), _LARGEST_PAGE))
        begin = _number(call.header(NEXT_PAGE).removeprefix("page-"), 0)
        page, rest = found[begin : begin + size], found[begin + size :]
        if self._settings.empty_pages and begin == 0 and page and not call.header(NEXT_PAGE):
            page, token = [], "page-0"
        else:
            token = f"page-{begin + size}" if rest else ""
        where = self._settings.next_page_in
        body: dict[str, Any] = {"items": [views.filter_body(one) for one in page]}
        body |= {"next_page": token or None} if where != "header" else {}
        return Reply(200, body, {NEXT_PAGE: token} if token and where != "body" else {})

    def create(self, call: Call) -> Reply:
        """The whole filter comes back."""
        return _shown(self._filters.create(call.body), 201)

    def get(self, call: Call) -> Reply:
        """One filter."""
        return _shown(self._filters.get(call.path["filter_id"]))

    def patch(self, call: Call) -> Reply:
        """Change a filter."""
        return _shown(self._filters.patch(call.path["filter_id"], call.body))

    def delete(self, call: Call) -> Reply:
        """Delete a filter that no project has."""
        self._filters.delete(call.path["filter_id"])
        return Reply(self._settings.deleted_status, None if self._settings.deleted_status == 204 else {})


class ProjectOperations:
    """List, read and change projects."""

    def __init__(self, settings: ServerlessSettings, projects: ProjectBook, filters: ServerlessFilters) -> None:
        self._settings, self._projects, self._filters = settings, projects, filters

    def table(self) -> list[Operation]:
        """The rows of these operations."""
        one = f"{_PROJECTS}/{{project_id}}"
        return [
            Operation("list projects", "GET", _PROJECTS, self.listing, {"traffic_filter": "string"}),
            Operation("get project", "GET", one, self.get),
            Operation("get project status", "GET", f"{one}/status", self.status),
            Operation("patch project", "PATCH", one, self.patch, body="required"),
        ]

    def listing(self, call: Call) -> Reply:
        """All projects of a type, or those with a filter."""
        _check_type(call)
        wanted = call.query.get("traffic_filter")
        seen = [one for one in self._projects.all() if one.type == call.path["type"] and self._visible(one)]
        found = [one for one in seen if wanted is None or wanted in self._filters.shown(one).filters]
        return Reply(200, {"items": [self._body(one) for one in found], "next_page": None})

    def get(self, call: Call) -> Reply:
        """One project, with its ETag."""
        project = self._seen(call)
        version = self._filters.shown(project).version
        return Reply(200, self._body(project), {"ETag": project.etag(version)})

    def status(self, call: Call) -> Reply:
        """The phase of one project."""
        return Reply(200, {"phase": self._seen(call).phase})

    def patch(self, call: Call) -> Reply:
        """Change a project, only if it is still the version of If-Match where that is given."""
        project = self._seen(call)
        request = schema.project_patch(call.body)
        self._filters.check_editor(project)
        wanted = call.header("If-Match")
        if wanted and self._settings.honours_if_match and wanted != project.etag(project.shown.version):
            raise ApiError(412, "project.precondition_failed", "The project has changed.")
        filters = request.get("traffic_filters")
        if filters is not None:
            self._filters.replace(project, tuple(one["id"] for one in filters))
        project.name = request.get("name", project.name)
        if "alias" in request:
            project.rename_alias(str(request["alias"]))
        for key, value in request.get("metadata", {}).get("tags", {}).items():
            project.tags |= {key: str(value)}
            if value is None:
                del project.tags[key]
        return Reply(200, self._body(project), {"ETag": project.etag(project.shown.version)})

    def _body(self, project: Project) -> dict[str, Any]:
        shown = self._filters.shown(project).filters
        return views.project_body(
            project, shown, private=self._shows_private(project, shown), nulls=self._settings.null_lists
        )

    def _shows_private(self, project: Project, shown: tuple[str, ...]) -> bool:
        when = self._settings.private_endpoints
        of_region = {i for i, one in self._filters.all.items() if one.region == f"azure-{project.region}"}
        filters = [self._filters.all[i] for i in (shown if when == "associated" else of_region) if i in of_region]
        return when == "always" or (when != "never" and any(one.type == PRIVATE_ENDPOINT for one in filters))

    def _visible(self, project: Project) -> bool:
        return self._settings.project_roles and project.id not in self._settings.invisible_projects

    def _seen(self, call: Call) -> Project:
        _check_type(call)
        found = self._projects.find(call.path["project_id"])
        if found is None or found.type != call.path["type"] or not self._visible(found):
            raise ApiError(404, "project.not_found", f"Project [{call.path['project_id']}] cannot be found.")
        return found


def _check_type(call: Call) -> None:
    if call.path["type"] not in TYPES:
        raise ApiError(404, "root.resource_not_found", "The requested resource could not be found.")


def _metadata(one: ServerlessRegion) -> dict[str, Any]:
    return {
        "availability_zones": [],
        "csp": "azure",
        "private_hosted_zone_domain_name": one.zone,
        "private_service_name": one.alias,
        "region": f"azure-{one.region}",
        "vpc_service_name": "",
    }


def _shown(one: TrafficFilter, status: int = 200) -> Reply:
    return Reply(status, views.filter_body(one), {"ETag": one.etag})


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else default
