"""Where a subscription has very many zones of one name, a removal reads those that it has to do with."""

from __future__ import annotations

from local.arm import DEFAULT_SUBSCRIPTION
from shared.core.model.markers import Holder, RecordMarker
from shared.installation import things
from shared.reconciler.observe_removal import SEARCHED_ALL
from tests.harness.dns import DNS_API
from tests.harness.estate import Estate
from tests.sweep.sweep_parts import a_ready_connection


async def with_zones_of_others(number: int) -> tuple[Estate, str, list[str]]:
    """An estate with a Ready connection, and so many zones of its name that others made."""
    estate = await Estate().open()
    endpoint = await a_ready_connection(estate)
    zone = (await estate.ready(endpoint)).dns.zone
    assert zone is not None
    name, others = zone.id.rsplit("/", 1)[1], list[str]()
    for one in range(number):
        group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-{one}"
        others.append(f"{group}/providers/Microsoft.Network/privateDnsZones/{name}")
        await estate.azure("PUT", others[-1], {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(600)
    return estate, endpoint, others


async def removed(estate: Estate, endpoint: str) -> None:
    await estate.azure("DELETE", endpoint)
    await estate.clock.sleep(90)
    estate.arm.requests.clear()
    await estate.settle(7200)
    assert (await estate.connection(endpoint)).status.phase == "Removed"


def searched(estate: Estate, zones: list[str]) -> set[str]:
    """Those of the zones whose records were listed."""
    read = {one.path.lower() for one in estate.arm.requests if one.operation == "LIST record"}
    return {zone for zone in zones if any(path.startswith(zone.lower() + "/") for path in read)}


async def test_few_zones_of_others_are_all_searched_for_what_a_dead_run_left() -> None:
    estate, endpoint, others = await with_zones_of_others(3)
    await removed(estate, endpoint)
    assert searched(estate, others) == set(others)


async def test_of_very_many_those_are_searched_of_which_a_row_tells() -> None:
    estate, endpoint, others = await with_zones_of_others(SEARCHED_ALL + 10)
    connection, context = await estate.connection(endpoint), estate.worker.context
    left_by_a_dead_run = f"{others[7]}/A/*"
    await things.intend(context, others[7], left_by_a_dead_run, connection.id)
    holder = Holder(connection.id, connection.identity.address, endpoint)
    marker = RecordMarker(context.options.installation.instance_id, (holder,))
    addresses = [{"ipv4Address": connection.identity.address}]
    body = {"properties": {"ttl": 60, "aRecords": addresses, "metadata": marker.metadata()}}
    await estate.azure("PUT", left_by_a_dead_run, body, api=DNS_API)
    await removed(estate, endpoint)
    assert searched(estate, others) == {others[7]}
    (zone,) = [one for one in estate.arm.private_dns_zones() if one.id == others[7]]
    assert not zone.a_record("*")
