"""Records of older versions are read as this version would have written them; those of newer ones are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.core.model.record import SCHEMA, AssociationMemory, Connection, Owner, PolicyMemory
from shared.core.model.record_document import UnreadableRecord, from_document, migrated, to_document
from tests.core.core_parts import ENDPOINT_ID, GUID

SCHEMA_1: dict[str, Any] = {
    "endpoint_id": ENDPOINT_ID,
    "name": "pe-search",
    "guid": GUID,
    "region": "eastus2",
    "zone": {"id": "/z", "owner": "ours"},
    "links": [{"id": "/z/l", "owner": "ours"}],
    "record": {"id": "/z/A/*", "owner": "ours"},
    "record_addresses": ["10.1.0.4"],
    "policy": {"id": "p-1", "owner": "ours", "intent_at": None, "created_at": "2026-01-05T09:00:00+00:00"},
    "associations": [
        {"deployment_id": "d1", "owner": "ours"},
        {"deployment_id": "d2", "owner": "adopted"},
        {"deployment_id": "d3", "owner": None},
    ],
    "phase": "Ready",
    "generation": 7,
    "schema": 1,
}
"""As the first version wrote it."""


def test_a_record_of_the_first_version_is_read_and_stored_as_the_present_one() -> None:
    known = from_document(SCHEMA_1)
    assert (known.schema, known.id, known.generation) == (SCHEMA, Connection(ENDPOINT_ID).id, 7)
    assert from_document(json.loads(json.dumps(to_document(known)))) == known


def test_the_policy_of_an_old_record_had_the_endpoints_guid() -> None:
    assert from_document(SCHEMA_1).policy.guid == GUID


@pytest.mark.parametrize("policy", [None, {}, {"id": "", "owner": None}])
def test_an_old_record_without_a_policy_has_no_guid_of_one(policy: dict[str, Any] | None) -> None:
    assert from_document(SCHEMA_1 | {"policy": policy}).policy == PolicyMemory()


def test_an_association_of_an_old_record_stood_if_somebody_had_made_it() -> None:
    assert from_document(SCHEMA_1).associations == (
        AssociationMemory("d1", Owner.OURS, seen=True),
        AssociationMemory("d2", Owner.ADOPTED, seen=True),
        AssociationMemory("d3", None, seen=False),
    )


@pytest.mark.parametrize("associations", [None, []])
def test_an_old_record_without_associations_has_none(associations: list[Any] | None) -> None:
    assert from_document(SCHEMA_1 | {"associations": associations}).associations == ()


def test_what_the_new_version_added_has_its_default() -> None:
    known = from_document(SCHEMA_1)
    assert (known.claim, known.on_delete, known.mode, known.missed, known.removing_since) == (None, "", "", 0, None)


def test_migrating_leaves_the_stored_document_as_it_was_and_the_present_schema_as_it_is() -> None:
    before = json.dumps(SCHEMA_1)
    migrated(SCHEMA_1, 1)
    assert json.dumps(SCHEMA_1) == before
    present = to_document(from_document(SCHEMA_1))
    assert migrated(present, SCHEMA) == present


@pytest.mark.parametrize("schema", [SCHEMA + 1, SCHEMA + 100, 0, -1, None, "1", 1.5, [], {}])
def test_a_record_that_this_version_does_not_know_is_refused_and_not_guessed_at(schema: object) -> None:
    with pytest.raises(UnreadableRecord) as refused:
        from_document(SCHEMA_1 | {"schema": schema})
    assert refused.value.on == ENDPOINT_ID
    assert "newer version" in refused.value.next_step


@pytest.mark.parametrize(
    "damage", [{"associations": [7]}, {"associations": [{}]}, {"policy": 7}, {"zone": {}}, {"links": [7]}]
)
def test_an_old_record_that_is_damaged_is_refused_as_damaged(damage: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecord, match="damaged"):
        from_document(SCHEMA_1 | damage)
