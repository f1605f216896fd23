"""Elastic Cloud organizations, as the settings name them: their names, scopes and settings. Pure.

Used by the settings, the clients and texts to people; `guards.scope` says which endpoint belongs to which. The
organization of EC_API_KEY is the one for every endpoint that no other organization's scope includes.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = "default"
"""Name of the organization of EC_API_KEY."""

_KEY, _SCOPE = "EC_API_KEY", "ELASTIC_SCOPE"
_SECRET = "elastic-api-key"  # noqa: S105 - a secret's name; also in infra/names.json


@dataclass(frozen=True, slots=True)
class OrganizationScope:
    """A further organization, and what makes an endpoint belong to it: one of the entries.

    In lower case: `subscription:ID`, `group:NAME`, `group:ID/NAME`, `tag:NAME`, `tag:NAME=VALUE`.
    """

    name: str
    entries: frozenset[str]


def key_setting(organization: str) -> str:
    """The setting that holds an organization's API key."""
    return _KEY if organization in {"", DEFAULT} else _setting(_KEY, organization)


def key_secret(organization: str) -> str:
    """The vault's secret that holds an organization's API key, where no setting does."""
    return _SECRET if organization in {"", DEFAULT} else f"{_SECRET}-{organization}"


def scope_setting(organization: str) -> str:
    """The setting that says which endpoints belong to a further organization."""
    return _setting(_SCOPE, organization)


def _setting(prefix: str, organization: str) -> str:
    return f"{prefix}_{organization.upper().replace('-', '_')}"
