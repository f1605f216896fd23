"""What a person types about a reason: commands and API calls with placeholders, or where only Azure can help.

Data for `shared.core.reasons`; docs/troubleshooting.md shows the lines as they stand here, the detail of a connection
with what is known filled in (`filled`). `tests/reconciler/test_remedies.py` provokes each reason in the local clouds,
runs the lines as the detail shows them, and waits for the state that they promise.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from shared.core.model.reasons import Reason

_APP = 'curl -X POST -H "x-functions-key: $key" -H "x-autopilot-key: $deciding"'
_ELASTIC = '-H "Authorization: ApiKey $EC_API_KEY" -H "Content-Type: application/json"'
_API = "https://api.elastic-cloud.com/api/v1"
_SHOW = "az network private-endpoint show --ids <endpoint id> --output"
_CREATE = (
    "az network private-endpoint create --resource-group <group> --name <endpoint> --location <location> "
    "--subnet <subnet id> --private-connection-resource-id <alias> --connection-name <endpoint> --manual-request true"
)
_TAGS_AS_BEFORE = (
    'az rest --method patch --url "<endpoint id>/providers/Microsoft.Resources/tags/default?api-version=2021-04-01" '
    '--body "{\\"operation\\": \\"Merge\\", \\"properties\\": {\\"tags\\": $tags}}"'
)

_MAKE_ANEW_ELSEWHERE = (
    f"tags=$({_SHOW} json --query tags)",
    "az network private-endpoint delete --ids <endpoint id>",
    _CREATE,
    _TAGS_AS_BEFORE,
)
_MAKE_ANEW = (
    f"subnet=$({_SHOW} tsv --query subnet.id)",
    *(line.replace("<subnet id>", '"$subnet"') for line in _MAKE_ANEW_ELSEWHERE),
)
_DELETE_POLICY = (f"curl -X DELETE {_ELASTIC} {_API}/deployments/traffic-filter/rulesets/<policy id>",)
_DELETE_FILTER = (f"curl -X DELETE {_ELASTIC} {_API}/serverless/traffic-filters/<policy id>",)
_RERUN = f'{_APP} "https://$host/api/connections/<connection>/reconcile"'
_ROLE = ("az role assignment create --assignee <client id> --role <role> --scope <scope>",)
_STORE_KEY = ("az keyvault secret set --vault-name <vault> --name <secret> --file <file with the key alone>",)
_TAG_DEPLOYMENTS = (
    "az tag update --resource-id <endpoint id> --operation Merge --tags elastic-deployments=<deployment ids>",
)


def _tag_target(key: str, value: str) -> tuple[str, ...]:
    """A deployment's tags are written all at once: those that it has are to be among them."""
    tags = f'[<its other tags>, {{"key": "{key}", "value": "{value}"}}]'
    return (f"curl -X PUT {_ELASTIC} {_API}/deployments/<deployment id>/tags -d '{{\"tags\": {tags}}}'",)


def _tag_project(key: str, value: str) -> tuple[str, ...]:
    """Whether a project's tags are added to or replaced, Elastic's pages disagree: all of them are right in both."""
    tags = f'{{<its other tags>, "{key}": "{value}"}}'
    url = f"{_API}/serverless/projects/<type>/<deployment id>"
    return (f'curl -X PATCH {_ELASTIC} {url} -d \'{{"metadata": {{"tags": {tags}}}}}\'',)


_OPEN = re.compile(r"(?P<tags>\[<its other tags>[^\]]*\]|\{<its other tags>[^}]*\})|<(?P<name>[a-z][a-z ]*)>")


def filled(line: str, names: Mapping[str, str]) -> str:
    """The line for one case, each value quoted as a shell wants it where it stands; what is not known stays open."""

    def value(found: re.Match[str]) -> str:
        told = names.get("tags" if found["tags"] else found["name"], "")
        return _quoted(told, _quote_at(line, found.start())) if told else found[0]

    return _OPEN.sub(value, line)


def _quote_at(line: str, at: int) -> str:
    """The quote that is open there, if any. A line of ours has no escaped single quote."""
    quote = ""
    for place, letter in enumerate(line[:at]):
        if letter in "\"'" and quote in {"", letter} and line[max(place - 1, 0)] != "\\":
            quote = "" if quote else letter
    return quote


def _quoted(value: str, quote: str) -> str:
    if quote == "'":
        return value.replace("'", "'\\''")
    return re.sub(r'([\\"$`])', r"\\\1", value) if quote else shlex.quote(value)


def _decide(decision: str, about: str, value: str) -> tuple[str, ...]:
    body = f'{{"decision": "{decision}", "{about}": "{value}"}}'
    return (f"{_APP} \"https://$host/api/connections/<connection>/decisions\" -d '{body}'",)


def _confirm(shown: str, decision: str, about: str) -> tuple[str, ...]:
    """For the whole installation: look at what is asked, and confirm exactly that."""
    body = f'{{"decision": "{decision}", "{about}": "<{about}>"}}'
    return (
        f'curl -H "x-functions-key: $key" "https://$host/api/{shown}"',
        f"{_APP} \"https://$host/api/decisions\" -d '{body}'",
    )


COMMANDS: Mapping[Reason, tuple[str, ...]] = {
    Reason.OBSERVE_MODE: (
        "az tag update --resource-id <endpoint id> --operation Merge --tags elastic-privatelink=enforce",
    ),
    Reason.IGNORED_BY_TAG: (
        "az tag update --resource-id <endpoint id> --operation Merge --tags elastic-privatelink=enforce",
    ),
    Reason.ENDPOINT_FAILED: _MAKE_ANEW,
    Reason.ADDRESS_OVERDUE: _MAKE_ANEW_ELSEWHERE,
    Reason.REJECTED: _MAKE_ANEW,
    Reason.DISCONNECTED: _MAKE_ANEW,
    Reason.RECORD_HELD_BY_OTHERS: (
        "az network private-dns record-set a delete --resource-group <zone group> --zone-name <zone> --name '*' --yes",
        _RERUN,
    ),
    Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT: ("az network private-endpoint delete --ids <other endpoint id>",),
    Reason.POLICY_NAME_MISMATCH: _DELETE_POLICY,
    Reason.POLICY_GUID_MISMATCH: _DELETE_POLICY,
    Reason.POLICY_DUPLICATED: _DELETE_POLICY,
    Reason.POLICY_IN_ANOTHER_REGION: _DELETE_POLICY,
    Reason.APPROVAL_OVERDUE: _DELETE_POLICY,
    Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC: _tag_target("elastic-privatelink-first-policy", "allow"),
    Reason.WOULD_REOPEN_PUBLIC_ACCESS: _tag_target("elastic-privatelink-last-policy", "allow"),
    Reason.DEPLOYMENT_NOT_ALLOWED: _tag_target("elastic-privatelink-endpoints", "<connection>"),
    Reason.CONSENT_AMBIGUOUS: _tag_target("elastic-privatelink-endpoints", "<connection>"),
    Reason.DEPLOYMENT_NOT_FOUND: _TAG_DEPLOYMENTS,
    Reason.DEPLOYMENT_AMBIGUOUS: _TAG_DEPLOYMENTS,
    Reason.DEPLOYMENT_IN_ANOTHER_REGION: _TAG_DEPLOYMENTS,
    Reason.DEPLOYMENT_OUT_OF_SCOPE: _TAG_DEPLOYMENTS,
    Reason.DEPLOYMENT_OPTED_OUT: _tag_target("elastic-privatelink", "enforce"),
    Reason.DEPLOYMENT_NOT_RUNNING: (f"curl -X POST {_ELASTIC} {_API}/deployments/<deployment id>/_restore",),
    Reason.DEPLOYMENT_GONE: _decide("forget-target", "target", "<deployment id>"),
    Reason.ORGANIZATION_CHANGED: _decide("move-organization", "organization", "<name>"),
    Reason.REMOVAL_UNDECIDED: _decide("remove", "endpoint", "<endpoint>"),
    Reason.REMOVAL_LIMIT_REACHED: _confirm("removals", "confirm-removals", "stop"),
    Reason.RECOVERED_UNCONFIRMED: _confirm("recovered", "confirm-recovered", "list"),
    Reason.RESTORE_CONTESTED: (_RERUN,),
    Reason.ASSOCIATION_CONTESTED: (_RERUN,),
    Reason.ENDPOINT_NOT_FOUND: (_CREATE,),
    Reason.ELASTIC_KEY_MISSING: _STORE_KEY,
    Reason.ELASTIC_KEY_REFUSED: _STORE_KEY,
    Reason.ELASTIC_KEY_EXPIRING: _STORE_KEY,
    Reason.SCOPE_LOCKED: ("az lock list --resource-group <group> --output table", "az lock delete --ids <lock id>"),
    Reason.ANSWERING_NETWORK_NOT_LINKED: (
        (
            "az network private-dns link vnet create --resource-group <zone group> --zone-name <zone> --name <link> "
            "--virtual-network <network id> --registration-enabled false"
        ),
    ),
    Reason.LINK_OVERDUE: (
        "az network private-dns link vnet delete --resource-group <zone group> --zone-name <zone> --name <link> --yes",
    ),
    Reason.AZURE_RIGHTS_MISSING: _ROLE,
    Reason.SUBSCRIPTION_NOT_FOUND: _ROLE,
    Reason.STORAGE_ACCESS_DENIED: _ROLE,
    Reason.MISSING_SUBSCRIPTION_REGISTRATION: (
        "az provider register --namespace <namespace> --subscription <subscription>",
    ),
    Reason.RESOURCE_GROUP_NOT_FOUND: ("az group create --name <group> --location <location>",),
}
"""The lines to run, in order. `<...>` is to be filled in; docs/api.md says what `$host`, `$key` and `$deciding` are."""

COMMANDS_OF_PROJECTS: Mapping[Reason, tuple[str, ...]] = {
    **{reason: _DELETE_FILTER for reason, lines in COMMANDS.items() if lines == _DELETE_POLICY},
    Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC: _tag_project("elastic-privatelink-first-policy", "allow"),
    Reason.WOULD_REOPEN_PUBLIC_ACCESS: _tag_project("elastic-privatelink-last-policy", "allow"),
    Reason.DEPLOYMENT_NOT_ALLOWED: _tag_project("elastic-privatelink-endpoints", "<connection>"),
    Reason.CONSENT_AMBIGUOUS: _tag_project("elastic-privatelink-endpoints", "<connection>"),
    Reason.DEPLOYMENT_OPTED_OUT: _tag_project("elastic-privatelink", "enforce"),
    Reason.DEPLOYMENT_NOT_RUNNING: (),
}
"""The lines of a connection to Serverless projects, where they are others."""

_LEARN = "https://learn.microsoft.com/azure"

ONLY_IN_AZURE: Mapping[Reason, str] = {
    Reason.REQUEST_DISALLOWED_BY_POLICY: f"{_LEARN}/governance/policy/concepts/exemption-structure",
    Reason.DENY_ASSIGNMENT: f"{_LEARN}/role-based-access-control/deny-assignments",
    Reason.READ_ONLY_DISABLED_SUBSCRIPTION: f"{_LEARN}/cost-management-billing/manage/subscription-disabled",
    Reason.STORAGE_ACCOUNT_DISABLED: f"{_LEARN}/cost-management-billing/manage/subscription-disabled",
    Reason.STORAGE_CLOSED_TO_NETWORK: f"{_LEARN}/storage/common/storage-network-security",
    Reason.NETWORK_OF_ANOTHER_TENANT: f"{_LEARN}/dns/private-dns-virtual-network-links",
    Reason.SUBSCRIPTION_OF_ANOTHER_TENANT: f"{_LEARN}/role-based-access-control/transfer-subscription",
    Reason.OPERATION_OVERDUE: f"{_LEARN}/azure-portal/supportability/how-to-create-azure-support-request",
    Reason.STILL_NOT_VISIBLE: f"{_LEARN}/azure-monitor/platform/activity-log",
    Reason.NETWORK_IDENTITY_IN_USE: f"{_LEARN}/dns/private-dns-virtual-network-links",
    Reason.AZURE_SIGN_IN_FAILED: f"{_LEARN}/app-service/overview-managed-identity",
    Reason.NO_ROUTE_ALTHOUGH_APPROVED: f"{_LEARN}/private-link/troubleshoot-private-endpoint-connectivity",
    Reason.NO_ROUTE_FROM_APP: f"{_LEARN}/virtual-network/virtual-network-peering-overview",
    Reason.REFUSED_ON_THE_WAY: f"{_LEARN}/private-link/inspect-traffic-with-azure-firewall",
    Reason.CUSTOM_DNS_SERVERS: f"{_LEARN}/private-link/private-endpoint-dns-integration",
    Reason.RESOLVER_FAILED: f"{_LEARN}/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances",
    Reason.TOO_MANY_ZONES: f"{_LEARN}/dns/private-dns-privatednszone#restrictions",
}
"""Where no command of the app's or of one line helps: the page of Azure's that does."""
