"""Serverless projects of three types, each with the whole list of its traffic filters; kept by `ServerlessCloud`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import LoopClock

ProjectType = Literal["elasticsearch", "observability", "security"]
TYPES: tuple[ProjectType, ...] = get_args(ProjectType)
PRODUCTS: dict[str, tuple[str, ...]] = {
    "elasticsearch": ("es", "kb"),
    "observability": ("es", "kb", "apm", "ingest"),
    "security": ("es", "kb", "ingest"),
}
"""Host labels of what a project of each type has."""
SERVICES = {"es": "elasticsearch", "kb": "kibana", "apm": "apm", "ingest": "ingest"}
"""What the API calls each of them."""
Phase = Literal["initializing", "initialized", "suspending", "suspended", "deleting"]
PHASES: tuple[Phase, ...] = get_args(Phase)


class Shown(NamedTuple):
    """What of a project changes with its list."""

    filters: tuple[str, ...]
    version: int


@dataclass(slots=True)
class Project:
    """One project."""

    id: str
    name: str
    type: ProjectType
    region: str
    """Without Elastic's `azure-`."""
    alias: str
    made_at: datetime
    tags: dict[str, str] = field(default_factory=dict)
    phase: Phase = "initialized"
    complete_tier: bool = True
    """Whether it has the tier that network security needs; every Elasticsearch project has."""
    shown: Shown = field(default_factory=lambda: Shown((), 1))
    since: dict[str, datetime] = field(default_factory=dict)
    """When each of its filters was added."""
    taken_away: dict[str, datetime] = field(default_factory=dict)
    before: tuple[Shown, datetime] | None = None
    """Its list before the last change, and when that was."""
    unwell: set[str] = field(default_factory=set)
    """Labels of the products that do not answer."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Ids of the traffic filters that it has."""
        return self.shown.filters

    def host(self, product: str, *, private: bool = False) -> str:
        """Host of one of its products; by its alias, as it was given, with the system's suffix."""
        return f"{self.alias}.{product}{'.private' if private else ''}.{self.region}.azure.elastic.cloud"

    def rename_alias(self, alias: str) -> None:
        """Another alias, with the system's suffix."""
        self.alias = f"{alias.lower().replace(' ', '-')}-{self.id[:6]}"

    def etag(self, version: int) -> str:
        """What a version of it is called by."""
        return f'"{self.id[:8]}-{version}"'


class ProjectBook:
    """All projects of an organization."""

    def __init__(self, clock: LoopClock, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id
        self._projects: dict[str, Project] = {}

    def all(self) -> list[Project]:
        """In the order they were made."""
        return list(self._projects.values())

    def find(self, project_id: str) -> Project | None:
        """By id."""
        return self._projects.get(project_id)

    def add(self, name: str, kind: ProjectType, region: str, tags: dict[str, str]) -> Project:
        """A new one that runs."""
        new = self._new_id()
        self._projects[new] = Project(new, name, kind, region, "", self._clock.now(), dict(tags))
        self._projects[new].rename_alias(name)
        return self._projects[new]

    def remove(self, project_id: str) -> None:
        """It is gone, and no list shows it any more."""
        del self._projects[project_id]
