"""Elastic Cloud Hosted behind the port `PrivateConnections`: policies, their associations, deployments.

Made by `app`; the loop, the removal, the sweep and the doctor know the port only. A private connection policy is a
traffic filter *ruleset* of type `azure_private_endpoint` in the API. Reference: Elastic's guide "Network security
through the Elastic Cloud API" (elastic/docs-content, `deploy-manage/security/network-security-api.md`).
Creating a ruleset is the one call that is not idempotent, and nothing here repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from shared.clouds.elastic.hosted.claims import HostedClaims
from shared.clouds.elastic.transport import (
    ElasticOptions,
    ElasticTransport,
    KeySource,
    ensure_unchanged,
    is_unread,
    list_in,
    unusable_policy,
)
from shared.core.model.errors import AnswerLost, Forbidden, NotFound, RetryLater
from shared.core.model.json_values import entries, identifier, mapping, mappings, text, whole_number
from shared.core.model.markers import marker_from_description, updated_description
from shared.core.model.reasons import Reason
from shared.core.model.resources import POLICY_TYPE, Attached, Policy, Rule, Target
from shared.core.model.services import Family, Service, private_urls, region_of
from shared.core.model.steps import Associate, CreatePolicy, UpdatePolicy

if TYPE_CHECKING:
    import httpx

_RULESETS = "/deployments/traffic-filter/rulesets"
_NEVER_REGARDLESS = {"ignore_associations": "false"}
"""The default, said all the same: `true` would take the policy away from everybody who uses it (S4)."""
_PAGE = 250
_NAMES = 200
"""Names in one search: two clauses each, and Elasticsearch takes about a thousand."""


class HostedConnections(ElasticTransport):
    """One organization of Elastic Cloud Hosted, as its API key sees it."""

    def __init__(
        self, options: ElasticOptions, key: KeySource, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(options, key, transport)
        self.claims = HostedClaims(self)

    # -- policies --------------------------------------------------------------------------------------------------

    async def policies(self, region: str | None = None) -> tuple[Policy, ...]:
        """Every policy of a region (`azure-eastus2`), or of all, with its associations. The API has no pages here."""
        query = {"include_associations": "true"} | ({"region": region} if region else {})
        body = await self.call("GET", _RULESETS, doing="list policies", on=region or "all regions", params=query)
        found = (policy_of(mapping(entry)) for entry in list_in(body, "rulesets", "list policies"))
        return tuple(policy for policy in found if policy is not None)

    async def policy(self, policy_id: str) -> Policy | None:
        """One policy; None when it is gone: the API answers 404 for that, and at times 403, and the list lacks it."""
        path, query = f"{_RULESETS}/{policy_id}", {"include_associations": "true"}
        try:
            found = policy_of(await self.call("GET", path, doing="read the policy", on=policy_id, params=query))
        except NotFound:
            return None
        except Forbidden as error:
            if error.reason is not Reason.ELASTIC_RIGHTS_MISSING:
                raise  # without a key nothing is known of it
            if any(policy.id == policy_id for policy in await self.policies()):
                raise  # it is there, and the refusal was one: as gone it would be forgotten, and stay for ever
            return None
        if found is None:
            raise unusable_policy(policy_id)
        return found

    async def create_policy(self, step: CreatePolicy) -> str:
        """Create the policy and return its id. AnswerLost: it may exist; look for it before trying again."""
        rule = {"azure_endpoint_name": step.endpoint_name, "azure_endpoint_guid": step.endpoint_guid}
        body = {
            "name": step.name,
            "description": step.marker.description(),
            "type": POLICY_TYPE,
            "region": step.region,
            "include_by_default": False,
            "rules": [rule],
        }
        return await self.make_policy(_RULESETS, body)

    async def update_policy(self, step: UpdatePolicy) -> None:
        """Let the policy follow its endpoint. Read again first: a PUT replaces everything, and there is no ETag."""
        path, doing = f"{_RULESETS}/{step.policy_id}", "update the policy"
        current = await self.call("GET", path, doing=doing, on=step.policy_id)
        ensure_unchanged(current, step)
        await self.call("PUT", path, doing=doing, on=step.policy_id, body=updated_ruleset(current, step))

    async def delete_policy(self, policy_id: str) -> None:
        """Delete a policy that nothing is associated with, else the API refuses; one that is gone is no error."""
        doing = "delete the policy"
        try:
            await self.send("DELETE", f"{_RULESETS}/{policy_id}", doing=doing, on=policy_id, params=_NEVER_REGARDLESS)
        except NotFound:
            return
        except Forbidden:
            # Also the answer for a policy that no longer exists: the list tells which it is.
            if any(policy.id == policy_id for policy in await self.policies()):
                raise

    async def prepare_change(self, target_id: str) -> None:
        """Nothing: an association of a deployment needs no look."""

    async def disassociate(self, policy_id: str, target_id: str, seen: Attached | None = None) -> None:
        """Take an association away; one that is gone is no error."""
        del seen  # no write of this family is conditional
        path = f"{_RULESETS}/{policy_id}/associations/deployment/{target_id}"
        with suppress(NotFound):
            await self.send("DELETE", path, doing="disassociate the policy", on=target_id)

    async def associate(self, step: Associate, seen: Attached | None = None) -> bool:
        """Associate the policy with a deployment; True when it was not associated before."""
        del seen
        body = {"entity_type": "deployment", "id": step.target_id}
        response = await self.send(
            "POST",
            f"{_RULESETS}/{step.policy_id}/associations",
            doing="associate the policy",
            on=step.target_id,
            body=body,
        )
        return response.status_code == HTTPStatus.CREATED

    async def attached_to(self, target_id: str) -> Attached:
        """The policies attached to a deployment."""
        path = f"/deployments/traffic-filter/associations/deployment/{target_id}/rulesets"
        body = await self.call("GET", path, doing="read a deployment's policies", on=target_id)
        found = ids_in(list_in(body, "rulesets", "read a deployment's policies"))
        if found is None:  # what closes the deployment decides what may be taken away from it
            raise AnswerLost("Elastic Cloud's answer names a policy of the deployment by no id.", on=target_id)
        return Attached(found)

    async def is_unknown(self, target_id: str) -> bool:
        """Whether a deployment is not found by its id: it is gone, or the key has no role on it."""
        query = {"show_plans": "false", "show_metadata": "false"}
        try:
            await self.call("GET", f"/deployments/{target_id}", doing="read a deployment", on=target_id, params=query)
        except NotFound:
            return True
        except Forbidden as error:
            if error.reason is not Reason.ELASTIC_RIGHTS_MISSING:
                raise
        return False

    # -- deployments -----------------------------------------------------------------------------------------------

    async def targets(self, ids_or_names: Iterable[str], *, tag: str = "") -> tuple[Target, ...]:
        """Every deployment with one of these as its id or exact name, or with the tag, with any value.

        More of them than one query takes are picked from all that there are: that is fewer requests than many queries.
        """
        wanted = tuple(dict.fromkeys(ids_or_names))
        if not wanted and not tag:
            return ()
        if len(wanted) <= _NAMES:
            return await self._search(_query(wanted, tag))
        ids = {entry.lower() for entry in wanted}
        everything = await self.all_targets()
        return tuple(one for one in everything if one.id in ids or one.name in wanted or (tag and tag in one.tags))

    async def all_targets(self) -> tuple[Target, ...]:
        """Every deployment that the key may see."""
        return await self._search({"match_all": {}})

    async def state_of(self, target_id: str) -> str:
        """Empty: the search for deployments tells what they do."""
        del target_id
        return ""

    async def services(self) -> tuple[Service, ...]:
        """None: Elastic has no API that tells them for deployments, only its guide."""
        return ()

    async def _search(self, query: dict[str, Any]) -> tuple[Target, ...]:
        """All hits, page by page: as long as there is a cursor, and until all that match have come.

        What is not among them counts as not visible, so fewer than the answer says there are is no answer.
        """
        doing, request = "search deployments", {"query": query, "size": _PAGE, "sort": ["id"]}
        found: dict[str, Target] = {}
        came = 0
        while True:
            page = await self.call("POST", "/deployments/_search", doing=doing, on="deployments", body=request)
            entries = list_in(page, "deployments", doing)
            read = (deployment_of(mapping(entry), self.options.probe_port) for entry in entries)
            found |= {one.id: one for one in read if one is not None}
            came += len(entries)
            cursor, matches = page.get("cursor"), page.get("match_count")
            # The API may give fewer hits per page than asked for, so a short page is no end; the count is.
            missing = matches - came if isinstance(matches, int) else 0
            if missing <= 0 and isinstance(matches, int):
                return tuple(found.values())
            if not text(cursor) or not entries or cursor == request.get("cursor"):
                if missing:
                    what = f"Elastic Cloud answered {came} of {matches} deployments when asked to {doing}."
                    raise RetryLater(what, on="deployments", after=15.0)
                return tuple(found.values())
            request = {"cursor": cursor}


def _query(wanted: tuple[str, ...], tag: str) -> dict[str, Any]:
    """Any of the ids, exact names, aliases or cluster ids, or the tag.

    A wish by alias or cluster id fulfils nothing; that it was meant can be said.
    """
    terms: list[dict[str, Any]] = [
        {"term": {field: {"value": value}}}
        for entry in wanted
        for field, value in (
            ("id", entry.lower()),
            ("name.keyword", entry),
            ("alias", entry.lower()),
        )
    ]
    for entry in wanted:
        has_id = {"term": {"resources.elasticsearch.id": {"value": entry.lower()}}}
        terms.append({"nested": {"path": "resources.elasticsearch", "query": {"bool": {"filter": [has_id]}}}})
    if tag:
        has_tag = {"term": {"metadata.tags.key": {"value": tag}}}
        terms.append({"nested": {"path": "metadata.tags", "query": {"bool": {"filter": [has_tag]}}}})
    return {"bool": {"should": terms, "minimum_should_match": 1}}


def ids_in(found: object) -> tuple[str, ...] | None:
    """The ids in a list; None where one of them, or the list, cannot be read."""
    ids = tuple(map(identifier, entries(found)))
    return ids if isinstance(found, list) and all(ids) else None


def policy_of(body: Mapping[str, Any]) -> Policy | None:
    """A policy from the API's JSON, which may have nulls anywhere; None where it has no id.

    A rule or an association that cannot be read counts as one of others: it is there, and is nothing of ours.
    """
    policy_id, rules = identifier(body.get("id")), _listed(body.get("rules"))
    if not policy_id:
        return None
    named = [rule for rule in map(mapping, rules) if text(rule.get("azure_endpoint_guid"))]
    associations = tuple(
        identifier(entry.get("id"))
        for entry in mappings(body.get("associations"))
        if entry.get("entity_type") == "deployment" and identifier(entry.get("id"))
    )
    return Policy(
        id=policy_id,
        name=text(body.get("name")),
        type=text(body.get("type")),
        region=text(body.get("region")),
        include_by_default=bool(body.get("include_by_default")),
        description=text(body.get("description")),
        rules=tuple(Rule(text(rule.get("azure_endpoint_name")), text(rule["azure_endpoint_guid"])) for rule in named),
        associations=associations,
        marker=marker_from_description(body.get("description")),
        other_rules=len(rules) - len(named),
        hidden_associations=_hidden(body),
        unreadable=any(map(is_unread, rules)),
    )


def _listed(found: object) -> list[Any]:
    """A list; what stands in its place and is none is an entry that cannot be read."""
    return [] if found is None else found if isinstance(found, list) else [found]


def _hidden(body: Mapping[str, Any]) -> int:
    """How many associations are counted but not listed: with deployments that the key may not see."""
    listed, total = _listed(body.get("associations")), body.get("total_associations")
    unread = sum(not identifier(mapping(entry).get("id")) for entry in listed)
    counted = whole_number(total)
    if counted is None:
        return unread + (total is not None)
    return max(unread, counted - len(listed))


def updated_ruleset(current: Mapping[str, Any], step: UpdatePolicy) -> dict[str, Any]:
    """The complete body of a PUT that changes only what the step says: the API removes what is left out.

    Rules of others are sent back as they are, without their ids, which a PUT makes anew. Where none of the rules is one
    to be replaced, the endpoint's rule is added.
    """
    mine = {"azure_endpoint_name": step.endpoint_name, "azure_endpoint_guid": step.endpoint_guid}
    guids = {*step.replaces, step.endpoint_guid.lower()}
    others = [
        {name: value for name, value in rule.items() if name != "id" and value is not None}
        for rule in _rules_to_keep(current, step.policy_id)
        if text(rule.get("azure_endpoint_guid")).lower() not in guids
    ]
    return {
        "name": step.name,
        "description": updated_description(text(current.get("description")), step.marker),
        "type": current["type"],
        "region": current["region"],
        "include_by_default": bool(current.get("include_by_default")),
        "rules": [mine, *others],
    }


def _rules_to_keep(current: Mapping[str, Any], policy_id: str) -> list[Mapping[str, Any]]:
    """The rules as they were read; raises AnswerLost where the PUT would take away what could not be read."""
    rules = current.get("rules")
    if (
        not isinstance(rules, list)
        or not all(isinstance(rule, Mapping) for rule in rules)
        or not all(text(current.get(name)) for name in ("type", "region"))
    ):
        raise unusable_policy(policy_id)
    return rules


def deployment_of(body: Mapping[str, Any], port: int) -> Target | None:
    """A deployment from a search hit; None where it has no id, or tags that cannot be read: they say no, too."""
    metadata, filters = mapping(body.get("metadata")), mapping(body.get("settings")).get("traffic_filter_settings")
    tags = _tags(metadata.get("tags"))
    if not identifier(body.get("id")) or tags is None:
        return None
    return Target(
        id=identifier(body.get("id")),
        name=text(body.get("name")),
        region=region_of(body) or "",
        running=not metadata.get("hidden") and not _stopped(body),
        # Absent settings mean "unknown", never "no policies": the safety of S1 rests on the difference.
        attached=ids_in(mapping(filters).get("rulesets")),
        tags=tags,
        urls=private_urls(body, port=port),
        state=" and ".join(sorted(_states(body) - {"", "started"}))[:60],
        family=Family.HOSTED,
    )


def _tags(found: object) -> dict[str, str] | None:
    listed = _listed(found)
    if not all(isinstance(tag, Mapping) and text(tag.get("key")) for tag in listed):
        return None
    return {text(tag.get("key")): text(tag.get("value")) for tag in listed}


def _stopped(body: Mapping[str, Any]) -> bool:
    states = _states(body)
    return bool(states) and states <= {"stopped", "stopping"}


def _states(body: Mapping[str, Any]) -> set[str]:
    clusters = mappings(mapping(body.get("resources")).get("elasticsearch"))
    return {text(mapping(cluster.get("info")).get("status")).lower() for cluster in clusters}
