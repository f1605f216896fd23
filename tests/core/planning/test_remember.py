"""What a plan leaves in the record: what is used and whose it is, and what one read does not make forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.model.conditions import Phase
from shared.core.model.ownership import Owned, Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, ElasticState, PolicyMemory, TargetMemory
from shared.core.model.record_parts import RemovalState
from shared.core.model.resources import ConnectionStatus
from shared.core.model.steps import CreatePolicy
from shared.core.planning.plan import (
    Observed,
    ObservedElastic,
    plan,
    remember,
)
from tests.core.core_parts import (
    ADDRESS,
    ENDPOINT_ID,
    GUID,
    IP_POLICY,
    KNOWN,
    MINE,
    NOW,
    VNET,
    desired,
    held_by,
    link,
    plan_options,
    policy,
    record,
    target,
    zone,
)
from tests.core.planning.plan_parts import planned

NOTHING = ObservedElastic((IP_POLICY,), (target(),))
DONE_ZONE = zone(link(), record=record(ADDRESS, marker=held_by(MINE)))
DONE_ELASTIC = ObservedElastic((policy(associations=("d1",)), IP_POLICY), (target(attached=("p-1", IP_POLICY.id)),))


def remembered(record: ConnectionRecord, asks_for: str = "", **changes: Any) -> ConnectionRecord:
    wanted = desired(asks_for, **changes)
    found = planned(wanted, Observed(wanted.endpoint, (DONE_ZONE,), DONE_ELASTIC), record)
    return remember(record, wanted, found, NOW)


def test_everything_that_is_used_is_remembered_with_whose_it_is() -> None:
    record = remembered(ConnectionRecord(ENDPOINT_ID, removal=RemovalState(missing_since=NOW)), "d1")
    assert (
        record.identity.name,
        record.identity.guid,
        record.identity.region,
        record.identity.vnet_id,
        record.identity.address,
    ) == (
        "pe-search",
        GUID,
        "eastus2",
        VNET,
        ADDRESS,
    )
    assert record.dns.zone == Owned(DONE_ZONE.id.text, Owner.OURS)
    assert record.dns.links == (Owned(DONE_ZONE.links[0].id, Owner.OURS),)
    assert record.dns.record == Owned(f"{DONE_ZONE.id.text}/A/*", Owner.OURS)
    assert (record.dns.record_addresses, record.elastic.policy.id, record.elastic.policy.owner) == (
        (ADDRESS,),
        "p-1",
        Owner.OURS,
    )
    assert (record.elastic.targets, record.removal.missing_since) == ((TargetMemory("d1", "orders"),), None)


def test_a_branch_that_was_not_read_is_remembered_as_it_was() -> None:
    record = remembered(KNOWN, "d1")
    wanted = desired("d1")
    unread = plan(wanted, Observed(wanted.endpoint), record, plan_options(), NOW)
    assert remember(record, wanted, unread, NOW) == record


@pytest.mark.parametrize(
    ("before", "owner"),
    [
        (None, Owner.ADOPTED),
        (AssociationMemory("d1"), Owner.OURS),
        (AssociationMemory("d1", Owner.OURS), Owner.OURS),
        (AssociationMemory("d1", Owner.ADOPTED), Owner.ADOPTED),
    ],
    ids=["not by us", "begun by us", "ours", "adopted"],
)
def test_only_an_association_that_we_began_is_ours(before: AssociationMemory | None, owner: Owner) -> None:
    known = PolicyMemory("p-1", Owner.OURS)
    record = KNOWN.with_elastic(policy=known, associations=(before,) if before else ())
    assert remembered(record, "d1").elastic.associations == (AssociationMemory("d1", owner, asked="d1", seen=True),)


@pytest.mark.parametrize(
    ("elastic", "recovered"),
    [
        (ElasticState(), True),
        (ElasticState(policy_post_until=NOW), False),
        (ElasticState(policy=PolicyMemory("p-1", Owner.OURS)), False),
        (ElasticState(policy=PolicyMemory("p-1", Owner.OURS, recovered=True)), True),
    ],
    ids=["nothing is known", "a create was begun", "known", "found before its associations were read"],
)
def test_an_association_is_recovered_where_the_record_knew_of_no_policy(
    elastic: ElasticState, *, recovered: bool
) -> None:
    record = remembered(replace(KNOWN, elastic=elastic), "d1")
    (memory,) = record.elastic.associations
    assert (memory.owner, memory.recovered) == (Owner.ADOPTED, recovered)
    assert not record.elastic.policy.recovered, "its associations are known from now on"


def test_the_approval_is_pending_since_it_was_first_seen_so_and_no_longer_once_decided() -> None:
    earlier = NOW - timedelta(hours=1)
    pending = {"status": ConnectionStatus.PENDING}
    assert remembered(KNOWN, **pending).schedule.pending_since == NOW
    assert remembered(KNOWN.with_schedule(pending_since=earlier), **pending).schedule.pending_since == earlier
    assert remembered(KNOWN.with_schedule(pending_since=earlier)).schedule.pending_since is None


def test_an_address_or_guid_that_is_not_answered_for_once_is_not_forgotten() -> None:
    record = remembered(KNOWN.with_identity(address=ADDRESS), address=None, guid="")
    assert (record.identity.address, record.identity.guid) == (ADDRESS, GUID)


def test_an_intent_to_create_a_policy_is_kept_until_a_definite_answer() -> None:
    begun = KNOWN.with_elastic(policy_post_until=NOW - timedelta(hours=1))
    wanted = desired()
    found = planned(wanted, Observed(wanted.endpoint, None, NOTHING), begun)
    assert [type(step) for step in found.steps] == [CreatePolicy]
    assert remember(begun, wanted, found, NOW).elastic.policy_post_until == begun.elastic.policy_post_until
    assert remembered(begun).elastic.policy_post_until == begun.elastic.policy_post_until
    assert remembered(begun).elastic.policy == PolicyMemory("p-1", Owner.OURS, NOW, guid=GUID, rules=1)


def test_a_fresh_record_is_provisioning() -> None:
    assert ConnectionRecord(ENDPOINT_ID).status.phase is Phase.PROVISIONING
