"""Ownership markers survive the trip through tags, metadata and descriptions; nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.model.arm_ids import connection_id
from shared.core.model.markers import (
    Holder,
    Marker,
    RecordMarker,
    marker_from_description,
    marker_from_tags,
    record_marker,
)
from tests.core.core_parts import ENDPOINT_ID, MARKER, MINE, OTHER_ENDPOINT_ID, OTHER_MARKER, OTHERS, STRANGER


def test_a_marker_survives_a_change_of_case_in_the_names_of_tags() -> None:
    tags = MARKER.tags()
    assert marker_from_tags(tags) == MARKER
    assert marker_from_tags({name.upper(): value for name, value in tags.items()}) == MARKER
    assert marker_from_tags({"owner": "team", **tags}) == MARKER


def test_an_endpoint_id_that_no_tag_can_hold_is_left_out_and_the_connection_still_known() -> None:
    long = Marker("autopilot", "0123456789abcdef", ENDPOINT_ID + "x" * 256)
    assert all(len(value) <= 256 for value in long.tags().values())
    assert marker_from_tags(long.tags()) == Marker("autopilot", "0123456789abcdef")


@pytest.mark.parametrize(
    "tags",
    [None, {}, {"owner": "team"}, {"elastic-privatelink-instance": "a"}, {"elastic-privatelink-connection": "b"}],
)
def test_tags_without_a_whole_marker_have_none(tags: dict[str, str] | None) -> None:
    assert marker_from_tags(tags) is None


def test_a_marker_survives_a_description_even_one_that_a_person_added_to() -> None:
    assert marker_from_description(MARKER.description()) == MARKER
    assert marker_from_description(f"Ask team search first. {MARKER.description()} Thanks!") == MARKER


@pytest.mark.parametrize("edited", ["", f"Azure private endpoint {OTHER_ENDPOINT_ID}. "])
def test_an_edited_sentence_of_a_description_does_not_make_us_look_at_another_endpoint(edited: str) -> None:
    marked = MARKER.description()
    text = edited + marked[marked.index("Made and kept") :]
    assert marker_from_description(text) == Marker(MARKER.instance, MARKER.connection_id)


def test_the_description_tells_people_what_the_policy_is_for() -> None:
    assert ENDPOINT_ID in MARKER.description()
    assert "Private Link Autopilot" in MARKER.description()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Azure private endpoint",
        "[elastic-privatelink instance= connection=0123456789abcdef]",
        "[elastic-privatelink instance=a connection=0123456789abcde]",
        "[elastic-privatelink instance=a connection=0123456789ABCDEF]",
        "elastic-privatelink instance=a connection=0123456789abcdef",
    ],
)
def test_another_description_has_no_marker(text: str | None) -> None:
    assert marker_from_description(text) is None


def test_the_maker_is_the_installation_not_the_connection() -> None:
    assert MARKER.same_maker(OTHER_MARKER)
    assert not MARKER.same_maker(STRANGER)
    assert not MARKER.same_maker(None)


def test_a_record_marker_survives_metadata_with_every_holder() -> None:
    marker = RecordMarker("autopilot", (MINE, OTHERS))
    found = record_marker({name.upper(): value for name, value in marker.metadata().items()})
    assert found is not None
    assert found.instance == "autopilot"
    assert set(found.holders) == {MINE, OTHERS}
    assert found.holder(MINE.connection_id) == MINE
    assert found.holder("0" * 16) is None


def long_id(number: int) -> str:
    """An endpoint's id with the longest names that Azure allows."""
    subscription = f"{number:08x}-1111-4222-8333-0123456789ab"
    group, name = f"{number:02d}" + "g" * 88, f"{number:02d}" + "n" * 78
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/privateEndpoints/{name}"


def holders_of(count: int) -> tuple[Holder, ...]:
    """So many endpoints, with the longest addresses and names."""
    guid = "0123ABCD-1111-4222-8333-0123456789ab"
    ids = [long_id(number) for number in range(count)]
    return tuple(Holder(connection_id(one), f"172.16.100.{100 + n}", one, guid) for n, one in enumerate(ids))


@pytest.mark.parametrize("count", [1, 2, 14, 15, 16, 17, 20])
def test_a_record_marker_keeps_within_azures_limits_with_any_number_of_holders_and_long_names(count: int) -> None:
    marker = RecordMarker("autopilot-0123456789ab", holders_of(count))
    metadata = marker.metadata()
    assert len(metadata) <= 15
    assert all(len(name) <= 512 and len(value) <= 256 for name, value in metadata.items())
    found = record_marker(metadata)
    assert found is not None
    assert {(one.connection_id, one.address, one.guid) for one in found.holders} == {
        (one.connection_id, one.address, one.guid) for one in marker.holders
    }
    named = [one for one in found.holders if one.endpoint_id]
    assert all(connection_id(one.endpoint_id) == one.connection_id for one in named)
    assert len(named) == (count if count <= 14 else 14 - (count - 13) // 2)
    assert record_marker(found.metadata()) == found, "written again it is the same"


def test_the_tags_of_a_zone_name_an_endpoint_with_long_names() -> None:
    marker = Marker("autopilot", connection_id(long_id(7)), long_id(7))
    assert all(len(value) <= 256 for value in marker.tags().values())
    assert marker_from_tags(marker.tags()) == marker


@pytest.mark.parametrize("value", ["", "x", "0123456789abcdef", "0123456789abcdef=,", "=10.1.0.4,x", "a=b,c d=e,f"])
def test_packed_holders_that_are_none_are_left_out(value: str) -> None:
    found = record_marker({"elastic-privatelink-instance": "a", "elastic-privatelink-holders-0": value})
    assert found is None or not found.holders


def test_a_holder_is_taken_out_and_the_others_stay() -> None:
    assert RecordMarker("autopilot", (MINE, OTHERS)).without(MINE.connection_id).holders == (OTHERS,)


@pytest.mark.parametrize("metadata", [None, {}, {"elastic-privatelink-holder-0123456789abcdef": "10.1.0.4 /x"}])
def test_metadata_without_the_installation_is_no_marker(metadata: dict[str, str] | None) -> None:
    assert record_marker(metadata) is None


@settings(deadline=None, database=None)
@given(st.none() | st.dictionaries(st.text(), st.text()))
def test_text_of_others_is_no_marker_of_ours(found: dict[str, str] | None) -> None:
    assert not MARKER.same_maker(marker_from_tags(found))
    assert record_marker(found) is None
