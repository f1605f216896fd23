"""What others change in private DNS is repaired seconds after its event; our own and foreign events cost nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from local.arm import DEFAULT_SUBSCRIPTION, RequestRecord, ResourceEvent
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.messages import Cause, DriftMessage, decode
from tests.harness.dns import DNS_API
from tests.harness.estate import Estate
from tests.harness.platform_parts import WORKERS
from tests.harness.wire import Call, Fault, Refusal

both_families = pytest.mark.both_families
REPAIRS = {"PUT zone", "PUT link", "PUT record"}
CLIENT = "0A1B2C3D-0000-4000-8000-00000000cafe"
SECONDS = 10.0


Drifting = Callable[[], Awaitable[tuple[Estate, str]]]


@pytest.fixture
def drifting(monkeypatch: pytest.MonkeyPatch) -> Drifting:
    """What makes a connection that is Ready, in an estate whose events tell of private DNS too."""
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)

    async def made() -> tuple[Estate, str]:
        estate = Estate(dns_events=True)
        estate.arm_settings.client_ids[WORKERS] = CLIENT.replace("-", "").lower()
        await estate.open()
        endpoint = await estate.put_endpoint()
        await estate.settle()
        await estate.ready(endpoint)
        return estate, endpoint

    return made


async def dns(estate: Estate, method: str, resource: str, body: object = None) -> None:
    """A person changes private DNS; long-running operations have ended before anything else happens."""
    await estate.azure(method, resource, body, api=DNS_API)


def since(estate: Estate, number: int) -> list[str]:
    """What the workers asked ARM for since then, without polls."""
    return estate.arm_requests()[number:]


def ours(estate: Estate) -> list[str]:
    """The bodies of the messages that stand in the queue."""
    return [message.text for message in estate.queue.messages]


def begun(estate: Estate, resource: str) -> float:
    """Seconds from a person's change of a resource, which an event tells, to the first write of the app after it."""
    changed = max(one.at for one in estate.changes if one.resource_id.lower() == resource.lower() and not one.client_id)
    return min((one.at - changed).total_seconds() for one in writes(estate) if one.at >= changed)


def writes(estate: Estate) -> list[RequestRecord]:
    return [one for one in estate.arm.requests if one.operation in REPAIRS]


@both_families
async def test_a_record_that_a_person_deletes_is_there_again_within_seconds(drifting: Drifting) -> None:
    estate, endpoint = await drifting()
    zone = estate.zone()
    await dns(estate, "DELETE", f"{zone.id}/A/*")
    await estate.settle()
    assert begun(estate, f"{zone.id}/A/*") < SECONDS
    await estate.ready(endpoint)
    assert estate.zone().a_record("*") is not None


@both_families
async def test_an_address_that_a_person_changes_is_set_back_within_seconds(drifting: Drifting) -> None:
    estate, endpoint = await drifting()
    zone = estate.zone()
    before = zone.a_record("*")
    await dns(estate, "PATCH", f"{zone.id}/A/*", {"properties": {"aRecords": [{"ipv4Address": "10.9.9.9"}]}})
    await estate.settle()
    assert begun(estate, f"{zone.id}/A/*") < SECONDS
    await estate.ready(endpoint)
    assert estate.zone().a_record("*") == before


@both_families
async def test_a_link_that_a_person_deletes_is_there_again_within_seconds(drifting: Drifting) -> None:
    estate, endpoint = await drifting()
    link, *others = estate.links_of(estate.zone())
    await dns(estate, "DELETE", link.id)
    await until_gone(estate, link.id)
    await estate.settle()
    assert begun(estate, link.id) < SECONDS
    await estate.ready(endpoint)
    assert len(estate.links_of(estate.zone())) == 1 + len(others)


@both_families
async def test_a_zone_that_a_person_deletes_is_there_again_within_seconds(drifting: Drifting) -> None:
    """Azure lets a zone go once its links are gone; no event tells of these here, so it is the zone's that counts."""
    estate, endpoint = await drifting()
    zone = estate.zone()
    estate.events.settings.drop = True
    for link in estate.links_of(zone):
        await dns(estate, "DELETE", link.id)
        await until_gone(estate, link.id)
    estate.events.settings.drop = False
    await dns(estate, "DELETE", zone.id)
    await until_gone(estate, zone.id)
    await estate.settle()
    assert begun(estate, zone.id) < SECONDS
    await estate.ready(endpoint)
    assert estate.zone().a_record("*") is not None


async def test_our_own_changes_make_no_message(drifting: Drifting, caplog: pytest.LogCaptureFixture) -> None:
    """The ids are compared without dashes."""
    estate, endpoint = await drifting()
    caplog.set_level("INFO", "privatelink")
    await dns(estate, "DELETE", f"{estate.zone().id}/A/*")
    await estate.settle()
    await estate.ready(endpoint)
    told = [one for one in estate.changes if "/privatednszones/" in one.resource_id.lower()]
    assert [one.client_id for one in told].count("") == 1, "a person's one change, the others are the app's own"
    assert len(told) > 4
    taken = [one for one in caplog.messages if one.startswith("event taken: drift")]
    assert len(taken) == 1


async def test_our_own_change_that_its_event_does_not_tell_costs_one_read(drifting: Drifting) -> None:
    estate, _ = await drifting()
    zone, number = estate.zone(), len(estate.arm_requests())
    await tell(estate, f"{zone.id}/A/*")
    await estate.settle()
    assert len(since(estate, number)) == 1


async def test_an_event_of_a_zone_that_no_connection_uses_costs_no_read(drifting: Drifting) -> None:
    estate, _ = await drifting()
    zone, number = estate.zone(), len(estate.arm_requests())
    for forged in (zone.id.replace("rg-apps", "rg-other"), zone.id.replace("eastus2", "westeurope")):
        await tell(estate, forged)
        await tell(estate, f"{forged}/A/*")
    await estate.settle()
    assert since(estate, number) == []


async def test_a_forged_event_of_our_zone_costs_one_read_and_wakes_no_connection(drifting: Drifting) -> None:
    estate, endpoint = await drifting()
    zone = estate.zone()
    before = (await estate.connection(endpoint)).status.generation
    things = (zone.id, f"{zone.id}/A/*", estate.links_of(zone)[0].id, f"{zone.id}/virtualNetworkLinks/foreign")
    for thing in things:
        number = len(estate.arm_requests())
        await tell(estate, thing)
        await estate.settle()
        assert len(since(estate, number)) <= 1, thing
    assert (await estate.connection(endpoint)).status.generation == before


async def test_several_events_about_one_connection_leave_one_message(drifting: Drifting) -> None:
    estate, _ = await drifting()
    zone = estate.zone()
    estate.events.settings.drop = True
    await dns(estate, "DELETE", f"{zone.id}/A/*")
    for _ in range(3):
        await estate.queue.send(DriftMessage(parse_arm_id(f"{zone.id}/A/*"), "drift").encode())
    for _ in range(3):
        message = estate.queue.receive()
        assert message is not None
        assert "changed" in message.text
        await estate.handle(message)
    assert [decode(text, new_correlation_id="").work[0].cause for text in ours(estate)] == [Cause.DRIFT]


async def test_a_change_that_cannot_be_read_now_is_looked_at_again_and_never_poisons(
    drifting: Drifting,
) -> None:
    estate, endpoint = await drifting()
    zone = estate.zone()

    def refused(call: Call) -> Fault:
        return Refusal(503) if call.service == "arm" else None

    whole, estate.worker = estate.worker, estate.new_worker(refused)
    await dns(estate, "DELETE", f"{zone.id}/A/*")
    await estate.settle(30)
    estate.worker = whole
    await estate.settle(120)
    assert estate.zone().a_record("*") is not None
    await estate.ready(endpoint)


async def test_a_sign_of_an_approval_is_a_reason_to_look_at_the_endpoint(drifting: Drifting) -> None:
    estate, endpoint = await drifting()
    number = len(estate.arm_requests())
    kind = "Microsoft.Network/privateEndpoints/privateLinkServiceProxies"
    await tell(estate, f"{endpoint}/privateLinkServiceProxies/pls", kind)
    await estate.settle()
    assert [one for one in since(estate, number) if f"{endpoint}?" in one]


# -- parts -------------------------------------------------------------------------------------------------------------


async def until_gone(estate: Estate, resource: str) -> None:
    """Let Azure's operation end, which takes three seconds here."""
    await estate.clock.sleep(5)
    held = {one.id.lower() for one in (*estate.arm.virtual_network_links(), *estate.arm.private_dns_zones())}
    assert resource.lower() not in held


async def tell(estate: Estate, resource: str, kind: str = "") -> None:
    """An event about a write that did not happen, and that does not say who made it."""
    zones = "Microsoft.Network/privateDnsZones"
    kind = kind or zones + ("/A" if "/A/" in resource else "/virtualNetworkLinks" if "Links/" in resource else "")
    estate.events.settings.bare_evidence = True
    estate.events.publish(
        ResourceEvent("write", "Succeeded", resource, kind, DEFAULT_SUBSCRIPTION, "tenant", "c-1", estate.clock.now())
    )
    await estate.events.drain()
    estate.events.settings.bare_evidence = False
