"""Events become hints: both schemas, every spelling, and nothing of an event but the id that it names."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.errors import InvalidInput
from shared.core.model.messages import Cause, DriftMessage, WorkMessage, decode, message_of, parse_events
from tests.core.core_parts import sample, sample_events

WRITE_SPELLING = (
    "/subscriptions/0a1b2c3d-0000-4000-8000-00000000beef/resourcegroups/net-prod"
    "/providers/Microsoft.Network/privateEndpoints/pe-search"
)
DELETE_SPELLING = WRITE_SPELLING.replace("resourcegroups", "resourceGroups")
CORRELATION = "5f0c7a52-3d3b-4b5e-9f8e-0d6f1c2b3a49"
PERSONAL = ("Erika", "erika@example.org", "203.0.113.77", "c0ffee")


def hint_of(event: dict[str, Any]) -> WorkMessage:
    return message_of(event, new_correlation_id="")


def hints(text: str) -> list[WorkMessage]:
    return [hint_of(event) for event in parse_events(text)]


@pytest.mark.parametrize(
    ("name", "cause", "spelling", "correlation"),
    [
        ("grid_write", Cause.EVENT_WRITE, WRITE_SPELLING, CORRELATION),
        ("grid_write_bare", Cause.EVENT_WRITE, WRITE_SPELLING, CORRELATION),
        ("grid_delete", Cause.EVENT_DELETE, DELETE_SPELLING, CORRELATION),
        ("grid_tags", Cause.EVENT_WRITE, WRITE_SPELLING, CORRELATION),
        ("cloud_write", Cause.EVENT_WRITE, WRITE_SPELLING, CORRELATION),
        ("cloud_delete", Cause.EVENT_DELETE, DELETE_SPELLING, CORRELATION),
        ("notification_created", Cause.EVENT_WRITE, DELETE_SPELLING, ""),
        ("notification_deleted", Cause.EVENT_DELETE, DELETE_SPELLING, ""),
    ],
)
def test_writes_and_deletes_of_either_schema_name_the_endpoint_as_azure_spelled_it(
    name: str, cause: Cause, spelling: str, correlation: str
) -> None:
    (hint,) = hints(sample(name))
    assert (hint.cause, hint.endpoint.text, hint.correlation_id) == (cause, spelling, correlation)


def test_both_spellings_of_an_id_name_the_same_endpoint() -> None:
    (write,), (delete,) = hints(sample("grid_write")), hints(sample("grid_delete"))
    assert write.endpoint.text != delete.endpoint.text
    assert write.endpoint.key == delete.endpoint.key


def test_a_batch_gives_one_hint_for_each_event_in_order() -> None:
    assert [hint.endpoint.name for hint in hints(sample("grid_batch"))] == ["pe-search", "pe-logs"]


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_types_and_operations_are_compared_without_regard_to_case(change: Any) -> None:
    (event,) = sample_events("grid_write")
    event["eventType"] = change(event["eventType"])
    event["data"]["operationName"] = change(event["data"]["operationName"])
    event["subject"] = change(event["subject"])
    hint = hint_of(event)
    assert (hint.cause, hint.endpoint.key) == (Cause.EVENT_WRITE, WRITE_SPELLING.lower())


def test_a_cloud_event_without_specversion_as_in_one_documented_sample_is_taken() -> None:
    (event,) = sample_events("cloud_write")
    del event["specversion"]
    assert hint_of(event).cause is Cause.EVENT_WRITE


def test_an_endpoint_whose_tags_are_all_deleted_is_not_deleted_itself() -> None:
    (event,) = sample_events("grid_tags")
    event["eventType"] = "Microsoft.Resources.ResourceDeleteSuccess"
    event["data"]["operationName"] = "Microsoft.Resources/tags/delete"
    hint = hint_of(event)
    assert (hint.cause, hint.endpoint.text) == (Cause.EVENT_WRITE, WRITE_SPELLING)


@pytest.mark.parametrize(
    "subject",
    [
        WRITE_SPELLING.split("/providers", maxsplit=1)[0] + "/providers/Microsoft.Resources/tags/default",
        WRITE_SPELLING.replace("privateEndpoints", "virtualNetworks") + "/providers/Microsoft.Resources/tags/default",
        WRITE_SPELLING + "/privateDnsZoneGroups/x/providers/Microsoft.Resources/tags/default",
    ],
)
def test_tags_of_anything_else_are_refused(subject: str) -> None:
    (event,) = sample_events("grid_tags")
    event["subject"] = subject
    with pytest.raises(InvalidInput, match=r"no Azure resource id|no private endpoint"):
        hint_of(event)


@pytest.mark.parametrize("missing", ["subject", "resourceUri"])
def test_the_id_is_taken_from_each_place_where_an_event_has_it(missing: str) -> None:
    (event,) = sample_events("grid_write")
    (event if missing == "subject" else event["data"])[missing] = ""
    assert hint_of(event).endpoint.name == "pe-search"


def test_an_event_without_its_operation_name_is_taken_by_its_type_and_id() -> None:
    (event,) = sample_events("grid_write")
    del event["data"]["operationName"]
    assert hint_of(event).endpoint.name == "pe-search"


@pytest.mark.parametrize(
    "correlation", [None, 7, "", "with blank", "x" * 65, "line\n", "Erika <erika@example.org>", ["a"], {"a": 1}]
)
def test_a_correlation_id_that_is_none_is_not_kept(correlation: object) -> None:
    (event,) = sample_events("grid_write")
    event["data"]["correlationId"] = correlation
    assert not hint_of(event).correlation_id


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("grid_failure", "no successful write or delete"),
        ("grid_action", "no successful write or delete"),
        ("grid_other_type", "another operation"),
        ("grid_child", "another operation"),
        ("grid_validation", "no successful write or delete"),
    ],
)
def test_other_events_are_refused_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        hints(sample(name))


@pytest.mark.parametrize("name", ["grid_other_type", "grid_child"])
def test_an_event_of_another_resource_is_refused_by_its_id_too(name: str) -> None:
    (event,) = sample_events(name)
    del event["data"]["operationName"]
    with pytest.raises(InvalidInput, match="no private endpoint"):
        hint_of(event)


@pytest.mark.parametrize("name", ["grid_write", "cloud_write", "notification_created", "grid_failure"])
def test_nothing_personal_is_kept_nor_told(name: str) -> None:
    try:
        told = repr(hints(sample(name)))
    except InvalidInput as error:
        told = f"{error!s} {error!r}"
    assert not [word for word in PERSONAL if word in told]


@pytest.mark.parametrize("text", ["", " ", "{", "nul", "<html>", "[1]", "[]", "null", "true", '"text"', "3", "[[]]"])
def test_a_body_that_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_events(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_events(b"\xff\xfe\xfa{}")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_deeply_nested_body_is_refused_and_no_crash(opening: str) -> None:
    with pytest.raises(InvalidInput):
        parse_events(opening * 200_000)


@pytest.mark.parametrize("event", [{}, {"eventType": None}, {"eventType": 7}, {"type": {}}, {"type": ["a"]}])
def test_an_event_without_a_type_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="no type"):
        hint_of(event)


def test_an_event_that_names_no_resource_is_refused() -> None:
    with pytest.raises(InvalidInput, match="names no resource"):
        hint_of({"type": "Microsoft.Resources.ResourceWriteSuccess", "data": {"resourceInfo": [1]}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["eventType", "type", "subject", "data"]
DATA = ["operationName", "resourceUri", "correlationId", "resourceInfo"]
EVENT = st.dictionaries(
    st.sampled_from(FIELDS),
    st.sampled_from(["Microsoft.Resources.ResourceWriteSuccess", WRITE_SPELLING])
    | JSON
    | st.dictionaries(st.sampled_from(DATA), JSON),
)


@settings(deadline=None, database=None)
@given(EVENT)
def test_every_event_is_a_hint_or_refused(event: dict[str, Any]) -> None:
    with suppress(InvalidInput):
        (hint,) = hints(json.dumps(event))
        assert hint.endpoint.is_private_endpoint


@settings(deadline=None, database=None)
@given(st.text() | st.binary())
def test_every_body_is_events_or_refused(raw: str | bytes) -> None:
    with suppress(InvalidInput):
        events = parse_events(raw)
        assert all(isinstance(event, dict) for event in events)


# -- private DNS -------------------------------------------------------------------------------------------------------

CLIENT = "0a1b2c3d-0000-4000-8000-00000000cafe"
ZONE = DELETE_SPELLING.rpartition("/privateEndpoints")[0] + "/privateDnsZones/private.eastus2.azure.elastic.cloud"
DNS = "Microsoft.Network/privateDnsZones"


def dns_event(thing: str, kind: str, change: str = "Write", **claims: str) -> dict[str, Any]:
    operation = f"{kind}/{change.lower()}"
    data = {"operationName": operation, "correlationId": CORRELATION, "claims": claims}
    return {"eventType": f"Microsoft.Resources.Resource{change}Success", "subject": thing, "data": data}


@pytest.mark.parametrize("change", ["Write", "Delete"])
@pytest.mark.parametrize(
    ("below", "kind"),
    [
        ("", DNS),
        ("/virtualNetworkLinks/one", f"{DNS}/virtualNetworkLinks"),
        ("/A/*", f"{DNS}/A"),
        ("/a/%2A", f"{DNS}/a"),
        ("/providers/Microsoft.Resources/tags/default", "Microsoft.Resources/tags"),
    ],
)
def test_a_change_of_private_dns_names_what_was_changed(below: str, kind: str, change: str) -> None:
    found = message_of(dns_event(ZONE + below, kind, change), new_correlation_id="new")
    wanted = "" if "tags" in below else below.replace("%2A", "*")
    assert found == DriftMessage(parse_arm_id(ZONE + wanted), CORRELATION)
    (read,) = decode(found.encode(), new_correlation_id="new").drift
    assert read == found


@pytest.mark.parametrize("own", [CLIENT, CLIENT.upper(), CLIENT.replace("-", "")])
def test_a_change_that_the_app_made_is_dropped_however_its_id_is_spelled(own: str) -> None:
    for told in (CLIENT, CLIENT.upper(), CLIENT.replace("-", "")):
        with pytest.raises(InvalidInput, match="The app itself"):
            message_of(dns_event(f"{ZONE}/A/*", f"{DNS}/A", appid=told), new_correlation_id="", own_client=own)


@pytest.mark.parametrize("own", ["", CLIENT])
def test_a_change_that_names_another_or_no_application_is_taken(own: str) -> None:
    for claims in ({}, {"appid": ""}, {"appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46"}):
        event = dns_event(f"{ZONE}/A/*", f"{DNS}/A", **claims)
        assert isinstance(message_of(event, new_correlation_id="", own_client=own), DriftMessage)


@pytest.mark.parametrize(
    ("thing", "kind"),
    [
        (f"{ZONE}/A/es", f"{DNS}/A"),
        (f"{ZONE}/AAAA/*", f"{DNS}/AAAA"),
        (f"{ZONE}/A/*/x/y", f"{DNS}/A"),
        (ZONE.replace("private.eastus2.azure.elastic.cloud", "privatelink.blob.core.windows.net"), DNS),
        (f"{ZONE}/virtualNetworkLinks/one", DNS),
        (WRITE_SPELLING, DNS),
    ],
)
def test_what_is_no_zone_link_or_wildcard_record_of_elastic_s_is_dropped(thing: str, kind: str) -> None:
    with pytest.raises(InvalidInput):
        message_of(dns_event(thing, kind), new_correlation_id="")


def test_what_a_private_link_service_writes_below_an_endpoint_is_a_reason_to_look_at_it() -> None:
    kind = "Microsoft.Network/privateEndpoints/privateLinkServiceProxies"
    for change in ("Write", "Delete"):
        found = hint_of(dns_event(f"{WRITE_SPELLING}/privateLinkServiceProxies/pls.1", kind, change))
        assert (found.endpoint.text, found.cause) == (WRITE_SPELLING, Cause.EVENT_WRITE)
