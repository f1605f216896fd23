"""Traffic filters of Serverless projects and the projects' lists of them, without HTTP; kept by `ServerlessCloud`.

An association is an entry of a project's list, which a PATCH replaces as a whole; a filter does not know who uses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from local.elastic.errors import ApiError, permission_denied
from local.elastic.history import HistoryEvent, What
from local.elastic.serverless import schema
from local.elastic.serverless.projects import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from local.clock import LoopClock
    from local.elastic.serverless.projects import Project, ProjectBook
    from local.elastic.serverless.settings import ServerlessSettings


@dataclass(slots=True)
class TrafficFilter:
    """One traffic filter, which the console calls a network security policy."""

    id: str
    name: str
    type: str
    region: str
    made_at: datetime
    description: str = ""
    include_by_default: bool = False
    rules: list[dict[str, Any]] = field(default_factory=list)
    version: int = 1

    @property
    def guids(self) -> frozenset[str]:
        """GUIDs of the private endpoints that it lets in."""
        return frozenset(str(rule["azure_endpoint_guid"]) for rule in self.rules if "azure_endpoint_guid" in rule)

    @property
    def etag(self) -> str:
        """What this version of it is called by."""
        return f'"{self.id[:8]}-{self.version}"'


class ServerlessFilters:
    """All filters of an organization, and which projects have them."""

    def __init__(
        self,
        clock: LoopClock,
        settings: ServerlessSettings,
        projects: ProjectBook,
        regions: Collection[str],
        *,
        new_id: Callable[[], str],
        record: Callable[[HistoryEvent], None],
        changed: Callable[[], None],
    ) -> None:
        """`record` is told each change, `changed` that approvals may follow one."""
        self._clock, self._settings, self._projects, self._regions = clock, settings, projects, regions
        self._new_id, self._record, self._changed = new_id, record, changed
        self.all: dict[str, TrafficFilter] = {}

    # Filters.

    def listed(self, region: str | None, *, include_by_default: bool) -> list[TrafficFilter]:
        """Those of a region, or of all, that a list shows."""
        hides = self._settings.list_hides

        def shown(one: TrafficFilter) -> bool:
            if hides == "nothing":
                return True
            if hides == "others":
                return one.include_by_default == include_by_default
            return include_by_default or not one.include_by_default

        return [one for one in self.all.values() if region in (None, one.region) and self._known(one) and shown(one)]

    def create(self, body: Any) -> TrafficFilter:
        """Not idempotent: the same request again makes another one, unless the settings say otherwise."""
        request = schema.create_request(body, self._regions)
        self._check_any_role()
        if len(self.all) >= self._settings.max_filters:
            raise ApiError(400, "traffic_filter.limit_exceeded", "Too many traffic filters.")
        new = TrafficFilter(
            self._new_id(),
            request["name"],
            request["type"],
            request["region"],
            self._clock.now(),
            request.get("description", ""),
            request.get("include_by_default", False),
            [dict(rule) for rule in request.get("rules", [])],
        )
        self._check_conflict(new)
        self.all[new.id] = new
        self._note("created", new)
        self._changed()
        return new

    def get(self, filter_id: str) -> TrafficFilter:
        """One filter, or the API's 404."""
        found = self.all.get(filter_id)
        if found is None or not self._known(found):
            raise ApiError(404, "traffic_filter.not_found", f"Traffic filter [{filter_id}] cannot be found.")
        return found

    def patch(self, filter_id: str, body: Any) -> TrafficFilter:
        """What is given is replaced, the rules as a whole."""
        found = self.get(filter_id)
        request = schema.patch_request(body, found.type)
        self._check_any_role()
        found.name = request.get("name", found.name)
        found.description = request.get("description", found.description)
        found.include_by_default = request.get("include_by_default", found.include_by_default)
        found.rules = [dict(rule) for rule in request.get("rules", found.rules)]
        found.version += 1
        self._note("updated", found)
        self._changed()
        return found

    def delete(self, filter_id: str) -> None:
        """Refused while a project has it."""
        found = self.get(filter_id)
        self._check_any_role()
        user = next((project for project in self._projects.all() if filter_id in project.filters), None)
        if user is not None:
            message = f"traffic filter is associated with {user.id}, remove the association first"
            raise ApiError(self._settings.delete_with_associations, "traffic_filter.associated", message)
        del self.all[filter_id]
        self._note("deleted", found)
        self._changed()

    # Projects' lists.

    def shown(self, project: Project) -> Shown:
        """A project's list and version as readers are shown them."""
        if project.before is not None:
            earlier, at = project.before
            if self._clock.now() - at < timedelta(seconds=self._settings.project_lag_seconds):
                return earlier
        return project.shown

    def replace(self, project: Project, ids: tuple[str, ...]) -> None:
        """Let this be a project's list in place of the one that it has."""
        unknown = [one for one in ids if one not in self.all]
        if unknown:
            raise ApiError(400, "traffic_filter.not_found", f"Traffic filter [{unknown[0]}] cannot be found.")
        elsewhere = [one for one in ids if self.all[one].region != f"azure-{project.region}"]
        if elsewhere:
            raise ApiError(400, "traffic_filter.region", f"Traffic filter [{elsewhere[0]}] is of another region.")
        ids = tuple(dict.fromkeys(ids))
        before, now = project.filters, self._clock.now()
        if not project.complete_tier and set(ids) - set(before):
            message = "Network security is not available in this project's product tier."
            raise ApiError(self._settings.tier_refusal, "project.product_tier", message)
        project.before = (project.shown, now)
        project.shown = Shown(ids, project.shown.version + 1)
        for one in set(ids) - set(before):
            project.since[one] = now
            self._note("associated", self.all[one], project.id)
        for one in set(before) - set(ids):
            project.taken_away[one] = now
            self._note("disassociated", self.all[one], project.id)

    def in_force(self, project: Project) -> list[TrafficFilter]:
        """The filters that the proxy enforces for a project: new ones a little later, those that left it as long."""
        now = self._clock.now()
        new = timedelta(seconds=self._settings.association_effect_seconds)
        old = timedelta(seconds=self._settings.disassociation_effect_seconds)
        standing = [one for one in project.filters if now - project.since[one] >= new]
        leaving = [one for one, at in project.taken_away.items() if now - at < old]
        return [self.all[one] for one in dict.fromkeys((*standing, *leaving)) if one in self.all]

    # Checks.

    def check_editor(self, project: Project) -> None:
        """Refuse what needs the role Editor on this project."""
        editable = self._settings.editable_projects
        if editable is not None and project.id not in editable:
            raise permission_denied(f"/serverless/projects/{project.type}/{project.id}")

    def _check_any_role(self) -> None:
        editable = self._settings.editable_projects
        if not self._settings.project_roles or (editable is not None and not editable):
            raise permission_denied("/serverless/traffic-filters")

    def _check_conflict(self, new: TrafficFilter) -> None:
        by_name = any(one.name == new.name for one in self.all.values())
        by_guid = any(one.guids & new.guids for one in self.all.values())
        if {"name": by_name, "guid": by_guid}.get(self._settings.conflict_on, False):
            raise ApiError(409, "traffic_filter.conflict", "There is a traffic filter like this already.")

    def _known(self, one: TrafficFilter) -> bool:
        return self._clock.now() - one.made_at >= timedelta(seconds=self._settings.create_lag_seconds)

    def _note(self, what: What, one: TrafficFilter, project_id: str | None = None) -> None:
        self._record(HistoryEvent(self._clock.now(), what, one.id, one.guids, project_id, one.include_by_default))
