"""The record: what is written can be read, and what cannot be read is refused with what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.model import conditions as c
from shared.core.model.arm_ids import connection_id
from shared.core.model.conditions import Condition, Phase, Status, WaitingFor
from shared.core.model.errors import InvalidInput
from shared.core.model.private_urls import PrivateUrl
from shared.core.model.reasons import Reason
from shared.core.model.record import (
    SCHEMA,
    AssociationMemory,
    Connection,
    DeploymentMemory,
    Owned,
    Owner,
    PolicyMemory,
    VerdictMemory,
)
from shared.core.model.record_document import from_document, to_document
from tests.core.core_parts import ADDRESS, ENDPOINT_ID, GUID, NOW, SERVICE, VNET

FULL = Connection(
    endpoint_id=ENDPOINT_ID,
    name="pe-search",
    guid=GUID,
    region="eastus2",
    alias=SERVICE.alias,
    location="westeurope",
    vnet_id=VNET,
    address=ADDRESS,
    zone=Owned("/zone", Owner.ADOPTED),
    links=(Owned("/link/1", Owner.OURS), Owned("/link/2", Owner.ADOPTED)),
    record=Owned("/zone/A/*", Owner.OURS),
    record_addresses=(ADDRESS, "10.1.0.9"),
    policy=PolicyMemory("p-1", Owner.OURS, NOW, NOW + timedelta(seconds=1)),
    associations=(AssociationMemory("d1", Owner.OURS), AssociationMemory("d2")),
    deployments=(DeploymentMemory("d1", "orders", (PrivateUrl("elasticsearch", "o.es.x", 9243),)),),
    conditions=(
        Condition(c.APPROVED, Status.FALSE, Reason.AWAITING_APPROVAL, "Pending", "wait", WaitingFor.TIME, NOW),
        Condition(c.REACHABLE, Status.UNKNOWN, Reason.NOT_TESTED, needs=WaitingFor.WORK),
    ),
    checks=(VerdictMemory("o.es.x", "healthy", "Fine", NOW, (("dns", 1.5), ("tcp", 2.0))),),
    phase=Phase.AWAITING_APPROVAL,
    generation=7,
    attempts=3,
    first_seen=NOW,
    pending_since=NOW,
    ready_since=None,
    observed_at=NOW,
    wake_at=NOW + timedelta(minutes=1),
    missing_since=None,
)


@pytest.mark.parametrize("connection", [Connection(ENDPOINT_ID), FULL], ids=["fresh", "full"])
def test_a_record_survives_its_trip_through_json_unchanged(connection: Connection) -> None:
    document = json.loads(json.dumps(to_document(connection)))
    assert from_document(document) == connection


def test_a_field_that_this_version_does_not_know_yet_has_its_default() -> None:
    document = to_document(FULL)
    del document["attempts"], document["checks"]
    assert from_document(document) == replace(FULL, attempts=0, checks=())


def test_a_record_of_another_schema_is_refused_and_says_what_to_do() -> None:
    for schema in (SCHEMA + 1, 0, None, "1"):
        with pytest.raises(InvalidInput, match=f"schema {schema}") as refused:
            from_document(to_document(FULL) | {"schema": schema})
        assert refused.value.on == ENDPOINT_ID
        assert "newer version" in refused.value.next_step


@pytest.mark.parametrize(
    "damage",
    [
        {"phase": "Sleeping"},
        {"conditions": 7},
        {"conditions": [{"type": "Ready"}]},
        {"conditions": [{"type": "Ready", "status": "Perhaps", "reason": "x"}]},
        {"first_seen": "yesterday"},
        {"zone": {"id": "/z", "owner": "mine"}},
        {"policy": None},
        {"links": [None]},
        {"generation": "many"},
        {"deployments": [{"id": "d", "name": "n", "urls": [{"host": "h"}]}]},
        {"checks": [{}]},
    ],
)
def test_a_damaged_record_is_refused_and_says_what_to_do(damage: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="damaged") as refused:
        from_document(to_document(FULL) | damage)
    assert (refused.value.on, "sweep" in refused.value.next_step) == (ENDPOINT_ID, True)


def test_a_record_without_its_endpoint_is_damaged() -> None:
    document = to_document(FULL)
    del document["endpoint_id"]
    with pytest.raises(InvalidInput, match="damaged"):
        from_document(document)


def test_an_empty_row_is_refused() -> None:
    with pytest.raises(InvalidInput):
        from_document({})


def test_the_id_that_urls_show_comes_from_the_endpoint_however_it_is_spelled() -> None:
    assert FULL.id == connection_id(ENDPOINT_ID) == Connection(ENDPOINT_ID.upper()).id


def test_a_condition_is_found_by_its_type() -> None:
    found = FULL.condition(c.APPROVED)
    assert found is not None
    assert found.reason == "AwaitingApproval"
    assert FULL.condition(c.LINKED) is None


def test_an_association_is_remembered_once_for_each_deployment() -> None:
    known = FULL.with_association(AssociationMemory("d2", Owner.ADOPTED)).with_association(AssociationMemory("d3"))
    assert {memory.deployment_id: memory.owner for memory in known.associations} == {
        "d1": Owner.OURS,
        "d2": Owner.ADOPTED,
        "d3": None,
    }
    assert len(known.associations) == 3
