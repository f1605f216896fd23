"""How the text of a setting becomes a value. Used by the groups; each function raises Expected with what it wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.core.model.arm_ids import lower_case, parse_arm_id, plain_location
from shared.core.model.errors import InvalidInput

EVERYTHING = "*"
MAX_GIVEN_TAGS = 12
LONGEST_TAG_NAME, LONGEST_TAG_VALUE = 512, 256
GUID = re.compile(r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE)
_MANAGEMENT_GROUP = re.compile(r"[\w.()-]{1,90}", re.ASCII)
_GROUP = re.compile(r"[\w.()-]{1,90}")
_LOCATION = re.compile(r"[a-z0-9]{2,40}")
Parser = Callable[[str], Any]
Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, slots=True)
class ZoneHome:
    """A resource group in which private DNS zones are made."""

    subscription_id: str
    resource_group: str

    @property
    def id(self) -> str:
        """Its resource id."""
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"

    @property
    def key(self) -> tuple[str, str]:
        """Equal for two ways to write one resource group."""
        return self.subscription_id.lower(), lower_case(self.resource_group)


class Expected(ValueError):
    """What a setting should have been."""


def words(value: str) -> tuple[str, ...]:
    """A list separated by commas, each entry once."""
    return tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))


def _all_or(value: str, understood: Callable[[str], bool], expected: str) -> frozenset[str]:
    """Entries in lower case, or `*`."""
    # What can only be meant as a pattern would match nothing: in a deny list that lets in what it was to keep out.
    entries = frozenset(lower_case(word) for word in words(value))
    if not all(entry == EVERYTHING or (EVERYTHING not in entry and understood(entry)) for entry in entries):
        raise Expected(f"{expected}, separated by commas, or * for all; no other wildcards")
    return entries


def targets(value: str) -> frozenset[str]:
    """Ids or names of targets, lower case."""
    return _all_or(value, bool, "ids or names of deployments")


@dataclass(frozen=True, slots=True)
class DeniedTargets:
    """The targets that are left alone: entries in lower case, and the setting as a whole, since names hold commas."""

    entries: frozenset[str] = frozenset()
    text: str = ""


def denied_targets(value: str) -> DeniedTargets:
    """Ids or names of targets that are left alone."""
    return DeniedTargets(targets(value), value)


def resource_groups(value: str) -> frozenset[str]:
    """Names of resource groups, each bare or behind its subscription's id, lower case."""
    return _all_or(value, is_group, "names of resource groups, or subscription-id/name")


def is_group(entry: str) -> bool:
    """Whether this names a resource group, bare or behind its subscription's id."""
    subscription, slash, name = entry.rpartition("/")
    return _GROUP.fullmatch(name) is not None and (not slash or GUID.match(subscription) is not None)


def locations(value: str) -> frozenset[str]:
    """Short names of Azure locations; `East US 2` is taken for `eastus2`."""
    plain = ",".join(plain_location(word) for word in words(value))
    return _all_or(plain, lambda entry: _LOCATION.fullmatch(entry) is not None, "Azure locations")


def tags(value: str) -> frozenset[str]:
    """Tags as `name` or `name=value`, lower case, without blanks around either."""
    pairs = (word.partition("=") for word in words(value))
    plain = ",".join(f"{name.strip()}{equals}{text.strip()}" for name, equals, text in pairs)
    return _all_or(plain, lambda entry: not entry.startswith("="), "tags as name or name=value")


def given_tags(value: str) -> tuple[tuple[str, str], ...]:
    """Tags to put on what is made, as pairs; with the three of the marker a zone or a link takes no more."""
    pairs = [tuple(part.strip() for part in word.partition("=")) for word in words(value)]
    names = {name.lower() for name, _, _ in pairs}
    good = all(name and equals and not name.lower().startswith("elastic-privatelink") for name, equals, _ in pairs)
    long = any(len(name) > LONGEST_TAG_NAME or len(text) > LONGEST_TAG_VALUE for name, _, text in pairs)
    if not good or long or len(names) != len(pairs) or len(pairs) > MAX_GIVEN_TAGS:
        what = f"at most {MAX_GIVEN_TAGS} tags as name=value, separated by commas, each name once"
        raise Expected(f"{what}, and values of at most {LONGEST_TAG_VALUE} letters")
    return tuple((name, text) for name, _, text in pairs)


def subscriptions(value: str) -> tuple[str, ...]:
    """Subscription ids, lower case, each once."""
    listed = words(value)
    if any(not GUID.match(word) for word in listed):
        raise Expected("subscription ids (GUIDs), separated by commas")
    return tuple(dict.fromkeys(word.lower() for word in listed))


def management_groups(value: str) -> tuple[str, ...]:
    """Names of management groups, each once."""
    listed = words(value)
    if any(not _MANAGEMENT_GROUP.fullmatch(word) for word in listed):
        raise Expected("names of management groups, the last part of their ids, separated by commas")
    return tuple({word.lower(): word for word in reversed(listed)}.values())[::-1]


def vnets(value: str) -> tuple[str, ...]:
    """Resource ids of virtual networks."""
    try:
        ids = [parse_arm_id(word) for word in words(value)]
    except InvalidInput:
        ids = None
    if ids is None or any(vnet.type != "microsoft.network/virtualnetworks" or vnet.children for vnet in ids):
        raise Expected("resource ids of virtual networks, separated by commas")
    return tuple(vnet.text for vnet in ids)


def zone_homes(value: str) -> tuple[ZoneHome, ...]:
    """Resource groups by their ids, in order, each once."""
    homes = [_zone_home(word) for word in words(value)]
    if any(home is None for home in homes):
        raise Expected("ids of resource groups, /subscriptions/ID/resourceGroups/NAME, separated by commas")
    found: dict[tuple[str, str], ZoneHome] = {}
    for home in homes:
        if home is not None:
            found.setdefault(home.key, home)
    return tuple(found.values())


def _zone_home(value: str) -> ZoneHome | None:
    try:
        zone = parse_arm_id(f"{value}/providers/Microsoft.Network/privateDnsZones/zone")
    except InvalidInput:
        return None
    return None if zone.children else ZoneHome(zone.subscription_id, zone.resource_group)


def seconds(low: float, high: float) -> Parser:
    """A parser of seconds between two bounds."""

    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not low <= number <= high:
            raise Expected(f"seconds between {low:g} and {high:g}")
        return number

    return parse


def whole(low: int, high: int) -> Parser:
    """A parser of whole numbers between two bounds."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise Expected(f"a whole number between {low} and {high}")
        return int(value)

    return parse


def optional(parse: Parser) -> Parser:
    """A parser of nothing, which is None, or of what `parse` reads."""
    return lambda value: parse(value) if value else None


def one_of(*choices: Choice) -> Callable[[str], Choice]:
    """A parser of a choice, in lower case."""

    def parse(value: str) -> Choice:
        found = next((choice for choice in choices if choice == value.lower()), None)
        if found is None:
            raise Expected(" or ".join(choices))
        return found

    return parse


def yes_or_no(value: str) -> bool:
    """A parser of `true` or `false`."""
    return one_of("true", "false")(value) == "true"


def instance(value: str) -> str:
    """An instance id, lower case."""
    if not re.match(r"^[A-Za-z0-9-]{1,40}$", value):
        raise Expected("1 to 40 letters, digits and hyphens")
    return value.lower()
