"""Projects of Serverless under the names that tests have for hosted deployments and their policies.

An estate of that family has this object as its `elastic`, so that one suite tells the same life for both families. What
a person does here they do as Elastic's console or Terraform's provider does it: without If-Match.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast
from uuid import NAMESPACE_DNS, uuid5

from local.elastic import ElasticCloud
from local.elastic.serverless import Project
from local.elastic.serverless.filters import TrafficFilter
from local.simulators import World
from local.world import VNET_REGIONS
from shared.core.model.services import Family, Service, Services
from shared.settings.services import shipped_services

CHOSEN = {"family": Family.HOSTED}
"""That of the estates of a test: the suites that tell the whole life run for each."""

PHASES = {"started": "initialized", "stopped": "suspended"}
"""A project's phase for a deployment's state."""


class ProjectTarget:
    """One project, as tests see a deployment."""

    def __init__(self, inner: ElasticCloud, project: Project) -> None:
        object.__setattr__(self, "_inner", inner)
        object.__setattr__(self, "project", project)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.project, name)

    def __setattr__(self, name: str, value: Any) -> None:
        match name:
            case "status":
                self.project.phase = PHASES[value]
            case "hidden":
                unseen = self._inner.serverless.settings.invisible_projects
                (unseen.add if value else unseen.discard)(self.project.id)
            case _:
                setattr(self.project, name, value)

    @property
    def region(self) -> str:
        """As Elastic calls it."""
        return f"azure-{self.project.region}"

    @property
    def azure_region(self) -> str:
        """As Azure calls it."""
        return str(self.project.region)

    @property
    def hidden(self) -> bool:
        """Whether the key does not see it."""
        return self.project.id in self._inner.serverless.settings.invisible_projects

    @property
    def status(self) -> str:
        """As of a deployment."""
        return {phase: status for status, phase in PHASES.items()}.get(self.project.phase, self.project.phase)

    def alias_host(self, product: str) -> str:
        """Public host by alias."""
        return str(self.project.host(product))

    def private_host(self, product: str = "es") -> str:
        """Host to use over the private link."""
        return str(self.project.host(product, private=True))


class ProjectSide:
    """An organization's projects, their traffic filters and lists."""

    def __init__(self, inner: ElasticCloud) -> None:
        self._inner = inner
        self._cloud = inner.serverless

    def __getattr__(self, name: str) -> Any:
        """What is the same for both families: requests, history, listeners, the key, the proxy."""
        return getattr(self._inner, name)

    # -- targets ---------------------------------------------------------------------------------------------------

    def deployments(self) -> list[ProjectTarget]:
        """All projects."""
        return [ProjectTarget(self._inner, one) for one in self._cloud.projects()]

    def deployment(self, project_id: str) -> ProjectTarget | None:
        """One project by id."""
        return next((one for one in self.deployments() if one.id == project_id), None)

    def add_deployment(
        self, name: str, region: str, *, ip_policy: bool = False, tags: dict[str, str] | None = None
    ) -> ProjectTarget:
        """A new project; with `ip_policy` it has a filter for a documentation range."""
        project = self._cloud.add_project(name, "elasticsearch", region, tags=tags, ip_filter=ip_policy)
        return ProjectTarget(self._inner, project)

    def remove_deployment(self, project_id: str) -> None:
        """A project that is not even listed any more."""
        self._cloud.remove_project(self._project(project_id))

    # -- policies --------------------------------------------------------------------------------------------------

    def rulesets(self) -> list[TrafficFilter]:
        """All filters."""
        return self._cloud.filters()

    def attached(self, project_id: str) -> list[TrafficFilter]:
        """The filters of a project, in the order of its list."""
        by_id = {one.id: one for one in self._cloud.filters()}
        return [by_id[one] for one in self._project(project_id).filters]

    def add_policy(
        self,
        name: str,
        region: str,
        *,
        sources: tuple[str, ...] = ("198.51.100.0/24",),
        deployments: list[str] | None = None,
    ) -> TrafficFilter:
        """An IP filter as a person would have made it, in these projects' lists."""
        made = self._cloud.add_filter(name, region, *sources)
        for project_id in deployments or []:
            self.associate(made, project_id)
        return made

    def add_endpoint_policy(self, name: str, region: str, rules: list[dict[str, Any]], *projects: str) -> TrafficFilter:
        """A private endpoint's filter as a person would have made it, in these projects' lists."""
        lowered = [{**rule, "azure_endpoint_guid": rule["azure_endpoint_guid"].lower()} for rule in rules]
        made = self._cloud.add_endpoint_filter(name, region, lowered)
        for project_id in projects:
            self.associate(made, project_id)
        return made

    def delete_policy(self, policy_id: str) -> None:
        """What a person does in the console: the filter goes, out of all lists first."""
        for project in self._cloud.projects():
            if policy_id in project.filters:
                self.disassociate(policy_id, project.id)
        self._cloud.delete_filter(policy_id)

    # -- associations ----------------------------------------------------------------------------------------------

    def associations(self) -> set[tuple[str, str]]:
        """The ids of a filter and a project, for each entry of a list."""
        return {(one, project.id) for project in self._cloud.projects() for one in project.filters}

    def associate(self, policy: TrafficFilter, project_id: str) -> None:
        """Put a filter into a project's list, as a person does."""
        project = self._project(project_id)
        self._cloud.write_list(project, (*project.filters, policy.id))

    def disassociate(self, policy_id: str, project_id: str) -> None:
        """Take a filter out of a project's list, as a person or another tool does."""
        project = self._project(project_id)
        self._cloud.write_list(project, (one for one in project.filters if one != policy_id))

    def _project(self, project_id: str) -> Project:
        return next(one for one in self._cloud.projects() if one.id == project_id)


# -- an estate of this family --------------------------------------------------------------------------------------


def side_of(family: Family, organization: ElasticCloud) -> ElasticCloud:
    """An organization's part for a family, under the names of hosted deployments."""
    return organization if family is Family.HOSTED else cast("ElasticCloud", ProjectSide(organization))


def seed_projects(family: Family, world: World) -> None:
    """In each region a project without a filter and one with an office's, named as the deployments that are there."""
    if family is Family.HOSTED:
        return
    for organization in filter(None, (world.elastic, world.second)):
        side = ProjectSide(organization)
        for service in world.services.of_family(family):
            if organization is world.elastic:
                side.add_deployment(f"search-{service.region}", service.region)
            side.add_deployment(f"logs-{service.region}", service.region, ip_policy=True)


@cache
def services_for(family: Family) -> Services | None:
    """The services that come with the product, with those of projects in every region that tests name."""
    if family is Family.HOSTED:
        return None
    shipped = shipped_services()
    lacking = (region for region in VNET_REGIONS if shipped.of(Family.SERVERLESS, region) is None)
    return shipped.and_further(
        Service(
            Family.SERVERLESS,
            region,
            f"{region}-prod-privatelink-serverless.{uuid5(NAMESPACE_DNS, region)}.{region}.azure.privatelinkservice",
            f"private.{region}.azure.elastic.cloud",
        )
        for region in lacking
    )
