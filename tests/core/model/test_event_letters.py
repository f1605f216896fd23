"""Events in every letter case: Azure spells types, operations and ids now so, now so, and means the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.core.model.errors import InvalidInput
from shared.core.model.messages import DriftMessage, WorkMessage, message_of
from tests.core.core_parts import EVENTS, sample_events
from tests.core.model.test_event_hints import CLIENT, DNS, WRITE_SPELLING, ZONE, dns_event

SPELLINGS: dict[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "the other way": str.swapcase}
SAMPLES = {path.stem: sample_events(path.stem) for path in sorted(EVENTS.glob("*.json"))}
OF_DNS = {
    f"{change} {kind or 'tags'}": [dns_event(f"{ZONE}{below}", kind or "Microsoft.Resources/tags", change, appid="x")]
    for change in ("Write", "Delete")
    for below, kind in (
        ("", DNS),
        ("/virtualNetworkLinks/one", f"{DNS}/virtualNetworkLinks"),
        ("/A/*", f"{DNS}/A"),
        ("/A/%2a", f"{DNS}/A"),
        ("/A/es", f"{DNS}/A"),
        ("/providers/Microsoft.Resources/tags/default", ""),
    )
}
PROXY = f"{WRITE_SPELLING}/privateLinkServiceProxies/pls.1"
BELOW = {"a proxy": [dns_event(PROXY, "Microsoft.Network/privateEndpoints/privateLinkServiceProxies")]}


def spelled(value: Any, how: Callable[[str], str]) -> Any:
    """Every text of an event in other letters; the names of its fields stay."""
    if isinstance(value, dict):
        return {name: spelled(one, how) for name, one in value.items()}
    if isinstance(value, list):
        return [spelled(one, how) for one in value]
    return how(value) if isinstance(value, str) else value


def told(event: dict[str, Any]) -> tuple[str, ...]:
    """What an event leads to, without regard to letters."""
    try:
        found = message_of(event, new_correlation_id="", own_client=CLIENT)
    except InvalidInput as error:
        return ("refused", error.what.lower())
    if isinstance(found, WorkMessage):
        return (found.cause, found.endpoint.key, found.correlation_id.lower())
    assert isinstance(found, DriftMessage)
    return ("drift", found.resource.key, found.correlation_id.lower())


CASES = [
    pytest.param(events, how, id=f"{name}, {letters}")
    for name, events in (SAMPLES | OF_DNS | BELOW).items()
    for letters, how in SPELLINGS.items()
]


@pytest.mark.parametrize(("events", "how"), CASES)
def test_an_event_means_the_same_in_every_letter_case(events: list[dict[str, Any]], how: Callable[[str], str]) -> None:
    assert [told(spelled(event, how)) for event in events] == [told(event) for event in events]


def test_these_are_events_that_lead_to_each_kind_of_message() -> None:
    kinds = {told(event)[0] for events in (*SAMPLES.values(), *OF_DNS.values(), *BELOW.values()) for event in events}
    assert kinds == {"refused", "event-write", "event-delete", "drift"}


@pytest.mark.parametrize("letters", SPELLINGS)
def test_a_change_of_the_apps_own_is_dropped_in_every_letter_case(letters: str) -> None:
    event = spelled(dns_event(f"{ZONE}/A/*", f"{DNS}/A", appid=CLIENT), SPELLINGS[letters])
    assert told(event) == ("refused", "the app itself made this change.")
