"""The safety rules S1, S3, S4 and S9 of the design, through both clouds: what must never happen does not."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

import pytest

from local.elastic.history import attached_over_time
from local.elastic.model import Ruleset
from shared.core.guards.first_and_last_policy import FIRST_POLICY_TAG
from shared.core.model.ownership import Owner
from shared.core.model.services import Family
from tests.harness.estate import Estate
from tests.reconciler.safety_parts import asks_for, attached, blocked_because, connect, public_status, the

pytestmark = pytest.mark.both_families

# -- S1: no first policy without consent ---------------------------------------------------------------------------


async def test_a_deployment_without_any_policy_stays_open_to_the_internet(estate: Estate) -> None:
    deployment = the(estate, "search-eastus2")
    endpoint = await connect(estate, "search-eastus2")
    reason, message = await blocked_because(estate, endpoint)
    assert reason == "WouldCutOffPublicTraffic"
    assert deployment.id in message
    assert public_status(estate, deployment) == 401
    assert attached_over_time(estate.elastic.history, deployment.id) == []
    assert (await estate.connection(endpoint)).status.phase == "Blocked"


async def test_the_operator_may_allow_a_first_policy_by_the_settings() -> None:
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": "search-eastus2"}).open()
    deployment = the(estate, "search-eastus2")
    assert public_status(estate, deployment) == 401
    endpoint = await connect(estate, "search-eastus2")
    await estate.ready(endpoint)
    assert attached(estate, deployment) == ["pe-1"]
    assert public_status(estate, deployment) == 403


async def test_the_deployments_owner_may_allow_its_first_policy_by_a_tag(estate: Estate) -> None:
    deployment = estate.elastic.add_deployment("own", "eastus2", tags={FIRST_POLICY_TAG: "allow"})
    endpoint = await connect(estate, "own")
    await estate.ready(endpoint)
    assert attached(estate, deployment) == ["pe-1"]


async def test_a_tag_of_the_endpoint_cannot_allow_a_first_policy(estate: Estate) -> None:
    tags = asks_for("search-eastus2") | {FIRST_POLICY_TAG: "allow"}
    endpoint = await estate.put_endpoint(tags=tags)
    await estate.settle()
    assert (await blocked_because(estate, endpoint))[0] == "WouldCutOffPublicTraffic"
    assert attached(estate, the(estate, "search-eastus2")) == []


@pytest.mark.of_deployments
async def test_policies_that_the_search_leaves_out_are_asked_for(estate: Estate) -> None:
    estate.elastic_settings.settings_absent = True
    endpoint = await connect(estate, "logs-eastus2", "search-eastus2")
    assert (await blocked_because(estate, endpoint))[0] == "WouldCutOffPublicTraffic"
    assert "pe-1" in attached(estate, the(estate, "logs-eastus2"))
    assert attached(estate, the(estate, "search-eastus2")) == []
    assert any(r.path.endswith("/rulesets") and "/associations/deployment/" in r.path for r in estate.elastic.requests)


async def test_an_egress_policy_does_not_count_as_a_first_policy(estate: Estate) -> None:
    """It closes nothing: the deployment is as open to the internet as one without a policy."""
    deployment = the(estate, "search-eastus2")
    egress = estate.elastic.add_policy("egress", "eastus2", deployments=[deployment.id])
    egress.type = "egress_firewall"
    endpoint = await connect(estate, "search-eastus2")
    assert (await blocked_because(estate, endpoint))[0] == "WouldCutOffPublicTraffic"
    assert attached(estate, deployment) == ["egress"]


async def test_a_first_policy_that_others_made_meanwhile_lifts_the_block_at_the_next_sweep(estate: Estate) -> None:
    deployment = the(estate, "search-eastus2")
    endpoint = await connect(estate, "search-eastus2")
    estate.elastic.add_policy("office", "eastus2", deployments=[deployment.id])
    await estate.clock.sleep(6)  # one reading of all projects serves those of five seconds
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    assert sorted(attached(estate, deployment)) == ["office", "pe-1"]


async def test_a_deployment_whose_other_policies_go_between_the_search_and_the_association_stays_open(
    estate: Estate,
) -> None:
    """The search answers from an index; what it says of a deployment's policies may be of a moment ago."""
    deployment = the(estate, "logs-eastus2")
    (office,) = estate.elastic.attached(deployment.id)

    def meanwhile(method: str, path: str) -> None:
        if (method, path.rpartition("/")[2]) in {("POST", "_search"), ("GET", "elasticsearch")}:
            moment = asyncio.get_running_loop()
            moment.call_soon(estate.elastic.disassociate, office.id, deployment.id)

    estate.elastic_settings.faults.append(meanwhile)
    endpoint = await connect(estate, "logs-eastus2")
    assert (await blocked_because(estate, endpoint))[0] == "WouldCutOffPublicTraffic"
    assert not [event for event in estate.elastic.history if event.what == "associated" and event.guids]
    assert public_status(estate, deployment) == 401


# -- S3: only after the approval, only in the region, only hosted --------------------------------------------------


async def test_nothing_is_associated_before_elastic_has_approved(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 300
    endpoint = await estate.put_endpoint()
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    approved: list[Any] = []
    estate.arm.changes.append(lambda: approved.append(estate.clock.now()) if found.status == "Approved" else None)
    await estate.settle()
    await estate.ready(endpoint)
    history = estate.elastic.history
    (associated,) = [event.at for event in history if event.what == "associated" and event.guids]
    (created,) = [event.at for event in history if event.what == "created" and event.guids]
    assert created < approved[0] <= associated


async def test_a_deployment_of_another_region_is_named_and_left_alone(estate: Estate) -> None:
    endpoint = await connect(estate, "logs-westeurope")
    reason, message = await blocked_because(estate, endpoint)
    assert reason == "DeploymentInAnotherRegion"
    assert "azure-westeurope" in message
    assert "azure-eastus2" in message
    assert attached(estate, the(estate, "logs-westeurope")) == ["logs-westeurope-office"]
    assert not [r for r in estate.elastic.requests if r.operation == "create association"]


async def test_no_deployment_asked_for_means_a_policy_and_no_association(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    await estate.ready(endpoint)
    assert await estate.reason(endpoint, "Associated") == "NothingRequested"
    assert len(estate.policies_of(endpoint)) == 1
    assert not [r for r in estate.elastic.requests if r.operation == "create association"]


# -- S4: what others made stays as it is ---------------------------------------------------------------------------


async def made_by_others(estate: Estate, endpoint: str, name: str | None = None) -> Ruleset:
    """A private connection policy for the endpoint, made by a person in the console."""
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    rule = {"azure_endpoint_name": name or found.name, "azure_endpoint_guid": found.resource_guid}
    return estate.elastic.add_endpoint_policy("by hand", "eastus2", [rule], the(estate, "logs-eastus2").id)


async def test_a_policy_of_others_for_the_endpoint_is_used_and_never_changed(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    policy = await made_by_others(estate, endpoint)
    before = asdict(policy)
    await estate.settle()
    await estate.sweep()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert connection.elastic.policy.owner is Owner.ADOPTED
    assert [association.owner for association in connection.elastic.associations] == [Owner.ADOPTED]
    assert asdict(policy) == before
    assert [p.id for p in estate.policies_of(endpoint)] == [policy.id]


async def test_a_policy_of_others_with_a_wrong_name_is_reported_and_not_corrected(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    policy = await made_by_others(estate, endpoint, "PE-1-old")
    before = asdict(policy)
    await estate.settle()
    condition = (await estate.connection(endpoint)).condition("PolicyReady")
    assert condition is not None
    assert condition.reason == "PolicyNameMismatch"
    assert "PE-1-old" in condition.message
    assert asdict(policy) == before
    assert estate.policies_of(endpoint) == [policy]


async def test_associations_of_others_stay_at_every_moment(estate: Estate) -> None:
    deployment = the(estate, "logs-eastus2")
    before = frozenset(ruleset.id for ruleset in estate.elastic.attached(deployment.id))
    endpoint = await connect(estate, "logs-eastus2")
    await estate.ready(endpoint)
    assert all(before <= state for state in attached_over_time(estate.elastic.history, deployment.id))


async def test_an_association_refused_and_later_made_by_others_is_not_taken_for_ours(estate: Estate) -> None:
    refuse = [True]

    def fault(method: str, path: str) -> tuple[int, Any] | None:
        writes = path.endswith("/associations") or (method == "PATCH" and "/projects/" in path)
        wanted = refuse[0] and method != "GET" and writes
        return (400, {"errors": [{"code": "made.by.the.test", "message": "no"}]}) if wanted else None

    estate.elastic_settings.faults.append(fault)
    endpoint = await connect(estate, "logs-eastus2")
    assert (await blocked_because(estate, endpoint))[0] == "ElasticRefused"
    (policy,) = estate.policies_of(endpoint)
    estate.elastic.associate(policy, the(estate, "logs-eastus2").id)
    await estate.send(endpoint)
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert [association.owner for association in connection.elastic.associations] == [Owner.ADOPTED]


async def test_nothing_is_deleted_while_the_endpoint_is_there_nor_in_the_grace_period(estate: Estate) -> None:
    """No DELETE and no PUT reaches Elastic Cloud."""
    endpoint = await connect(estate, "logs-eastus2", "search-eastus2", "unheard-of")
    await estate.sweep()
    await estate.settle()
    await estate.delete(endpoint)
    await estate.settle(580)
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    assert {"DELETE", "PUT"}.isdisjoint(request.method for request in estate.elastic.requests)
    assert "pe-1" in attached(estate, the(estate, "logs-eastus2"))
    assert {request.method for request in estate.arm.requests if "privateDnsZones" in request.path} == {"GET", "PUT"}


@pytest.mark.parametrize("another_associates", [False, True])
async def test_no_policy_is_ever_deleted_regardless_of_who_uses_it(estate: Estate, *, another_associates: bool) -> None:
    """Not even where another manager associated our policy since the last read."""
    endpoint = await connect(estate, "logs-eastus2")
    (policy,) = estate.policies_of(endpoint)
    other = the(estate, "search-eastus2")

    def meanwhile(method: str, path: str) -> None:
        if another_associates and method == "DELETE" and path.endswith(policy.id):
            estate.elastic.associate(policy, other.id)

    estate.elastic_settings.faults.append(meanwhile)
    await estate.delete(endpoint)
    await estate.settle()
    tried = [call for call in estate.worker.wire.calls if call.what.endswith(policy.id) and "DELETE" in call.what]
    assert tried
    assert {call.query for call in tried} == {"ignore_associations=false" if estate.family is Family.HOSTED else ""}
    assert (policy in estate.elastic.rulesets()) == another_associates
    assert (attached(estate, other) == [policy.name]) == another_associates


# -- S9: never for deployments to come -----------------------------------------------------------------------------


async def test_a_key_that_is_editor_of_some_deployments_only_is_enough_for_those(estate: Estate) -> None:
    """The least rights in Elastic Cloud: no owner's key; what it may not connect is named, with the role it lacks."""
    own = next(one for one in estate.elastic.deployments() if one.name == "logs-eastus2")
    other = estate.elastic.add_deployment("other", "eastus2", ip_policy=True)
    estate.elastic_settings.editable_deployments = estate.serverless_settings.editable_projects = {own.id}
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": "other, logs-eastus2"})
    await estate.settle()
    associated = (await estate.connection(endpoint)).condition("Associated")
    assert associated is not None
    assert (associated.reason, other.id in associated.message) == ("ElasticRightsMissing", True)
    role = "deployment-editor" if estate.family is Family.HOSTED else "Admin or Editor on the project"
    assert role in associated.next_step
    assert [len(estate.elastic.attached(one.id)) for one in (own, other)] == [2, 1]
    await estate.azure("DELETE", endpoint)
    await estate.clock.sleep(86400)
    await estate.sweep()
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert [len(estate.elastic.attached(one.id)) for one in (own, other)] == [1, 1]


async def test_a_policy_is_never_made_to_apply_by_default(estate: Estate) -> None:
    before = len(estate.elastic.history)
    endpoint = await connect(estate, "logs-eastus2")
    await estate.ready(endpoint)
    written = [event for event in estate.elastic.history[before:] if event.what in {"created", "updated"}]
    assert [event.include_by_default for event in written] == [False]
    newer = estate.elastic.add_deployment("newer", "eastus2")
    assert attached(estate, newer) == []
