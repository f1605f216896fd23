"""Every setting of the app: name, type, unit, default and reason, in one group for each thing they are about.

Read once from the app settings (environment variables) by `app`; `docs/settings.md` is held to this package by a test.
All that is wrong is reported together, each with the setting's name and what was expected. Secrets are never shown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.guards.modes import Mode
from shared.core.guards.options import OnDelete, RecordMode, Rules
from shared.core.model.errors import InvalidSettings
from shared.settings.agreement import contradictions
from shared.settings.azure import AzureSettings
from shared.settings.dns import DnsSettings
from shared.settings.elastic import ElasticSettings
from shared.settings.health import DEFAULT_SCHEDULE, SCHEDULE_SETTING, HealthSettings
from shared.settings.notify import NotifySettings
from shared.settings.organizations import Organization, read_organizations
from shared.settings.safety import SafetySettings
from shared.settings.scope import ScopeSettings
from shared.settings.timing import TimingSettings
from shared.settings.values import Expected
from shared.state.connect import storage_settings

__all__ = ["DEFAULT_SCHEDULE", "SCHEDULE_SETTING", "Description", "Settings", "descriptions", "load"]


@dataclass(frozen=True)
class Settings(
    NotifySettings,
    TimingSettings,
    HealthSettings,
    SafetySettings,
    DnsSettings,
    ElasticSettings,
    AzureSettings,
    ScopeSettings,
):
    """The app's settings, validated. Fields are in the order of the groups from last to first."""

    organizations: tuple[Organization, ...] = ()
    """What `ELASTIC_ORGANIZATIONS` names, with the settings of each."""

    def __repr__(self) -> str:
        return f"Settings(subscriptions={len(self.subscriptions)}, instance_id={self.instance_id!r}, ...)"

    def rules(self) -> Rules:
        """The part that the pure core needs."""
        return Rules(
            instance_id=self.instance_id,
            scope=self.scope(),
            mode=Mode(self.mode),
            zone_home=self.zone_home,
            dns_subscriptions=self.dns_subscriptions,
            link_vnets=self.link_vnets,
            record_mode=RecordMode(self.record_mode),
            record_ttl=self.record_ttl,
            organizations=tuple(one.scope for one in self.organizations),
            has_default_organization=bool(self.elastic_api_key),
            deployments_allowed=self.deployments_allowed,
            deployments_denied=self.deployments_denied,
            first_policy_allowed=self.first_policy_allowed,
            last_policy_allowed=self.last_policy_allowed,
            association_restores=self.association_restores,
            claim=self.claim,
            on_delete=OnDelete(self.on_delete),
            removal_grace=self.removal_grace,
            policy_lag=self.policy_lag,
            visibility=self.visibility,
            approval_overdue=self.approval_overdue,
            probe_port=self.probe_port,
        )


@dataclass(frozen=True, slots=True)
class Description:
    """One setting, for the documentation and the tests."""

    name: str
    default: str | None
    about: str
    secret: bool


def descriptions() -> tuple[Description, ...]:
    """Every setting in order."""
    fields = [field.metadata for field in _fields()]
    return tuple(Description(m["name"], m["default"], m["about"], m["secret"]) for m in fields)


def _fields() -> list[dataclasses.Field[Any]]:
    """Those that are one setting each."""
    return [field for field in dataclasses.fields(Settings) if field.metadata]


def load(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings; raises InvalidSettings that lists everything that is wrong."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in _fields():
        meta = field.metadata
        raw = environ.get(meta["name"], "").strip()
        if not raw.strip(", ") and meta["default"] is None:
            problems.append(f"{meta['name']}: required, and not set")
            continue
        try:
            values[field.name] = meta["parse"](raw or meta["default"])
        except Expected as expected:
            shown = "" if meta["secret"] else f", not {raw[:80]!r}"
            problems.append(f"{meta['name']}: expected {expected}{shown}")
    organizations, wrong = read_organizations(values.get("organization_names", ()), environ)
    problems += wrong
    values["organizations"] = organizations
    problems += contradictions(values)
    problems += storage_settings(environ)[1]
    if problems:
        raise InvalidSettings(
            "The app's settings are wrong:\n" + "\n".join(f"  {problem}" for problem in problems),
            next_step="Correct them in the function app's configuration; docs/settings.md describes each.",
            problems=problems,
        )
    return Settings(**values)
