"""Where a random walk takes place: an estate, the endpoints that may be in it, and what people's hands are on.

Made by `story`; changed by `people_azure`, `people_network`, `people_elastic` and `hosting`; judged by `watch` and
`ending`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from local.arm import DEFAULT_SUBSCRIPTION
from local.arm.model import PrivateDnsZone, PrivateEndpoint, VirtualNetworkLink
from local.elastic.deployments import Deployment
from local.elastic.model import Ruleset
from local.world import HUB_VNET, NETWORK_API, OWN_VNET, vnet_id
from tests.harness.estate import Estate
from tests.harness.wire import Faults, no_faults
from tests.harness.worker import Worker

DNS_API = "2024-06-01"
OURS = "elastic-privatelink-instance"
"""Name of the tag or metadata, and part of the description, that marks what the app made."""
INSTANCE = "autopilot"
ZONE_GROUPS = tuple(f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/{name}" for name in ("rg-dns", "rg-dns-2"))
"""Where zones are made, in scenes that say so."""


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint that may be made: where, and to which region of Elastic Cloud."""

    name: str
    group: str
    region: str
    vnet: str

    @property
    def id(self) -> str:
        """Its ARM id."""
        prefix = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/{self.group}"
        return f"{prefix}/providers/Microsoft.Network/privateEndpoints/{self.name}"


PLACES = (
    Place("pe-a", "rg-apps", "eastus2", vnet_id("eastus2")),
    Place("pe-b", "rg-apps", "eastus2", vnet_id("eastus2")),
    Place("pe-c", "rg-team", "eastus2", vnet_id("westeurope")),
    Place("pe-d", "rg-west", "westeurope", vnet_id("westeurope")),
)
DEPLOYMENTS = ("logs-eastus2", "search-eastus2", "logs-westeurope", "search-westeurope", "extra")
"""Names that people put into tags; `extra` is in eastus2 and has an IP policy."""


class Refused(Exception):
    """A cloud refused what a person wanted: what they saw is no longer, or not yet, there."""


class WatchedEstate(Estate):
    """An estate of which every worker's every call passes by one place."""

    def __init__(self, **options: Any) -> None:
        self.hook: Faults = no_faults
        super().__init__(**options)

    def new_worker(self, faults: Faults = no_faults, **settings: str) -> Worker:
        """A function process; `faults` besides those of the hook."""
        return super().new_worker(lambda call: self.hook(call) or faults(call), **settings)


Pair = tuple[str, str]
"""A policy's id and a deployment's."""
Deed = Callable[["Scene", Random], Awaitable[str | None]]
"""Something that is done: what it was, in words; None when there was nothing to do it to."""


@dataclass(slots=True)
class Scene:
    """Everything that a step may look at or change."""

    estate: WatchedEstate
    alive: dict[str, Place] = field(default_factory=dict)
    """Endpoints that a person made and did not delete, by name."""
    gone_at: dict[str, datetime] = field(default_factory=dict)
    """When the endpoint of a name was last deleted, as far as the app could notice: its grace period began."""
    unseen: set[str] = field(default_factory=set)
    """Endpoints that were made again and that no worker has read since: if they go again, no worker can tell."""
    connection_guids: dict[str, set[str]] = field(default_factory=dict)
    """Every GUID that the endpoint of a name ever had, lower case."""
    former_names: dict[str, set[str]] = field(default_factory=dict)
    """Names that a deployment had, by its id."""
    given_back: set[Pair] = field(default_factory=set)
    """Associations that were ours and that a person made again: no worker can tell whose they are."""
    claims_given_back: set[str] = field(default_factory=set)
    """GUIDs whose claim was ours and that a person claimed again: no worker can tell whose that is."""
    paused_until: datetime | None = None
    """The app may change nothing before this moment."""
    tables_lost: bool = False
    """Whether the app has forgotten what carries no marker."""
    fought: set[str] = field(default_factory=set)
    """Deployments from which a person has taken something of ours away."""
    networks_readable: bool = True
    """Whether the app may read virtual networks: it knows who answers an endpoint's clients only then."""

    async def azure(self, method: str, path: str, body: Any = None, *, api: str = NETWORK_API) -> None:
        """A person's request; raises Refused."""
        try:
            await self.estate.azure(method, path, body, api=api)
        except AssertionError as error:
            raise Refused(str(error)) from error

    async def pass_time(self, seconds: float) -> None:
        """Work is done as it comes, for all of this time."""
        end = asyncio.get_running_loop().time() + seconds
        await self.estate.settle(seconds)
        await self.estate.clock.sleep(max(0.0, end - asyncio.get_running_loop().time()))

    def saw(self, request: str) -> None:
        """A worker has made a request; of an endpoint that it read it knows that it is there again."""
        if request.startswith("GET "):
            path = request.partition("?")[0].lower()
            self.unseen -= {place.name for place in PLACES if path.endswith(place.id.lower())}

    # -- what is there ---------------------------------------------------------------------------------------------

    def endpoint(self, name: str) -> PrivateEndpoint | None:
        """The endpoint as Azure has it."""
        return next((self.estate.arm.private_endpoint(one.id) for one in PLACES if one.name == name), None)

    def deployments(self) -> list[Deployment]:
        """The deployments of the two regions."""
        return [one for one in self.estate.elastic.deployments() if one.azure_region in {"eastus2", "westeurope"}]

    def zones(self) -> list[PrivateDnsZone]:
        """Every zone."""
        return self.estate.arm.private_dns_zones()

    def links(self) -> list[VirtualNetworkLink]:
        """Every link of every zone."""
        return self.estate.arm.virtual_network_links()

    def pairs(self) -> set[Pair]:
        """Every association."""
        return self.estate.elastic.associations()

    def claims(self) -> set[str]:
        """GUIDs of the endpoints that are claimed."""
        return {claim["azure_endpoint_guid"].lower() for claim in self.estate.elastic.claims()}

    def policies(self, *, ours: bool) -> list[Ruleset]:
        """The policies of private endpoints that the app made, or the others."""
        private = [one for one in self.estate.elastic.rulesets() if one.type == "azure_private_endpoint"]
        return [one for one in private if is_ours(one) == ours]

    def foreign_guids(self) -> set[str]:
        """GUIDs in any policy that no endpoint of this estate ever had."""
        known = {guid for guids in self.connection_guids.values() for guid in guids}
        return {guid for one in self.estate.elastic.rulesets() for guid in one.guids} - known


def is_ours(policy: Ruleset) -> bool:
    """Whether the policy carries the app's marker."""
    return f"[elastic-privatelink instance={INSTANCE} " in (policy.description or "")


def marked(tags: dict[str, str]) -> bool:
    """Whether tags or metadata carry the app's marker."""
    return tags.get(OURS) == INSTANCE


def connection_of(policy: Ruleset) -> str:
    """The connection that a policy of ours was made for."""
    return (policy.description or "").partition("connection=")[2][:16]


async def opened(drawn: Random) -> Scene:
    """An estate with settings drawn by chance, before its first endpoint."""
    last = drawn.choice(["", "", "search-eastus2"])
    first = drawn.choice(["", "search-eastus2", "*"])
    settings: dict[str, Any] = {
        "DNS_RECORD_MODE": drawn.choice(["first", "union"]),
        "DNS_LINK_VNETS": drawn.choice([HUB_VNET, ""]),
        "DNS_ZONE_RESOURCE_GROUPS": drawn.choice(["", "", ZONE_GROUPS[0], ", ".join(ZONE_GROUPS)]),
        "ELASTIC_CLAIM": drawn.choice(["false", "true"]),
        "ELASTIC_DEPLOYMENTS_ALLOWED": drawn.choice(["*", "*", "logs-eastus2, search-eastus2"]),
        "ELASTIC_FIRST_POLICY_ALLOWED": first,
        "ELASTIC_LAST_POLICY_ALLOWED": last,
        "REMOVAL_LIMIT": drawn.choice(["", "3", "1"]),
        "ASSOCIATION_RESTORES": drawn.choice(["3", "1"]),
    }
    app_vnet = drawn.choice([HUB_VNET, HUB_VNET, HUB_VNET, OWN_VNET])
    estate = WatchedEstate(settings=settings, seed=drawn.randrange(10**6), app_vnet=app_vnet)
    await estate.open()
    estate.elastic.add_deployment("extra", "eastus2", ip_policy=True)
    await estate.clock.sleep(3600)
    elastic, arm = estate.elastic_settings, estate.arm_settings
    elastic.create_lag_seconds = drawn.choice([0.0, 0.0, 20.0])
    elastic.association_lag_seconds = drawn.choice([0.0, 0.0, 20.0])
    elastic.settings_absent = drawn.random() < 0.2
    arm.not_found_after_create_seconds = drawn.choice([0.0, 0.0, 10.0])
    arm.stale_list_seconds = drawn.choice([0.0, 0.0, 30.0])
    readable = drawn.random() < 0.9
    if not readable:
        arm.denied_actions.add("Microsoft.Network/virtualNetworks/read")
    return Scene(estate, networks_readable=readable)
