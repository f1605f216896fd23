"""The whole plan of an endpoint: both branches, the approval, the safety rules on every case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from shared.core.model import conditions as c
from shared.core.model.conditions import WaitingFor
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.resources import ConnectionStatus, Endpoint
from shared.core.model.services import Family
from shared.core.model.steps import Associate, CreateLink, CreatePolicy, CreateZone, PutWildcardRecord
from shared.core.planning.desired import desired_of, recognition_condition, requested_targets
from shared.core.planning.plan import (
    Observed,
    ObservedElastic,
    addressed,
    approved,
)
from tests.core.core_parts import (
    ADDRESS,
    ENDPOINT_ID,
    GUID,
    HUB,
    IP_POLICY,
    KNOWN,
    MINE,
    NOW,
    OTHERS,
    SERVICE,
    SERVICES,
    VNET,
    desired,
    endpoint,
    held_by,
    link,
    plan_options,
    policy,
    record,
    target,
    zone,
)
from tests.core.planning.plan_parts import dns_after, elastic_after, planned

ALLOWED = plan_options(deployments_allowed=frozenset({"*"}))
NOTHING = ObservedElastic((IP_POLICY,), (target(),))
DONE_ZONE = zone(link(), record=record(ADDRESS, marker=held_by(MINE)))
DONE_ELASTIC = ObservedElastic((policy(associations=("d1",)), IP_POLICY), (target(attached=("p-1", IP_POLICY.id)),))


# -- both branches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES.of_family(Family.HOSTED), ids=lambda service: service.region)
def test_in_every_region_the_plan_makes_zone_record_link_and_policy_and_then_the_association(service: object) -> None:
    wanted = desired("d1", alias=getattr(service, "alias", ""))
    region = wanted.service.region
    far = replace(target(), region=f"azure-{region}")
    office = replace(IP_POLICY, region=f"azure-{region}")
    observed = Observed(wanted.endpoint, (), ObservedElastic((office,), (far,)))
    first = planned(wanted, observed, options=ALLOWED)
    assert [type(step) for step in first.steps] == [CreateZone, PutWildcardRecord, CreateLink, CreatePolicy]
    zones = dns_after((), first.dns_steps, ALLOWED)
    assert zones[0].name == f"privatelink.{region}.azure.elastic-cloud.com"
    assert observed.elastic is not None
    elastic = elastic_after(wanted, observed.elastic, first.elastic_steps, ALLOWED)
    second = planned(wanted, Observed(wanted.endpoint, zones, elastic), options=ALLOWED)
    assert second.steps == (Associate("p-new", "d1", "orders", asked="d1"),)
    third = planned(
        wanted,
        Observed(wanted.endpoint, zones, elastic_after(wanted, elastic, second.elastic_steps, ALLOWED)),
        options=ALLOWED,
    )
    assert third.steps == ()
    assert all(condition.true for condition in third.conditions)
    unasked = {c.CLAIMED, c.REMOVED, c.FORMER_REMOVED, c.REACHABLE, c.READY}
    assert {condition.type for condition in third.conditions} == set(c.ORDER) - unasked


def test_a_finished_endpoint_has_an_empty_plan() -> None:
    wanted = desired("d1")
    found = planned(wanted, Observed(wanted.endpoint, (DONE_ZONE,), DONE_ELASTIC))
    assert found.steps == ()
    assert all(condition.true for condition in found.conditions)


def test_an_endpoint_may_stand_in_another_region_than_its_deployment() -> None:
    wanted = desired("d1", location="japaneast")
    found = planned(wanted, Observed(wanted.endpoint, (), NOTHING), options=ALLOWED)
    (created,) = [step for step in found.steps if isinstance(step, CreatePolicy)]
    assert (created.region, wanted.zone_homes[0].name) == ("azure-eastus2", SERVICE.zone)


def test_a_branch_that_was_not_read_has_no_steps_and_no_conditions_and_the_other_goes_ahead() -> None:
    wanted = desired()
    dns_only = planned(wanted, Observed(wanted.endpoint, (), None))
    elastic_only = planned(wanted, Observed(wanted.endpoint, None, NOTHING))
    assert (len(dns_only.steps), dns_only.elastic) == (3, None)
    assert ([type(step) for step in elastic_only.steps], elastic_only.dns) == ([CreatePolicy], None)
    assert {condition.type for condition in elastic_only.conditions} & {c.ZONE_READY, c.LINKED} == set()


def test_an_endpoint_without_a_guid_gets_no_policy_yet_and_its_dns_goes_ahead() -> None:
    wanted = desired("d1", guid="")
    found = planned(wanted, Observed(wanted.endpoint, (), NOTHING), KNOWN.with_identity(guid=""), ALLOWED)
    told = {condition.type: condition for condition in found.conditions}
    assert (told[c.POLICY_READY].reason, told[c.POLICY_READY].needs) == ("NoGuidYet", WaitingFor.TIME)
    assert [type(step) for step in found.steps] == [CreateZone, PutWildcardRecord, CreateLink]


@pytest.mark.parametrize("status", [ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED])
def test_an_endpoint_that_can_never_work_again_gets_nothing_new(status: ConnectionStatus) -> None:
    wanted = desired("d1", status=status)
    found = planned(wanted, Observed(wanted.endpoint, (), NOTHING), options=ALLOWED)
    assert (found.steps, found.dns, found.elastic) == ((), None, None)
    assert [condition.type for condition in found.conditions] == [c.RECOGNISED, c.ADDRESSED, c.APPROVED]


# -- address and approval ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "state", "reason", "needs"),
    [
        (ADDRESS, "Succeeded", "HasAddress", WaitingFor.NONE),
        (ADDRESS, "Failed", "HasAddress", WaitingFor.NONE),
        (None, "Updating", "NoAddressYet", WaitingFor.TIME),
        (None, "Succeeded", "NoAddressYet", WaitingFor.TIME),
        (None, "", "NoAddressYet", WaitingFor.TIME),
        (None, "failed", "EndpointFailed", WaitingFor.PERSON),
        (None, "Canceled", "EndpointFailed", WaitingFor.PERSON),
    ],
)
def test_a_missing_address_means_waiting_unless_azure_gave_up(
    address: str | None, state: str, reason: str, needs: WaitingFor
) -> None:
    condition = addressed(endpoint(address=address, provisioning_state=state))
    assert (condition.reason, condition.needs) == (reason, needs)


@pytest.mark.parametrize("status", [ConnectionStatus.PENDING, ConnectionStatus.UNKNOWN])
@pytest.mark.parametrize(
    ("pending", "reason", "needs"),
    [
        (None, "AwaitingApproval", WaitingFor.TIME),
        (3599, "AwaitingApproval", WaitingFor.TIME),
        (3600, "ApprovalOverdue", WaitingFor.PERSON),
    ],
)
def test_a_pending_approval_is_waited_for_and_then_reported_as_overdue_with_the_time_of_its_beginning(
    status: ConnectionStatus, pending: float | None, reason: str, needs: WaitingFor
) -> None:
    since = None if pending is None else NOW - timedelta(seconds=pending)
    record = KNOWN.with_schedule(pending_since=since).with_elastic(policy=PolicyMemory("policy-1"))
    condition = approved(endpoint(status=status), record, plan_options(approval_overdue=3600), NOW)
    assert (condition.reason, condition.needs) == (reason, needs)
    assert f"since {since or NOW:%Y-%m-%d %H:%M:%S} UTC" in condition.message
    assert bool(condition.next_step) == (needs is WaitingFor.PERSON)


def test_only_since_there_is_a_policy_can_an_approval_be_overdue() -> None:
    waited = KNOWN.with_schedule(pending_since=NOW - timedelta(days=2))
    for made, reason in ((3599, "AwaitingApproval"), (3600, "ApprovalOverdue")):
        record = waited.with_elastic(policy=PolicyMemory("policy-1", created_at=NOW - timedelta(seconds=made)))
        condition = approved(
            endpoint(status=ConnectionStatus.PENDING), record, plan_options(approval_overdue=3600), NOW
        )
        begun = f"since {NOW - timedelta(seconds=made):%Y-%m-%d %H:%M:%S} UTC"
        assert (condition.reason, begun in condition.message) == (reason, True)


def test_without_a_policy_no_approval_is_overdue_and_no_message_asks_to_compare_it() -> None:
    record = KNOWN.with_schedule(pending_since=NOW - timedelta(days=2))
    condition = approved(endpoint(status=ConnectionStatus.PENDING), record, plan_options(approval_overdue=3600), NOW)
    assert (condition.true, condition.reason, condition.needs) == (False, "AwaitingApproval", WaitingFor.NONE)
    assert "no policy" in condition.message


@pytest.mark.parametrize("status", [ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED])
def test_a_terminal_state_is_explained_with_what_elastic_said_and_what_to_do(status: ConnectionStatus) -> None:
    condition = approved(endpoint(status=status, status_description="no thanks"), KNOWN, plan_options(), NOW)
    assert (condition.reason, condition.needs) == (str(status), WaitingFor.PERSON)
    assert "no thanks" in condition.message
    assert "create it again" in condition.next_step


def test_an_approved_endpoint_is_approved() -> None:
    assert approved(endpoint(), KNOWN, plan_options(), NOW).true


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("Timeout", 'Azure calls the connection Timeout ("gave up"), which is no state that it documents,'),
        ("Removed", 'Azure calls the connection Removed ("gave up"), which is no state that it documents,'),
        ("", 'Azure names no state of the connection ("gave up")'),
    ],
)
def test_a_state_that_azure_does_not_document_is_shown_as_it_is_and_nothing_is_promised(word: str, said: str) -> None:
    seen = endpoint(status=ConnectionStatus.UNKNOWN, status_word=word, status_description="gave up")
    record = KNOWN.with_elastic(policy=PolicyMemory("policy-1"))
    condition = approved(seen, record, plan_options(), NOW)
    assert said in condition.message
    assert "by itself" not in condition.message


@pytest.mark.parametrize(
    ("status", "reason"), [(ConnectionStatus.PENDING, "EndpointFailed"), (ConnectionStatus.APPROVED, "HasAddress")]
)
def test_a_failed_endpoint_that_has_an_address_says_so(status: ConnectionStatus, reason: str) -> None:
    condition = addressed(endpoint(provisioning_state="Failed", status=status))
    assert condition.reason == reason
    assert "provisioning is Failed" in condition.message
    assert endpoint().address in condition.message


# -- what is desired -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alias", "reason", "needs"),
    [
        (SERVICE.alias.upper(), "ElasticService", WaitingFor.NONE),
        (SERVICES.of_family(Family.SERVERLESS)[0].alias, "ElasticService", WaitingFor.NONE),
        (SERVICE.alias.replace("64359fdd", "00000000"), "UnknownElasticAlias", WaitingFor.EVENT),
        ("storage.eastus2.azure.privatelinkservice", "NotElastic", WaitingFor.EVENT),
        ("", "NotElastic", WaitingFor.EVENT),
    ],
)
def test_services_of_both_families_are_handled(alias: str, reason: str, needs: WaitingFor) -> None:
    found: Endpoint = endpoint(alias=alias)
    condition = recognition_condition(found, SERVICES)
    assert (condition.reason, condition.needs) == (reason, needs)
    assert (desired_of(found, plan_options()) is None) == (needs is WaitingFor.EVENT)


@pytest.mark.parametrize(
    ("tags", "asked"),
    [
        ({}, ()),
        ({"elastic-deployments": ""}, ()),
        ({"elastic-deployments": " , ,"}, ()),
        ({"elastic-deployments": "b, a ,b,c d"}, ("b", "a", "c d")),
        ({"Elastic-Deployments": "a"}, ("a",)),
        ({"other": "a"}, ()),
    ],
)
def test_the_endpoints_tag_is_read_without_blanks_and_repetitions(tags: dict[str, str], asked: tuple[str, ...]) -> None:
    assert requested_targets(endpoint(tags=tags)) == asked


def test_what_is_desired_is_marked_with_the_installation_and_the_endpoint() -> None:
    wanted = desired(options=plan_options(instance_id="blue", link_vnets=(HUB, VNET)))
    assert (wanted.marker.instance, wanted.marker.endpoint_id) == ("blue", ENDPOINT_ID)
    assert (wanted.connection_id, wanted.link_vnets) == (KNOWN.id, (HUB,))


# -- the safety rules, on every case -------------------------------------------------------------------------------

ZONES = {
    "no zone": (),
    "done": (DONE_ZONE,),
    "foreign": (zone(link(marker=None), record=record("10.9.9.9"), group="theirs", marker=None),),
    "another holds": (zone(record=record("10.1.0.9", marker=held_by(OTHERS))),),
}
ELASTICS = {
    "nothing": NOTHING,
    "done": DONE_ELASTIC,
    "open": ObservedElastic((policy(),), (target(attached=()),)),
    "by hand": ObservedElastic((policy("p-0", description=""), IP_POLICY), (target(),)),
    "far": ObservedElastic((policy(), IP_POLICY), (target(region="azure-westus2"),)),
}


@pytest.mark.parametrize("status", list(ConnectionStatus))
@pytest.mark.parametrize(("zones", "elastic"), list(product(ZONES, ELASTICS)))
@pytest.mark.parametrize("address", [ADDRESS, None])
def test_on_every_case_doing_the_plan_leaves_nothing_to_do_and_touches_nothing_foreign(
    status: ConnectionStatus, zones: str, elastic: str, address: str | None
) -> None:
    wanted = desired("d1", status=status, address=address)
    there, answered = ZONES[zones], ELASTICS[elastic]
    for _ in range(2):
        found = planned(wanted, Observed(wanted.endpoint, there, answered), options=ALLOWED)
        there = dns_after(there, found.dns_steps, ALLOWED)
        answered = elastic_after(wanted, answered, found.elastic_steps, ALLOWED)
    assert planned(wanted, Observed(wanted.endpoint, there, answered), options=ALLOWED).steps == ()
    assert sum(one.marker is not None for one in there) <= 1
    mine = [one for one in answered.policies if any(rule.endpoint_guid == GUID for rule in one.rules)]
    assert len(mine) <= 1
    new = [one for one in answered.policies if one not in ELASTICS[elastic].policies and one.id == "p-new"]
    assert not any(one.include_by_default for one in new), "S9"
    if elastic == "open":
        assert answered.targets == ELASTICS["open"].targets, "S1"
