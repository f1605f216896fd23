"""The Elastic Cloud API: private connection policies, their associations, deployments.

Used by `observe`, `apply` and the sweep. A private connection policy is a traffic filter *ruleset* of type
`azure_private_endpoint` in the API. Reference: Elastic's guide "Network security through the Elastic Cloud API"
(elastic/docs-content, `deploy-manage/security/network-security-api.md`).
Creating a ruleset is the one call that is not idempotent, and nothing here repeats it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from shared.clouds.elastic_errors import elastic_error
from shared.core.errors import AnswerLost, Forbidden, NotFound, RetryLater
from shared.core.markers import marker_from_description
from shared.core.model import Deployment, Policy, Rule
from shared.core.plan_elastic import POLICY_TYPE
from shared.core.private_urls import private_urls, region_of
from shared.core.steps import Associate, CreatePolicy
from shared.correlation import Service, outgoing

if TYPE_CHECKING:
    import httpx

_RULESETS = "/deployments/traffic-filter/rulesets"
_PAGE = 100
_NAMES = 200
"""Names in one search: two clauses each, and Elasticsearch takes about a thousand."""


@dataclass(frozen=True, slots=True)
class ElasticOptions:
    """Where the API is; the key never appears in a text of ours."""

    url: str
    api_key: str
    timeout: float = 15.0
    """Seconds for one request."""
    probe_port: int = 9243
    """Port of the private URLs."""

    def __repr__(self) -> str:
        return f"ElasticOptions(url={self.url!r}, api_key=<secret>)"


class ElasticCloud:
    """One organization of Elastic Cloud, as its API key sees it."""

    def __init__(self, options: ElasticOptions, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._options = options
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self.key_expires: datetime | None = None
        """When the API key ends, as the last answer said; None: not known, or never."""

    # -- policies --------------------------------------------------------------------------------------------------

    async def policies(self, region: str | None = None) -> tuple[Policy, ...]:
        """Every policy of a region (`azure-eastus2`), or of all, with its associations. The API has no pages here."""
        query = {"include_associations": "true"} | ({"region": region} if region else {})
        body = await self._call("GET", _RULESETS, doing="list policies", on=region or "all regions", params=query)
        return tuple(policy_of(entry) for entry in _list_in(body, "rulesets", "list policies"))

    async def policy(self, policy_id: str) -> Policy | None:
        """One policy; None when it is gone: the API answers 404 for that, and at times 403."""
        path, query = f"{_RULESETS}/{policy_id}", {"include_associations": "true"}
        try:
            return policy_of(await self._call("GET", path, doing="read the policy", on=policy_id, params=query))
        except (NotFound, Forbidden):
            return None

    async def create_policy(self, step: CreatePolicy) -> str:
        """Create the policy and return its id. AnswerLost: it may exist; look for it before trying again.

        All of it takes at most the timeout: the caller's lease rests on that.
        """
        rule = {"azure_endpoint_name": step.endpoint_name, "azure_endpoint_guid": step.endpoint_guid}
        body = {
            "name": step.name,
            "description": step.marker.description(),
            "type": POLICY_TYPE,
            "region": step.region,
            "include_by_default": False,
            "rules": [rule],
        }
        doing = "create the private connection policy"
        try:
            async with asyncio.timeout(self._options.timeout):
                answer = await self._call("POST", _RULESETS, doing=doing, on=step.name, body=body)
        except TimeoutError as error:
            raise AnswerLost(f"Elastic Cloud did not answer in time when asked to {doing}.", on=step.name) from error
        policy_id = answer.get("id")
        if not isinstance(policy_id, str) or not policy_id:
            raise AnswerLost("Elastic Cloud created the policy but answered no id.", on=step.name)
        return policy_id

    async def associate(self, step: Associate) -> bool:
        """Associate the policy with a deployment; True when it was not associated before."""
        body = {"entity_type": "deployment", "id": step.deployment_id}
        response = await self._send(
            "POST",
            f"{_RULESETS}/{step.policy_id}/associations",
            doing="associate the policy",
            on=step.deployment_id,
            body=body,
        )
        return response.status_code == HTTPStatus.CREATED

    async def attached_to(self, deployment_id: str) -> tuple[str, ...]:
        """Ids of the policies attached to a deployment."""
        path = f"/deployments/traffic-filter/associations/deployment/{deployment_id}/rulesets"
        body = await self._call("GET", path, doing="read a deployment's policies", on=deployment_id)
        return tuple(str(entry) for entry in _list_in(body, "rulesets", "read a deployment's policies"))

    # -- deployments -----------------------------------------------------------------------------------------------

    async def deployments(self, ids_or_names: Iterable[str]) -> tuple[Deployment, ...]:
        """Every deployment that has one of these as its id or its exact name."""
        wanted = tuple(dict.fromkeys(ids_or_names))
        pages = [await self._search(wanted[at : at + _NAMES]) for at in range(0, len(wanted), _NAMES)]
        return tuple({deployment.id: deployment for page in pages for deployment in page}.values())

    async def _search(self, wanted: tuple[str, ...]) -> tuple[Deployment, ...]:
        terms = [
            {"term": {field: {"value": value}}}
            for entry in wanted
            for field, value in (("id", entry.lower()), ("name.keyword", entry))
        ]
        query: dict[str, Any] = {"bool": {"should": terms, "minimum_should_match": 1}}
        request: dict[str, Any] = {"query": query, "size": _PAGE, "sort": ["id"]}
        found: dict[str, Deployment] = {}
        while True:
            page = await self._call(
                "POST", "/deployments/_search", doing="search deployments", on=", ".join(wanted)[:200], body=request
            )
            entries = _list_in(page, "deployments", "search deployments")
            for entry in entries:
                deployment = deployment_of(entry, self._options.probe_port)
                found[deployment.id] = deployment
            cursor = page.get("cursor")
            if not cursor or len(entries) < _PAGE or cursor == request.get("cursor"):
                return tuple(found.values())
            request = {"cursor": cursor}

    # -- transport -------------------------------------------------------------------------------------------------

    async def _call(self, method: str, path: str, *, doing: str, on: str, **options: Any) -> Mapping[str, Any]:
        response = await self._send(method, path, doing=doing, on=on, **options)
        try:
            body = response.json()
        except ValueError as error:
            raise AnswerLost(f"Elastic Cloud's answer is no JSON when asked to {doing}.", on=on) from error
        if not isinstance(body, dict):
            raise AnswerLost(f"Elastic Cloud's answer is no JSON object when asked to {doing}.", on=on)
        return body

    async def _send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        on: str,
        params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> httpx.Response:
        import httpx  # noqa: PLC0415 - imported when first used

        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = outgoing(Service.ELASTIC) | ({} if body is None else {"Content-Type": "application/json"})
        try:
            response = await self._http().request(method, path, params=params, content=content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise RetryLater(f"Elastic Cloud could not be reached to {doing}.", on=on) from error
        except httpx.HTTPError as error:
            raise AnswerLost(f"Elastic Cloud's answer was lost when asked to {doing}.", on=on) from error
        self.key_expires = _moment(response.headers.get("x-elastic-api-key-expiration")) or self.key_expires
        if not response.is_success:
            raise elastic_error(response.status_code, response.text, response.headers, doing=doing, on=on)
        return response

    def _http(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 - imported when first used

        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=f"{self._options.url.rstrip('/')}/api/v1",
                headers={"Authorization": f"ApiKey {self._options.api_key}", "Accept": "application/json"},
                timeout=self._options.timeout,
                transport=self._transport,
            )
        return self._client

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _moment(text: str | None) -> datetime | None:
    """A time with its zone; anything else is not understood, and no reason to fail."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else None


def _list_in(body: Mapping[str, Any], name: str, doing: str) -> list[Any]:
    """A list that must be there: "no list" and "an empty list" lead to opposite decisions."""
    found = body.get(name)
    if not isinstance(found, list):
        raise AnswerLost(f"Elastic Cloud's answer has no list of {name} when asked to {doing}.", after=15.0)
    return found


def policy_of(body: Mapping[str, Any]) -> Policy:
    """A policy from the API's JSON, which may have nulls anywhere."""
    rules = [rule for rule in body.get("rules") or [] if isinstance(rule, Mapping)]
    associations = (entry for entry in body.get("associations") or [] if isinstance(entry, Mapping))
    return Policy(
        id=str(body.get("id") or ""),
        name=str(body.get("name") or ""),
        type=str(body.get("type") or ""),
        region=str(body.get("region") or ""),
        include_by_default=bool(body.get("include_by_default")),
        description=str(body.get("description") or ""),
        rules=tuple(
            Rule(str(rule.get("azure_endpoint_name") or ""), str(rule["azure_endpoint_guid"]))
            for rule in rules
            if rule.get("azure_endpoint_guid")
        ),
        associations=tuple(str(a["id"]) for a in associations if a.get("entity_type") == "deployment" and a.get("id")),
        marker=marker_from_description(body.get("description")),
        other_rules=sum(not rule.get("azure_endpoint_guid") for rule in rules),
    )


def deployment_of(body: Mapping[str, Any], port: int) -> Deployment:
    """A deployment from a search hit."""
    metadata = body.get("metadata") or {}
    filters = (body.get("settings") or {}).get("traffic_filter_settings")
    attached = filters.get("rulesets") if isinstance(filters, Mapping) else None
    tags = (tag for tag in metadata.get("tags") or [] if isinstance(tag, Mapping))
    return Deployment(
        id=str(body.get("id") or ""),
        name=str(body.get("name") or ""),
        region=region_of(body) or "",
        running=not metadata.get("hidden") and not _stopped(body),
        # Absent settings mean "unknown", never "no policies": the safety of S1 rests on the difference.
        attached=None if attached is None else tuple(str(policy_id) for policy_id in attached),
        tags={str(tag.get("key")): str(tag.get("value")) for tag in tags},
        urls=private_urls(body, port=port),
    )


def _stopped(body: Mapping[str, Any]) -> bool:
    clusters = (body.get("resources") or {}).get("elasticsearch") or []
    states = {str(((cluster or {}).get("info") or {}).get("status") or "").lower() for cluster in clusters}
    return bool(states) and states <= {"stopped", "stopping"}
