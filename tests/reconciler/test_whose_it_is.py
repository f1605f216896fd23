"""What carries no marker, claims and associations: whose it is survives crashes, lags and other people's policies."""

from __future__ import annotations

import pytest

from local.elastic.deployments import Deployment
from local.elastic.model import Ruleset
from local.world import vnet_id
from shared.core.model.ownership import Owner
from tests.harness.estate import Estate
from tests.harness.outcome import At
from tests.harness.wire import Call, Fault, Outcome, Refusal

DNS_API = "2024-06-01"
CLAIM = "elastic POST /api/v1/deployments/traffic-filter/link-ids/_claim"


async def test_an_association_that_is_listed_late_is_nobodys_doing(estate: Estate) -> None:
    """Looked at again and again while Elastic Cloud does not list it yet, it is not taken for a fight."""
    estate.elastic_settings.association_lag_seconds = 50
    await estate.clock.sleep(3600)  # what was there before is listed
    endpoint = await estate.put_endpoint()
    for _ in range(40):
        await estate.settle(5)
        await estate.send(endpoint, "event-write")
    await estate.settle()
    (association,) = (await estate.ready(endpoint)).elastic.associations
    assert (association.owner, association.taken) == (Owner.OURS, ())


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.LOSE_ANSWER])
async def test_a_claim_is_ours_whenever_the_worker_dies_and_goes_with_the_endpoint(fault: Fault) -> None:
    estate = await Estate(settings={"ELASTIC_CLAIM": "true"}).open()
    at = At(CLAIM, 1, fault)
    endpoint = await estate.put_endpoint()
    estate.worker = estate.new_worker(at)
    await estate.settle()
    assert at.met
    connection = await estate.ready(endpoint)
    assert connection.elastic.claim is not None
    assert connection.elastic.claim.owner is Owner.OURS
    assert len(estate.elastic.claims()) == 1
    await estate.delete(endpoint)
    await estate.settle()
    assert estate.elastic.claims() == []


async def test_who_puts_a_policy_of_their_own_in_place_of_ours_keeps_it(estate: Estate) -> None:
    """Even when the endpoint no longer asks for the deployment, and when it is gone."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    (ours,) = estate.policies_of(endpoint)
    deployment = next(one for one in estate.elastic.deployments() if one.name == "logs-eastus2")
    rules = [{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": next(iter(ours.guids))}]
    theirs = estate.elastic.add_endpoint_policy("by hand", "eastus2", rules, deployment.id)
    estate.elastic.disassociate(ours.id, deployment.id)
    for _ in range(2):
        await estate.sweep()
        await estate.settle()
    assert theirs in estate.elastic.attached(deployment.id)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags.clear()
    await estate.sweep()
    await estate.settle()
    assert theirs in estate.elastic.attached(deployment.id)
    await estate.delete(endpoint)
    await estate.settle()
    assert theirs in estate.elastic.attached(deployment.id)
    assert ours not in estate.elastic.rulesets()


async def associated_by_us_with_theirs(estate: Estate) -> tuple[str, Ruleset, Deployment, Deployment]:
    """An endpoint with a policy of others, that policy, a deployment that we associated with it, and one of theirs."""
    endpoint = await estate.put_endpoint(tags={})
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    named = {one.name: one for one in estate.elastic.deployments()}
    by_us, by_them = named["logs-eastus2"], named["search-eastus2"]
    rules = [{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": found.resource_guid}]
    theirs = estate.elastic.add_endpoint_policy("by hand", "eastus2", rules, by_them.id)
    await estate.settle()
    found.tags["elastic-deployments"] = by_us.id
    await estate.send(endpoint)
    await estate.settle()
    assert theirs in estate.elastic.attached(by_us.id)
    return endpoint, theirs, by_us, by_them


async def test_what_we_associated_with_somebodys_policy_is_taken_away_with_the_endpoint(estate: Estate) -> None:
    endpoint, theirs, by_us, by_them = await associated_by_us_with_theirs(estate)
    await estate.delete(endpoint)
    await estate.settle()
    assert theirs not in estate.elastic.attached(by_us.id)
    assert theirs in estate.elastic.attached(by_them.id)


async def test_so_is_what_we_associated_with_somebodys_policy_before_the_endpoint_was_made_anew(
    estate: Estate,
) -> None:
    """Their policy still names the endpoint that it was made for; the new one has a policy of ours."""
    endpoint, theirs, by_us, by_them = await associated_by_us_with_theirs(estate)
    await estate.delete(endpoint)
    await estate.put_endpoint(tags={"elastic-deployments": by_us.id})
    await estate.settle()
    (ours,) = estate.policies_of(endpoint)
    assert {theirs.id, ours.id} <= {policy.id for policy in estate.elastic.attached(by_us.id)}
    await estate.delete(endpoint)
    await estate.settle(3600)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert {theirs.id, ours.id}.isdisjoint(policy.id for policy in estate.elastic.attached(by_us.id))
    assert theirs in estate.elastic.attached(by_them.id)


# -- what no record tells of ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("elastic_answers", [True, False])
@pytest.mark.parametrize("writes", range(1, 4))
async def test_what_a_worker_made_that_died_before_it_wrote_it_down_is_found_when_the_endpoint_is_gone(
    estate: Estate, writes: int, *, elastic_answers: bool
) -> None:
    """No run looks between the crash and the deletion, and no event tells of that."""
    endpoint = await estate.put_endpoint()
    seen: list[Call] = []

    def die(call: Call) -> Outcome:
        if call.service == "elastic" and not elastic_answers:
            return Refusal(503)
        if call.writes and call.service in {"arm", "elastic"}:
            seen.append(call)
        return Fault.CRASH_AFTER if len(seen) == writes else None

    estate.worker = estate.new_worker(die)
    await estate.settle(60)
    assert len(seen) >= writes, "the other branch may have had a request on its way"
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    for _ in range(5):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert estate.arm.private_dns_zones() == []
    assert [one.name for one in estate.elastic.rulesets() if one.name == "pe-1"] == []


async def test_what_was_made_in_a_zone_that_the_network_left_goes_with_the_endpoint(estate: Estate) -> None:
    """A person linked the network to a zone of their own instead."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    ours = estate.zone()
    (link,) = [link for link in estate.links_of(ours) if link.vnet.id == vnet_id("eastus2")]
    await estate.azure("DELETE", link.id, api=DNS_API)
    await estate.clock.sleep(10)
    theirs = ours.id.replace("rg-apps", "rg-theirs")
    await estate.azure("PUT", theirs, {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(60)
    body = {"location": "global", "properties": {"registrationEnabled": False}}
    body["properties"] |= {"virtualNetwork": {"id": vnet_id("eastus2")}}  # type: ignore[operator]
    await estate.azure("PUT", f"{theirs}/virtualNetworkLinks/by-hand", body, api=DNS_API)
    await estate.clock.sleep(60)
    await estate.sweep()
    await estate.settle()
    known = (await estate.connection(endpoint)).dns.zone
    assert known is not None
    assert known.id.lower() == theirs.lower()
    await estate.delete(endpoint)
    await estate.settle()
    (left,) = estate.arm.private_dns_zones()
    assert left.id == theirs
    assert [link.path.name for link in estate.links_of(left)] == ["by-hand"]
    assert left.a_record("*") is None


@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_a_claim_that_is_no_longer_asked_for_is_not_spoken_of_any_more(estate: Estate, mode: str) -> None:
    tags = {"elastic-privatelink-claim": "true", "elastic-privatelink": mode}
    endpoint = await estate.put_endpoint(tags=tags)
    await estate.settle()
    assert (await estate.connection(endpoint)).condition("Claimed") is not None
    await estate.put_endpoint(tags={})
    await estate.settle()
    assert (await estate.ready(endpoint)).condition("Claimed") is None
    assert estate.elastic.claims() == []


@pytest.mark.parametrize("before", ["removed", "ignored"])
async def test_what_a_worker_that_died_made_for_an_endpoint_that_was_done_with_before_goes_too(
    estate: Estate, before: str
) -> None:
    """The record said Removed, or Ignored; the run that found otherwise did not come to its end."""
    endpoint = await estate.put_endpoint(tags={"elastic-privatelink": "ignore"} if before == "ignored" else None)
    await estate.settle()
    if before == "removed":
        await estate.delete(endpoint)
        await estate.settle(3600)
    assert (await estate.connection(endpoint)).status.phase.lower() == before
    estate.events.settings.drop = True
    await estate.put_endpoint()
    made: list[Call] = []

    def die(call: Call) -> Outcome:
        made.extend([call] if call.what.startswith("PUT") and call.service == "arm" else [])
        return Fault.CRASH_AFTER if made and call.service == "connections" and call.writes else None

    estate.worker = estate.new_worker(die)
    await estate.sweep()
    await estate.settle(60)
    estate.queue.messages.clear()
    await estate.delete(endpoint)
    for _ in range(6):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert estate.arm.private_dns_zones() == []
    assert [one.name for one in estate.elastic.rulesets() if one.name == "pe-1"] == []
