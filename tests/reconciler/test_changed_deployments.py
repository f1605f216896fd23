"""Deployments that change, managers that take associations away, claims: what follows, and what is left alone."""

from __future__ import annotations

import pytest

from tests.harness.changing import attached, connected, swept, tag, take_away, the, wish
from tests.harness.estate import Estate

pytestmark = pytest.mark.both_families

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


@pytest.mark.of_deployments
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


@pytest.mark.of_deployments
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
    assert (await estate.ready(endpoint)).elastic.associations == ()


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


@pytest.mark.of_deployments
@pytest.mark.parametrize("value", ["rg-apps/pe-1", "*", "other, RG-Apps/PE-1"])
async def test_a_deployments_own_tag_connects_an_endpoint_that_asks_for_nothing(value: str) -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}).open()
    the(estate, "logs-eastus2").tags["elastic-privatelink-connect"] = value
    the(estate, "logs-westeurope").tags["elastic-privatelink-connect"] = "*"
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert [memory.name for memory in connection.elastic.targets] == ["logs-eastus2"]
    assert "pe-1" not in attached(estate, "logs-westeurope"), "a star is for the deployment's own region"
    del the(estate, "logs-eastus2").tags["elastic-privatelink-connect"]
    await estate.clock.sleep(3600)
    await swept(estate)
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"]


@pytest.mark.of_deployments
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


@pytest.mark.of_deployments
async def test_no_claim_is_made_or_even_read_unless_it_is_asked_for(estate: Estate) -> None:
    await connected(estate)
    assert claimed(estate) == []
    assert not [call for call in estate.worker.wire.calls if "link-ids" in call.what]


@pytest.mark.of_deployments
async def test_a_claim_that_is_asked_for_is_made_follows_a_new_guid_and_goes_with_the_endpoint(
    estate: Estate,
) -> None:
    endpoint = await connected(estate, **{"elastic-privatelink-claim": "true"})
    connection = await estate.connection(endpoint)
    assert claimed(estate) == [connection.identity.guid.lower()]
    assert await estate.reason(endpoint, "Claimed") == "Claimed"
    await estate.delete(endpoint)
    await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2", "elastic-privatelink-claim": "true"})
    await estate.settle()
    anew = await estate.ready(endpoint)
    assert anew.identity.guid != connection.identity.guid
    assert claimed(estate) == [anew.identity.guid.lower()]
    await estate.delete(endpoint)
    await estate.settle(60)
    await estate.clock.sleep(700)
    await estate.settle()
    assert claimed(estate) == []


@pytest.mark.of_deployments
async def test_a_claim_that_is_no_longer_asked_for_is_given_up_and_one_of_others_is_not(estate: Estate) -> None:
    endpoint = await connected(estate, **{"elastic-privatelink-claim": "true"})
    tag(estate, endpoint, **{"elastic-privatelink-claim": "false"})
    await swept(estate)
    assert claimed(estate) == []
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    theirs = {"region": "azure-eastus2", "azure_endpoint_name": "pe-1", "azure_endpoint_guid": found.resource_guid}
    estate.elastic.claim(theirs)
    tag(estate, endpoint, **{"elastic-privatelink-claim": "true"})
    await swept(estate)
    await estate.ready(endpoint)
    tag(estate, endpoint, **{"elastic-privatelink-claim": "false"})
    await swept(estate)
    assert claimed(estate) == [found.resource_guid.lower()]


@pytest.mark.of_deployments
async def test_an_endpoint_that_another_organization_claims_is_reported(estate: Estate) -> None:
    estate.elastic_settings.repeat_claim = "refused"
    endpoint = await estate.put_endpoint(tags={"elastic-privatelink-claim": "true"})
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    await estate.settle()
    for claim in estate.elastic.claims():
        estate.elastic.unclaim(claim)
    estate.elastic_settings.claimed_elsewhere.add(("azure-eastus2", found.resource_guid))
    await swept(estate)
    assert await estate.reason(endpoint, "Claimed") == "ElasticRefused"
