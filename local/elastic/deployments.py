"""The deployments of the organization: made by seeds and tests, changed through the API; kept by `ElasticCloud`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from local.elastic.errors import ApiError, no_such_deployment
from local.elastic.model import api_region

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from local.clock import LoopClock

STATES = ("initializing", "stopping", "stopped", "rebooting", "restarting", "reconfiguring", "started")
"""Of a deployment's resources, as the API's reference has them."""
ALIAS_HELD = timedelta(days=30)
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 64, 32, 128
# Host label of each product and the resource it leads to; the UUID form of Elasticsearch and Kibana has no label.
PRODUCTS = {
    "es": "elasticsearch",
    "kb": "kibana",
    "apm": "integrations",
    "fleet": "integrations",
    "ingest": "integrations",
    "ent": "enterprise_search",
}
# The labels of hosts. In the UUID form Enterprise Search has another one than in the alias form.
LABELS = {product: product for product in PRODUCTS} | {"ent-search": "ent"}


@dataclass(slots=True)
class Deployment:
    """One Elastic Cloud Hosted deployment: Elasticsearch, Kibana, an Integrations Server, perhaps Enterprise Search."""

    id: str
    name: str
    region: str
    alias: str | None
    elasticsearch_id: str
    kibana_id: str
    integrations_id: str
    changed_at: datetime
    enterprise_search_id: str = ""
    """Empty: it has none, as every deployment since version 9."""
    tags: dict[str, str] = field(default_factory=dict)
    hidden: bool = False
    status: str = "started"
    """One of `STATES`; only "started" and "stopped" are reached over the API."""
    version: int = 1
    unwell: set[str] = field(default_factory=set)
    """Labels of the products whose instances are down, though the API says that they run."""
    product_aliases: dict[str, str] = field(default_factory=dict)
    """Label of a product -> its own alias where it is not the deployment's; an empty one: it has none."""
    switched_off: set[str] = field(default_factory=set)
    """Labels of the products that were shut down; Elasticsearch goes by `status`, with all the others."""

    @property
    def azure_region(self) -> str:
        """The region without Elastic's `azure-`."""
        return self.region.removeprefix("azure-")

    @property
    def healthy(self) -> bool:
        """A deployment that runs is well."""
        return self.status == "started"

    def resource_id(self, product: str) -> str:
        """Id of the resource that serves a product label."""
        kind = PRODUCTS[product]
        ids = {
            "elasticsearch": self.elasticsearch_id,
            "kibana": self.kibana_id,
            "enterprise_search": self.enterprise_search_id,
        }
        return ids.get(kind, self.integrations_id)

    def runs(self, product: str, states: Collection[str] = ("started",)) -> bool:
        """Whether the resource that serves a product label is there and in one of these states."""
        return bool(self.resource_id(product)) and self.status_of(product) in states

    def status_of(self, product: str) -> str:
        """State of the resource that serves a product label."""
        off = PRODUCTS[product] in {PRODUCTS[label] for label in self.switched_off}
        return "stopped" if off else self.status

    def uuid_host(self, product: str) -> str:
        """Public host by resource id."""
        label = {"es": "", "kb": "", "ent": ".ent-search"}.get(product, f".{product}")
        return f"{self.resource_id(product)}{label}.{self.azure_region}.azure.elastic-cloud.com"

    def alias_of(self, product: str) -> str | None:
        """The alias under which a product answers: the deployment's, its own, or none."""
        return self.product_aliases.get(product, self.alias) or None

    def alias_host(self, product: str) -> str | None:
        """Public host by alias, when there is one."""
        alias = self.alias_of(product)
        return f"{alias}.{product}.{self.azure_region}.azure.elastic-cloud.com" if alias else None

    def private_host(self, product: str = "es") -> str:
        """Host to use over the private link: by alias, else by resource id."""
        public = self.alias_host(product) or self.uuid_host(product)
        region = f".{self.azure_region}.azure.elastic-cloud.com"
        return public.removesuffix(region) + f".privatelink{region}"


class DeploymentBook:
    """All deployments, and the aliases that are taken."""

    def __init__(self, clock: LoopClock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._deployments: dict[str, Deployment] = {}
        self._held: dict[tuple[str, str], tuple[str, datetime]] = {}

    def new_id(self) -> str:
        """32 hex characters, as Elastic's ids are."""
        return f"{self._random.getrandbits(128):032x}"

    def all(self) -> list[Deployment]:
        """In the order they were made."""
        return list(self._deployments.values())

    def find(self, deployment_id: str) -> Deployment | None:
        """By id; ids are lower case."""
        return self._deployments.get(deployment_id)

    def get(self, deployment_id: str) -> Deployment:
        """By id, or the API's 404."""
        found = self.find(deployment_id)
        if found is None:
            raise no_such_deployment(deployment_id)
        return found

    def add(
        self, name: str, region: str, alias: str | None, tags: dict[str, str], *, enterprise_search: bool = False
    ) -> Deployment:
        """A new running deployment; without an alias given its own is made from the name, as Elastic does."""
        region = api_region(region)
        deployment = Deployment(
            id=self.new_id(),
            name=name,
            region=region,
            alias=None,
            elasticsearch_id=self.new_id(),
            kibana_id=self.new_id(),
            integrations_id=self.new_id(),
            changed_at=self._clock.now(),
            enterprise_search_id=self.new_id() if enterprise_search else "",
            tags=dict(tags),
        )
        self.set_alias(
            deployment, alias if alias is not None else f"{name}-{deployment.id[:6]}".lower().replace(" ", "-")
        )
        self._deployments[deployment.id] = deployment
        return deployment

    def remove(self, deployment_id: str) -> None:
        """Gone for good, as long after a shutdown."""
        del self._deployments[deployment_id]

    def touched(self, deployment: Deployment) -> None:
        """Note a change: the version that the API shows goes up."""
        deployment.version += 1
        deployment.changed_at = self._clock.now()

    def set_tags(self, deployment: Deployment, tags: list[dict[str, str]]) -> None:
        """Replace all tags, within the documented limits."""
        if len(tags) > MAX_TAGS:
            message = f"The number of tags exceeds the maximum of {MAX_TAGS} allowed per deployment."
            raise ApiError(400, "deployments.too_many_tags", message)
        if any(len(tag["key"]) > MAX_TAG_KEY or len(tag["value"]) > MAX_TAG_VALUE for tag in tags):
            message = (
                f"A tag key exceeds the maximum of {MAX_TAG_KEY} characters or a tag value exceeds the maximum of "
                f"{MAX_TAG_VALUE} characters."
            )
            raise ApiError(400, "deployments.lengthy_key_or_value", message)
        deployment.tags = {tag["key"]: tag["value"] for tag in tags}

    def set_alias(self, deployment: Deployment, alias: str) -> None:
        """Give, change or (with an empty text) remove an alias; the old one stays held for this deployment."""
        if alias and self._taken(deployment, alias):
            message = f"The alias [{alias}] is already in use in region [{deployment.region}]."
            raise ApiError(400, "deployments.deployment_alias_not_unique", message, ("alias",))
        if deployment.alias and deployment.alias != alias:
            self._held[deployment.region, deployment.alias] = (deployment.id, self._clock.now() + ALIAS_HELD)
        deployment.alias = alias or None

    def _taken(self, deployment: Deployment, alias: str) -> bool:
        others = (d for d in self._deployments.values() if d.id != deployment.id and d.region == deployment.region)
        if any(other.alias == alias for other in others):
            return True
        holder, until = self._held.get((deployment.region, alias), (deployment.id, self._clock.now()))
        return holder != deployment.id and self._clock.now() < until
