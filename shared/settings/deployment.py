"""What is chosen at the deployment and is no setting of the app: the rest of the table of names. Used by `table`."""

from __future__ import annotations

from shared.settings.description import Description


def _choice(name: str, default: str, about: str, parameter: str = "") -> Description:
    return Description(name, default, about, deployed=True, parameter_of_azd=parameter)


DEPLOYMENT_CHOICES = (
    # azd knows these two by names of its own.
    _choice("AZURE_ENV_NAME", "", "Name of this installation; `INSTANCE_ID` begins with it.", "environmentName"),
    _choice("AZURE_LOCATION", "", "Region of the app; endpoints may be anywhere.", "location"),
    _choice("ORGANIZATIONS", "", "Further Elastic Cloud organizations, each `name=scope`, separated by semicolons."),
    _choice("DNS_SCOPES", "", "Further resource groups or subscriptions with zones that the app may write to."),
    _choice("ANY_LOCATION", "false", "`true`: also a region that `infra/regions.json` does not list."),
    _choice("EVENT_DELIVERY", "queue", "`queue`: straight to the work queue; `function`: by call; `none`: no events."),
    _choice("ASSIGN_ROLES", "true", "`false`: no role is assigned; `scripts/roles.sh` tells what others must."),
    _choice("ROLE_IDS", "", "Custom roles that exist already, each `name=id` with a name of `infra/roles.json`."),
    _choice("EXISTING_SYSTEM_TOPICS", "", "Ids of system topics that exist already, also where only zones are."),
    _choice("TOPIC_IDENTITY_ENABLED", "true", "`false`: no dead letters, and no delivery to the queue."),
    _choice("APP_SUBNET_ID", "", "Id of an existing subnet for the app; empty for a new network."),
    _choice("ENDPOINT_SUBNET_ID", "", "Id of an existing subnet for private endpoints; empty for a new one."),
    _choice("NETWORK_ADDRESS_PREFIX", "10.250.0.0/24", "Address range of the new network."),
    _choice("NETWORK_DNS_SERVERS", "", "Addresses of DNS servers for the new network; empty for Azure's."),
    _choice("NETWORK_SECURITY_GROUP_ID", "", "Id of an existing security group for the new network; empty makes one."),
    _choice("ROUTE_TABLE_ID", "", "Id of an existing route table for the new network; empty makes one."),
    _choice(
        "PRIVATE_ACCESS",
        "",
        "Private endpoints for storage, vault and, but with `function`, the app; empty: `true` with delivery `none`.",
    ),
    _choice("PRIVATE_ACCESS_ZONES", "", "Whether their DNS zones are made; empty: only for a network that is made."),
    _choice("PRIVATE_ACCESS_ZONE_GROUP", "", "Id of the resource group that holds these zones already, as a hub's."),
    _choice("ZONE_REDUNDANCY", "false", "`true`: app and storage are spread over the zones of the region."),
    _choice("STORAGE_REDUNDANCY", "Standard_LRS", "`Standard_ZRS`: the storage alone is spread over zones."),
    _choice("INSTANCE_MEMORY_MB", "2048", "Memory of an instance: 512, 2048 or 4096."),
    _choice(
        "MAXIMUM_INSTANCE_COUNT",
        "40",
        "Instances at most, of the app or of each function group: Microsoft's texts disagree; no bound of cost.",
    ),
    _choice("ALWAYS_READY", "", "Instances that are kept warm, such as `function:reconcile=1,http=1`; they cost."),
    _choice("ALERT_EMAIL", "", "Mail address for alerts."),
    _choice("ACTION_GROUP_ID", "", "Id of an existing action group for alerts, in place of `ALERT_EMAIL`."),
    _choice("SWEEP_WINDOW", "PT30M", "Window in which at least one sweep must have succeeded."),
    _choice("PRIVATE_LINK_SCOPE_ID", "", "Id of an existing private link scope of Azure Monitor for the logs."),
    _choice("LOG_RETENTION_DAYS", "90", "Days that logs are kept, 30 to 730; up to 90 cost nothing."),
    _choice("LOG_DAILY_LIMIT_GB", "5", "Gigabytes of logs a day after which Azure takes no more."),
    _choice("HARDENING", "{}", 'What a region refuses and is left out, such as `{"sshDisabled": false}`.'),
)
