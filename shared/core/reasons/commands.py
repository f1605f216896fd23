"""What a person types about a reason: commands and API calls with placeholders, or where only Azure can help.

Data for `shared.core.reasons`; shown by docs/troubleshooting.md. `tests/reconciler/test_remedies.py` provokes each
reason in the local clouds, runs the lines as they stand here, and waits for the state that they promise.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.core.model.reasons import Reason

_APP = 'curl -X POST -H "x-functions-key: $key" -H "x-autopilot-key: $deciding"'
_ELASTIC = '-H "Authorization: ApiKey $EC_API_KEY" -H "Content-Type: application/json"'
_API = "https://api.elastic-cloud.com/api/v1"

_MAKE_ANEW = (
    "az network private-endpoint delete --ids <endpoint id>",
    (
        "az network private-endpoint create --resource-group <group> --name <endpoint> --subnet <subnet id> "
        "--private-connection-resource-id <alias> --connection-name <endpoint> --manual-request true"
    ),
)
_DELETE_POLICY = (f"curl -X DELETE {_ELASTIC} {_API}/deployments/traffic-filter/rulesets/<policy id>",)
_RERUN = f'{_APP} "https://$host/api/connections/<connection>/reconcile"'
_ROLE = ("az role assignment create --assignee <client id> --role <role> --scope <scope>",)
_STORE_KEY = ("az keyvault secret set --vault-name <vault> --name <secret> --file <file with the key alone>",)
_TAG_DEPLOYMENTS = (
    "az tag update --resource-id <endpoint id> --operation Merge --tags elastic-deployments=<deployment id>",
)


def _tag_target(key: str, value: str) -> tuple[str, ...]:
    """A deployment's tags are written all at once: those that it has are to be among them."""
    tags = f'{{"tags": [{{"key": "{key}", "value": "{value}"}}]}}'
    return (f"curl -X PUT {_ELASTIC} {_API}/deployments/<deployment id>/tags -d '{tags}'",)


def _decide(decision: str, about: str, value: str) -> tuple[str, ...]:
    body = f'{{"decision": "{decision}", "{about}": "{value}"}}'
    return (f"{_APP} \"https://$host/api/connections/<connection>/decisions\" -d '{body}'",)


COMMANDS: Mapping[Reason, tuple[str, ...]] = {
    Reason.OBSERVE_MODE: (
        "az tag update --resource-id <endpoint id> --operation Merge --tags elastic-privatelink=enforce",
    ),
    Reason.IGNORED_BY_TAG: (
        "az tag update --resource-id <endpoint id> --operation Merge --tags elastic-privatelink=enforce",
    ),
    Reason.ENDPOINT_FAILED: _MAKE_ANEW,
    Reason.ADDRESS_OVERDUE: _MAKE_ANEW,
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
    Reason.RESTORE_CONTESTED: (_RERUN,),
    Reason.ASSOCIATION_CONTESTED: (_RERUN,),
    Reason.ENDPOINT_NOT_FOUND: _MAKE_ANEW[1:],
    Reason.ELASTIC_KEY_MISSING: _STORE_KEY,
    Reason.ELASTIC_KEY_REFUSED: _STORE_KEY,
    Reason.ELASTIC_KEY_EXPIRING: _STORE_KEY,
    Reason.SCOPE_LOCKED: ("az lock delete --ids <lock id>",),
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
        "az provider register --namespace Microsoft.Network --subscription <subscription>",
    ),
    Reason.RESOURCE_GROUP_NOT_FOUND: ("az group create --name <group> --location <location>",),
}
"""The lines to run, in order. `<...>` is to be filled in; docs/api.md says what `$host`, `$key` and `$deciding` are."""

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
