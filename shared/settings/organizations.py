"""Settings of further Elastic Cloud organizations, whose names hold the organization's. Used by `settings`.

An organization `eu-west` that ELASTIC_ORGANIZATIONS names has in ELASTIC_SCOPE_EU_WEST which endpoints belong to it,
and its key in EC_API_KEY_EU_WEST or, where there is a vault, in the vault's secret `elastic-api-key-eu-west`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.core.model.organizations import DEFAULT, OrganizationScope, key_setting, scope_setting
from shared.core.options.values import Expected
from shared.settings import values as value


@dataclass(frozen=True, slots=True)
class Organization:
    """A further organization."""

    scope: OrganizationScope
    api_key: str = field(repr=False)
    """Empty: it is in the vault."""

    @property
    def name(self) -> str:
        """What the settings call it."""
        return self.scope.name


def read_organizations(
    names: tuple[str, ...], environ: Mapping[str, str], *, in_vault: bool = False, default: bool = True
) -> tuple[tuple[Organization, ...], list[str]]:
    """Every further organization, and all that is wrong with their settings, keys never shown.

    `in_vault`: a key that no setting holds is read from the vault. `default`: also that of the default organization.
    """
    problems: list[str] = []
    found = []
    keys = {name: _given(key_setting(name), environ) for name in (DEFAULT, *names)}
    if not names and not keys[DEFAULT] and not in_vault:
        problems.append(f"{key_setting(DEFAULT)}: required, and not set")
    if not names and not keys[DEFAULT] and in_vault and not default:
        problems.append("DEFAULT_ORGANIZATION: expected true where ELASTIC_ORGANIZATIONS names no other, not false")
    for name in names:
        api_key = "" if in_vault and not keys[name] else _key(name, keys, problems)
        entries = _scope(name, environ, problems)
        if entries and (api_key or in_vault):
            found.append(Organization(OrganizationScope(name, entries), api_key))
    return tuple(found), problems


def _given(setting: str, environ: Mapping[str, str]) -> str:
    return environ.get(setting, "").strip()


def _key(name: str, keys: Mapping[str, str], problems: list[str]) -> str:
    setting, given = key_setting(name), keys[name]
    same = next((other for other, key in keys.items() if other != name and key == given), None)
    if not given:
        problems.append(f"{setting}: required, because ELASTIC_ORGANIZATIONS names {name}, and not set")
        return ""
    try:
        given = value.key(given)
    except Expected as expected:
        problems.append(f"{setting}: expected {expected}")
        return ""
    if same is not None:
        # Under two names, one organization would get two policies for one endpoint.
        problems.append(f"{setting}: expected a key of another organization than {key_setting(same)}, not the same")
        return ""
    return given


def _scope(name: str, environ: Mapping[str, str], problems: list[str]) -> frozenset[str]:
    setting = scope_setting(name)
    given = _given(setting, environ)
    if not given.strip(", "):
        problems.append(f"{setting}: required, because ELASTIC_ORGANIZATIONS names {name}, and not set")
        return frozenset()
    try:
        return value.organization_scope(given)
    except Expected as expected:
        problems.append(f"{setting}: expected {expected}, not {given[:80]!r}")
        return frozenset()
