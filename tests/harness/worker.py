"""One function process of an estate: its own SDK clients, on a wire of its own, over the estate's clouds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.clock import Clock, ServiceClock
from shared.clouds.azure.clients import ArmClients
from shared.clouds.azure.deciding_keys import DecidingKeys
from shared.clouds.azure.event_grid import Topic
from shared.clouds.azure.private_dns import PrivateDns
from shared.clouds.azure.private_endpoints import PrivateEndpoints
from shared.clouds.azure.vault import Vault
from shared.clouds.elastic.transport import Organizations
from shared.composition import arm_options, organizations, topic_options, vault_options
from shared.context import Context
from shared.settings import Settings, load
from shared.state.leases import Leases
from shared.state.read_budget import ReadBudget
from tests.harness.platform_parts import Credential
from tests.harness.wire import Faults, Wire, WiredArm, WiredElastic, WiredStorage

if TYPE_CHECKING:
    from tests.harness.estate import Estate


@dataclass
class Worker:
    """One function process."""

    context: Context
    wire: Wire


def worker_of(estate: Estate, faults: Faults, machine: Clock, settings: Mapping[str, str]) -> Worker:
    """A process that starts now on a machine; `settings` besides the estate's."""
    clock = ServiceClock(machine)
    wire = Wire(faults, clock.request_sent)
    loaded = load({**estate.settings, **settings}, estate.known)
    storage = WiredStorage(estate.storage, wire, estate.service_clock)
    budget = ReadBudget(storage.control, clock, loaded.azure.dns_reads, loaded.azure.dns_reads_left)
    clients = ArmClients(arm_options(loaded), Credential, lambda: WiredArm(estate.arm.app, wire), budget)
    context = Context(
        settings=loaded,
        clock=clock,
        endpoints=PrivateEndpoints(clients),
        dns=PrivateDns(clients),
        elastic=_organizations(estate, loaded, wire, clock),
        storage=storage,
        leases=Leases(
            storage.connections,
            storage.control,
            storage.queue,
            clock,
            owner_id="worker",
        ),
        budget=budget,
        network=estate.network.inside(estate.world.app_vnet),
        sockets=asyncio.Semaphore(loaded.health.sockets),
        deciding_keys=DecidingKeys(loaded.callers.keys, None, clock),
        topic=_topic(estate, loaded, wire),
    )
    return Worker(context, wire)


def _organizations(estate: Estate, settings: Settings, wire: Wire, clock: Clock) -> Organizations:
    options = vault_options(settings)
    vault = None if options is None else Vault(options, Credential, lambda: WiredArm(estate.vault.app, wire, "vault"))
    return organizations(settings, clock, vault, WiredElastic(estate.world.front, wire))


def _topic(estate: Estate, settings: Settings, wire: Wire) -> Topic | None:
    if not settings.notify.topic_endpoint:
        return None
    return Topic(topic_options(settings), Credential, lambda: WiredArm(estate.topic.app, wire, "topic"))
