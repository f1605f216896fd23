"""Every setting of the app: name, type, unit, default and reason, in one place.

Read once from the app settings (environment variables) by `app`; `docs/settings.md` is held to this module by a test.
All that is wrong is reported together, each with the setting's name and what was expected. Secrets are never shown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import setting_values as value
from shared.core.errors import InvalidSettings
from shared.core.rules import RecordMode, Rules, ZoneHome
from shared.state.connect import storage_settings

SCHEDULE_SETTING = "HEALTH_SCHEDULE"
DEFAULT_SCHEDULE = "0 */5 * * * *"


def _setting(name: str, parse: value.Parser, default: str | None, about: str, *, secret: bool = False) -> Any:
    metadata = {"name": name, "parse": parse, "default": default, "about": about, "secret": secret}
    return dataclasses.field(metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """The app's settings, validated."""

    subscriptions: tuple[str, ...] = _setting(
        "AZURE_SUBSCRIPTIONS",
        value.subscriptions,
        None,
        "Ids of the subscriptions whose private endpoints the app handles, separated by commas. "
        "Endpoints elsewhere are out of scope whatever an event says.",
    )
    resource_groups: frozenset[str] = _setting(
        "AZURE_RESOURCE_GROUPS",
        value.names,
        "*",
        "Names of the resource groups whose endpoints the app handles, separated by commas; `*` for all.",
    )
    client_id: str = _setting(
        "AZURE_CLIENT_ID",
        value.text,
        "",
        "Client id of the user-assigned managed identity to use for Azure; empty for the system-assigned one.",
    )
    arm_url: str = _setting(
        "AZURE_RESOURCE_MANAGER_URL",
        value.url,
        "https://management.azure.com",
        "Address of Azure Resource Manager; another one in sovereign clouds.",
    )
    arm_audience: str = _setting(
        "AZURE_RESOURCE_MANAGER_AUDIENCE",
        value.url,
        "https://management.azure.com",
        "What tokens for Azure Resource Manager are issued for; another one in sovereign clouds.",
    )
    elastic_url: str = _setting(
        "ELASTIC_API_URL", value.url, "https://api.elastic-cloud.com", "Address of the Elastic Cloud API."
    )
    elastic_api_key: str = _setting(
        "ELASTIC_API_KEY",
        value.key,
        None,
        "API key of the Elastic Cloud organization, best as a Key Vault reference. The role deployment-editor on the "
        "deployments that are to be connected is enough.",
        secret=True,
    )
    deployments_allowed: frozenset[str] = _setting(
        "ELASTIC_DEPLOYMENTS_ALLOWED",
        value.names,
        "",
        "Ids or names of the deployments that an endpoint's tag `elastic-deployments` may ask for, separated by "
        "commas; `*` for all. A deployment can also consent itself, by its tag `elastic-privatelink-endpoints`.",
    )
    first_policy_allowed: frozenset[str] = _setting(
        "ELASTIC_FIRST_POLICY_ALLOWED",
        value.names,
        "",
        "Ids or names of the deployments that may be given their first policy, separated by commas; `*` for all. The "
        "first policy closes a deployment to everything that no policy admits. A deployment can also opt in itself, "
        "by its tag `elastic-privatelink-first-policy` with the value `allow`.",
    )
    instance_id: str = _setting(
        "INSTANCE_ID",
        value.instance,
        "autopilot",
        "Name of this installation in everything it makes. Change it only before the first run: what was made under "
        "another name counts as somebody else's.",
    )
    zone_home: ZoneHome | None = _setting(
        "DNS_ZONE_RESOURCE_GROUP",
        value.zone_home,
        "",
        "Id of the resource group in which private DNS zones are made when an endpoint's network has none; "
        "empty for the endpoint's own.",
    )
    link_vnets: tuple[str, ...] = _setting(
        "DNS_LINK_VNETS",
        value.vnets,
        "",
        "Ids of further virtual networks to link every zone to, separated by commas: a hub with the DNS resolver, and "
        "the network of this app, so that it can test.",
    )
    dns_subscriptions: tuple[str, ...] = _setting(
        "DNS_SUBSCRIPTIONS",
        value.subscriptions,
        "",
        "Ids of further subscriptions to look in for a zone that a network is already linked to, separated by commas.",
    )
    record_mode: str = _setting(
        "DNS_RECORD_MODE",
        value.one_of(RecordMode.FIRST, RecordMode.UNION),
        "first",
        "When a second endpoint of one network wants the `*` record of one region: `first` keeps the first one's "
        "address and blocks the second, `union` lets both stand in it.",
    )
    record_ttl: int = _setting(
        "DNS_RECORD_TTL", value.whole(1, 86400), "300", "Seconds that resolvers may keep the `*` record."
    )
    wait_first: float = _setting(
        "WAIT_FIRST_SECONDS",
        value.seconds(0.2, 600),
        "15",
        "Seconds to the second look at something that takes its time.",
    )
    wait_max: float = _setting(
        "WAIT_MAX_SECONDS",
        value.seconds(0.2, 3600),
        "60",
        "Seconds between two looks at most; each wait is half as long again.",
    )
    approval_overdue: float = _setting(
        "APPROVAL_OVERDUE_SECONDS",
        value.seconds(60, 864000),
        "3600",
        "Seconds after which a pending approval is reported as overdue; then only the timer looks.",
    )
    policy_lag: float = _setting(
        "POLICY_LAG_SECONDS",
        value.seconds(1, 3600),
        "60",
        "Seconds that a policy just created may stay unreadable before it counts as missing.",
    )
    visibility: float = _setting(
        "VISIBILITY_SECONDS",
        value.seconds(10, 86400),
        "1800",
        'Seconds that "not found" on what was just made, or "another operation in progress", is taken as normal.',
    )
    arm_poll: float = _setting(
        "ARM_POLL_SECONDS",
        value.seconds(0.1, 60),
        "2",
        "Seconds between two looks at a long-running operation in Azure.",
    )
    arm_wait: float = _setting(
        "ARM_OPERATION_SECONDS",
        value.seconds(1, 60),
        "25",
        "Seconds that one run waits for an operation in Azure before it goes back to the queue.",
    )
    request_timeout: float = _setting(
        "REQUEST_TIMEOUT_SECONDS",
        value.seconds(1, 60),
        "15",
        "Seconds that one request to Azure or Elastic Cloud may take.",
    )
    run_seconds: float = _setting(
        "RUN_SECONDS",
        value.seconds(10, 540),
        "90",
        "Seconds that one run over an endpoint may take before it starts anew.",
    )
    lease_seconds: float = _setting(
        "LEASE_SECONDS",
        value.seconds(15, 600),
        "120",
        "Seconds after which the lease of a worker that died is free; at least 20 more than RUN_SECONDS.",
    )
    probe_port: int = _setting(
        "PROBE_PORT",
        value.port,
        "9243",
        "Port of the private URLs and of their test: 9243 or 443; both work on hosted deployments.",
    )
    name_server: tuple[str, int] | None = _setting(
        "PROBE_DNS_SERVER",
        value.name_server,
        "",
        "Address of the name server that the test asks, with `:PORT` where that is not 53; empty for the system's.",
    )
    probe_seconds: float = _setting(
        "PROBE_SECONDS", value.seconds(1, 60), "20", "Seconds that the test of one name may take."
    )
    journal_days: int = _setting("JOURNAL_DAYS", value.whole(1, 3650), "90", "Days that journal entries are kept.")
    schedule: str = _setting(
        SCHEDULE_SETTING, value.schedule, DEFAULT_SCHEDULE, "When `check_health` runs (NCRONTAB, six fields)."
    )

    def __repr__(self) -> str:
        return f"Settings(subscriptions={len(self.subscriptions)}, instance_id={self.instance_id!r}, ...)"

    def rules(self) -> Rules:
        """The part that the pure core needs."""
        return Rules(
            instance_id=self.instance_id,
            zone_home=self.zone_home,
            link_vnets=self.link_vnets,
            record_mode=RecordMode(self.record_mode),
            record_ttl=self.record_ttl,
            deployments_allowed=self.deployments_allowed,
            first_policy_allowed=self.first_policy_allowed,
            policy_lag=self.policy_lag,
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
    fields = [field.metadata for field in dataclasses.fields(Settings)]
    return tuple(Description(m["name"], m["default"], m["about"], m["secret"]) for m in fields)


def load(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings; raises InvalidSettings that lists everything that is wrong."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in dataclasses.fields(Settings):
        meta = field.metadata
        raw = environ.get(meta["name"], "").strip()
        if not raw.strip(", ") and meta["default"] is None:
            problems.append(f"{meta['name']}: required, and not set")
            continue
        try:
            values[field.name] = meta["parse"](raw or meta["default"])
        except value.Expected as expected:
            shown = "" if meta["secret"] else f", not {raw[:80]!r}"
            problems.append(f"{meta['name']}: expected {expected}{shown}")
    if not problems:
        problems += _contradictions(Settings(**values))
    problems += storage_settings(environ)[1]
    if problems:
        raise InvalidSettings(
            "The app's settings are wrong:\n" + "\n".join(f"  {problem}" for problem in problems),
            next_step="Correct them in the function app's configuration; docs/settings.md describes each.",
        )
    return Settings(**values)


def _contradictions(settings: Settings) -> list[str]:
    problems = []
    if settings.lease_seconds < settings.run_seconds + 20:
        problems.append("LEASE_SECONDS: expected at least 20 seconds more than RUN_SECONDS")
    longest = settings.arm_wait + settings.probe_seconds + settings.request_timeout
    if settings.run_seconds < longest:
        problems.append(
            "RUN_SECONDS: expected at least ARM_OPERATION_SECONDS, PROBE_SECONDS and REQUEST_TIMEOUT_SECONDS together"
        )
    if settings.policy_lag < 2 * settings.request_timeout:
        problems.append("POLICY_LAG_SECONDS: expected at least twice REQUEST_TIMEOUT_SECONDS")
    if settings.wait_max < settings.wait_first:
        problems.append("WAIT_MAX_SECONDS: expected no less than WAIT_FIRST_SECONDS")
    return problems
