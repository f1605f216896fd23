"""What people and other managers change after a connection stands: it follows, within what it made and may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local.elastic.history import most_policies_at_once
from shared.core.model.ownership import Owner
from tests.harness.changing import ANYWHERE, THEIRS, attached, connected, policy_of, swept, the, wish
from tests.harness.estate import Estate
from tests.harness.wire import Call, Stall

pytestmark = pytest.mark.both_families

# -- the endpoint --------------------------------------------------------------------------------------------------


async def test_the_record_follows_a_new_address(estate: Estate) -> None:
    """The network interface was made anew."""
    endpoint = await connected(estate)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    old, new = found.address, "127.77.0.99"
    found.address = new
    await swept(estate)
    connection = await estate.connection(endpoint)
    assert (estate.zone().a_record("*"), connection.identity.address) == ([new], new)
    assert old not in connection.dns.record_addresses


@pytest.mark.parametrize("case", ["event", "lost events"])
async def test_an_endpoint_made_anew_keeps_its_policy_with_all_its_associations(estate: Estate, case: str) -> None:
    endpoint = await connected(estate)
    before = policy_of(estate, endpoint)
    old = set(before.guids)
    estate.events.settings.drop = case == "lost events"
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.clock.sleep(10)
    await swept(estate)
    connection = await estate.ready(endpoint)
    after = policy_of(estate, endpoint)
    assert (after.id, connection.elastic.policy.owner) == (before.id, Owner.OURS)
    assert after.guids == {connection.identity.guid.lower()} != old
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"]
    assert most_policies_at_once(estate.elastic.history, connection.identity.guid) == 1
    assert len([policy for policy in estate.elastic.rulesets() if policy.guids]) == 1


async def test_rules_added_by_hand_stay_when_the_policy_follows(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy_of(estate, endpoint).rules.append(dict(THEIRS))
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.settle()
    connection = await estate.connection(endpoint)
    policy = policy_of(estate, endpoint)
    assert policy.guids == {connection.identity.guid.lower(), THEIRS["azure_endpoint_guid"]}
    ready = connection.condition("PolicyReady")
    assert ready is not None
    assert "theirs" in ready.message, "drift is reported"


@pytest.mark.parametrize(
    "change",
    [
        lambda policy: setattr(policy, "name", "another name"),
        lambda policy: policy.rules[0].update(azure_endpoint_name="PE-1"),
        lambda policy: setattr(policy, "description", policy.description.replace("Made and kept", "MADE")),
    ],
    ids=["name", "name in the rule", "description"],
)
async def test_name_and_description_of_our_policy_follow_the_endpoint(estate: Estate, change: Any) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    name, description, rule = policy.name, policy.description, dict(policy.rules[0])
    change(policy)
    await swept(estate)
    policy = policy_of(estate, endpoint)
    assert (policy.name, policy.description) == (name, description)
    assert {key: policy.rules[0][key] for key in ("azure_endpoint_name", "azure_endpoint_guid")} == {
        key: rule[key] for key in ("azure_endpoint_name", "azure_endpoint_guid")
    }
    await estate.ready(endpoint)


async def test_a_policy_that_is_taken_over_between_the_look_and_the_write_is_left(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    policy.name = "orders"

    def taken_over(call: Call) -> None:
        """Just before the app reads it once more, to write it."""
        if call.what.startswith("GET") and call.what.endswith(f"/{policy.id}"):
            policy.description = "ours now"

    estate.worker = estate.new_worker(taken_over)
    await swept(estate)
    assert (policy.name, policy.description) == ("orders", "ours now")
    assert not [call for call in estate.worker.wire.calls if call.what.startswith(("PUT", "PATCH"))]
    assert (await estate.connection(endpoint)).elastic.policy.owner is Owner.ADOPTED


async def test_words_that_a_person_wrote_around_the_marker_stay(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    policy.description = f"Owner: team search. {policy.description} Ticket 17."
    estate.worker = estate.new_worker()
    await swept(estate)
    assert "Ticket 17" in str(policy_of(estate, endpoint).description)
    assert not [call for call in estate.worker.wire.calls if call.what.startswith(("PUT", "PATCH"))]


async def test_a_persons_words_outlast_what_the_app_puts_right_in_the_policy(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    policy.description = f"Owner: team search. {policy.description} Ticket 17."
    policy.name = "orders"
    before = policy.description
    await swept(estate)
    assert (policy_of(estate, endpoint).name, policy_of(estate, endpoint).description) == ("pe-1", before)


async def test_a_person_who_takes_the_marker_out_takes_the_policy_over(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    policy.description, policy.name = "ours now", "theirs"
    await estate.send(endpoint)
    await estate.settle()
    connection = await estate.connection(endpoint)
    assert (connection.elastic.policy.owner, policy_of(estate, endpoint).name) == (Owner.ADOPTED, "theirs")
    await estate.delete(endpoint)
    await estate.settle(60)
    await estate.clock.sleep(700)
    await estate.settle()
    assert [one.name for one in estate.elastic.rulesets() if one.guids] == ["theirs"]


async def test_a_policy_that_is_applied_by_default_is_reported_and_never_made_so(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    assert policy.include_by_default is False
    policy.include_by_default, policy.name = True, "renamed"
    await swept(estate)
    assert policy_of(estate, endpoint).include_by_default is True, "a person's choice"
    ready = (await estate.connection(endpoint)).condition("PolicyReady")
    assert ready is not None
    assert "by default" in ready.message


# -- its tag -------------------------------------------------------------------------------------------------------


async def test_the_tag_edited_adds_what_is_new_and_takes_away_what_is_no_longer_asked_for(estate: Estate) -> None:
    estate.elastic.add_deployment("more", "eastus2", ip_policy=True)
    endpoint = await connected(estate)
    wish(estate, endpoint, "more")
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"]
    assert attached(estate, "more") == ["more-office", "pe-1"]
    connection = await estate.ready(endpoint)
    assert [memory.name for memory in connection.elastic.targets] == ["more"]


async def test_what_others_associated_is_not_taken_away_with_the_tag(estate: Estate) -> None:
    """S4."""
    estate.elastic.add_deployment("more", "eastus2", ip_policy=True)
    endpoint = await connected(estate)
    estate.elastic.associate(policy_of(estate, endpoint), the(estate, "more").id)
    await swept(estate)
    wish(estate, endpoint)
    await swept(estate)
    assert attached(estate, "more") == ["more-office", "pe-1"]
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"]


async def test_the_last_policy_stays_although_the_tag_no_longer_asks_for_it() -> None:
    """S2."""
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": "*"}).open()
    endpoint = await connected(estate, "search-eastus2")
    wish(estate, endpoint)
    await swept(estate)
    assert attached(estate, "search-eastus2") == ["pe-1"]
    assert await estate.reason(endpoint, "Associated") == "WouldReopenPublicAccess"
    estate.elastic.add_policy("office", "eastus2", deployments=[the(estate, "search-eastus2").id])
    await swept(estate)
    assert attached(estate, "search-eastus2") == ["office"]
    await estate.ready(endpoint)


async def two_that_leave() -> tuple[Estate, list[Any]]:
    """Two connections whose policies are all that a deployment has; both are no longer asked for. Their messages."""
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": "*", "DNS_RECORD_MODE": "union"}).open()
    first = await connected(estate, "search-eastus2")
    second = await estate.put_endpoint("pe-2", tags={"elastic-deployments": "search-eastus2"})
    await estate.settle()
    await estate.ready(second)
    await estate.clock.sleep(3600)
    assert attached(estate, "search-eastus2") == ["pe-1", "pe-2"]
    wish(estate, first)
    wish(estate, second)
    await estate.sweep()
    return estate, [estate.queue.receive(), estate.queue.receive()]


def closed_to_the_internet(estate: Estate) -> bool:
    host = the(estate, "search-eastus2").alias_host("es")
    assert host is not None
    return estate.elastic.decide_public(host, ANYWHERE).status == 403


async def test_two_endpoints_that_leave_one_deployment_at_once_do_not_both_believe_in_the_other() -> None:
    """S2, with two workers at the same moment: each one's policy would be the other's protection."""
    estate, messages = await two_that_leave()
    estate.elastic_settings.latency_seconds = 1.0
    await asyncio.gather(*(estate.handle(message, estate.new_worker()) for message in messages))
    await estate.settle()
    assert len(attached(estate, "search-eastus2")) == 1
    assert closed_to_the_internet(estate)


@pytest.mark.of_deployments  # of projects: tests/clouds/elastic/test_project_lists.py
@pytest.mark.parametrize("lag", [0.0, 45.0], ids=["listed at once", "still listed for a while"])
async def test_a_worker_that_was_held_up_between_looking_and_acting_looks_again(lag: float) -> None:
    """S2: what it saw is outdated by the other's removal, which the API may not even show yet."""
    estate, messages = await two_that_leave()
    estate.elastic_settings.disassociation_lag_seconds = lag
    looked = False

    def held_up(call: Call) -> Stall | None:
        nonlocal looked
        looked = looked or "_search" in call.what
        return Stall(10) if looked and (call.service, call.what) == ("control", "get") else None

    await asyncio.gather(
        estate.handle(messages[0], estate.new_worker()), estate.handle(messages[1], estate.new_worker(held_up))
    )
    assert looked
    assert len(attached(estate, "search-eastus2")) == 1
    await estate.clock.sleep(60)
    await estate.settle()
    assert len(attached(estate, "search-eastus2")) == 1
    assert closed_to_the_internet(estate)
