"""What only live Azure can tell, looked at once: prints a report without ids, to attach to an issue.

Each check is one function that returns what was seen; what it could not see stands in the report with the reason. With
`change` those of `changing_checks` make a thing of the installation's own besides.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure_cli import Refused, az, az_log, say, unless_refused
from changing_checks import events_of_dns, few_instances
from installation import Installation, below, output

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("check_health", "endpoint_events", "reconcile")
"""Those without an address; a function that fails to load takes all others with it."""
GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
FEW = 800
"""Characters of an answer that stand in the report."""


def report(installation: Installation, *, change: bool = False) -> None:
    """Every check, one line each."""
    version = (ROOT / "version.txt").read_text(encoding="utf-8").strip()
    how = "with" if change else "without"
    say(f"# First checks of version {version}, delivery {installation.delivery}, {how} changes\n")
    say("| check | what was seen |\n|---|---|")
    for title, check in (READING | CHANGING if change else READING).items():
        try:
            seen = str(check(installation))
        except Refused as refusal:
            seen = f"not seen: {refusal}"
        except (KeyError, TypeError, AttributeError, IndexError, ValueError, OSError) as error:
            seen = f"not seen: an answer without {error!r}"
        say(f"| {title} | {_printable(seen)} |")
    for title, why in NOT_FROM_HERE.items():
        say(f"| {title} | not seen: {why} |")


def _printable(text: str) -> str:
    """In a table, and without what tells whose it is."""
    return GUID.sub("<id>", re.sub(r"\s+", " ", text)).replace("|", "\\|")[:FEW]


# -- the installation ------------------------------------------------------------------------------------------------


def functions(installation: Installation) -> str:
    """Whether the app loaded: Azure lists none if one module fails."""
    where = ("--name", output("APP_NAME"), "--resource-group", installation.group)
    listed = az("functionapp", "function", "list", *where, "--subscription", installation.home)
    names = {one["name"].rpartition("/")[2] for one in listed}
    if not names:
        return "NO CODE IS THERE: run azd deploy, or once more the deployment that brings the package"
    missing = [one for one in FUNCTIONS if one not in names]
    return f"{len(names)} functions" + (f"; MISSING: {', '.join(missing)}" if missing else "")


def doctor(installation: Installation) -> str:
    """What the app's own doctor finds."""
    told = _ask_app(installation, "doctor")
    bad = [f"{one['check']}: {one['what']}" for one in told["findings"] if one["level"] != "ok"]
    return f"version {told['version']}, {told['status']}" + "".join(f"; {one}" for one in bad)


def reasons(installation: Installation) -> str:
    """Rights that turned out too narrow show here: AzureRightsMissing, ElasticRightsMissing, LeftBehind."""
    listed = _ask_app(installation, "connections")["items"]
    counted: dict[str, int] = {}
    for one in listed:
        key = f"{one.get('phase')}/{one.get('reason')}"
        counted[key] = counted.get(key, 0) + 1
    return f"{len(listed)} connections: {counted}"


def roles(installation: Installation) -> str:
    """Which roles the identities have, and how often."""
    identities = az("identity", "list", "--resource-group", installation.group, "--subscription", installation.home)
    found = []
    for subscription in installation.subscriptions:
        for one in identities:
            who = ("--all", "--assignee-object-id", one["principalId"], "--subscription", subscription)
            found += [role["roleDefinitionName"] for role in az("role", "assignment", "list", *who)]
    return ", ".join(f"{found.count(name)} x {name}" for name in sorted(set(found)))


def topics(installation: Installation) -> str:
    """Whether a topic took an identity, and delivers to another subscription."""
    seen = []
    for subscription in installation.heard:
        for topic in az("eventgrid", "system-topic", "list", "--subscription", subscription):
            parts = topic["id"].split("/")
            where = ("--resource-group", parts[4], "--system-topic-name", parts[-1], "--subscription", subscription)
            listed = az("eventgrid", "system-topic", "event-subscription", "list", *where)
            states = [one.get("provisioningState") for one in listed if one["name"] == installation.event_subscription]
            seen += (
                [f"identity {(topic.get('identity') or {}).get('type')}, subscription {states[0]}"] if states else []
            )
    return "; ".join(seen) or "no event subscription of this installation"


def groups(installation: Installation) -> str:
    """Whether management groups list what is below them, as the app asks at each sweep."""
    if not installation.management_groups:
        return "no management groups"
    return f"{len(below(installation.management_groups))} below {len(installation.management_groups)} management groups"


def delivery(installation: Installation) -> str:
    """Events delivered, refused, and lost within a day."""
    seen = []
    for subscription in installation.heard:
        for topic in az("eventgrid", "system-topic", "list", "--subscription", subscription):
            for metric in (
                "DeliverySuccessCount",
                "DeliveryAttemptFailCount",
                "DeadLetteredCount",
                "DroppedEventCount",
            ):
                asked = ("--resource", topic["id"], "--metrics", metric, "--aggregation", "Total")
                shown = az("monitor", "metrics", "list", *asked, "--interval", "PT1H", "--offset", "1d")
                series = [one for value in shown["value"] for one in value["timeseries"]]
                seen.append(f"{metric} {sum(point.get('total') or 0 for one in series for point in one['data']):.0f}")
    return ", ".join(seen)


def logs(installation: Installation) -> str:
    """Whether the lines that alerts read arrive in the workspace, and are kept for as long as was chosen."""
    where = ("--resource-group", installation.group, "--subscription", installation.home)
    (workspace, *_) = az("monitor", "log-analytics", "workspace", "list", *where)
    body = json.dumps(
        {"query": "AppTraces | where Message startswith '{' | summarize count() by tostring(AppRoleName)"}
    )
    url = f"{workspace['id']}/query?api-version=2017-10-01"
    rows = az("rest", "--method", "post", "--url", url, "--body", body)["tables"][0]["rows"]
    table = az("rest", "--method", "get", "--url", f"{workspace['id']}/tables/AppTraces?api-version=2023-09-01")
    return f"rows by app: {rows}; kept for {table['properties'].get('totalRetentionInDays')} days"


def site(_: Installation) -> str:
    """Properties that Flex may not know, and how the code came."""
    found = az("resource", "show", "--ids", output("APP_ID"))["properties"]
    asked = ("endToEndEncryptionEnabled", "sshEnabled", "outboundVnetRouting", "autoGeneratedDomainNameLabelScope")
    asked += ("publicNetworkAccess",)
    code = unless_refused(lambda: az("resource", "show", "--ids", f"{output('APP_ID')}/extensions/onedeploy"), {})
    return f"{ {name: found.get(name) for name in asked} }, onedeploy answers {'yes' if code else 'no'}"


# -- facts that the app may use one day ------------------------------------------------------------------------------


def endpoint_row(installation: Installation) -> str:
    """Whether Resource Graph shows the GUID that a policy names."""
    where = "resources | where type =~ 'microsoft.network/privateendpoints' | project properties.resourceGuid | take 1"
    return f"resourceGuid in the row of an endpoint: {_graph(installation, where)}"


def record_row(installation: Installation) -> str:
    """How Resource Graph spells a * record: its name, and whether metadata and time to live are there."""
    where = (
        "dnsresources | where type =~ 'microsoft.network/privatednszones/a' and name has '*' "
        "| project name, managedBy, properties | take 1"
    )
    return f"row of a * record: {_graph(installation, where)}"


def approval(installation: Installation) -> str:
    """What Azure reports when Elastic Cloud approves an endpoint, and when: the delays are the differences."""
    where = (
        "resourcechanges | where properties.targetResourceType =~ 'microsoft.network/privateendpoints' "
        "| where tostring(properties.changes) contains 'privateLinkServiceConnectionState' "
        "| project at = tostring(properties.changeAttributes.timestamp), "
        "by = iff(tostring(properties.changeAttributes.changedBy) == 'System', 'System', 'another'), "
        "what = bag_keys(properties.changes) | order by at desc | take 2"
    )
    rows = _graph(installation, where)
    asked = ("--namespace", "Microsoft.Network", "--offset", "7d", "--max-events", "500")
    log = az("monitor", "activity-log", "list", *asked, "--subscription", (*installation.watched, installation.home)[0])
    told = [(str(one["eventTimestamp"])[:19], one["operationName"]["value"]) for one in log]
    latest = {operation: at for at, operation in sorted(told) if "rivateEndpoints/" in operation}
    return f"latest in the activity log: {latest}; rows of changes: {rows}"


def links_of_network(_: Installation) -> str:
    """Whether Azure lists the zones of a network."""
    network = _network()
    url = f"{network}/privateDnsZoneLinks?api-version=2020-06-01"
    return f"answer: {az('rest', '--method', 'get', '--url', url)}"


def quota_header(installation: Installation) -> str:
    """What a GET of private DNS counts against: its own 500, or the reads of a subscription."""
    url = f"/subscriptions/{installation.home}/providers/Microsoft.Network/privateDnsZones?api-version=2024-06-01"
    told = az_log("rest", "--method", "get", "--url", url)
    return ", ".join(sorted(set(re.findall(r"x-ms-ratelimit-[\w-]+['\":= ]+\d+", told)))) or "no such header"


READING: dict[str, Callable[[Installation], str]] = {
    "functions that Azure lists": functions,
    "doctor": doctor,
    "connections by phase and reason": reasons,
    "roles of the identities": roles,
    "topics": topics,
    "subscriptions below management groups": groups,
    "events in a day": delivery,
    "logs that arrive": logs,
    "properties of the site": site,
    "endpoint in Resource Graph": endpoint_row,
    "record in Resource Graph": record_row,
    "approval of an endpoint": approval,
    "zone links of a network": links_of_network,
    "quota of private DNS": quota_header,
}
CHANGING: dict[str, Callable[[Installation], str]] = {
    "fewer than 40 instances": few_instances,
    "what a zone, a link and a record report": events_of_dns,
}
NOT_FROM_HERE = {
    "events of Resource Notifications": "need a system topic of their own, which the templates do not make",
    "Resource Graph with the app's own role": "only the app's identity can ask",
    "storage without public access": "needs a network security perimeter, which the templates do not make",
}


# -- asking ----------------------------------------------------------------------------------------------------------


def _graph(installation: Installation, query: str) -> Any:
    watched, groups = list(installation.watched), list(installation.management_groups)
    body = json.dumps({**({"subscriptions": watched} if watched else {"managementGroups": groups}), "query": query})
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    return az("rest", "--method", "post", "--url", url, "--body", body)["data"]


def _network() -> str:
    subnet = az("resource", "show", "--ids", output("APP_ID"))["properties"]["virtualNetworkSubnetId"]
    return str(subnet).partition("/subnets/")[0]


def _ask_app(installation: Installation, path: str) -> Any:
    """The app's own API; the key stays out of every command line."""
    where = ("--name", output("APP_NAME"), "--resource-group", installation.group, "--subscription", installation.home)
    key = az("functionapp", "keys", "list", *where)["functionKeys"]["default"]
    address = f"https://{output('HOST_NAME')}/api/{path}"
    request = urllib.request.Request(address, headers={"x-functions-key": key})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - https, as above
            return json.load(answer)
    except urllib.error.URLError as error:
        raise Refused(f"the app's API does not answer from here: {error}") from error
