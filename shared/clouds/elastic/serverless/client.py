"""Elastic Cloud Serverless behind the port `PrivateConnections`: policies, projects and their lists of filters.

A private connection policy is a traffic filter of type `private_endpoint`. It does not know who uses it: the projects'
lists do. Reference: Elastic's guide "Network security through the Elastic Cloud API" (elastic/docs-content,
`deploy-manage/security/network-security-api.md`). Creating a filter is the one call that is not idempotent, and nothing
here repeats it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from shared.clouds.elastic.serverless.bodies import (
    create_body,
    filters_of,
    policy_of,
    project_of,
    service_of,
    update_body,
)
from shared.clouds.elastic.serverless.project_lists import RUNNING, ProjectLists
from shared.clouds.elastic.transport import (
    ElasticOptions,
    ElasticTransport,
    KeySource,
    ensure_unchanged,
    list_in,
    unusable_policy,
)
from shared.core.model.errors import AnswerLost, Forbidden, NotFound
from shared.core.model.json_values import identifier, text
from shared.core.model.resources import Attached, Policy, Target
from shared.core.model.services import Service
from shared.core.model.steps import Associate, CreatePolicy, UpdatePolicy

if TYPE_CHECKING:
    import httpx

_FILTERS = "/serverless/traffic-filters"
_NEXT_PAGE = "X-Elastic-Next-Page"
_MOST_PAGES = 1_000


class ServerlessConnections(ElasticTransport):
    """One organization of Elastic Cloud Serverless, as its API key sees it."""

    claims = None
    """Elastic documents none for this family."""

    def __init__(
        self, options: ElasticOptions, key: KeySource, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(options, key, transport)
        self._projects = ProjectLists(self)

    # -- policies --------------------------------------------------------------------------------------------------

    async def policies(self, region: str | None = None) -> tuple[Policy, ...]:
        """Every policy of a region (`azure-eastus2`), or of all, with the projects that have it."""
        plain, defaults, projects = await asyncio.gather(
            self._filters(region, by_default=False), self._filters(region, by_default=True), self._projects.all()
        )
        # What the query's flag leaves out is not documented: both answers together are all there are.
        bodies = {identifier(one.get("id")): one for one in (*plain, *defaults)}
        users = _users(projects)
        found = (policy_of(body, users.get(policy_id, ())) for policy_id, body in bodies.items())
        return tuple(one for one in found if one is not None)

    async def policy(self, policy_id: str) -> Policy | None:
        """One policy; None when it is gone."""
        path, doing = f"{_FILTERS}/{policy_id}", "read the policy"
        try:
            body, projects = await asyncio.gather(
                self.call("GET", path, doing=doing, on=policy_id), self._projects.all()
            )
        except NotFound:
            return None
        found = policy_of(body, _users(projects).get(policy_id, ()))
        if found is None:
            raise unusable_policy(policy_id)
        return found

    async def create_policy(self, step: CreatePolicy) -> str:
        """Create the policy and return its id. AnswerLost: it may exist; look for it before trying again."""
        return await self.make_policy(_FILTERS, create_body(step))

    async def update_policy(self, step: UpdatePolicy) -> None:
        """Let the policy follow its endpoint. Read again first: rules are replaced as a whole."""
        path, doing = f"{_FILTERS}/{step.policy_id}", "update the policy"
        current = await self.call("GET", path, doing=doing, on=step.policy_id)
        ensure_unchanged(current, step)
        if not isinstance(rules := current.get("rules"), list) or not all(isinstance(rule, Mapping) for rule in rules):
            raise unusable_policy(step.policy_id)  # what could not be read the PATCH would take away
        await self.call("PATCH", path, doing=doing, on=step.policy_id, body=update_body(current, step))

    async def delete_policy(self, policy_id: str) -> None:
        """Delete a policy that no project has, else the API refuses; one that is gone is no error."""
        try:
            await self.send("DELETE", f"{_FILTERS}/{policy_id}", doing="delete the policy", on=policy_id)
        except NotFound:
            return
        except Forbidden:
            # Declared for this call alone, without saying when: the list tells whether it is gone.
            if any(policy.id == policy_id for policy in await self.policies()):
                raise

    # -- projects --------------------------------------------------------------------------------------------------

    async def targets(self, ids_or_names: Iterable[str], *, tag: str = "") -> tuple[Target, ...]:
        """Every project with one of these as its id or exact name, or with the tag, with any value."""
        wanted = set(ids_or_names)
        if not wanted and not tag:
            return ()
        ids = {entry.lower() for entry in wanted}
        everything = await self.all_targets()
        return tuple(one for one in everything if one.id in ids or one.name in wanted or (tag and tag in one.tags))

    async def all_targets(self) -> tuple[Target, ...]:
        """Every project that the key may see."""
        found = (project_of(body) for body in await self._projects.all())
        return tuple(one for one in found if one is not None)

    async def is_unknown(self, target_id: str) -> bool:
        """Whether no project of any type is found by this id: it is gone, or the key has no role on it."""
        return await self._projects.is_unknown(target_id)

    async def state_of(self, target_id: str) -> str:
        """The phase of a project, which no list tells; empty where it runs."""
        phase = await self._projects.phase(target_id)
        return "" if phase == RUNNING else phase

    async def attached_to(self, target_id: str) -> Attached:
        """The policies that a project has, and the version of the list."""
        found = await self._projects.version(target_id)
        return Attached(found.filters, found.etag)

    async def prepare_change(self, target_id: str) -> None:
        """Whether a project runs, and its list can be guarded."""
        await self._projects.prepare(target_id)

    async def associate(self, step: Associate, seen: Attached | None = None) -> bool:
        """Add the policy to a project's list; True when it was not there before."""
        return await self._projects.change(
            step.target_id, lambda ids: ids if step.policy_id in ids else (*ids, step.policy_id), seen
        )

    async def disassociate(self, policy_id: str, target_id: str, seen: Attached | None = None) -> None:
        """Take the policy out of a project's list; where it is not, that is no error."""
        await self._projects.change(target_id, lambda ids: tuple(one for one in ids if one != policy_id), seen)

    # -- services --------------------------------------------------------------------------------------------------

    async def services(self) -> tuple[Service, ...]:
        """The regions with Private Link, with alias and zone: https://www.elastic.co/docs/api/doc/elastic-cloud-serverless."""
        doing, query = "list the regions with Private Link", {"csp": "azure"}
        body = await self.call("GET", f"{_FILTERS}/metadata", doing=doing, on="azure", params=query)
        found = (service_of(one) for one in list_in(body, "regions", doing) if isinstance(one, Mapping))
        return tuple(one for one in found if one is not None)

    async def aclose(self) -> None:
        """Close the connections."""
        self._projects.close()
        await super().aclose()

    async def _filters(self, region: str | None, *, by_default: bool) -> list[Mapping[str, Any]]:
        """All filters that the API shows for one position of its flag, to the last page; a page may be empty."""
        doing = "list policies"
        query = {"include_by_default": "true" if by_default else "false"} | ({"region": region} if region else {})
        found, token, seen = list[Mapping[str, Any]](), "", set[str]()
        while len(seen) < _MOST_PAGES:
            headers = {_NEXT_PAGE: token} if token else {}
            answer = await self.send("GET", _FILTERS, doing=doing, on=region or "all", params=query, headers=headers)
            body = self.object_in(answer, doing, region or "all")
            found += [one for one in list_in(body, "items", doing) if isinstance(one, Mapping)]
            token = text(body.get("next_page")) or answer.headers.get(_NEXT_PAGE, "")
            if not token:
                return found
            if token in seen:
                break
            seen.add(token)
        # An incomplete list would make a policy missing that is there.
        raise AnswerLost("Elastic Cloud's list of policies has no end.", on=region or "all")


def _users(projects: tuple[Mapping[str, Any], ...]) -> dict[str, tuple[str, ...]]:
    """The projects that have each filter."""
    users: dict[str, tuple[str, ...]] = {}
    for project in projects:
        for one in filters_of(project) or ():
            users[one] = (*users.get(one, ()), identifier(project.get("id")))
    return users
