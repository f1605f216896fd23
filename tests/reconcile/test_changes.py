"""What people and other managers change after a connection stands: it follows, within what it made and may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local.elastic.deployments import Deployment
from local.elastic.history import most_policies_at_once
from local.elastic.model import Ruleset
from shared.core.connection import Owner
from tests.harness.estate import Estate
from tests.harness.wire import Call, Stall

ANYWHERE = "192.0.2.77"
THEIRS = {"azure_endpoint_name": "theirs", "azure_endpoint_guid": "11111111-0000-4000-8000-000000000000"}


async def connected(estate: Estate, *deployments: str, **tags: str) -> str:
    wished = ", ".join(deployments or ("logs-eastus2",))
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": wished} | tags)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint


def the(estate: Estate, name: str) -> Deployment:
    return next(deployment for deployment in estate.elastic.deployments() if deployment.name == name)


def attached(estate: Estate, name: str) -> list[str]:
    return sorted(policy.name for policy in estate.elastic.attached(the(estate, name).id))


def tag(estate: Estate, endpoint: str, **tags: str) -> None:
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags.update(tags)


def wish(estate: Estate, endpoint: str, *deployments: str) -> None:
    tag(estate, endpoint, **{"elastic-deployments": ", ".join(deployments)})


async def swept(estate: Estate) -> None:
    await estate.sweep()
    await estate.settle()


def policy_of(estate: Estate, endpoint: str) -> Ruleset:
    (policy,) = estate.policies_of(endpoint)
    assert isinstance(policy, Ruleset)
    return policy


def take_away(estate: Estate, endpoint: str, name: str) -> None:
    """Another manager disassociates the endpoint's policy."""
    estate.elastic._filters.disassociate(policy_of(estate, endpoint).id, "deployment", the(estate, name).id)


# -- the endpoint --------------------------------------------------------------------------------------------------


async def test_the_record_follows_a_new_address(estate: Estate) -> None:
    """The network interface was made anew."""
    endpoint = await connected(estate)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    old, new = found.address, "127.77.0.99"
    found.address = found.reserved_address = new
    await swept(estate)
    connection = await estate.connection(endpoint)
    assert (estate.zone().a_record("*"), connection.address) == ([new], new)
    assert old not in connection.record_addresses


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
    assert (after.id, connection.policy.owner) == (before.id, Owner.OURS)
    assert after.guids == {connection.guid.lower()} != old
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"]
    assert most_policies_at_once(estate.elastic.history, connection.guid) == 1
    assert len([policy for policy in estate.elastic.rulesets() if policy.guids]) == 1


async def test_rules_added_by_hand_stay_when_the_policy_follows(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy_of(estate, endpoint).rules.append(dict(THEIRS))
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.settle()
    connection = await estate.connection(endpoint)
    policy = policy_of(estate, endpoint)
    assert policy.guids == {connection.guid.lower(), THEIRS["azure_endpoint_guid"]}
    ready = connection.condition("PolicyReady")
    assert ready is not None
    assert "theirs" in ready.message, "drift is reported"


@pytest.mark.parametrize(
    "change",
    [
        lambda policy: setattr(policy, "name", "somebody's name"),
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


async def test_words_that_a_person_wrote_around_the_marker_stay(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    policy.description = f"Owner: team search. {policy.description} Ticket 17."
    estate.worker = estate.new_worker()
    await swept(estate)
    assert "Ticket 17" in str(policy_of(estate, endpoint).description)
    assert not [call for call in estate.worker.wire.calls if call.what.startswith("PUT")]


async def test_whoever_takes_the_marker_out_takes_the_policy_over(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    policy.description, policy.name = "ours now", "theirs"
    await estate.send(endpoint)
    await estate.settle()
    connection = await estate.connection(endpoint)
    assert (connection.policy.owner, policy_of(estate, endpoint).name) == (Owner.ADOPTED, "theirs")
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
    assert [memory.name for memory in connection.deployments] == ["more"]


async def test_what_others_associated_is_not_taken_away_with_the_tag(estate: Estate) -> None:
    """S4."""
    estate.elastic.add_deployment("more", "eastus2", ip_policy=True)
    endpoint = await connected(estate)
    estate.elastic._filters.attach(policy_of(estate, endpoint), the(estate, "more").id)
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


# -- deployments ---------------------------------------------------------------------------------------------------


async def test_a_deployment_that_is_renamed_stays_connected_and_that_is_said(estate: Estate) -> None:
    endpoint = await connected(estate)
    the(estate, "logs-eastus2").name = "audit"
    await swept(estate)
    connection = await estate.ready(endpoint)
    associated = connection.condition("Associated")
    assert associated is not None
    assert "still called logs-eastus2" in associated.message
    assert attached(estate, "audit") == ["logs-eastus2-office", "pe-1"]


async def test_its_old_name_taken_by_another_moves_the_connection(estate: Estate) -> None:
    endpoint = await connected(estate)
    the(estate, "logs-eastus2").name = "audit"
    estate.elastic.add_deployment("logs-eastus2", "eastus2", ip_policy=True)
    await swept(estate)
    assert attached(estate, "audit") == ["logs-eastus2-office"]
    assert "pe-1" in attached(estate, "logs-eastus2")
    await estate.ready(endpoint)


@pytest.mark.parametrize("state", ["stopped", "hidden"])
async def test_a_deployment_that_is_shut_down_keeps_its_association_and_that_is_said(
    estate: Estate, state: str
) -> None:
    endpoint = await connected(estate)
    if state == "stopped":
        the(estate, "logs-eastus2").status = "stopped"
    else:
        the(estate, "logs-eastus2").hidden = True
    await swept(estate)
    assert await estate.reason(endpoint, "Associated") == "DeploymentNotRunning"
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"]


async def test_a_deployment_that_is_deleted_is_reported_and_forgotten_with_the_tag(estate: Estate) -> None:
    endpoint = await connected(estate)
    gone = the(estate, "logs-eastus2").id
    estate.elastic.remove_deployment(gone)
    await swept(estate)
    connection = await estate.connection(endpoint)
    associated = connection.condition("Associated")
    assert associated is not None
    assert (associated.reason, gone in associated.message) == ("DeploymentNotFound", True)
    wish(estate, endpoint)
    await swept(estate)
    assert (await estate.ready(endpoint)).associations == ()


async def test_a_consent_that_is_withdrawn_cuts_nothing_off_and_is_reported() -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": "logs-eastus2"}).open()
    endpoint = await connected(estate)
    estate.settings["ELASTIC_DEPLOYMENTS_ALLOWED"] = "others"
    estate.worker = estate.new_worker()
    await swept(estate)
    assert await estate.reason(endpoint, "Associated") == "DeploymentNotAllowed"
    assert "pe-1" in attached(estate, "logs-eastus2")
    wish(estate, endpoint)
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"]


@pytest.mark.parametrize("value", ["rg-apps/pe-1", "*", "other, RG-Apps/PE-1"])
async def test_a_deployments_own_tag_connects_an_endpoint_that_asks_for_nothing(value: str) -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}).open()
    the(estate, "logs-eastus2").tags["elastic-privatelink-connect"] = value
    the(estate, "logs-westeurope").tags["elastic-privatelink-connect"] = "*"
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert [memory.name for memory in connection.deployments] == ["logs-eastus2"]
    assert "pe-1" not in attached(estate, "logs-westeurope"), "a star is for the deployment's own region"
    del the(estate, "logs-eastus2").tags["elastic-privatelink-connect"]
    await estate.clock.sleep(3600)
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"]


async def test_a_deployments_own_tag_does_not_override_the_first_policys_guard(estate: Estate) -> None:
    the(estate, "search-eastus2").tags["elastic-privatelink-connect"] = "*"
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    assert await estate.reason(endpoint, "Associated") == "WouldCutOffPublicTraffic"
    assert attached(estate, "search-eastus2") == []


# -- another manager -----------------------------------------------------------------------------------------------


async def test_an_association_taken_away_again_and_again_is_put_back_three_times_and_then_left(
    estate: Estate,
) -> None:
    endpoint = await connected(estate)
    for _ in range(3):
        take_away(estate, endpoint, "logs-eastus2")
        await estate.clock.sleep(3600)
        await swept(estate)
        assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"]
        await estate.clock.sleep(3600)
        await swept(estate)
    take_away(estate, endpoint, "logs-eastus2")
    await estate.clock.sleep(3600)
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"]
    associated = (await estate.connection(endpoint)).condition("Associated")
    assert associated is not None
    assert associated.reason == "AssociationContested"
    assert "Terraform" in associated.message
    assert "elastic-privatelink=ignore" in associated.next_step
    await estate.clock.sleep(3700)
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"], "it stays left"
    await estate.send(endpoint, "manual")
    await estate.settle()
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"], "a person asked for it"
    await estate.ready(endpoint)


async def test_a_nightly_pipeline_is_one_fight_and_a_yearly_slip_is_none(estate: Estate) -> None:
    endpoint = await connected(estate)
    for _ in range(3):
        take_away(estate, endpoint, "logs-eastus2")
        await swept(estate)
        await estate.clock.sleep(24 * 3600)
        await swept(estate)
    take_away(estate, endpoint, "logs-eastus2")
    await swept(estate)
    assert await estate.reason(endpoint, "Associated") == "AssociationContested"
    await estate.clock.sleep(8 * 24 * 3600)
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"]


async def test_the_opt_out_tag_ends_the_fight(estate: Estate) -> None:
    endpoint = await connected(estate)
    the(estate, "logs-eastus2").tags["elastic-privatelink"] = "ignore"
    take_away(estate, endpoint, "logs-eastus2")
    await estate.clock.sleep(3600)
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"]
    assert await estate.reason(endpoint, "Associated") == "DeploymentOptedOut"


async def test_the_opt_out_tag_keeps_an_association_that_is_no_longer_asked_for(estate: Estate) -> None:
    endpoint = await connected(estate)
    the(estate, "logs-eastus2").tags["elastic-privatelink"] = "ignore"
    wish(estate, endpoint)
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"]


# -- claims --------------------------------------------------------------------------------------------------------


def claimed(estate: Estate) -> list[str]:
    return sorted(claim["azure_endpoint_guid"].lower() for claim in estate.elastic.claims())


async def test_no_claim_is_made_or_even_read_unless_it_is_asked_for(estate: Estate) -> None:
    await connected(estate)
    assert claimed(estate) == []
    assert not [call for call in estate.worker.wire.calls if "link-ids" in call.what]


async def test_a_claim_that_is_asked_for_is_made_follows_a_new_guid_and_goes_with_the_endpoint(
    estate: Estate,
) -> None:
    endpoint = await connected(estate, **{"elastic-privatelink-claim": "true"})
    connection = await estate.connection(endpoint)
    assert claimed(estate) == [connection.guid.lower()]
    assert await estate.reason(endpoint, "Claimed") == "Claimed"
    await estate.delete(endpoint)
    await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2", "elastic-privatelink-claim": "true"})
    await estate.settle()
    anew = await estate.ready(endpoint)
    assert anew.guid != connection.guid
    assert claimed(estate) == [anew.guid.lower()]
    await estate.delete(endpoint)
    await estate.settle(60)
    await estate.clock.sleep(700)
    await estate.settle()
    assert claimed(estate) == []


async def test_a_claim_that_is_no_longer_asked_for_is_given_up_and_one_of_others_is_not(estate: Estate) -> None:
    endpoint = await connected(estate, **{"elastic-privatelink-claim": "true"})
    tag(estate, endpoint, **{"elastic-privatelink-claim": "false"})
    await swept(estate)
    assert claimed(estate) == []
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    theirs = {"region": "azure-eastus2", "azure_endpoint_name": "pe-1", "azure_endpoint_guid": found.resource_guid}
    estate.elastic._filters.claim(theirs)
    tag(estate, endpoint, **{"elastic-privatelink-claim": "true"})
    await swept(estate)
    await estate.ready(endpoint)
    tag(estate, endpoint, **{"elastic-privatelink-claim": "false"})
    await swept(estate)
    assert claimed(estate) == [found.resource_guid.lower()]


async def test_an_endpoint_that_another_organization_claims_is_reported(estate: Estate) -> None:
    estate.elastic_settings.repeat_claim = "refused"
    endpoint = await estate.put_endpoint(tags={"elastic-privatelink-claim": "true"})
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    await estate.settle()
    estate.elastic._filters.claims.clear()
    estate.elastic_settings.claimed_elsewhere.add(("azure-eastus2", found.resource_guid))
    await swept(estate)
    assert await estate.reason(endpoint, "Claimed") == "ElasticRefused"
