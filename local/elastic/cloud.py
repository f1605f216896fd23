"""Elastic Cloud as one object: what `local.simulators` builds, tests call, and `uvicorn` serves through `.app`."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from local.elastic.approval import Approval
from local.elastic.deployments import Deployment, DeploymentBook
from local.elastic.gateway import KEY_LIFE, Gateway
from local.elastic.model import (
    AZURE_PRIVATE_ENDPOINT,
    EndpointDirectory,
    ProxyAnswer,
    RequestRecord,
    Ruleset,
    api_region,
    serverless_region,
    service_region,
)
from local.elastic.operations import operations
from local.elastic.proxy import Proxy
from local.elastic.serverless import ServerlessCloud, ServerlessRegion, ServerlessSettings
from local.elastic.serverless.proxy import ENDING
from local.elastic.settings import ElasticSettings
from local.elastic.traffic_filters import TrafficFilters

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from starlette.types import ASGIApp

    from local.clock import LoopClock
    from local.elastic.history import HistoryEvent
    from local.elastic.serverless.cloud import State as ServerlessState
    from local.elastic.traffic_filters import State


class ElasticCloud:
    """One organization in Elastic Cloud, with its API, its approvals and its proxy."""

    def __init__(
        self,
        clock: LoopClock,
        *,
        endpoints: EndpointDirectory,
        regions: Collection[str],
        settings: ElasticSettings | None = None,
        api_key: str = "local-elastic-api-key",
        random: Random | None = None,
        serverless: ServerlessSettings | None = None,
        serverless_regions: Iterable[ServerlessRegion] = (),
    ) -> None:
        """`regions`: the Azure regions that have hosted deployments; `serverless_regions`: those with projects."""
        self._clock = clock
        self.settings = settings or ElasticSettings()
        self._endpoints = endpoints
        self._book = DeploymentBook(clock, random or Random(0))
        self._approval = Approval(clock, self.settings, endpoints, self._rules_for)
        self._filters = TrafficFilters(
            clock, self.settings, self._book, regions, knows=self._approval.knows, changed=self.evaluate
        )
        self._proxy = Proxy(self.settings, self._book, self._filters, self._alias_of)
        self.serverless = ServerlessCloud(
            clock,
            self.settings,
            serverless or ServerlessSettings(),
            serverless_regions,
            new_id=self._book.new_id,
            record=self._filters.record,
            changed=self.evaluate,
            alias_of=self._alias_of,
        )
        table = [*operations(self.settings, self._book, self._filters), *self.serverless.operations()]
        self._gateway = Gateway(clock, self.settings, api_key, table)
        changes = getattr(endpoints, "changes", None)
        if changes is not None:
            changes.append(self.evaluate)

    @property
    def app(self) -> ASGIApp:
        """The API as an ASGI app, below `/api/v1`."""
        return self._gateway.app

    @property
    def api_key(self) -> str:
        """The key that is accepted now."""
        return self._gateway.api_key

    def renew_key(self, key: str) -> None:
        """Another key in place of the present one, with a life of its own, as a person makes in the console."""
        self._gateway.api_key = key
        self.settings.api_key_expires_at = self._clock.now() + KEY_LIFE

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request that was answered, in order."""
        return self._gateway.requests

    @property
    def history(self) -> list[HistoryEvent]:
        """Every change of a policy or association, in order; see `local.elastic.history` for questions to it."""
        return self._filters.history

    @property
    def listeners(self) -> list[Callable[[HistoryEvent], None]]:
        """Called with each change of a policy or association, at the moment at which it takes effect."""
        return self._filters.listeners

    def snapshot(self) -> tuple[State, ServerlessState]:
        """All policies, associations and claims, of both families, for `shown_as`."""
        return self._filters.snapshot(), self.serverless.snapshot()

    @contextmanager
    def shown_as(self, state: tuple[State, ServerlessState]) -> Iterator[None]:
        """Let reads show an earlier state: this service's reads lag behind."""
        with self._filters.shown_as(state[0]), self.serverless.shown_as(state[1]):
            yield

    def rulesets(self) -> list[Ruleset]:
        """All policies, also those that readers are not shown yet."""
        return list(self._filters.rulesets.values())

    def attached(self, deployment_id: str) -> list[Ruleset]:
        """The policies associated with a deployment."""
        return self._filters.attached(deployment_id)

    def claims(self) -> list[dict[str, Any]]:
        """The endpoints this organization claims."""
        return list(self._filters.claims.values())

    def deployments(self) -> list[Deployment]:
        """All deployments."""
        return self._book.all()

    def deployment(self, deployment_id: str) -> Deployment | None:
        """One deployment by id."""
        return self._book.find(deployment_id)

    def add_deployment(
        self,
        name: str,
        region: str,
        *,
        alias: str | None = None,
        ip_policy: bool = False,
        enterprise_search: bool = False,
        tags: dict[str, str] | None = None,
    ) -> Deployment:
        """A new deployment; with `ip_policy` it has a policy for a documentation range. `alias=""` makes none."""
        deployment = self._book.add(name, region, alias, tags or {}, enterprise_search=enterprise_search)
        for ruleset in self.rulesets():
            if ruleset.include_by_default and ruleset.region == deployment.region:
                self._filters.attach(ruleset, deployment.id)
        if ip_policy:
            self.add_policy(f"{name}-office", region, deployments=[deployment.id])
        return deployment

    def remove_deployment(self, deployment_id: str, *, stays_associated: bool = False) -> None:
        """A deployment that is not even listed any more; `stays_associated`: its policies go on listing it."""
        self._book.remove(deployment_id)
        if stays_associated or self.settings.associations_of_deleted == "listed":
            return
        for ruleset in self._filters.attached(deployment_id):
            self._filters.disassociate(ruleset.id, "deployment", deployment_id)

    def add_ruleset(
        self, name: str, region: str, kind: str, rules: list[dict[str, Any]], deployments: list[str]
    ) -> Ruleset:
        """A policy of any type, as a person makes it in the console."""
        request = {
            "name": name,
            "type": kind,
            "region": api_region(region),
            "include_by_default": False,
            "rules": rules,
        }
        ruleset = self._filters.rulesets[self._filters.create(request)["id"]]
        for deployment_id in deployments:
            self._filters.attach(ruleset, deployment_id)
        return ruleset

    def add_policy(
        self,
        name: str,
        region: str,
        *,
        sources: tuple[str, ...] = ("198.51.100.0/24",),
        deployments: list[str] | None = None,
    ) -> Ruleset:
        """An IP policy as a person would have made it, attached to these deployments."""
        rules = [{"source": source} for source in sources]
        return self.add_ruleset(name, region, "ip", rules, deployments or [])

    def add_endpoint_policy(self, name: str, region: str, rules: list[dict[str, Any]], *deployments: str) -> Ruleset:
        """A private connection policy as a person would have made it, associated with these deployments."""
        return self.add_ruleset(name, region, AZURE_PRIVATE_ENDPOINT, rules, list(deployments))

    def delete_policy(self, policy_id: str) -> None:
        """What a person does in the console: the policy goes, and its associations go with it."""
        self._filters.delete(policy_id, ignore_associations=True)

    def associations(self) -> set[tuple[str, str]]:
        """The ids of a policy and a deployment, for each association in force."""
        return set(self._filters.associations)

    def associate(self, policy: Ruleset, deployment_id: str) -> None:
        """Put a policy in force for a deployment, as a person does; no rule of the API stops it."""
        self._filters.attach(policy, deployment_id)

    def disassociate(self, policy_id: str, deployment_id: str) -> None:
        """Take a policy away from a deployment, as a person or another tool does."""
        self._filters.disassociate(policy_id, "deployment", deployment_id)

    def claim(self, link: dict[str, Any]) -> None:
        """Claim an endpoint for the organization; `link` is the body of the API's request."""
        self._filters.claim(link)

    def unclaim(self, link: dict[str, Any]) -> None:
        """Give a claim up."""
        self._filters.unclaim(link)

    def set_alias(self, deployment: Deployment, alias: str) -> None:
        """Give a deployment another alias, as a person does; without one its ids are its names."""
        self._book.set_alias(deployment, alias)

    def evaluate(self) -> None:
        """Look again at which endpoints to approve; called by itself where Azure's side announces changes."""
        self._approval.evaluate()

    def decide(self, host: str, endpoint_guid: str, path: str = "/") -> ProxyAnswer:
        """What the proxy answers to a request for a private host through the endpoint with this GUID."""
        decide = self.serverless.decide if _of_a_project(host) else self._proxy.decide
        return decide(host, endpoint_guid, path)

    def decide_public(self, host: str, client_ip: str) -> ProxyAnswer:
        """What the proxy answers to a request for a public host from this address of the internet."""
        decide = self.serverless.decide_public if _of_a_project(host) else self._proxy.decide_public
        return decide(host, client_ip)

    def _rules_for(self, alias: str | None) -> list[dict[str, Any]] | None:
        """The rules that may admit an endpoint of this alias: a policy of one family never stands for the other's."""
        region, other = service_region(alias), serverless_region(alias)
        if other is not None:
            return self.serverless.rules_for(other)
        if region is None:
            return None
        return [rule for one in self.rulesets() if one.region == f"azure-{region}" and one.guids for rule in one.rules]

    def _alias_of(self, endpoint_guid: str) -> str | None:
        wanted = endpoint_guid.lower()
        return next((e.alias for e in self._endpoints.private_endpoints() if e.resource_guid.lower() == wanted), None)


def _of_a_project(host: str) -> bool:
    return host.lower().rstrip(".").endswith(ENDING)
