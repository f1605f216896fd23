"""State is a cache: when its tables are lost, what was made for an endpoint that went meanwhile goes all the same."""

from __future__ import annotations

import pytest

from shared.core.model.arm_ids import connection_id
from shared.installation.recovered import confirm_recovered, recovered_list
from tests.harness.dns import OTHER_SUBSCRIPTION
from tests.harness.estate import Estate
from tests.harness.leaving import connected, everything, work_for
from tests.harness.platform_parts import ASKED

pytestmark = pytest.mark.both_families(at_length=True)


async def rounds(estate: Estate, number: int) -> None:
    for _ in range(number):
        await work_for(estate, 300)
        await estate.sweep()
        await estate.settle()


async def lost_with_the_endpoint(estate: Estate) -> str:
    """A connection whose record is lost, and whose endpoint goes before any sweep; no event tells of it."""
    endpoint = await connected(estate)
    estate.storage.connections.clear()
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    return endpoint


async def gone_after_a_word(estate: Estate, endpoint: str) -> None:
    """The association carries no marker: it waits for the one confirmation, and with it the policy."""
    assert await estate.reason(endpoint, "Removed") == "RecoveredUnconfirmed"
    assert "policy pe-1" in everything(estate)
    found = await recovered_list(estate.worker.context)
    assert await confirm_recovered(estate.worker.context, found.id, ASKED) is not None
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert everything(estate) == []


@pytest.mark.parametrize("cause", ["", "event-write", "manual", "timer"])
async def test_what_was_made_for_an_endpoint_that_is_gone_goes_with_any_first_message(
    estate: Estate, cause: str
) -> None:
    """A late event, a person, or a sweep by a listing that was late: they find no endpoint and no record."""
    endpoint = await lost_with_the_endpoint(estate)
    if cause:
        await estate.send(endpoint, cause)
        await estate.settle(300)
        assert await estate.storage.connections.get(connection_id(endpoint)) is None
    await rounds(estate, 5)
    await gone_after_a_word(estate, endpoint)
    assert (await estate.sweep()).enqueued == 0


async def test_what_was_made_in_a_hub_of_another_subscription_goes_too() -> None:
    """One that the settings name only as the home of the zones."""
    home = f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-dns"
    estate = await Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": home}).open()
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    endpoint = await lost_with_the_endpoint(estate)
    assert estate.zone().id.startswith(home)
    await rounds(estate, 5)
    await gone_after_a_word(estate, endpoint)


@pytest.mark.parametrize("answer", [(503, "down"), (429, "slow down"), (403, "no")], ids=["down", "busy", "no key"])
async def test_what_cannot_be_read_meanwhile_poisons_nothing_and_is_found_later(
    estate: Estate, answer: tuple[int, str]
) -> None:
    endpoint = await lost_with_the_endpoint(estate)
    await estate.clock.sleep(300)
    await estate.sweep()
    estate.elastic_settings.faults.append(lambda *_: answer)
    await estate.settle()
    assert not estate.queue.poison
    estate.elastic_settings.faults.clear()
    await rounds(estate, 6)
    await gone_after_a_word(estate, endpoint)


@pytest.mark.both_families
async def test_a_policy_that_was_handed_over_is_not_taken_for_the_endpoints_own(estate: Estate) -> None:
    """Nothing but its rule tells of a GUID; with another endpoint's name in it, it is that one's."""
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    (policy,) = estate.policies_of(endpoint)
    policy.rules[0] |= {"azure_endpoint_name": "theirs", "azure_endpoint_guid": "00000000-0000-4000-8000-000000000001"}
    estate.storage.connections.clear()
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    await rounds(estate, 5)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert everything(estate) == ["policy pe-1"]
