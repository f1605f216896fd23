"""Every setting of the app: name, type, unit, default and reason, in one group for each thing they are about.

Read once from the app settings (environment variables) by `app`; `docs/settings.md` is held to this package by a test.
All that is wrong is reported together, each with the setting's name and what was expected. Secrets are never shown.
The groups that the plan needs are declared in `core.options`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.core.model.errors import InvalidSettings
from shared.core.model.organizations import key_setting, scope_setting
from shared.core.model.services import Services
from shared.core.options.dns import DnsOptions
from shared.core.options.installation import InstallationOptions
from shared.core.options.plan_options import PlanOptions
from shared.core.options.removal import RemovalOptions
from shared.core.options.scope import Scope
from shared.core.options.targets import TargetOptions
from shared.core.options.timing import TimingOptions
from shared.core.options.values import Expected
from shared.settings.agreement import contradictions
from shared.settings.azure import AzureSettings
from shared.settings.callers import Callers, read_callers
from shared.settings.deployment import DEPLOYMENT_CHOICES
from shared.settings.description import Description
from shared.settings.elastic import ElasticSettings
from shared.settings.health import DEFAULT_SCHEDULE, SCHEDULE_SETTING, HealthSettings
from shared.settings.near_names import NearName, near_names
from shared.settings.notify import NotifySettings
from shared.settings.organizations import Organization, read_organizations
from shared.settings.services import shipped_services
from shared.state.storage_settings import storage_settings

__all__ = [
    "DEFAULT_SCHEDULE",
    "SCHEDULE_SETTING",
    "Description",
    "Settings",
    "descriptions",
    "load",
    "misspelt",
    "table",
]


@dataclass(frozen=True)
class Settings:
    """The app's settings, validated, in groups."""

    scope: Scope
    installation: InstallationOptions
    azure: AzureSettings
    elastic: ElasticSettings
    targets: TargetOptions
    dns: DnsOptions
    removal: RemovalOptions
    health: HealthSettings
    timing: TimingOptions
    notify: NotifySettings
    shipped: Services
    """Elastic's Private Link Services that come with the app."""
    organizations: tuple[Organization, ...] = ()
    """What `ELASTIC_ORGANIZATIONS` names, with the settings of each."""
    callers: Callers = dataclasses.field(default_factory=Callers)
    """Who may decide."""
    near_names: tuple[NearName, ...] = ()
    """Variables that are no settings, but nearly have the name of one."""

    @property
    def services(self) -> Services:
        """Elastic's services: those that come with the app, and those that a setting adds."""
        return self.shipped.and_further(self.elastic.further_services)

    @cached_property
    def plan_options(self) -> PlanOptions:
        """The groups that the pure core needs."""
        return PlanOptions(
            scope=self.scope,
            installation=self.installation,
            dns=self.dns,
            targets=self.targets,
            removal=self.removal,
            timing=self.timing,
            services=self.services,
            app_network=self.health.app_network,
            organizations=tuple(one.scope for one in self.organizations),
            has_default_organization=self.elastic.has_default_organization,
        )


_GROUPS: Mapping[str, type[Any]] = {
    "scope": Scope,
    "installation": InstallationOptions,
    "azure": AzureSettings,
    "elastic": ElasticSettings,
    "targets": TargetOptions,
    "dns": DnsOptions,
    "removal": RemovalOptions,
    "health": HealthSettings,
    "timing": TimingOptions,
    "notify": NotifySettings,
}
"""Group by its attribute of `Settings`, in the order of the documentation."""


def descriptions() -> tuple[Description, ...]:
    """Every setting in order."""
    return tuple(
        Description(m["name"], m["default"], m["about"], m["secret"], m["deployed"], group, field.name)
        for group, field in _fields()
        for m in (field.metadata,)
    )


def table() -> tuple[Description, ...]:
    """Every name there is: the settings of the app, and the choices that only the deployment has."""
    return (*descriptions(), *DEPLOYMENT_CHOICES)


def _fields() -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    for group, type_ in _GROUPS.items():
        for field in dataclasses.fields(type_):
            if field.metadata:
                yield group, field


def read_one(environ: Mapping[str, str], name: str) -> Any | None:
    """The value of one setting, for what must work while others are wrong; None where it is missing or wrong itself."""
    meta = next(field.metadata for _, field in _fields() if field.metadata["name"] == name)
    raw = environ.get(name, "").strip() or meta["default"]
    try:
        return None if raw is None else meta["parse"](raw)
    except (ValueError, OverflowError):
        return None


def misspelt(environ: Mapping[str, str]) -> tuple[NearName, ...]:
    """Variables that nearly have a setting's name, those of the organizations included."""
    further = [name.strip() for name in environ.get("ELASTIC_ORGANIZATIONS", "").split(",") if name.strip()]
    own = {setting(name) for name in further for setting in (key_setting, scope_setting)}
    return near_names(environ, {one.name for one in table()} | own)


def load(environ: Mapping[str, str], services: Services | None = None) -> Settings:
    """Read and check all settings; raises InvalidSettings that lists everything that is wrong.

    `services`: Elastic's services, where they are not those that come with the app.
    """
    values: dict[str, dict[str, Any]] = {group: {} for group in _GROUPS}
    by_name: dict[str, Any] = {}
    problems: list[str] = []
    for group, field in _fields():
        meta = field.metadata
        raw = environ.get(meta["name"], "").strip()
        if not raw.strip(", ") and meta["default"] is None and not environ.get(meta["unless"], "").strip(", "):
            problems.append(f"{meta['name']}: required, and not set")
            continue
        try:
            by_name[meta["name"]] = values[group][field.name] = meta["parse"](raw or meta["default"] or "")
        except Expected as expected:
            shown = "" if meta["secret"] else f", not {raw[:80]!r}"
            problems.append(f"{meta['name']}: expected {expected}{shown}")
        except (ValueError, OverflowError):  # what a parser did not think of: raised here, it would leave no function
            problems.append(f"{meta['name']}: expected another value (docs/settings.md)")
    elastic = values["elastic"]
    vault, names = bool(elastic.get("key_vault_uri", "")), elastic.get("organization_names", ())
    organizations, wrong = read_organizations(
        names, environ, in_vault=vault, default=elastic.get("default_organization", True)
    )
    callers, wrong_keys = read_callers(environ)
    problems += [*wrong, *wrong_keys]
    problems += contradictions(by_name)
    problems += storage_settings(environ)[1]
    if problems:
        raise InvalidSettings(
            "The app's settings are wrong:\n" + "\n".join(f"  {problem}" for problem in problems),
            next_step="Correct them in the function app's configuration; docs/settings.md describes each.",
            problems=problems,
            hints=tuple(map(str, misspelt(environ))),
        )
    groups: dict[str, Any] = {group: type_(**values[group]) for group, type_ in _GROUPS.items()}
    return Settings(
        **groups,
        shipped=services or shipped_services(),
        organizations=organizations,
        callers=callers,
        near_names=misspelt(environ),
    )
