"""One organization's Serverless side as one object: what `ElasticCloud` has below `.serverless` and tests call."""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

from local.elastic.serverless import schema
from local.elastic.serverless.api import FilterOperations, ProjectOperations
from local.elastic.serverless.filters import ServerlessFilters, TrafficFilter
from local.elastic.serverless.projects import Project, ProjectBook, ProjectType, Shown
from local.elastic.serverless.proxy import ServerlessProxy
from local.elastic.serverless.regions import RegionNames, ServerlessRegion
from local.elastic.serverless.schema import check_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from local.clock import LoopClock
    from local.elastic.history import HistoryEvent
    from local.elastic.operations import Operation
    from local.elastic.serverless.settings import ServerlessSettings
    from local.elastic.settings import ElasticSettings

State: TypeAlias = tuple[dict[str, TrafficFilter], dict[str, Shown]]
"""Filters, and each project's list."""


class ServerlessCloud:
    """Projects, their traffic filters and their proxy."""

    def __init__(
        self,
        clock: LoopClock,
        settings: ElasticSettings,
        serverless: ServerlessSettings,
        regions: Iterable[ServerlessRegion],
        *,
        new_id: Callable[[], str],
        record: Callable[[HistoryEvent], None],
        changed: Callable[[], None],
        alias_of: Callable[[str], str | None],
    ) -> None:
        """`record` is told each change, `changed` that approvals may follow one."""
        self.settings = serverless
        self.regions = list(regions)
        """What the metadata call tells of; more may be added while it runs."""
        self._projects = ProjectBook(clock, new_id)
        self._filters = ServerlessFilters(
            clock,
            self.settings,
            self._projects,
            RegionNames(self.regions),
            new_id=new_id,
            record=record,
            changed=changed,
        )
        self._proxy = ServerlessProxy(settings, self._projects, self._filters, alias_of)
        self.decide = self._proxy.decide
        self.decide_public = self._proxy.decide_public

    def operations(self) -> list[Operation]:
        """The rows that the gateway serves."""
        filters = FilterOperations(self.settings, self._filters, self.regions)
        return [*filters.table(), *ProjectOperations(self.settings, self._projects, self._filters).table()]

    def projects(self) -> list[Project]:
        """All projects."""
        return self._projects.all()

    def add_project(
        self, name: str, kind: ProjectType, region: str, *, tags: dict[str, str] | None = None, ip_filter: bool = False
    ) -> Project:
        """A new project; with `ip_filter` it has a filter for a documentation range."""
        check_tags(dict(tags or {}))
        project = self._projects.add(name, kind, region, tags or {})
        defaults = [one.id for one in self.filters() if one.include_by_default and one.region == f"azure-{region}"]
        if ip_filter:
            defaults.append(self.add_filter(f"{name}-office", region).id)
        if defaults:
            self._filters.replace(project, tuple(defaults))
        return project

    def remove_project(self, project: Project) -> None:
        """A project that is not listed any more; its filters go from it first."""
        self._filters.replace(project, ())
        self._projects.remove(project.id)

    def filters(self) -> list[TrafficFilter]:
        """All filters, also those that readers are not shown yet."""
        return list(self._filters.all.values())

    def add_filter(self, name: str, region: str, *sources: str) -> TrafficFilter:
        """An IP filter as a person would have made it."""
        rules = [{"source": source} for source in sources or ("198.51.100.0/24",)]
        return self._filters.create({"name": name, "type": "ip", "region": f"azure-{region}", "rules": rules})

    def add_endpoint_filter(self, name: str, region: str, rules: list[dict[str, Any]]) -> TrafficFilter:
        """A filter for private endpoints as a person would have made it."""
        body = {"name": name, "type": schema.PRIVATE_ENDPOINT, "region": f"azure-{region}", "rules": rules}
        return self._filters.create(body)

    def delete_filter(self, filter_id: str) -> None:
        """Delete a filter that no project has, as a person does."""
        self._filters.delete(filter_id)

    def write_list(self, project: Project, ids: Iterable[str]) -> None:
        """Replace a project's filters, as a person or Terraform's provider does: without If-Match."""
        self._filters.replace(project, tuple(ids))

    def patch_filter(self, filter_id: str, **changes: Any) -> None:
        """Change a filter, as a person does."""
        self._filters.patch(filter_id, changes)

    def snapshot(self) -> State:
        """All filters and the projects' lists, for `shown_as`."""
        return deepcopy(self._filters.all), {one.id: one.shown for one in self.projects()}

    @contextmanager
    def shown_as(self, state: State) -> Iterator[None]:
        """Let reads show an earlier state; nothing may be written meanwhile."""
        filters, lists = state
        present = self._filters.all, {one.id: one.shown for one in self.projects()}
        self._show(filters, lists)
        try:
            yield
        finally:
            self._show(*present)

    def _show(self, filters: dict[str, TrafficFilter], lists: dict[str, Shown]) -> None:
        self._filters.all = filters
        for project in self.projects():
            project.shown = lists.get(project.id, project.shown)

    def rules_for(self, region: str) -> list[dict[str, Any]]:
        """The rules that name private endpoints, of all filters of a region."""
        of_region = (one for one in self.filters() if one.region == f"azure-{region}")
        return [rule for one in of_region for rule in one.rules if "azure_endpoint_guid" in rule]
