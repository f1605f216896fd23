"""The record: what is written can be read, and what cannot be read is refused with what to do."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core.model import conditions as c
from shared.core.model.arm_ids import connection_id
from shared.core.model.conditions import Condition, Explanation, Phase, Status, WaitingFor
from shared.core.model.errors import InvalidInput
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import SCHEMA, ConnectionRecord
from shared.core.model.record_document import (
    NewerRecord,
    UnreadableRecord,
    from_document,
    host_document,
    host_in,
    to_document,
)
from shared.core.model.record_elastic import AssociationMemory, ElasticState, PolicyMemory, TargetMemory
from shared.core.model.record_health import EffectiveVerdict, HealthState, HealthSummary, HostCheck
from shared.core.model.record_parts import DnsState, Identity, RecordStatus, RemovalState, ScheduleState
from shared.core.model.services import PrivateUrl
from tests.core.core_parts import ADDRESS, ENDPOINT_ID, GUID, NOW, SERVICE, VNET

ZONE = f"{VNET.partition('/providers/')[0]}/providers/Microsoft.Network/privateDnsZones/zone"
FULL = ConnectionRecord(
    identity=Identity(
        name="pe-search",
        guid=GUID,
        region="eastus2",
        alias=SERVICE.alias,
        location="westeurope",
        vnet_id=VNET,
        address=ADDRESS,
    ),
    dns=DnsState(
        zone=Owned(ZONE, Owner.ADOPTED),
        links=(Owned("/link/1", Owner.OURS), Owned("/link/2", Owner.ADOPTED)),
        record=Owned("/zone/A/*", Owner.OURS),
        record_addresses=(ADDRESS, "10.1.0.9"),
    ),
    elastic=ElasticState(
        policy=PolicyMemory("p-1", Owner.OURS, NOW, NOW + timedelta(seconds=1)),
        associations=(AssociationMemory("d1", Owner.OURS), AssociationMemory("d2")),
        targets=(TargetMemory("d1", "orders", (PrivateUrl("elasticsearch", "o.es.x", 9243),)),),
    ),
    status=RecordStatus(
        conditions=(
            Condition(
                c.APPROVED,
                Status.FALSE,
                Explanation(Reason.AWAITING_APPROVAL, "Pending", "wait"),
                WaitingFor.TIME,
                NOW,
            ),
            c.unknown(c.REACHABLE, Reason.NOT_TESTED, ""),
        ),
        phase=Phase.AWAITING_APPROVAL,
        generation=7,
        first_seen=NOW,
        ready_since=None,
    ),
    health=HealthState(HealthSummary(NOW, hosts=4, tested=3, failed=1, status="degraded", latency_ms=12.5)),
    schedule=ScheduleState(attempts=3, pending_since=NOW, observed_at=NOW, wake_at=NOW + timedelta(minutes=1)),
    removal=RemovalState(missing_since=None),
    endpoint_id=ENDPOINT_ID,
)


@pytest.mark.parametrize("connection", [ConnectionRecord(ENDPOINT_ID), FULL], ids=["fresh", "full"])
def test_a_record_survives_its_trip_through_json_unchanged(connection: ConnectionRecord) -> None:
    document = json.loads(json.dumps(to_document(connection)))
    assert from_document(document) == connection


def test_a_condition_is_stored_with_its_reason_among_its_other_fields() -> None:
    stored = to_document(FULL)["status"]["conditions"][0]
    assert list(stored.items()) == [
        ("type", "Approved"),
        ("status", "False"),
        ("reason", "AwaitingApproval"),
        ("message", "Pending"),
        ("next_step", "wait"),
        ("about", []),
        ("needs", "time"),
        ("since", NOW.isoformat()),
    ]


def test_a_check_is_stored_with_its_reason_cause_and_next_step_among_its_other_fields() -> None:
    check = HostCheck(
        "o.es.x",
        "healthy",
        Explanation(Reason.REACHABLE, "It answers."),
        NOW,
        (("dns", 1.5), ("tcp", 2.0)),
        effective=EffectiveVerdict("unreachable", Explanation(Reason.NO_ROUTE, "Silence.", "Look.")),
    )
    stored = host_document(check)
    assert host_in(json.loads(json.dumps(stored))) == check
    assert host_in(stored | {"checked_at": 7}) is None
    assert " ".join(stored) == (
        "host status reason checked_at stages addresses resolved_by service associated cause next_step recent effective"
    )
    assert (stored["reason"], stored["cause"], stored["next_step"]) == ("Reachable", "It answers.", "")
    assert list(stored["effective"].items()) == [
        ("status", "unreachable"),
        ("reason", "NoRoute"),
        ("cause", "Silence."),
        ("next_step", "Look."),
    ]


def test_a_field_that_this_version_does_not_know_yet_has_its_default() -> None:
    document = to_document(FULL)
    del document["schedule"]["attempts"], document["health"]
    assert from_document(document) == FULL.with_schedule(attempts=0).with_health(summary=None)


def test_a_record_of_another_schema_is_refused_and_says_what_to_do() -> None:
    for schema in (SCHEMA + 1, SCHEMA + 100):
        with pytest.raises(NewerRecord, match=re.escape(f"schema {schema}")) as refused:
            from_document(to_document(FULL) | {"schema": schema})
        assert refused.value.on == ENDPOINT_ID
        assert "newer version" in refused.value.next_step


@pytest.mark.parametrize("schema", [0, -1, None, "1", 1.5, True, [], {}])
def test_a_schema_that_no_version_has_is_damage(schema: object) -> None:
    with pytest.raises(UnreadableRecord, match="damaged"):
        from_document(to_document(FULL) | {"schema": schema})


@pytest.mark.parametrize(
    "instant", ["9999-12-31T00:00:00+00:00", "2026-01-05T09:00:00", "1970-01-01T00:00:00Z", "soon", 7, [], {}]
)
def test_an_instant_that_this_app_cannot_have_written_is_damage(instant: object) -> None:
    document = to_document(FULL)
    document["dns"]["not_before"] = instant
    with pytest.raises(UnreadableRecord, match="damaged"):
        from_document(document)


def test_an_instant_far_ahead_of_its_rows_writing_is_damage() -> None:
    document, written_at = to_document(ConnectionRecord(ENDPOINT_ID)), datetime(2026, 1, 5, tzinfo=UTC)
    for days, whole in ((7, True), (11, False)):
        document["dns"]["not_before"] = (written_at + timedelta(days=days)).isoformat()
        if whole:
            from_document(document, written_at=written_at)
            continue
        with pytest.raises(UnreadableRecord, match="damaged"):
            from_document(document, written_at=written_at)


@pytest.mark.parametrize(
    "damage",
    [
        {"status": {"phase": "Sleeping"}},
        {"status": {"conditions": 7}},
        {"status": {"conditions": [7]}},
        {"status": {"conditions": [{"type": "Ready"}]}},
        {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
        {"status": {"conditions": [{"type": "Ready", "status": "Perhaps", "reason": "x"}]}},
        {"status": {"first_seen": "yesterday"}},
        {"status": {"generation": "many"}},
        {"status": None},
        {"dns": {"zone": {"id": "/z", "owner": "mine"}}},
        {"dns": {"zone": {"id": "/z", "owner": "ours"}}},
        {"dns": {"zone": {}}},
        {"dns": {"links": [None]}},
        {"dns": {"links": [7]}},
        {"dns": 7},
        {"elastic": {"policy": None}},
        {"elastic": {"policy": 7}},
        {"elastic": {"associations": [7]}},
        {"elastic": {"associations": [{}]}},
        {"elastic": {"associations": [{"target_id": "a\r\nb"}]}},
        {"elastic": {"policy": {"id": "../other"}}},
        {"elastic": {"former_associations": [{"policy_id": "p-1", "target_id": "[None]", "guid": "g"}]}},
        {"elastic": {"targets": [{"id": "d", "name": "n", "urls": [{"host": "h"}]}]}},
        {"health": {"summary": {}}},
    ],
)
def test_a_damaged_record_is_refused_and_says_what_to_do(damage: dict[str, Any]) -> None:
    document = to_document(FULL)
    for part, fields in damage.items():
        document[part] = document[part] | fields if isinstance(fields, dict) else fields
    with pytest.raises(UnreadableRecord, match="damaged") as refused:
        from_document(document)
    assert (refused.value.on, "take-over-row" in refused.value.next_step) == (ENDPOINT_ID, True)


def test_reading_a_damaged_record_ends_at_the_first_thing_that_is_wrong() -> None:
    document = to_document(FULL)
    document["elastic"]["associations"] = "x" * 70_000
    with pytest.raises(UnreadableRecord, match="damaged") as refused:
        from_document(document)
    assert not isinstance(refused.value.__cause__, ExceptionGroup), "an error for each letter takes half a minute"


def test_a_record_of_an_endpoint_with_half_a_letter_is_damaged_and_the_error_can_be_told() -> None:
    with pytest.raises(UnreadableRecord, match="damaged") as refused:
        from_document(to_document(FULL) | {"endpoint_id": "\ud800"})
    assert str(refused.value).encode()


@pytest.mark.parametrize(("part", "field", "value"), [("identity", "vnet_id", "\ud800"), ("dns", "names", ["\ud800"])])
def test_half_a_letter_anywhere_in_a_record_is_damage(part: str, field: str, value: object) -> None:
    document = to_document(FULL)
    document[part][field] = value
    with pytest.raises(UnreadableRecord, match="damaged"):
        from_document(document)


def test_a_record_without_its_endpoint_is_damaged() -> None:
    document = to_document(FULL)
    del document["endpoint_id"]
    with pytest.raises(InvalidInput, match="damaged"):
        from_document(document)


def test_an_empty_row_is_refused() -> None:
    with pytest.raises(InvalidInput):
        from_document({})


def test_the_id_that_urls_show_comes_from_the_endpoint_however_it_is_spelled() -> None:
    assert FULL.id == connection_id(ENDPOINT_ID) == ConnectionRecord(ENDPOINT_ID.upper()).id


def test_a_condition_is_found_by_its_type() -> None:
    found = FULL.condition(c.APPROVED)
    assert found is not None
    assert found.reason == "AwaitingApproval"
    assert FULL.condition(c.LINKED) is None


def test_an_association_is_remembered_once_for_each_deployment() -> None:
    record = FULL.with_association(AssociationMemory("d2", Owner.ADOPTED)).with_association(AssociationMemory("d3"))
    assert {memory.target_id: memory.owner for memory in record.elastic.associations} == {
        "d1": Owner.OURS,
        "d2": Owner.ADOPTED,
        "d3": None,
    }
    assert len(record.elastic.associations) == 3
