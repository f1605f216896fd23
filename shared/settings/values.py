"""How the text of a setting becomes a value. Used by `settings`; each function raises Expected with what it wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Any, cast

from shared.core.guards.options import ZoneHome
from shared.core.guards.scope import EVERYTHING, plain_location
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.errors import InvalidInput
from shared.core.model.organizations import DEFAULT
from shared.settings.schedule import FIELDS, is_schedule

_GUID = re.compile(r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE)
_GROUP = re.compile(r"[\w.()-]{1,90}")
_LOCATION = re.compile(r"[a-z0-9]{2,40}")
_KEY = re.compile(r"[!-~]+")
_ORGANIZATION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")
Parser = Callable[[str], Any]


class Expected(ValueError):
    """What a setting should have been."""


def words(value: str) -> tuple[str, ...]:
    """A list separated by commas, each entry once."""
    return tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))


def _all_or(value: str, understood: Callable[[str], bool], expected: str) -> frozenset[str]:
    """Entries in lower case, or `*`."""
    # What can only be meant as a pattern would match nothing: in a deny list that lets in what it was to keep out.
    entries = frozenset(word.lower() for word in words(value))
    if not all(entry == EVERYTHING or (EVERYTHING not in entry and understood(entry)) for entry in entries):
        raise Expected(f"{expected}, separated by commas, or * for all; no other wildcards")
    return entries


def deployments(value: str) -> frozenset[str]:
    """Ids or names of deployments, lower case."""
    return _all_or(value, bool, "ids or names of deployments")


def resource_groups(value: str) -> frozenset[str]:
    """Names of resource groups, each bare or behind its subscription's id, lower case."""
    return _all_or(value, _is_group, "names of resource groups, or subscription-id/name")


def _is_group(entry: str) -> bool:
    subscription, slash, name = entry.rpartition("/")
    return _GROUP.fullmatch(name) is not None and (not slash or _GUID.match(subscription) is not None)


def locations(value: str) -> frozenset[str]:
    """Short names of Azure locations; `East US 2` is taken for `eastus2`."""
    plain = ",".join(plain_location(word) for word in words(value))
    return _all_or(plain, lambda entry: _LOCATION.fullmatch(entry) is not None, "Azure locations")


def tags(value: str) -> frozenset[str]:
    """Tags as `name` or `name=value`, lower case, without blanks around either."""
    pairs = (word.partition("=") for word in words(value))
    plain = ",".join(f"{name.strip()}{equals}{text.strip()}" for name, equals, text in pairs)
    return _all_or(plain, lambda entry: not entry.startswith("="), "tags as name or name=value")


def subscriptions(value: str) -> tuple[str, ...]:
    """Subscription ids, lower case, each once."""
    listed = words(value)
    if any(not _GUID.match(word) for word in listed):
        raise Expected("subscription ids (GUIDs), separated by commas")
    return tuple(dict.fromkeys(word.lower() for word in listed))


def client_id(value: str) -> str:
    """The client id of a managed identity; empty for an empty text."""
    if value and not _GUID.match(value):
        raise Expected("the client id of a managed identity (a GUID)")
    return value


def url(value: str) -> str:
    """A URL without a trailing slash."""
    # Plain HTTP only to this machine: a token or key must not cross a network in the clear.
    if not re.fullmatch(r"(https://[^/\s?#@]+|http://(127\.\d+\.\d+\.\d+|localhost)(:\d+)?)(/[^\s?#]*)?", value):
        raise Expected("an https URL without a query")
    return value.rstrip("/")


def optional_url(value: str) -> str:
    """A URL without a trailing slash, or an empty text."""
    return url(value) if value else ""


def vnets(value: str) -> tuple[str, ...]:
    """Resource ids of virtual networks."""
    try:
        ids = [parse_arm_id(word) for word in words(value)]
    except InvalidInput:
        ids = None
    if ids is None or any(vnet.type != "microsoft.network/virtualnetworks" or vnet.children for vnet in ids):
        raise Expected("resource ids of virtual networks, separated by commas")
    return tuple(vnet.text for vnet in ids)


def vnet(value: str) -> str:
    """The resource id of a virtual network; empty for an empty text."""
    found = vnets(value)
    if len(found) > 1:
        raise Expected("the resource id of one virtual network")
    return found[0] if found else ""


def zone_home(value: str) -> ZoneHome | None:
    """A resource group by its id; None for an empty text."""
    if not value:
        return None
    try:
        zone = parse_arm_id(f"{value}/providers/Microsoft.Network/privateDnsZones/zone")
    except InvalidInput:
        zone = None
    if zone is None or zone.children:
        raise Expected("the id of a resource group: /subscriptions/ID/resourceGroups/NAME")
    return ZoneHome(zone.subscription_id, zone.resource_group)


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


def one_of(*choices: str) -> Parser:
    """A parser of a choice, in lower case."""

    def parse(value: str) -> str:
        if value.lower() not in choices:
            raise Expected(" or ".join(choices))
        return value.lower()

    return parse


def yes_or_no(value: str) -> bool:
    """A parser of `true` or `false`."""
    return cast("str", one_of("true", "false")(value)) == "true"


def port(value: str) -> int:
    """A port that Elastic Cloud Hosted answers on."""
    return int(cast("str", one_of("9243", "443")(value)))


def name_server(value: str) -> tuple[str, int] | None:
    """Address and port of a name server; None for an empty text."""
    if not value:
        return None
    address, _, port = value.partition(":")
    try:
        return str(IPv4Address(address)), whole(1, 65535)(port) if port or value.endswith(":") else 53
    except ValueError:
        raise Expected("an IPv4 address, with :PORT where that is not 53") from None


def key(value: str) -> str:
    """A key that can stand in a header."""
    # What cannot stand in an HTTP header would fail with each request; the platform passes on a Key Vault reference
    # that it cannot resolve as it is written.
    if not _KEY.fullmatch(value) or value.lower().startswith("@microsoft.keyvault("):
        raise Expected("an API key (a Key Vault reference that could not be resolved arrives as the reference itself)")
    return value


def optional_key(value: str) -> str:
    """A key, or an empty text."""
    return key(value) if value else ""


def organizations(value: str) -> tuple[str, ...]:
    """Names of organizations, of which names of settings can be made."""
    names = words(value)
    if any(not _ORGANIZATION.fullmatch(name) or name == DEFAULT for name in names):
        raise Expected(f"names of lower case letters, digits and dashes, separated by commas, other than {DEFAULT}")
    return names


def organization_scope(value: str) -> frozenset[str]:
    """Entries of an organization's scope, in lower case, as `OrganizationScope` has them."""
    entries = [_scope_entry(word.lower()) for word in words(value)]
    if not entries or not all(entries):
        raise Expected(
            "subscription:ID, group:NAME, group:SUBSCRIPTION-ID/NAME, tag:NAME or tag:NAME=VALUE, separated by commas"
        )
    return frozenset(entries)


def _scope_entry(word: str) -> str:
    """An entry without blanks around its parts; empty: not understood."""
    kind, _, rest = (part.strip() for part in word.partition(":"))
    name, equals, text = (part.strip() for part in rest.partition("="))
    understood = {
        "subscription": _GUID.match(rest) is not None,
        "group": _is_group(rest),
        "tag": bool(name) and (bool(text) or not equals),
    }
    # `*` would match nothing: endpoints that no entry includes are the default organization's.
    if EVERYTHING in rest or not understood.get(kind):
        return ""
    return f"tag:{name}{equals}{text}" if kind == "tag" else f"{kind}:{rest}"


def instance(value: str) -> str:
    """An instance id, lower case."""
    if not re.match(r"^[A-Za-z0-9-]{1,40}$", value):
        raise Expected("1 to 40 letters, digits and hyphens")
    return value.lower()


def schedule(value: str) -> str:
    """A schedule that the Functions host understands."""
    if not is_schedule(value):
        raise Expected(f"a schedule of six fields: {FIELDS}")
    return value
