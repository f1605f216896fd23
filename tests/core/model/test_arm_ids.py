"""Azure resource ids: parsed strictly, compared without regard to case, shown as a short hash."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.model.arm_ids import connection_id, parse_arm_id, parse_endpoint_id, same_id
from shared.core.model.errors import InvalidInput
from tests.core.core_parts import ENDPOINT_ID, SUBSCRIPTION, VNET, network_id

SHOUTED = SUBSCRIPTION.upper()


def test_an_id_is_taken_apart_and_kept_as_it_was_spelled() -> None:
    text = f"/SUBSCRIPTIONS/{SHOUTED}/resourcegroups/Net-Prod/providers/microsoft.NETWORK/privateEndpoints/P"
    found = parse_arm_id(text)
    assert found.text == text
    assert found.key == text.lower()
    assert (found.subscription_id, found.resource_group, found.name) == (SUBSCRIPTION, "Net-Prod", "P")
    assert (found.type, found.children, found.parent) == ("microsoft.network/privateendpoints", "", text)
    assert found.is_private_endpoint


def test_a_child_knows_its_parent_and_is_no_endpoint() -> None:
    subnet = parse_arm_id(f"{VNET}/subnets/default")
    assert (subnet.children, subnet.parent, subnet.name) == ("/subnets/default", VNET, "spoke")
    with pytest.raises(InvalidInput, match="no private endpoint"):
        parse_endpoint_id(f"{ENDPOINT_ID}/privateDnsZoneGroups/default")


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        b"bytes",
        ["list"],
        "",
        "/",
        f"/subscriptions/{SUBSCRIPTION}",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g",
        ENDPOINT_ID.replace(SUBSCRIPTION, "not-a-guid"),
        f"https://management.azure.com{ENDPOINT_ID}",
        f"{ENDPOINT_ID}/",
        f"{ENDPOINT_ID}?api-version=2024-05-01",
        f"{ENDPOINT_ID}#fragment",
        f"{ENDPOINT_ID}/subnets",
        ENDPOINT_ID.replace("pe-search", "x" * 81),
        ENDPOINT_ID.replace("net-prod", "g" * 91),
        ENDPOINT_ID.replace("net-prod/", ""),
        f"{ENDPOINT_ID}{'/a/b' * 200}",
    ],
)
def test_what_is_no_resource_of_a_group_is_refused(text: object) -> None:
    with pytest.raises(InvalidInput):
        parse_arm_id(text)


@pytest.mark.parametrize(
    "name", ["a b", "a?b", "a#b", "a%2fb", "a\x00b", "a\ud800b", "a\u202eb", "a\u00a0b", "a\x7fb", "pe\n"]
)
@pytest.mark.parametrize("part", ["pe-search", "net-prod"])
def test_an_id_with_characters_that_cannot_be_shown_or_mean_something_in_an_address_is_refused(
    name: str, part: str
) -> None:
    with pytest.raises(InvalidInput):
        parse_arm_id(ENDPOINT_ID.replace(part, name))


@pytest.mark.parametrize("name", [".", ".."])
@pytest.mark.parametrize("part", ["pe-search", "net-prod"])
def test_an_id_that_would_lead_to_another_path_is_refused(name: str, part: str) -> None:
    with pytest.raises(InvalidInput):
        parse_arm_id(ENDPOINT_ID.replace(part, name))


def test_letters_that_only_fold_to_ascii_ones_are_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_arm_id(ENDPOINT_ID.replace("Network", "Networ\N{KELVIN SIGN}"))


def test_a_group_name_may_have_letters_of_any_script_as_in_azure() -> None:
    assert parse_arm_id(network_id("privateEndpoints", "pe", "größe_(1).x")).resource_group == "größe_(1).x"


def test_two_spellings_of_an_id_are_one_and_have_one_connection_id() -> None:
    assert same_id(ENDPOINT_ID, ENDPOINT_ID.upper())
    assert not same_id(ENDPOINT_ID, VNET)
    assert connection_id(ENDPOINT_ID) == connection_id(ENDPOINT_ID.upper())
    assert connection_id(ENDPOINT_ID) != connection_id(f"{ENDPOINT_ID}2")
    assert re.fullmatch(r"[0-9a-f]{16}", connection_id(ENDPOINT_ID))


def test_a_refusal_shows_a_short_part_only() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_arm_id("x" * 10_000)
    assert len(refused.value.on) <= 120


@settings(deadline=None, database=None)
@given(st.text() | st.from_regex(re.compile(rf"/subscriptions/{SUBSCRIPTION}/resourceGroups/.*", re.DOTALL)))
def test_any_text_is_an_id_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        found = parse_arm_id(text)
        assert parse_arm_id(found.text) == found
        assert connection_id(found.text)
