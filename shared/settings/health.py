"""Settings: when and how connections are tested. A group of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.options import values as core_value
from shared.core.options.declaration import setting
from shared.settings import values as value

SCHEDULE_SETTING = "HEALTH_SCHEDULE"
DEFAULT_SCHEDULE = "0 */5 * * * *"


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """When and how connections are tested."""

    probe_port: int = setting(
        "PROBE_PORT",
        value.port,
        "9243",
        "Port of the private URLs of deployments and of their test: 9243 or 443; both work. Projects have 443 alone.",
    )
    name_server: tuple[str, int] | None = setting(
        "PROBE_DNS_SERVER",
        value.name_server,
        "",
        "Address of the name server that the test asks, with `:PORT` where that is not 53; empty for the system's.",
    )
    probe_seconds: float = setting(
        "PROBE_SECONDS", core_value.seconds(1, 60), "20", "Seconds that the test of one name may take."
    )
    app_network: str = setting(
        "APP_VNET",
        value.vnet,
        "",
        "Id of the virtual network that this app is in; empty if it is not known ([what is judged with "
        "it](troubleshooting.md#how-a-verdict-comes-about)).",
    )
    verdict_after: int = setting(
        "VERDICT_CHANGES_AFTER",
        core_value.whole(1, 5),
        "2",
        "Health checks in a row that must fail before a connection that worked [counts as "
        "failing](troubleshooting.md#how-a-verdict-comes-about).",
    )
    checks_at_once: int = setting(
        "CHECKS_AT_ONCE", core_value.whole(1, 500), "50", "Connections that a sweep tests at the same time."
    )
    other_hosts: int = setting(
        "HOSTS_PER_CHECK",
        core_value.whole(10, 1000),
        "100",
        "Names of one connection that a check tests besides the main one of each target (Elasticsearch); of more, each "
        "has [its turn](scale.md#bounds).",
    )
    sockets: int = setting(
        "SOCKETS_AT_ONCE",
        core_value.whole(10, 500),
        "200",
        "Names that are tested at the same time, of all connections together: each takes a socket of the instance.",
    )
    checks_here: int = setting(
        "CHECKS_HERE",
        core_value.whole(0, 100000),
        "300",
        "Connections that a sweep tests by itself; more of them, of several subscriptions, are shared out through the "
        "queue, one message for each subscription, so that more instances test them.",
    )
    sweep_seconds: float = setting(
        "SWEEP_TEST_SECONDS",
        core_value.seconds(30, 290),  # a sweep reads everything before it tests, and the host ends it after ten minutes
        "240",
        "Seconds that all tests of a sweep may take, on each instance; what is left is tested by the next sweep.",
    )
    zones_at_once: int = setting(
        "ZONES_PER_SWEEP",
        core_value.whole(10, 1000),
        "75",
        "Private DNS zones of one subscription that every sweep reads; of more, each has [its turn](scale.md#bounds).",
    )
    schedule: str = setting(
        SCHEDULE_SETTING, value.schedule, DEFAULT_SCHEDULE, "When `check_health` runs (NCRONTAB, six fields)."
    )
