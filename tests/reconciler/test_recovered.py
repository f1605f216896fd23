"""Ours is what a row says that we made; a marker alone is recovered: used, kept right, and removed once confirmed."""

from __future__ import annotations

import os
from typing import Any

import pytest

from local.arm import FaultResponse
from local.world import vnet_body, vnet_id
from shared.api.decisions import decide
from shared.api.recovered import show_recovered
from shared.installation.recovered import confirm_recovered, recovered_list
from tests.harness.dns import OTHER_SUBSCRIPTION
from tests.harness.estate import HOSTED, Estate, arm_error
from tests.harness.leaving import DNS_API, GRACE, connected, everything, removed_reason, work_for
from tests.harness.platform_parts import ASKED

pytestmark = pytest.mark.both_families

MANY = int(os.environ.get("LOST_TABLES", "8"))
"""Endpoints whose tables are lost at once; `make burst` tells the story of 512, a zone each, which takes minutes."""
REGIONS = [service.region for service in HOSTED][: 16 if MANY > 100 else 1]
"""Of their services: so many endpoints share a network, each with a zone of its own."""


def lose_tables(estate: Estate) -> None:
    for table in ("connections", "journal", "control", "checks", "hosts", "things"):
        getattr(estate.storage, table).clear() if hasattr(getattr(estate.storage, table), "clear") else None


async def rounds(estate: Estate, number: int = 4) -> None:
    for _ in range(number):
        await work_for(estate, GRACE)
        await estate.sweep()
        await estate.settle(2 * GRACE)


async def confirm(estate: Estate) -> int:
    """The one decision, as a person sends it; how many things it was about."""
    shown = await show_recovered(estate.worker.context)
    body = {"decision": "confirm-recovered", "list": shown["list"]}
    done = await decide(estate.worker.context, body, ASKED)
    assert done["recovered"] == shown
    return int(shown["count"])


def marked(estate: Estate, connection: str) -> dict[str, str]:
    zone = estate.zone()
    return {**zone.tags, "elastic-privatelink-connection": connection}


# -- three tags on what the hub team made --------------------------------------------------------------------------


async def test_three_tags_on_the_hub_teams_link_do_not_make_the_app_delete_it(estate: Estate) -> None:
    endpoint = await connected(estate)
    connection = (await estate.connection(endpoint)).id
    other = vnet_id("westeurope", "hub")
    body: dict[str, Any] = {
        "location": "global",
        "tags": marked(estate, connection),
        "properties": {"virtualNetwork": {"id": other}, "registrationEnabled": False},
    }
    await estate.azure("PUT", f"{estate.zone().id}/virtualNetworkLinks/theirs", body, api=DNS_API)
    await estate.clock.sleep(60)
    await estate.delete(endpoint)
    await rounds(estate)
    assert "theirs" in {link.name for link in estate.links_of(estate.zone())}
    assert await removed_reason(estate, endpoint) == "RecoveredUnconfirmed"
    removed = (await estate.connection(endpoint)).condition("Removed")
    assert removed is not None
    assert "virtualNetworkLinks/theirs" in removed.message
    link = next(link for link in estate.links_of(estate.zone()) if link.name == "theirs")
    link.tags.clear()
    await estate.clock.sleep(3700)
    await rounds(estate)
    assert await removed_reason(estate, endpoint) == "LeftBehind", "without the tags it is the hub team's, for good"
    assert "theirs" in {link.name for link in estate.links_of(estate.zone())}


async def test_three_tags_on_the_hub_teams_zone_do_not_make_the_app_delete_it() -> None:
    """The zone is there before the endpoint is; the app uses it, and its own link and record go alone."""
    home = f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-dns"
    estate = await Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": home}).open()
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    zone = f"{home}/providers/Microsoft.Network/privateDnsZones/{estate.service_of('eastus2').zone}"
    await estate.azure("PUT", zone, {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(60)
    endpoint = await connected(estate)
    connection = await estate.connection(endpoint)
    estate.zone().tags |= {
        "elastic-privatelink-instance": estate.worker.context.options.installation.instance_id,
        "elastic-privatelink-connection": connection.id,
        "elastic-privatelink-endpoint": endpoint,
    }
    await estate.delete(endpoint)
    await rounds(estate)
    assert estate.zone().id.lower() == zone.lower()
    assert await removed_reason(estate, endpoint) == "RecoveredUnconfirmed"
    assert await confirm(estate) == 1
    await rounds(estate, 1)
    assert everything(estate) == []


# -- lost tables ---------------------------------------------------------------------------------------------------


async def test_after_lost_tables_everything_works_on_and_one_confirmation_is_enough() -> None:
    """Nothing is deleted on the way; what goes before the confirmation waits, and goes with it."""
    settings = {"REMOVAL_LIMIT": str(20 * MANY), "DNS_LINK_VNETS": ""}
    estate = await Estate(settings=settings).open()
    endpoints = []
    for number in range(MANY):
        network, region = divmod(number, len(REGIONS))
        vnet = f"{vnet_id('eastus2').rpartition('/')[0]}/vnet-{network}"
        if not region:
            await estate.azure("PUT", vnet, vnet_body("eastus2", f"10.{20 + network}"))
        where = {"region": REGIONS[region], "vnet": vnet, "group": f"rg-{number}", "location": "eastus2"}
        endpoints.append(await estate.put_endpoint(f"pe-{number}", **where))
    await estate.settle(max(3600, 30 * MANY))  # the app's reads of Azure have a budget
    for endpoint in endpoints:
        await estate.ready(endpoint)
    before = everything(estate)
    lose_tables(estate)
    await rounds(estate)
    assert everything(estate) == before, "nothing is deleted, nothing is made twice"
    found = await recovered_list(estate.worker.context)
    assert len(found.things) == 3 * MANY, "a zone, a link and an association each"
    await estate.delete(endpoints[0])
    await rounds(estate)
    assert await removed_reason(estate, endpoints[0]) == "RecoveredUnconfirmed"
    assert "policy pe-0" in everything(estate), "its association waits, and so does it"
    assert await confirm(estate) == 3 * MANY
    await rounds(estate, 1)
    assert await removed_reason(estate, endpoints[0]) == "Removed"
    await estate.delete(endpoints[1])
    await rounds(estate)
    assert await removed_reason(estate, endpoints[1]) == "Removed", "no second word is needed"
    assert len(everything(estate)) == len(before) // MANY * (MANY - 2)


async def test_what_a_sweep_had_no_reads_for_is_put_on_the_list_by_the_connections_own_run(estate: Estate) -> None:
    """Of hundreds of zones a sweep reads the links of some; a person is not asked to confirm a second list later."""
    endpoint = await connected(estate)
    lose_tables(estate)

    def no_reads(request: Any) -> FaultResponse | None:
        return arm_error(429, "TooManyRequests") if "virtualNetworkLinks" in request.path else None

    estate.arm.faults.append(no_reads)
    await estate.sweep()
    estate.arm.faults.remove(no_reads)
    await estate.settle()
    await estate.ready(endpoint)
    found = await recovered_list(estate.worker.context)
    assert len(found.things) == 4, "a zone, two links and an association"
    await estate.sweep()
    await estate.settle()
    assert await recovered_list(estate.worker.context) == found


async def test_after_lost_tables_a_connection_reads_its_own_zone_and_no_other_of_the_name() -> None:
    """Else what comes back would cost as many reads of Azure as there are connections, squared."""
    estate = await Estate(settings={"DNS_LINK_VNETS": ""}).open()
    endpoints = []
    for number in range(4):
        vnet = f"{vnet_id('eastus2').rpartition('/')[0]}/vnet-{number}"
        await estate.azure("PUT", vnet, vnet_body("eastus2", f"10.{20 + number}"))
        endpoints.append(await estate.put_endpoint(f"pe-{number}", vnet=vnet, group=f"rg-{number}"))
    await estate.settle(3600)
    lose_tables(estate)
    before = len(estate.worker.wire.calls)
    await estate.send(endpoints[0])
    await estate.settle()
    await estate.ready(endpoints[0])
    zones = [call.what for call in estate.worker.wire.calls[before:] if "/virtualNetworkLinks" in call.what]
    assert zones
    assert all("/rg-0/" in one for one in zones)


async def test_a_confirmation_is_of_exactly_the_list_that_the_person_saw(estate: Estate) -> None:
    await connected(estate)
    estate.storage.things.clear()
    await estate.sweep()
    seen = await recovered_list(estate.worker.context)
    assert len(seen.things) == 3
    body: dict[str, Any] = {
        "location": "global",
        "tags": estate.zone().tags,
        "properties": {"virtualNetwork": {"id": vnet_id("westeurope")}, "registrationEnabled": False},
    }
    await estate.azure("PUT", f"{estate.zone().id}/virtualNetworkLinks/theirs", body, api=DNS_API)
    await estate.clock.sleep(60)
    await estate.sweep()
    assert await confirm_recovered(estate.worker.context, seen.id, ASKED) is None
    assert len((await recovered_list(estate.worker.context)).things) == 4


async def test_what_is_gone_leaves_the_list(estate: Estate) -> None:
    await connected(estate)
    estate.storage.things.clear()
    await estate.sweep()
    link = estate.links_of(estate.zone())[0]
    link.tags.clear()
    await estate.sweep()
    left = await recovered_list(estate.worker.context)
    assert link.id.lower() not in {thing.id.lower() for thing in left.things}
    assert len(left.things) == 2


async def test_what_the_app_makes_is_never_on_the_list(estate: Estate) -> None:
    endpoint = await connected(estate)
    for _ in range(2):
        await estate.sweep()
        await estate.settle()
    assert (await recovered_list(estate.worker.context)).things == ()
    await estate.delete(endpoint)
    await rounds(estate)
    assert await removed_reason(estate, endpoint) == "Removed"
    assert estate.storage.things.rows() == {}, "a row goes with its thing"


@pytest.mark.parametrize(
    "damage", [{"document": "{"}, {"state": "?"}, {"document": '{"connections": 7}'}, {"document": "7"}]
)
async def test_a_damaged_row_costs_only_its_own_thing(estate: Estate, damage: dict[str, str]) -> None:
    first = await connected(estate)
    second = await connected(estate, "pe-2", region="westeurope")
    zone = estate.zone()
    estate.storage.things.damage(zone.id, zone.id, damage)
    await estate.sweep()
    for endpoint in (first, second):
        await estate.delete(endpoint)
    await rounds(estate)
    assert await removed_reason(estate, second) == "Removed"
    assert await removed_reason(estate, first) == "RecoveredUnconfirmed"
    await confirm(estate)
    await estate.clock.sleep(3700)
    await rounds(estate, 1)
    assert everything(estate) == []
