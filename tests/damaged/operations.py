"""Each read that the app makes of Azure and Elastic Cloud, against answers that were recorded once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.arm.transport import AsgiArmTransport
from local.asgi import AsgiTransport
from shared.clouds.azure.arm_checks import ArmChecks
from shared.clouds.azure.clients import ArmClients
from shared.clouds.azure.private_dns import PrivateDns
from shared.clouds.azure.private_endpoints import PrivateEndpoints
from shared.clouds.azure.vault import Vault, VaultOptions
from shared.composition import arm_options, organizations
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.organizations import DEFAULT, key_secret
from shared.core.model.record import ConnectionRecord
from shared.core.model.services import Family
from shared.settings import load
from tests.damaged.tape import Exchange, Tape, Wrong
from tests.harness.estate import VAULT, Estate
from tests.harness.platform_parts import Credential

SHARED = 5.0
"""Seconds after which no reading of before is shared any more."""


@dataclass
class Operation:
    """One read; its answers are on tapes, one for each service."""

    name: str
    ask: Callable[[], Awaitable[Any]]
    tapes: Mapping[str, Tape]
    whole: Any = None
    """What it gave when nothing was wrong."""
    exchanges: dict[str, list[Exchange]] = field(default_factory=dict)

    async def record(self) -> None:
        """Ask, and keep the answers."""
        for tape in self.tapes.values():
            tape.record()
        self.whole = await self.ask()
        self.exchanges = {name: tape.exchanges for name, tape in self.tapes.items()}

    def wrongs(self) -> Iterator[tuple[str, Wrong]]:
        """All that can be wrong with the answers, and whose answers these are."""
        for name, tape in self.tapes.items():
            tape.exchanges = self.exchanges[name]
            yield from ((name, wrong) for wrong in tape.wrongs())

    def kind(self, one: tuple[str, Wrong]) -> tuple[str, ...]:
        """The same for answers to requests of one kind that have the same wrong with them at places of one kind."""
        service, wrong = one
        asked = self.exchanges[service][wrong.answer].request.rpartition("/")[2]
        return (service, asked, str(wrong.header), *(wrong.mutation.kind if wrong.mutation else ()))

    async def play(self, service: str, wrong: Wrong) -> Any:
        """Ask again, and be answered the same but for what is wrong."""
        for name, tape in self.tapes.items():
            tape.exchanges = self.exchanges[name]
            tape.play(wrong if name == service else None)
        await asyncio.sleep(SHARED)
        return await self.ask()


async def recorded_reads() -> list[Operation]:
    """Every read, as an estate with two Ready connections answers it."""
    estate = await Estate().open()
    one = await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2", "elastic-privatelink-claim": "true"})
    other = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle()
    estate.vault.store(key_secret(DEFAULT), "a-key")
    tapes = {"arm": Tape(estate.arm.app), "elastic": Tape(estate.world.front), "vault": Tape(estate.vault.app)}
    await estate.ready(other)
    operations = [
        Operation(name, ask, tapes) for name, ask in _reads(estate, tapes, await estate.ready(one), one).items()
    ]
    for operation in operations:
        await operation.record()
    return operations


def _reads(
    estate: Estate, tapes: Mapping[str, Tape], record: ConnectionRecord, endpoint: str
) -> dict[str, Callable[[], Awaitable[Any]]]:
    settings = load(estate.settings, estate.world.services)
    clients = ArmClients(arm_options(settings), Credential, lambda: AsgiArmTransport(tapes["arm"]))
    endpoints, dns, checks = PrivateEndpoints(clients), PrivateDns(clients), ArmChecks(clients, estate.clock)
    elastic = organizations(settings, estate.clock, None, AsgiTransport(tapes["elastic"]))
    api, projects = elastic.of(DEFAULT, Family.HOSTED), elastic.of(DEFAULT, Family.SERVERLESS)
    project = estate.elastic.serverless.projects()[0]
    office = estate.elastic.serverless.add_filter("office", project.region)
    estate.elastic.serverless.write_list(project, [office.id])
    vault = Vault(VaultOptions(VAULT["ELASTIC_KEY_VAULT_URI"]), Credential, lambda: AsgiArmTransport(tapes["vault"]))
    assert record.dns.zone is not None
    assert api.claims is not None
    claims, zone = api.claims, parse_arm_id(record.dns.zone.id)
    subscription, target = parse_arm_id(endpoint).subscription_id, record.elastic.associations[0].target_id
    names = settings.plan_options.services.zone_names

    async def listed() -> list[Any]:
        return [one async for one in endpoints.list(subscription) if one is not None]

    async def zones() -> Any:
        return (await dns.zones_and_counts(names, [subscription], partly=True))[0]

    return {
        "an endpoint": lambda: endpoints.get(parse_arm_id(endpoint)),
        "all endpoints": listed,
        "all addresses": lambda: endpoints.addresses(subscription),
        "a network": lambda: endpoints.network(record.identity.vnet_id),
        "all networks": lambda: endpoints.networks(subscription),
        "all zones": zones,
        "a zone": lambda: dns.zone(zone),
        "a whole zone": lambda: dns.whole_zone(zone),
        "all policies": api.policies,
        "a policy": lambda: api.policy(record.elastic.policy.id),
        "policies of a deployment": lambda: api.attached_to(target),
        "deployments": lambda: api.targets([target, "logs-westeurope"], tag="x"),
        "all claims": claims.listed,
        "all filters of projects": projects.policies,
        "a filter of projects": lambda: projects.policy(office.id),
        "filters of a project": lambda: projects.attached_to(project.id),
        "projects": projects.all_targets,
        "services of projects": projects.services,
        "a secret": lambda: vault.secret(key_secret(DEFAULT)),
        "the doctor's endpoints": lambda: checks.endpoints(subscription),
        "the doctor's interfaces": lambda: checks.interfaces(subscription),
        "the doctor's zones": lambda: checks.zones(subscription, names),
    }
