"""An estate under virtual time: the local clouds, Event Grid, the state double, and workers that run the real code.

A test makes endpoints as a user does (ARM PUT), lets time pass, and looks at what came of it. A worker is one function
process: it has its own SDK clients and its own wire, and can be killed.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.endpoint_events import endpoint_events
from local.arm import DEFAULT_SUBSCRIPTION, ArmSettings, FaultResponse, ResourceEvent
from local.clock import LoopClock
from local.elastic import ElasticCloud as LocalElastic
from local.elastic import ElasticSettings
from local.elastic.serverless import ServerlessSettings
from local.eventgrid import Answer, CustomTopic, EventGrid, EventGridSettings
from local.network import CertificateAuthority
from local.simulators import World
from local.storage.memory import MemoryStorage
from local.storage.memory_queue import MemoryQueue
from local.vault import KeyVault
from local.world import (
    API_KEY,
    HUB_VNET,
    NETWORK_API,
    SECOND_API_KEY,
    endpoint_body,
    peering_body,
    vnet_body,
    vnet_id,
)
from shared.api.queries import checks_of
from shared.clock import Clock
from shared.context import Context
from shared.core.model.arm_ids import connection_id, parse_endpoint_id
from shared.core.model.errors import RetryLater
from shared.core.model.messages import Cause, WorkMessage, decode
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import from_document
from shared.core.model.record_health import HostCheck
from shared.core.model.services import Family, Service, Services
from shared.dispatch import take
from shared.installation.watched import with_found
from shared.settings.services import shipped_services
from shared.sweep.snapshot import SweepStats
from shared.sweep.sweep import sweep
from tests.harness.platform_parts import WORKERS, QueueOutput
from tests.harness.projects import CHOSEN, seed_projects, services_for, side_of
from tests.harness.wire import Faults, Killed, no_faults
from tests.harness.worker import Worker, worker_of
from tests.infra.shipped import everywhere

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HOSTED = shipped_services().of_family(Family.HOSTED)
DECIDING_KEY = "key-of-the-operator-0001"
SETTINGS = {
    "AUTOPILOT_KEY_OPERATOR": DECIDING_KEY,
    "AZURE_SUBSCRIPTIONS": DEFAULT_SUBSCRIPTION,
    "AZURE_RESOURCE_MANAGER_URL": "https://arm.local",
    "ELASTIC_API_URL": "https://elastic.local",
    "EC_API_KEY": API_KEY,
    "ELASTIC_DEPLOYMENTS_ALLOWED": "*",
    "DNS_LINK_VNETS": HUB_VNET,
    "APP_VNET": HUB_VNET,
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


VAULT = {"EC_API_KEY": "", "ELASTIC_KEY_VAULT_URI": "https://kv-1.vault.azure.net"}
"""Settings of an app that reads its keys from the estate's vault."""

SECOND = {"ELASTIC_ORGANIZATIONS": "second", "EC_API_KEY_SECOND": SECOND_API_KEY}
"""Settings of a second organization, besides its scope."""


@cache
def authority() -> CertificateAuthority:
    """One certificate authority for all tests: in-process nothing checks its dates."""
    return CertificateAuthority()


def arm_error(status: int, code: str, message: str = "made by the test", **headers: str) -> FaultResponse:
    """An error as Azure shapes it."""
    return FaultResponse(status, {"error": {"code": code, "message": message}}, headers)


class Estate:
    """The whole world of a test."""

    def __init__(
        self,
        *,
        settings: dict[str, str] | None = None,
        seed: int = 0,
        second_scope: str | None = None,
        services: Services | None = None,
        known: Services | None = None,
        app_vnet: str = HUB_VNET,
        family: Family | None = None,
        dns_events: bool = False,
    ) -> None:
        """`second_scope`: a second organization named `second`, and the endpoints that belong to it.

        `services`: Elastic's services, where they are not those that come with the product; `known`: those that the
        app's version knows, where they are fewer. `app_vnet`: the network that the app is in; zones are linked to the
        hub, where that is it, and to no network of the app's own. `family`: of endpoints, zones, policies and targets;
        that of the test where it is not given. `dns_events`: whether events tell of changes of private DNS too; most
        tests are about what the sweep finds without them.
        """
        self.clock = LoopClock(START)
        self.family = family or CHOSEN["family"]
        self.dns_events = dns_events
        second = {} if second_scope is None else SECOND | {"ELASTIC_SCOPE_SECOND": second_scope}
        network = {"APP_VNET": app_vnet, "DNS_LINK_VNETS": HUB_VNET if app_vnet == HUB_VNET else ""}
        self.settings = SETTINGS | network | second | (settings or {})
        self.arm_settings = ArmSettings(arm_bucket=None)
        # All that a test has the app do, it does with the actions of the shipped roles and no other; where they are
        # assigned is for tests/infra/test_infra_rights.py.
        self.arm_settings.role_assignments[WORKERS] = everywhere()
        self.elastic_settings = ElasticSettings()
        self.serverless_settings = ServerlessSettings()
        self.world = World(
            self.clock,
            arm_settings=self.arm_settings,
            elastic_settings=self.elastic_settings,
            serverless_settings=self.serverless_settings,
            ca=authority(),
            seed=seed,
            second_organization=second_scope is not None,
            services=services or services_for(self.family),
            app_vnet=app_vnet,
        )
        self.known = known or self.world.services
        self.arm, self.network = self.world.arm, self.world.network
        self.elastic = side_of(self.family, self.world.elastic)
        self.service_clock = self.clock  # of the storage; a test may give workers another one
        self.storage = MemoryStorage(self.clock)
        self.queue: MemoryQueue = self.storage.queue
        self.events = EventGrid(self.clock, deliver=self._deliver, settings=EventGridSettings())
        self.topic = CustomTopic(self.clock)
        self.vault = KeyVault(self.clock, is_app=lambda token: token == WORKERS)
        self.changes: list[ResourceEvent] = []
        self.told_deleted: list[str] = []  # the endpoints whose deletion an event told the app
        self.sweeps = 0
        self.worker = self.new_worker()

    async def open(self) -> Estate:
        """Seed the clouds and subscribe to events."""
        await self.world.seed()
        seed_projects(self.family, self.world)
        await self.events.subscribe("https://functions.local/runtime/webhooks/eventgrid?functionName=endpoint_events")
        self.arm.listeners.append(self._publish)
        self.arm.listeners.append(self.changes.append)
        return self

    def _publish(self, change: ResourceEvent) -> None:
        if self.dns_events or "/privatednszones/" not in change.resource_id.lower():
            self.events.publish(change)

    # -- what the platform does ------------------------------------------------------------------------------------

    async def _deliver(self, method: str, url: str, headers: Any, body: bytes) -> Answer:
        """What the Functions host does with a request of Event Grid."""
        del method, url
        if headers["aeg-event-type"] == "SubscriptionValidation":
            code = json.loads(body)[0]["data"]["validationCode"]
            return Answer(200, {}, json.dumps({"validationResponse": code}).encode())
        events = json.loads(body)
        for event in events if isinstance(events, list) else [events]:
            if "DeleteSuccess" in event.get("eventType", event.get("type", "")):
                self.told_deleted.append(event["subject"])
            out = QueueOutput()
            endpoint_events.build().get_user_function()(json.dumps(event), out)
            if out.value is not None:
                await self.queue.send(out.value)
        return Answer(202, {}, b"")

    def new_worker(self, faults: Faults = no_faults, machine: Clock | None = None, **settings: str) -> Worker:
        """A function process with its own clients, on a machine whose clock is right unless one is given."""
        return worker_of(self, faults, machine or self.clock, settings)

    async def handle(self, message: Any, worker: Worker | None = None) -> None:
        """Run one received message; a worker that dies leaves it to be delivered again, to the process that follows."""
        worker = worker or self.worker
        try:
            decoded = decode(message.text, new_correlation_id="test", own_client=os.environ.get("AZURE_CLIENT_ID", ""))
            await take(decoded, lambda: worker.context, lambda: worker.context.storage.queue)
        except Killed:
            if worker is self.worker:
                self.worker = self.new_worker()
            return
        except Exception:
            self.queue.abandon(message)
            raise
        self.queue.delete(message)

    async def settle(self, seconds: float = 1800.0, worker: Worker | None = None) -> None:
        """Deliver events and messages until nothing is left to do, or for `seconds`."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            message = self.queue.receive()
            if message is not None:
                with suppress(RetryLater):  # what the platform is to deliver again, it delivers again
                    await self.handle(message, worker)
                continue
            due = self.queue.next_visible_at()
            if due is None and not self.events.pending:
                return
            pause = 1.0 if due is None else max(0.01, (due - self.clock.now()).total_seconds())
            if self.events.pending:
                pause = min(pause, 1.0)
            if asyncio.get_running_loop().time() + pause > end:
                return
            await self.clock.sleep(pause)

    async def found(self) -> Context:
        """The worker's context with the subscriptions that the last sweep found."""
        return await with_found(self.worker.context)

    async def sweep(self, worker: Worker | None = None) -> SweepStats:
        """The timer fires."""
        self.sweeps += 1
        return await sweep((worker or self.worker).context, f"sweep-{self.sweeps}")

    def service_of(self, region: str) -> Service:
        """The region's service of this family."""
        service = self.world.services.of(self.family, region)
        assert service is not None, f"no service of {self.family} in {region}"
        return service

    # -- what people do --------------------------------------------------------------------------------------------

    async def put_endpoint(
        self,
        name: str = "pe-1",
        *,
        region: str = "eastus2",
        alias: str | None = None,
        vnet: str | None = None,
        location: str | None = None,
        group: str = "rg-apps",
        tags: dict[str, str] | None = None,
    ) -> str:
        """Create a private endpoint as a user does; returns its id."""
        location = location or (region if region in {"eastus2", "westeurope", "japaneast"} else "eastus2")
        vnet = vnet or vnet_id(location)
        prefix = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/{group}"
        endpoint = f"{prefix}/providers/Microsoft.Network/privateEndpoints/{name}"
        tags = {"elastic-deployments": f"logs-{region}"} if tags is None else tags
        body = endpoint_body(location, vnet, alias or self.service_of(region).alias, tags)
        await self.azure("PUT", endpoint, body)
        return endpoint

    async def put_endpoint_in(self, subscription: str, region: str, vnet: str, prefix: str) -> str:
        """Create a private endpoint in another subscription, with its virtual network; returns its id."""
        if self.arm.virtual_network(vnet) is None:
            await self.azure("PUT", vnet, vnet_body("eastus2", prefix))
        group = f"/subscriptions/{subscription}/resourceGroups/rg-apps"
        endpoint = f"{group}/providers/Microsoft.Network/privateEndpoints/pe-{region}"
        tags = {"elastic-deployments": f"logs-{region}"}
        await self.azure("PUT", endpoint, endpoint_body("eastus2", vnet, self.service_of(region).alias, tags))
        return endpoint

    async def azure(self, method: str, path: str, body: Any = None, *, api: str = NETWORK_API, **headers: str) -> Any:
        """One ARM request of a user, outside the workers."""
        async with self.world.azure() as client:
            answer = await client.request(method, f"{path}?api-version={api}", json=body, headers=headers)
        if answer.status_code >= 400:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def delete(self, resource: str) -> None:
        """Delete a resource as a user does, and wait until it is gone."""
        await self.azure("DELETE", resource)
        await self.clock.sleep(10)

    async def send(self, endpoint: str, cause: str = "manual") -> None:
        """Put a message about an endpoint on the queue."""
        await self.queue.send(WorkMessage(parse_endpoint_id(endpoint), Cause(cause), "test").encode())

    async def peer(self, one: str, other: str, *, connected: bool) -> None:
        """Peer two networks, or take their peering away, on both sides."""
        for network, remote in ((one, other), (other, one)):
            peering = f"{network}/virtualNetworkPeerings/to-{remote.rsplit('/', 1)[-1]}"
            await self.azure("PUT", peering, peering_body(remote)) if connected else await self.azure("DELETE", peering)

    # -- what came of it -------------------------------------------------------------------------------------------

    async def connection(self, endpoint: str) -> ConnectionRecord:
        """The endpoint's record."""
        row = await self.storage.connections.get(connection_id(endpoint))
        assert row is not None, f"no record of {endpoint}"
        return from_document(row.document)

    async def hosts(self, endpoint: str) -> list[HostCheck]:
        """The last check of each of its hosts, in the order in which they are tested."""
        return await checks_of(self.worker.context, await self.connection(endpoint))

    async def ready(self, endpoint: str) -> ConnectionRecord:
        """The record, which must be Ready."""
        connection = await self.connection(endpoint)
        conditions = "\n".join(f"  {c.type} {c.status} {c.reason}: {c.message}" for c in connection.status.conditions)
        assert connection.status.phase == "Ready", f"{connection.status.phase}\n{conditions}"
        return connection

    async def reason(self, endpoint: str, condition: str) -> str:
        """The reason of one of its conditions."""
        found = (await self.connection(endpoint)).condition(condition)
        assert found is not None, f"no condition {condition}"
        return found.reason

    @property
    def second(self) -> LocalElastic:
        """The second organization."""
        assert self.world.second is not None, "opened without a second organization"
        return side_of(self.family, self.world.second)

    def policies_of(self, endpoint: str, organization: LocalElastic | None = None) -> list[Any]:
        """An organization's policies for the endpoint's GUID, the first one's unless said otherwise."""
        found = self.arm.private_endpoint(endpoint)
        assert found is not None
        return [
            ruleset
            for ruleset in (organization or self.elastic).rulesets()
            if any(rule.get("azure_endpoint_guid", "").lower() == found.resource_guid.lower() for rule in ruleset.rules)
        ]

    def zone(self, region: str = "eastus2") -> Any:
        """The region's private DNS zone, the only one of its name."""
        name = self.service_of(region).zone
        zones = [zone for zone in self.arm.private_dns_zones() if zone.name == name]
        assert len(zones) == 1, zones
        return zones[0]

    def links_of(self, zone: Any) -> list[Any]:
        """The links of a zone."""
        return [link for link in self.arm.virtual_network_links() if link.path.parent.id.lower() == zone.id.lower()]

    def hide(self, resource: str, *, while_: Callable[[], bool]) -> None:
        """Let Azure answer 404 for a resource."""

        def fault(request: Any) -> FaultResponse | None:
            if request.path.lower() == resource.lower() and request.method == "GET" and while_():
                return arm_error(404, "ResourceNotFound", f"The Resource '{resource}' was not found.")
            return None

        self.arm.faults.append(fault)

    def arm_requests(self) -> list[str]:
        """The workers' ARM requests besides polls."""
        return [
            call.what
            for call in self.worker.wire.calls
            if call.service == "arm" and "OperationStatuses" not in call.what
        ]
