"""What takes its time: waiting is no failure, holds no worker, and ends by itself."""

from __future__ import annotations

from itertools import pairwise

import pytest

from local.arm import DEFAULT_SUBSCRIPTION, FaultResponse, Incoming
from local.world import vnet_body, vnet_id
from shared.core.model.conditions import WaitingFor
from tests.harness.estate import START, Estate, arm_error


async def test_a_deployment_in_another_region_than_the_network_is_connected(estate: Estate) -> None:
    """Inter-region: the region comes from the alias, never from the endpoint's location."""
    endpoint = await estate.put_endpoint(region="uksouth", location="japaneast", vnet=vnet_id("japaneast"))
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert (connection.identity.location, connection.identity.region) == ("japaneast", "uksouth")
    zone = estate.zone("uksouth")
    assert zone.a_record("*") == [connection.identity.address]
    assert zone in estate.arm.zones_linked_to(vnet_id("japaneast"))


async def test_an_endpoint_still_being_made_is_waited_for(estate: Estate) -> None:
    estate.arm_settings.endpoint_seconds = 90
    estate.arm_settings.nic_address_seconds = 75
    endpoint = await estate.put_endpoint()
    await estate.settle(20)
    assert await estate.reason(endpoint, "Addressed") == "NoAddressYet"
    assert (await estate.connection(endpoint)).status.phase == "Provisioning"
    await estate.settle()
    await estate.ready(endpoint)


async def test_an_endpoint_that_has_no_interface_yet_is_waited_for(estate: Estate) -> None:
    """Azure has shown endpoints with an empty list of interfaces right after the event."""
    estate.arm_settings.nic_seconds = 60
    endpoint = await estate.put_endpoint()
    await estate.settle(30)
    assert (await estate.azure("GET", endpoint))["properties"]["networkInterfaces"] == []
    assert await estate.reason(endpoint, "Addressed") == "NoAddressYet"
    await estate.settle()
    await estate.ready(endpoint)


async def test_an_interface_that_cannot_be_read_yet_is_no_missing_endpoint(estate: Estate) -> None:
    """The endpoint names it, and Azure does not show it: the address is waited for, all else goes ahead."""
    estate.arm_settings.expand_network_interfaces = False
    shown = False

    def fault(request: Incoming) -> FaultResponse | None:
        unseen = "/networkInterfaces/" in request.path and not shown
        return arm_error(404, "ResourceNotFound") if unseen else None

    estate.arm.faults.append(fault)
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    connection = await estate.connection(endpoint)
    assert await estate.reason(endpoint, "Addressed") == "NoAddressYet"
    assert await estate.reason(endpoint, "PolicyReady") == "Exists"
    assert connection.removal.missing_since is None
    shown = True
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_network_that_azure_will_not_link_again_is_no_busy_one(estate: Estate) -> None:
    """Made again under its old id, and Azure DNS remembers the old one: its code is that of "busy", and it lasts."""
    group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-again"
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/vnet-again"
    estate.arm_settings.recreated_network = "refused"
    await estate.azure("PUT", vnet, vnet_body("eastus2", "10.99"))
    endpoint = await estate.put_endpoint(vnet=vnet)
    await estate.settle()
    await estate.ready(endpoint)
    for gone in (endpoint, vnet):
        await estate.azure("DELETE", gone)
        await estate.clock.sleep(5)
    await estate.clock.sleep(86400)
    await estate.sweep()
    await estate.settle()
    await estate.azure("PUT", vnet, vnet_body("eastus2", "10.99"))
    assert await estate.put_endpoint(vnet=vnet) == endpoint
    await estate.settle()
    connection = await estate.connection(endpoint)
    linked = connection.condition("Linked")
    assert linked is not None
    assert (connection.status.phase, linked.reason) == ("Blocked", "NetworkIdentityInUse")
    assert "moved or made again" in linked.message
    assert "old link" in linked.next_step
    estate.arm_settings.recreated_network = "works"
    await estate.clock.sleep(300)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_link_that_succeeded_and_has_no_effect_is_noticed_where_the_zone_serves_the_apps_network(
    estate: Estate,
) -> None:
    """Azure says that the link is there, and the network's name server does not know the zone."""
    estate.arm_settings.link_effect_seconds = 3000
    endpoint = await estate.put_endpoint()
    await estate.settle(300)
    for _ in range(3):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(20)
    connection = await estate.connection(endpoint)
    linked = connection.condition("Linked")
    assert linked is not None
    assert linked.true
    assert (connection.status.phase, await estate.reason(endpoint, "Reachable")) == ("Degraded", "NameNotFound")
    await estate.settle()
    for _ in range(9):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle()
    await estate.ready(endpoint)
    writes = [r.operation for r in estate.arm.requests if r.operation in {"PUT zone", "PUT link", "PUT record"}]
    assert writes == ["PUT zone", "PUT record", "PUT link", "PUT link"], "what has no effect yet is not written again"


async def test_the_elastic_branch_does_not_wait_for_the_address(estate: Estate) -> None:
    estate.arm_settings.nic_address_seconds = 600
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    connection = await estate.connection(endpoint)
    assert [c.type for c in connection.status.conditions if not c.true] == [
        "Addressed",
        "RecordReady",
        "Reachable",
        "Ready",
    ]


@pytest.mark.parametrize(
    ("switch", "condition", "reason", "hours"),
    [
        ("nic_address_seconds", "Addressed", "AddressOverdue", 0.5),
        ("link_seconds", "Linked", "LinkOverdue", 0.5),
        ("zone_seconds", "ZoneReady", "OperationOverdue", 2),
    ],
)
async def test_what_azure_does_not_end_is_a_persons_after_a_while_and_goes_on_when_azure_does(
    estate: Estate, switch: str, condition: str, reason: str, hours: float
) -> None:
    setattr(estate.arm_settings, switch, 4 * 3600)
    endpoint = await estate.put_endpoint()
    await estate.settle(hours * 3600 - 300)
    before = await estate.connection(endpoint)
    assert before.status.phase != "Blocked"
    await estate.settle(1800)
    connection = await estate.connection(endpoint)
    found = connection.condition(condition)
    assert found is not None
    assert (connection.status.phase, found.reason, str(found.needs)) == ("Blocked", reason, "person")
    assert f"for {hours * 60:.0f} minutes or longer" in found.message
    assert found.next_step
    reads = len(estate.arm.requests)
    await estate.clock.sleep(600)
    assert (len(estate.arm.requests), estate.queue.messages) == (reads, []), "only the sweep looks again"
    await estate.clock.sleep(4 * 3600)
    await estate.sweep()
    await estate.settle()
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_an_endpoint_that_azure_does_not_show_yet_is_waited_for(estate: Estate) -> None:
    """The event comes first, the resource is readable a little later."""
    endpoint = await estate.put_endpoint()
    hidden = [True]
    estate.hide(endpoint, while_=lambda: hidden[0])
    await estate.settle(30)
    assert await estate.reason(endpoint, "Recognised") == "OperationRunning"
    hidden[0] = False
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_slow_zone_goes_back_to_the_queue_and_is_finished_later(estate: Estate) -> None:
    estate.arm_settings.zone_seconds = 200
    endpoint = await estate.put_endpoint()
    await estate.settle(40)
    assert await estate.reason(endpoint, "ZoneReady") == "OperationRunning"
    assert (await estate.connection(endpoint)).schedule.wake_at is not None
    await estate.settle()
    await estate.ready(endpoint)
    assert len(estate.arm.private_dns_zones()) == 1


async def test_a_zone_that_is_made_but_not_found_for_a_while_is_waited_for(estate: Estate) -> None:
    """Azure answers 404 below a zone it has just made, at times for many minutes."""
    estate.arm_settings.not_found_after_create_seconds = 400
    endpoint = await estate.put_endpoint()
    await estate.settle(100)
    assert (await estate.connection(endpoint)).status.phase in {"Provisioning", "Blocked"}
    assert all(c.needs is not WaitingFor.PERSON for c in (await estate.connection(endpoint)).status.conditions)
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_slow_approval_is_polled_with_growing_delays_and_one_request_each(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 900
    endpoint = await estate.put_endpoint()
    await estate.settle(120)
    connection = await estate.connection(endpoint)
    assert connection.status.phase == "AwaitingApproval"
    assert await estate.reason(endpoint, "Approved") == "AwaitingApproval"
    before = len(estate.worker.wire.calls)
    await estate.settle(400)
    looks = [call for call in estate.worker.wire.calls[before:] if call.service == "arm"]
    assert 10 <= len(looks) <= 20, "one read per look, each after a twelfth of the time waited"
    assert {call.service for call in estate.worker.wire.calls[before:]} <= {
        "arm",
        "connections",
        "control",
        "queue",
        "journal",
    }
    await estate.settle()
    await estate.ready(endpoint)


async def test_nothing_is_tested_before_elastic_has_approved(estate: Estate) -> None:
    """It could not work, and would be told as broken."""
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(300)
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await estate.reason(endpoint, "Reachable")) == ("AwaitingApproval", "NotTested")
    assert (await estate.storage.checks.newest(connection.id)).entries == ()


async def test_an_approval_that_never_comes_is_overdue_and_left_to_the_timer(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(7200)
    connection = await estate.connection(endpoint)
    approved = connection.condition("Approved")
    assert approved is not None
    assert approved.reason == "ApprovalOverdue"
    assert "Pending since 2026-01-05 " in approved.message
    assert approved.next_step
    assert connection.status.phase == "Blocked"
    assert connection.schedule.wake_at is None
    assert not estate.queue.messages


@pytest.mark.parametrize("status", ["Rejected", "Disconnected"])
async def test_a_terminal_state_is_explained_and_not_worked_on(estate: Estate, status: str) -> None:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    estate.arm.set_connection(endpoint, status, "not one of ours")
    await estate.settle()
    connection = await estate.connection(endpoint)
    approved = connection.condition("Approved")
    assert approved is not None
    assert (approved.reason, connection.status.phase) == (status, "Blocked")
    assert "not one of ours" in approved.message
    assert "create it again" in approved.next_step
    assert not estate.queue.messages, "nothing goes on by itself"
    assert not estate.arm.private_dns_zones()
    assert not estate.policies_of(endpoint)


async def test_a_rejection_after_everything_was_made_stops_the_waiting(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    estate.arm.set_connection(endpoint, "Rejected", "no")
    await estate.settle()
    assert await estate.reason(endpoint, "Approved") == "Rejected"
    assert not estate.queue.messages


async def test_private_dns_is_left_alone_as_long_as_azure_asked_while_others_are_read(estate: Estate) -> None:
    """Its budget is 500 reads in 5 minutes; who goes on asking keeps it empty for everybody."""
    estate.elastic_settings.approval_seconds = 1200
    asked: list[float] = []

    def throttle(request: Incoming) -> FaultResponse | None:
        if "privateDnsZones" not in request.path or len(asked) == 4:
            return None
        asked.append((estate.clock.now() - START).total_seconds())
        return arm_error(429, "TooManyRequests", **{"Retry-After": "300"}) if len(asked) < 4 else None

    estate.arm.faults.append(throttle)
    endpoint = await estate.put_endpoint()
    await estate.settle(600)
    assert await estate.reason(endpoint, "ZoneReady") == "Throttled"
    assert await estate.reason(endpoint, "PolicyReady") == "Exists", "the other branch does not wait"
    await estate.settle()
    assert [round(later - sooner) >= 300 for sooner, later in pairwise(asked)] == [True] * 3
    assert asked[-1] - asked[0] < 1000
    assert (await estate.ready(endpoint)).dns.not_before is None


async def test_throttling_delays_and_does_not_fail(estate: Estate) -> None:
    estate.arm_settings.private_dns_reads_per_5_minutes = 9
    endpoint = await estate.put_endpoint()
    await estate.settle(3600)
    await estate.ready(endpoint)
    assert not estate.queue.poison
