"""All simulators put together, and the estate they start with. Used by `local.cli.stack` (served) and fast tests."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import httpx

from local.arm import ArmCloud, ArmSettings
from local.asgi import AsgiTransport
from local.clock import LoopClock
from local.elastic import ElasticCloud, ElasticSettings
from local.elastic.front import Front
from local.elastic.serverless import ServerlessRegion, ServerlessSettings
from local.elastic.serverless.projects import TYPES
from local.elastic.serverless.regions import ONLY_IN_METADATA
from local.network import CertificateAuthority, Network, NetworkSettings
from local.world import (
    API_KEY,
    HUB_VNET,
    NETWORK_API,
    OWN_PREFIX,
    SECOND_API_KEY,
    SEEDED,
    VNET_REGIONS,
    VNET_ROLES,
    vnet_body,
    vnet_id,
)
from shared.core.model.services import Family, Services
from shared.settings.services import shipped_services


class World:
    """Azure, Elastic Cloud and the network between them."""

    def __init__(
        self,
        clock: LoopClock,
        *,
        arm_settings: ArmSettings | None = None,
        elastic_settings: ElasticSettings | None = None,
        serverless_settings: ServerlessSettings | None = None,
        check_token: Callable[[str], bool] | None = None,
        ca: CertificateAuthority | None = None,
        loopback_prefix: str = "127.77.0.0/16",
        seed: int = 0,
        second_organization: bool = False,
        services: Services | None = None,
        app_vnet: str = HUB_VNET,
        network_settings: NetworkSettings | None = None,
    ) -> None:
        """`services`: Elastic's services, where they are not those that come with the product.

        `app_vnet`: the network that the function app is in; one that is not seeded, as `OWN_VNET`, is made with no way
        to any other: peerings and `network.settings` give it some.
        """
        self.app_vnet = app_vnet
        self.services = services or shipped_services()
        hosted = self.services.of_family(Family.HOSTED)
        regions = frozenset(service.region for service in hosted)
        self.project_regions = self._with_projects()
        self.clock = clock
        self.arm = ArmCloud(clock, settings=arm_settings, check_token=check_token, random=Random(seed))
        self.elastic = ElasticCloud(
            clock,
            endpoints=self.arm,
            regions=regions,
            settings=elastic_settings,
            api_key=API_KEY,
            random=Random(seed),
            serverless=serverless_settings,
            serverless_regions=self.project_regions,
        )
        self.second: ElasticCloud | None = None
        """Another organization of Elastic Cloud, behind the same address."""
        organizations = {API_KEY: self.elastic}
        if second_organization:
            self.second = ElasticCloud(
                clock,
                endpoints=self.arm,
                regions=regions,
                api_key=SECOND_API_KEY,
                random=Random(seed + 1),
                serverless_regions=self.project_regions,
            )
            organizations[SECOND_API_KEY] = self.second
        self.front = Front(organizations)
        self.network = Network(
            clock,
            arm=self.arm,
            elastic=self.front,
            ca=ca or CertificateAuthority(),
            zones=[*(one.zone for one in hosted), *(one.zone for one in self.project_regions)],
            loopback_prefix=loopback_prefix,
            app_vnet_id=app_vnet,
            settings=network_settings,
        )

    async def seed(self, token: str = "local") -> None:
        """Make what an estate has before the first private endpoint."""
        async with self.azure(token) as azure:
            for region_number, region in enumerate(VNET_REGIONS):
                for role_number, role in enumerate(VNET_ROLES):
                    prefix = f"10.{10 * (region_number + 1) + role_number}"
                    vnet = vnet_id(region, role)
                    body = vnet_body(region, prefix, peers=[other for other in SEEDED if other != vnet])
                    answer = await azure.put(f"{vnet}?api-version={NETWORK_API}", json=body)
                    answer.raise_for_status()
            if self.app_vnet not in SEEDED:
                body = vnet_body("eastus2", OWN_PREFIX)
                (await azure.put(f"{self.app_vnet}?api-version={NETWORK_API}", json=body)).raise_for_status()
        self.seed_deployments()

    def seed_deployments(self) -> None:
        """One deployment open to the internet and one with an IP policy, in every hosted region.

        In every region of Serverless, also in those that only the metadata tells of, a project of each type; that of
        Observability has an IP filter, the others are open to the internet. A second organization has one deployment
        with an IP policy too, of the same name as the first one's.
        """
        for service in self.services.of_family(Family.HOSTED):
            self.elastic.add_deployment(f"search-{service.region}", service.region)
            self.elastic.add_deployment(f"logs-{service.region}", service.region, ip_policy=True)
            if self.second is not None:
                self.second.add_deployment(f"logs-{service.region}", service.region, ip_policy=True)

        for region in self.project_regions:
            for kind in TYPES:
                name, filtered = f"{kind}-{region.region}", kind == "observability"
                self.elastic.serverless.add_project(name, kind, region.region, ip_filter=filtered)

    def _with_projects(self) -> list[ServerlessRegion]:
        """The regions of projects: those of the table, and those that the table does not have yet."""
        table = [
            ServerlessRegion(one.region, one.alias, one.zone) for one in self.services.of_family(Family.SERVERLESS)
        ]
        named = {one.region for one in table}
        return [*table, *(one for one in ONLY_IN_METADATA if one.region not in named)]

    def azure(self, token: str = "local") -> httpx.AsyncClient:
        """A client that speaks ARM to this world in-process, as a user with `token` does."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=AsgiTransport(self.arm.app), base_url=self.arm.base_url, headers=headers)
