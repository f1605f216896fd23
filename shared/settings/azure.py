"""Settings: how Azure is reached. A group of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.options import values as core_value
from shared.core.options.declaration import setting
from shared.settings import values as value


@dataclass(frozen=True, slots=True)
class AzureSettings:
    """How Azure is reached."""

    client_id: str = setting(
        "AZURE_CLIENT_ID",
        value.client_id,
        "",
        "Client id of the user-assigned managed identity to use for Azure; empty for the system-assigned one.",
    )
    arm_url: str = setting(
        "AZURE_RESOURCE_MANAGER_URL",
        value.url,
        "https://management.azure.com",
        "Address of Azure Resource Manager; another one in sovereign clouds.",
    )
    arm_audience: str = setting(
        "AZURE_RESOURCE_MANAGER_AUDIENCE",
        value.url,
        "https://management.azure.com",
        "What tokens for Azure Resource Manager are issued for; another one in sovereign clouds.",
    )
    dns_reads: int = setting(
        "DNS_READS_MAX",
        core_value.whole(100, 100000),
        "400",
        "Reads of private DNS that all instances together take of one subscription in five minutes, of the 500 that "
        "Azure documents; [more where Azure's answers say that more are left](scale.md#bounds).",
    )
    dns_reads_left: int = setting(
        "DNS_READS_LEFT",
        core_value.whole(0, 100000),
        "60",
        "Reads of private DNS that Azure must say are left of a subscription, or the app takes none: for people and "
        "pipelines.",
    )
    event_subscription: str = setting(
        "EVENT_SUBSCRIPTION",
        value.event_subscription,
        "",
        "Name of the app's event subscription on the system topic of each watched subscription, which it looks for "
        "once an hour; empty where there are no events. The template sets it.",
    )
    notification_topic: str = setting(
        "NOTIFICATION_TOPIC_ID",
        value.resource,
        "",
        "Id of the custom topic whose endpoint is `NOTIFY_TOPIC_ENDPOINT`, where the doctor looks for the app's role.",
        deployed=True,
    )
    telemetry: str = setting(
        "TELEMETRY_ID",
        value.resource,
        "",
        "Id of the app's Application Insights, where the doctor looks for the app's role. The template sets it.",
    )
