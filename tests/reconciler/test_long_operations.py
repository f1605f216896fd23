"""Operations of Azure that outlast the run that began them: not begun twice, and explained when they fail."""

from __future__ import annotations

import pytest

from local.arm import FaultResponse, Incoming
from local.world import HUB_VNET
from shared.api.queries import get_connection
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.markers import Marker
from shared.core.model.steps import CreateZone
from shared.installation.recovered import recovered_list
from tests.harness.dns import APPS, DNS_API, OTHER_SUBSCRIPTION, a_zone_of_others, linked, zone_id
from tests.harness.estate import Estate, arm_error

STEP = CreateZone(parse_arm_id(zone_id("rg-apps")), Marker("autopilot", "0" * 16))


async def a_zone_that_cannot_be_seen(estate: Estate, seconds: float) -> None:
    """It serves the network; Azure takes so long to find out that a second one is one too many."""
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    await a_zone_of_others(estate, zone_id("rg-secret", OTHER_SUBSCRIPTION), APPS)
    estate.arm_settings.link_seconds = seconds


@pytest.mark.parametrize("stays", [False, True], ids=["failed link goes", "failed link stays"])
@pytest.mark.parametrize("seconds", [5, 40, 200])
async def test_what_fails_after_the_run_that_began_it_is_explained_and_not_begun_for_ever(
    estate: Estate, seconds: float, stays: bool
) -> None:
    estate.arm_settings.failed_links_stay = stays
    await a_zone_that_cannot_be_seen(estate, seconds)
    before = len(estate.arm.requests)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.connection(endpoint)
    assert await estate.reason(endpoint, "Linked") == "NetworkLinkedToAnotherZone"
    assert (connection.status.phase, connection.schedule.wake_at) == ("Degraded", None)
    operations = [request.operation for request in estate.arm.requests[before:]]
    assert operations.count("PUT link") <= 2


@pytest.mark.parametrize("stays", [False, True], ids=["failed link goes", "failed link stays"])
async def test_a_link_that_failed_is_made_once_nothing_stands_against_it(estate: Estate, stays: bool) -> None:
    estate.arm_settings.failed_links_stay = stays
    await a_zone_that_cannot_be_seen(estate, seconds=3)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert await estate.reason(endpoint, "Linked") == "NetworkLinkedToAnotherZone"
    (theirs,) = [zone for zone in estate.arm.private_dns_zones() if "rg-secret" in zone.id]
    for link in estate.links_of(theirs):
        await estate.azure("DELETE", link.id, api=DNS_API)
    await estate.clock.sleep(60)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    (ours,) = [zone for zone in estate.arm.private_dns_zones() if zone is not theirs]
    assert linked(estate, ours) == [APPS, HUB_VNET]


async def test_a_failed_link_that_only_its_marker_calls_ours_waits_for_a_persons_word_though_it_is_written_anew(
    estate: Estate,
) -> None:
    """To write a thing does not make it ours: who may write tags could else have it deleted later."""
    estate.arm_settings.failed_links_stay = True
    await a_zone_that_cannot_be_seen(estate, seconds=3)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert await estate.reason(endpoint, "Linked") == "NetworkLinkedToAnotherZone"
    estate.storage.things.clear()
    (theirs,) = [zone for zone in estate.arm.private_dns_zones() if "rg-secret" in zone.id]
    for link in estate.links_of(theirs):
        await estate.azure("DELETE", link.id, api=DNS_API)
    await estate.clock.sleep(60)
    await estate.send(endpoint)
    await estate.settle()
    await estate.ready(endpoint)
    (ours,) = [zone for zone in estate.arm.private_dns_zones() if zone is not theirs]
    (written,) = [link.id for link in estate.links_of(ours) if link.vnet.id == APPS]
    waiting = {thing.id.lower() for thing in (await recovered_list(estate.worker.context)).things}
    assert written.lower() in waiting


async def test_a_link_that_failed_does_not_make_its_zone_the_one_that_the_network_uses(estate: Estate) -> None:
    """The right to see the other zone was granted meanwhile: that one is used, not the one that could not be linked."""
    estate.arm_settings.failed_links_stay = True
    await a_zone_that_cannot_be_seen(estate, seconds=3)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    estate.worker = estate.new_worker(DNS_SUBSCRIPTIONS=OTHER_SUBSCRIPTION)
    await estate.send(endpoint)
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert connection.dns.zone is not None
    assert "rg-secret" in connection.dns.zone.id


async def test_what_takes_many_runs_is_begun_once(estate: Estate) -> None:
    estate.arm_settings.zone_seconds = estate.arm_settings.link_seconds = 200
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert (await estate.ready(endpoint)).dns.operations == ()
    operations = [request.operation for request in estate.arm.requests]
    assert (operations.count("PUT zone"), operations.count("PUT link")) == (1, 2)


async def test_the_address_that_azure_signed_for_the_app_is_not_shown(estate: Estate) -> None:
    estate.arm_settings.zone_seconds = 200
    endpoint = await estate.put_endpoint()
    await estate.settle(30)
    connection = await estate.connection(endpoint)
    (operation,) = connection.dns.operations
    assert "OperationStatuses" in operation.url
    assert "OperationStatuses" not in str(await get_connection(estate.worker.context, connection.id))


@pytest.mark.parametrize(
    ("answer", "links"),
    [
        (arm_error(404, "NotFound"), 1),
        (arm_error(404, "ResourceGroupNotFound"), 1),
        (arm_error(400, "BadRequest"), 1),
        (arm_error(403, "AuthorizationFailed"), 1),
        (arm_error(429, "TooManyRequests"), 0),
        (arm_error(500, "InternalError"), 0),
    ],
    ids=["forgotten", "group gone", "refused", "forbidden", "throttled", "failing"],
)
async def test_an_operation_is_begun_again_where_azure_does_not_tell_of_it_and_not_where_it_cannot_just_now(
    estate: Estate, answer: FaultResponse, links: int
) -> None:
    await a_zone_that_cannot_be_seen(estate, seconds=40)
    endpoint = await estate.put_endpoint()
    await estate.settle(35)
    assert [operation.step for operation in (await estate.connection(endpoint)).dns.operations] != []
    begun = len([request for request in estate.arm.requests if request.operation == "PUT link"])
    told: list[Incoming] = []

    def does_not_tell(request: Incoming) -> FaultResponse | None:
        if request.operation != "GET operation" or told:
            return None
        told.append(request)
        return answer

    await estate.clock.sleep(40)  # by now it has failed
    estate.arm.faults.append(does_not_tell)
    await estate.settle()
    assert await estate.reason(endpoint, "Linked") == "NetworkLinkedToAnotherZone"
    assert len([request for request in estate.arm.requests if request.operation == "PUT link"]) == begun + links


async def test_no_address_but_azures_own_is_asked(estate: Estate) -> None:
    """It comes from a table; a person who can write there must not get the app's token."""
    assert await estate.worker.context.dns.poll_previous(STEP, "https://evil.example/operation") == (False, None)
    assert estate.worker.wire.calls == []
