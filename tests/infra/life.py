"""The whole life of a connection, as the product goes through it: what the rights are derived from, and tried on.

The estate is a hub's: zones are made in one resource group, which is all that the app may write to, while a zone of the
same name stands unused in a foreign group.
"""

from __future__ import annotations

from local.arm import DEFAULT_SUBSCRIPTION
from local.arm.settings import SystemTopic
from local.world import HUB_VNET
from shared.api.doctor import examine
from shared.api.plans import plan_all, plan_connection
from shared.api.recovered import confirm, show_recovered
from shared.api.removals import confirm_removals, show_removals
from shared.core.model.arm_ids import connection_id
from tests.harness.estate import Estate
from tests.harness.leaving import work_for
from tests.harness.platform_parts import ASKED
from tests.infra.shipped import BUILT_IN

SUBSCRIPTION = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
HUB_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-dns"
FOREIGN_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-foreign"
ZONES = "providers/Microsoft.Network/privateDnsZones"
ZONE_NAME = "privatelink.eastus2.azure.elastic-cloud.com"
DNS_API = "2024-06-01"
EVERYTHING = {
    "DNS_RECORD_MODE": "union",
    "ELASTIC_CLAIM": "true",
    "REMOVAL_LIMIT": "1",
    "EVENT_SUBSCRIPTION": "privatelink-x",
}
"""Settings with which the product does all that it can; two removals at once wait for a person."""


STORAGE = f"{SUBSCRIPTION}/resourceGroups/rg-x/providers/Microsoft.Storage/storageAccounts/stx"
TOPIC_ROLES = (
    (f"{STORAGE}/queueServices/default/queues/reconcile", BUILT_IN["queueMessageSender"]),
    (f"{STORAGE}/blobServices/default/containers/dead-letters", BUILT_IN["blobDataContributor"]),
)
"""What the templates assign to a topic's identity, by its object id `p`."""


def hub_estate(**settings: str) -> Estate:
    """An estate whose app makes zones in the hub's group."""
    return Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": HUB_GROUP} | settings)


def full_estate(**settings: str) -> Estate:
    """The estate for the whole life."""
    estate = hub_estate(**EVERYTHING, **settings)
    estate.arm_settings.system_topics.append(system_topic(SUBSCRIPTION))
    estate.arm_settings.assigned["p"] = list(TOPIC_ROLES)
    return estate


def system_topic(subscription: str, group: str = "rg-x-events", name: str = "privatelink-x") -> SystemTopic:
    """The topic of a subscription (its id), with the app's event subscription to the queue."""
    who = {"identity": {"type": "SystemAssigned"}}
    queue = {"endpointType": "StorageQueue", "properties": {"resourceId": STORAGE, "queueName": "reconcile"}}
    letters = {
        "endpointType": "StorageBlob",
        "properties": {"resourceId": STORAGE, "blobContainerName": "dead-letters"},
    }
    events = {
        "deliveryWithResourceIdentity": {**who, "destination": queue},
        "deadLetterWithResourceIdentity": {**who, "deadLetterDestination": letters},
    }
    topic = f"{subscription}/resourceGroups/{group}/providers/Microsoft.EventGrid/systemTopics/topic"
    return SystemTopic(topic, {"type": "SystemAssigned", "principalId": "p"}, {name: events})


async def connected(estate: Estate) -> tuple[str, list[str]]:
    """An endpoint is created, connected and swept; returns its id and what the sweep could not read."""
    await estate.open()
    await estate.azure("PUT", f"{FOREIGN_GROUP}/{ZONES}/{ZONE_NAME}", {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(10)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    return endpoint, list((await estate.sweep()).errors)


async def drifted(estate: Estate) -> list[str]:
    """A person deletes the record, and the app puts it back; returns what sweeps could not read."""
    await estate.azure("DELETE", f"{HUB_GROUP}/{ZONES}/{ZONE_NAME}/A/*", api=DNS_API)
    errors = list((await estate.sweep()).errors)
    await estate.settle()
    return errors


async def changed(estate: Estate, endpoint: str) -> None:
    """The endpoint asks for no deployment, then for one again; then it is made anew under its name."""
    await estate.put_endpoint(tags={})
    await estate.settle()
    assert not (await estate.ready(endpoint)).elastic.targets
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.settle()


async def shared(estate: Estate) -> None:
    """A second endpoint shares zone and record for a while; only its own address is withdrawn with it."""
    other = await estate.put_endpoint("pe-2", tags={})
    await estate.settle()
    assert len((await estate.ready(other)).dns.record_addresses) == 2
    await estate.delete(other)
    await estate.settle()
    assert (await estate.connection(other)).status.phase == "Removed"


async def misled(estate: Estate) -> list[str]:
    """The app's network asks other name servers for a while: checks fail, and the app looks for the reason."""
    hub = estate.arm.virtual_network(HUB_VNET)
    assert hub is not None
    hub.dns_servers = ["10.99.0.53"]
    errors = list((await estate.sweep()).errors)
    hub.dns_servers = []
    return errors + list((await estate.sweep()).errors)


async def looked_at(estate: Estate, endpoint: str) -> list[str]:
    """A person asks for the plans and for the doctor; returns what was not well."""
    context = estate.worker.context
    await plan_connection(context, connection_id(endpoint))
    _, errors = await plan_all(context)
    return errors + [finding.what for finding in (await examine(context)).findings if finding.level != "ok"]


async def deleted(estate: Estate, endpoint: str) -> list[str]:
    """The endpoint and another are deleted, and no event tells it; returns what the sweeps after it could not read."""
    other = await estate.put_endpoint("pe-3", region="uksouth", tags={})
    await estate.settle()
    estate.events.settings.drop = True
    for one in (endpoint, other):
        await estate.delete(one)
    errors = []
    for _ in range(2):
        await work_for(estate, 300)
        errors += (await estate.sweep()).errors
    await estate.settle()
    estate.events.settings.drop = False
    return errors


async def confirmed(estate: Estate, endpoint: str) -> list[str]:
    """The removal was more than the limit: a sweep stopped it, a person lets it go on."""
    assert await estate.reason(endpoint, "Removed") == "RemovalLimitReached"
    stop = (await show_removals(estate.worker.context))["stopped"]
    await confirm_removals(estate.worker.context, stop["id"], ASKED)
    errors = list((await estate.sweep()).errors)
    await estate.settle()
    return errors


async def forgotten(estate: Estate) -> list[str]:
    """Another endpoint is connected; all tables are lost, and the endpoint goes unnoticed: only the markers tell."""
    orphan = await estate.put_endpoint("pe-orphan")
    await estate.settle()
    await estate.ready(orphan)
    estate.events.settings.drop = True
    await estate.delete(orphan)
    estate.storage.connections.clear()
    errors = []
    for _ in range(3):  # one finds the markers, two must miss the endpoint
        await work_for(estate, 300)
        errors += (await estate.sweep()).errors
        await estate.settle()
    # What has the app's marks and no row is the app's once a person has said so, some time later.
    await work_for(estate, 300)
    found = await show_recovered(estate.worker.context)
    await confirm(estate.worker.context, found["list"], ASKED)
    await work_for(estate, 300)
    errors += (await estate.sweep()).errors
    await estate.settle()
    assert (await estate.connection(orphan)).status.phase == "Removed"
    return errors


async def remembered_life(estate: Estate) -> str:
    """From the first event to the end of the removal, without a hitch; returns the endpoint's id."""
    endpoint, errors = await connected(estate)
    await estate.ready(endpoint)
    errors += await drifted(estate)
    await estate.ready(endpoint)
    await changed(estate, endpoint)
    await estate.ready(endpoint)
    await shared(estate)
    errors += await misled(estate)
    await estate.ready(endpoint)
    errors += await looked_at(estate, endpoint)
    errors += await deleted(estate, endpoint)
    errors += await confirmed(estate, endpoint)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert errors == []
    return endpoint


async def whole_life(estate: Estate) -> None:
    """All of it: once with the app's memory, and the end of another endpoint without."""
    await remembered_life(estate)
    assert await forgotten(estate) == []
