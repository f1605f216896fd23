"""How the text of a setting becomes a value, for the groups that only the edges need; see `core.options.values`."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from shared.core.model.arm_ids import lower_case
from shared.core.model.organizations import DEFAULT
from shared.core.model.services import Service, service_of_alias
from shared.core.options.values import EVERYTHING, GUID, Expected, is_group, one_of, vnets, whole, words
from shared.settings.schedule import FIELDS, is_schedule

_KEY = re.compile(r"[!-~]+")
_RESOURCE = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[\w.()-]{1,90}/providers(/[\w.()-]{1,260}){3,}", re.IGNORECASE
)
_EVENT_SUBSCRIPTION = re.compile(r"[A-Za-z0-9-]{3,64}")
_ORGANIZATION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")


def client_id(value: str) -> str:
    """The client id of a managed identity; empty for an empty text."""
    if value and not GUID.match(value):
        raise Expected("the client id of a managed identity (a GUID)")
    return value


def event_subscription(value: str) -> str:
    """The name of an event subscription; empty for an empty text."""
    if value and not _EVENT_SUBSCRIPTION.fullmatch(value):
        raise Expected("the name of an event subscription, 3 to 64 letters, digits and hyphens")
    return value


def resource(value: str) -> str:
    """The id of a resource in Azure; empty for an empty text."""
    if value and not _RESOURCE.fullmatch(value):
        raise Expected("the id of a resource in Azure, /subscriptions/...")
    return value


def url(value: str) -> str:
    """A URL without a trailing slash."""
    # Plain HTTP only to this machine: a token or key must not cross a network in the clear.
    form = re.fullmatch(r"(https://[^/\s?#@]+|http://(127\.\d+\.\d+\.\d+|localhost)(:\d+)?)(/[^\s?#]*)?", value)
    if not form or not _splits(value):
        raise Expected("an https URL without a query")
    return value.rstrip("/")


def api_url(value: str) -> str:
    """A URL of a host alone: the path below it is the API's own, and added by the client."""
    found = url(value)
    if urlsplit(found).path:
        raise Expected("an https URL of a host without a path: the app adds /api/v1 itself")
    return found


def _splits(value: str) -> bool:
    """Whether it has a host and a port that are some; `https://[x` and a port of 99999 raise wherever they are used."""
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def optional_url(value: str) -> str:
    """A URL without a trailing slash, or an empty text."""
    return url(value) if value else ""


def vnet(value: str) -> str:
    """The resource id of a virtual network; empty for an empty text."""
    found = vnets(value)
    if len(found) > 1:
        raise Expected("the resource id of one virtual network")
    return found[0] if found else ""


def port(value: str) -> int:
    """A port that Elastic Cloud Hosted answers on."""
    return int(one_of("9243", "443")(value))


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


def services(value: str) -> tuple[Service, ...]:
    """Services of Elastic's by their aliases, which say family, region and zone."""
    found = [service_of_alias(word) for word in words(value)]
    known = tuple(one for one in found if one is not None)
    if len(known) < len(found):
        raise Expected("aliases of Elastic's Private Link Services as its guide has them, separated by commas")
    return known


def organization_scope(value: str) -> frozenset[str]:
    """Entries of an organization's scope, in lower case, as `OrganizationScope` has them."""
    entries = [_scope_entry(lower_case(word)) for word in words(value)]
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
        "subscription": GUID.match(rest) is not None,
        "group": is_group(rest),
        "tag": bool(name) and (bool(text) or not equals),
    }
    # `*` would match nothing: endpoints that no entry includes are the default organization's.
    if EVERYTHING in rest or not understood.get(kind):
        return ""
    return f"tag:{name}{equals}{text}" if kind == "tag" else f"{kind}:{rest}"


def schedule(value: str) -> str:
    """A schedule that the Functions host understands."""
    if not is_schedule(value):
        raise Expected(f"a schedule of six fields: {FIELDS}")
    return value
