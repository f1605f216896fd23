"""Which Elastic Cloud organization an endpoint belongs to, by the settings. Pure.

Asked by `desired` for each endpoint; the settings of each organization are named here too, for texts to people. The
organization of EC_API_KEY is the one for every endpoint that no other organization's scope includes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.core.model.resources import Endpoint

DEFAULT = "default"
"""Name of the organization of EC_API_KEY."""

_KEY, _SCOPE = "EC_API_KEY", "ELASTIC_SCOPE"


@dataclass(frozen=True, slots=True)
class OrganizationScope:
    """A further organization, and what makes an endpoint belong to it: one of the entries.

    In lower case: `subscription:ID`, `group:NAME`, `group:ID/NAME`, `tag:NAME`, `tag:NAME=VALUE`.
    """

    name: str
    entries: frozenset[str]


def organization_of(endpoint: Endpoint, further: Sequence[OrganizationScope], *, has_default: bool) -> str:
    """The first organization whose scope includes the endpoint, else the default one; empty: there is none."""
    keys = _keys(endpoint)
    found = next((one.name for one in further if not keys.isdisjoint(one.entries)), "")
    return found or (DEFAULT if has_default else "")


def _keys(endpoint: Endpoint) -> frozenset[str]:
    """Everything that an entry may say of an endpoint."""
    subscription, group = endpoint.id.subscription_id.lower(), endpoint.id.resource_group.lower()
    keys = {f"subscription:{subscription}", f"group:{group}", f"group:{subscription}/{group}"}
    for name, value in endpoint.tags.items():
        keys |= {f"tag:{name.strip().lower()}", f"tag:{name.strip().lower()}={value.strip().lower()}"}
    return frozenset(keys)


def key_setting(organization: str) -> str:
    """The setting that holds an organization's API key."""
    return _KEY if organization in {"", DEFAULT} else _setting(_KEY, organization)


def scope_setting(organization: str) -> str:
    """The setting that says which endpoints belong to a further organization."""
    return _setting(_SCOPE, organization)


def _setting(prefix: str, organization: str) -> str:
    return f"{prefix}_{organization.upper().replace('-', '_')}"
