"""A field that is added to the record is not public: only what a view names is answered and documented."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, make_dataclass
from typing import Any

import pytest

from functions.openapi import bodies
from shared.api.views import as_json, connection_view
from shared.core.model.conditions import REACHABLE, Condition, Explanation, Status, WaitingFor
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, FormerAssociation, PolicyMemory
from shared.core.model.record_health import EffectiveVerdict, HostCheck
from shared.settings import load
from tests.core.core_parts import ENDPOINT_ID, GUID, NOW
from tests.harness.estate import HOSTED
from tests.harness.estate import SETTINGS as ENVIRON

SECRET = "only-for-the-app"
SETTINGS = load(ENVIRON, HOSTED)
PARTS = ("identity", "dns", "elastic", "health", "removal", "schedule", "status", "notifications")
RECORD = (
    ConnectionRecord(ENDPOINT_ID)
    .with_dns(zone=Owned("/z", Owner.OURS), links=(Owned("/l", Owner.OURS),), record=Owned("/r", Owner.OURS))
    .with_elastic(
        policy=PolicyMemory("p-1", Owner.OURS),
        claim=ClaimMemory("azure-eastus2", "pe-search", GUID, Owner.OURS),
        associations=(AssociationMemory("d1"),),
        former_associations=(FormerAssociation("p-0", "d1", GUID),),
    )
)


def grown(value: Any) -> Any:
    """The value with one more field, as a newer version of its class has it."""
    kind = make_dataclass(type(value).__name__, [("secret", str, SECRET)], bases=(type(value),), frozen=True)
    return kind(**{field.name: getattr(value, field.name) for field in fields(value)})


def grown_record() -> ConnectionRecord:
    """The record with one more field in itself, in each of its parts, and in the things that these hold."""
    dns = RECORD.with_dns(
        zone=grown(RECORD.dns.zone), links=tuple(map(grown, RECORD.dns.links)), record=grown(RECORD.dns.record)
    )
    elastic = RECORD.elastic
    record = dns.with_elastic(
        policy=grown(elastic.policy),
        claim=grown(elastic.claim),
        associations=tuple(map(grown, elastic.associations)),
        former_associations=tuple(map(grown, elastic.former_associations)),
    )
    parts: dict[str, Any] = {name: grown(getattr(record, name)) for name in PARTS}
    found: ConnectionRecord = grown(ConnectionRecord(ENDPOINT_ID, **parts))
    return found


def test_a_new_field_of_the_record_or_of_a_part_is_not_answered() -> None:
    record = grown_record()
    assert record.elastic.policy.secret == SECRET  # type: ignore[attr-defined]
    assert SECRET not in json.dumps(as_json(connection_view(record, "enforce", SETTINGS)))
    assert as_json(connection_view(record, "enforce", SETTINGS)) == as_json(
        connection_view(RECORD, "enforce", SETTINGS)
    )


def test_what_the_document_describes_is_what_is_answered() -> None:
    schema = bodies.answers()["Connection"]
    answer = as_json(connection_view(grown_record(), "enforce", SETTINGS))
    assert set(schema["properties"]) == set(schema["required"]) == set(answer)
    assert "secret" not in json.dumps(schema)


@pytest.mark.parametrize(
    "inside",
    [
        *("operations", "pendingTargets", "notifications", "unserved", "notices", "schema", "missed", "missedIn"),
        *("eventTold", "absentAs", "dnsNotBefore", "elasticNotBefore"),
    ],
)
def test_what_the_record_keeps_for_itself_is_neither_answered_nor_documented(inside: str) -> None:
    assert inside not in as_json(connection_view(RECORD, "enforce", SETTINGS))
    assert inside not in bodies.answers()["Connection"]["properties"]


def test_a_check_and_the_verdict_are_answered_with_what_they_say_as_their_cause() -> None:
    counts = EffectiveVerdict("degraded", Explanation(Reason.NO_ANSWER, "It is busy."))
    silence = Explanation(Reason.NO_ROUTE, "It is silent.", "Look.")
    check = HostCheck("o.es.x", "unreachable", silence, NOW, effective=counts)
    told = Condition(REACHABLE, Status.FALSE, silence, WaitingFor.WORK, NOW)
    answer = as_json(connection_view(RECORD.with_status(conditions=(told,)), "enforce", SETTINGS, (check,)))
    said = {"reason": "NoRoute", "cause": "It is silent.", "nextStep": "Look."}
    assert {name: answer["checks"][0][name] for name in said} == said
    standing = {"status": "degraded", "reason": "NoAnswer", "cause": "It is busy.", "nextStep": ""}
    assert answer["checks"][0]["standing"] == standing
    assert {name: answer["verdict"][name] for name in (*said, "hop")} == said | {"hop": "approval"}
    assert answer["conditions"][0] == {
        "type": "Reachable",
        "status": "False",
        "reason": "NoRoute",
        "message": "It is silent.",
        "nextStep": "Look.",
        "remedy": None,
        "needs": "work",
        "since": NOW.isoformat(),
    }


def test_a_field_is_public_once_a_view_names_it() -> None:
    """So that the tests above cannot pass by looking at the wrong thing."""

    @dataclass(frozen=True, slots=True)
    class Shown:
        secret: str

    assert as_json(Shown(SECRET)) == {"secret": SECRET}
