"""What Azure refuses for good: each kind has its own reason and next step, and quotes what Azure names.

The bodies are as they stand in public reports and documents. Every one is also provoked in the local clouds
(tests/reconciler/test_refusals.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core import exceptions as azure
from azure.core.pipeline.transport import HttpRequest, HttpResponse
from azure.mgmt.core.exceptions import ARMErrorFormat

from shared.clouds.azure.clients import arm_errors
from shared.core.model.errors import AutopilotError, Blocked, Forbidden

SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000beef"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/a-resource-group-of-a-hub-team-with-a-long-name"
ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.eastus2.azure.elastic-cloud.com"
ASSIGNMENT = (
    "/providers/Microsoft.Management/managementGroups/corp/providers/Microsoft.Authorization/policyAssignments/Deny-DNS"
)
CLIENT = "The client 'aaaa' with object id 'aaaa' has permission to perform action"
POLICY = {
    "type": "PolicyViolation",
    "info": {
        "policyDefinitionDisplayName": "Private DNS zones live in the hub",
        "policyAssignmentId": ASSIGNMENT,
        "policyAssignmentDisplayName": "Corp DNS",
    },
}
IDENTIFIERS = json.dumps(
    [
        {
            "policyAssignment": {"name": "Corp DNS", "id": ASSIGNMENT},
            "policyDefinition": {"name": "Private DNS zones live in the hub", "id": "/providers/x"},
        }
    ]
)


class Answer(HttpResponse):
    """An answer of ARM with this error."""

    def __init__(self, status: int, body: str, kind: str = "application/json", **headers: str) -> None:
        super().__init__(HttpRequest("PUT", "https://arm.example/"), None)
        self.status_code, self.reason, self.content_type = status, "said so", kind
        self.headers = {"Content-Type": kind, **headers}
        self._body = body

    def body(self) -> bytes:
        return self._body.encode()


def told(status: int, error: Any, *, doing: str = "create the private DNS zone") -> AutopilotError:
    """What the product makes of an error that the SDK raises."""
    body = error if isinstance(error, str) else json.dumps({"error": error})
    kind = "text/html" if isinstance(error, str) else "application/json"
    response = Answer(status, body, kind)
    classes = {401: azure.ClientAuthenticationError}
    raised = classes.get(status, azure.HttpResponseError)(response=response, error_format=ARMErrorFormat)
    with pytest.raises(AutopilotError) as caught, arm_errors(doing, ZONE):
        raise raised
    return caught.value


KINDS: list[tuple[str, int, Any, str, str, str]] = [
    (
        "a lock",
        409,
        {
            "code": "ScopeLocked",
            "message": f"The scope '{ZONE}' cannot perform write operation because following scope(s) are locked: "
            f"'{GROUP}'. Please remove the lock and try again.",
        },
        "ScopeLocked",
        f"A lock at {GROUP} allows no write",
        f"Remove the lock at {GROUP}",
    ),
    (
        "a policy that names itself beside the message",
        403,
        {
            "code": "RequestDisallowedByPolicy",
            "target": "z",
            "message": "Resource 'z' was disallowed by policy. Reasons: 'Ask the DNS team'. See error details for "
            "policy resource IDs.",
            "additionalInfo": [POLICY],
        },
        "RequestDisallowedByPolicy",
        f'"Private DNS zones live in the hub", assigned as "Corp DNS" ({ASSIGNMENT}). It says: "Ask the DNS team"',
        f"from the policy assignment {ASSIGNMENT}",
    ),
    (
        "a policy that names itself in the message",
        403,
        {
            "code": "RequestDisallowedByPolicy",
            "message": f"Resource 'z' was disallowed by policy. Policy identifiers: '{IDENTIFIERS}'.",
        },
        "RequestDisallowedByPolicy",
        f'assigned as "Corp DNS" ({ASSIGNMENT})',
        f"from the policy assignment {ASSIGNMENT}",
    ),
    (
        "a deny assignment",
        403,
        {
            "code": "DenyAssignmentAuthorizationFailed",
            "message": f"{CLIENT} 'Microsoft.Network/privateDnsZones/write' on scope '{ZONE}'; however, the access is "
            'denied because of the deny assignment with name \'Deny assignment "x" created by Deployment Stack '
            f"'{GROUP}/providers/Microsoft.Resources/deploymentStacks/hub'.' and Id '1111' at scope '{GROUP}'.",
        },
        "DenyAssignment",
        "created by Deployment Stack",
        "no role helps",
    ),
    (
        "a network of another tenant",
        403,
        {
            "code": "LinkedAuthorizationFailed",
            "message": f"{CLIENT} 'Microsoft.Network/privateDnsZones/virtualNetworkLinks/write' on scope '{ZONE}', "
            "however the current tenant 'ours' is not authorized to access linked subscription 'theirs'.",
        },
        "NetworkOfAnotherTenant",
        "Subscription theirs is of another tenant than ours",
        "DNS_LINK_VNETS",
    ),
    (
        "a wrong issuer",
        401,
        {
            "code": "InvalidAuthenticationTokenTenant",
            "message": "The access token is from the wrong issuer 'https://sts.windows.net/ours/'. It must match the "
            "tenant 'https://sts.windows.net/theirs/' associated with this subscription. Please use the authority "
            "(URL) 'https://login.windows.net/theirs' to get the token.",
        },
        "SubscriptionOfAnotherTenant",
        f"Subscription {SUBSCRIPTION} is of tenant theirs",
        "no role helps",
    ),
    (
        "a disabled subscription",
        409,
        {
            "code": "ReadOnlyDisabledSubscription",
            "message": f"The subscription '{SUBSCRIPTION}' is disabled and therefore marked as read only. You cannot "
            "perform any write actions on this subscription until it is re-enabled.",
        },
        "ReadOnlyDisabledSubscription",
        f"Subscription {SUBSCRIPTION} is disabled",
        f"Enable subscription {SUBSCRIPTION}",
    ),
    (
        "a deleted subscription",
        404,
        {"code": "SubscriptionNotFound", "message": f"The subscription '{SUBSCRIPTION}' could not be found."},
        "SubscriptionNotFound",
        f"Subscription {SUBSCRIPTION} does not exist",
        "Correct the setting",
    ),
    (
        "a provider that is not registered",
        409,
        {
            "code": "MissingSubscriptionRegistration",
            "message": "The subscription is not registered to use namespace 'Microsoft.Network'. See https://aka.ms/x.",
        },
        "MissingSubscriptionRegistration",
        f"{SUBSCRIPTION} has not registered Microsoft.Network",
        f"az provider register --namespace Microsoft.Network --subscription {SUBSCRIPTION}",
    ),
    (
        "a group that is being deleted",
        409,
        {
            "code": "ResourceGroupBeingDeleted",
            "message": "The resource group 'dns' is in deprovisioning state and cannot perform this operation.",
        },
        "ResourceGroupBeingDeleted",
        "Resource group dns is being deleted",
        "Wait until the group is gone",
    ),
    (
        "a network that was moved",
        200,
        {
            "code": "Conflict",
            "message": f"Virtual network resource identity '{GROUP}/x' already in use. This is possible in case the "
            "virtual network was moved, or re-created. Please contact support.",
        },
        "NetworkIdentityInUse",
        "moved or made again",
        "old link",
    ),
    (
        "a firewall in between",
        403,
        "<html><title>Blocked by policy</title></html>",
        "ForeignAnswer",
        'Azure answered when it was asked to create the private DNS zone: status 403, its page is called "Blocked by',
        "firewall",
    ),
]


@pytest.mark.parametrize(
    ("status", "error", "reason", "what", "step"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS]
)
def test_each_kind_has_its_reason_and_names_what_azure_names(
    status: int, error: Any, reason: str, what: str, step: str
) -> None:
    found = told(status, error)
    assert isinstance(found, Blocked)
    assert found.reason == reason
    assert what in found.what
    assert step in f"{found.next_step} {found.explanation.cause}"
    assert "Assign a role" not in found.next_step
    assert str(found).isprintable()


def test_the_part_that_helps_is_not_cut_off_by_a_long_part_before_it() -> None:
    long = "x" * 3000
    message = f"The scope '{long}' cannot perform delete operation because following scope(s) are locked: '{GROUP}'."
    assert GROUP in told(409, {"code": "ScopeLocked", "message": message}).next_step


def test_only_a_missing_role_is_answered_by_a_role() -> None:
    message = f"The client 'a' does not have authorization to perform action 'x/write' over scope '{ZONE}' or the scope"
    found = told(403, {"code": "AuthorizationFailed", "message": message})
    assert isinstance(found, Forbidden)
    assert found.next_step == "Assign a role that includes x/write at that scope."
    assert ZONE in found.what
    unknown = told(403, {"code": "SomethingElse", "message": "no"})
    assert isinstance(unknown, Blocked)
    assert unknown.reason == "AzureRefused"


@pytest.mark.parametrize("info", [None, [], "text", {"policyAssignmentId": "\x1b[2Jx"}, {"policyAssignmentId": 7}])
def test_details_that_cannot_be_read_say_nothing_and_break_nothing(info: Any) -> None:
    error = {
        "code": "RequestDisallowedByPolicy",
        "message": "Resource 'z' was disallowed by policy.",
        "additionalInfo": [{"type": "PolicyViolation", "info": info}],
    }
    found = told(403, error)
    assert isinstance(found, Blocked)
    assert found.reason == "RequestDisallowedByPolicy"
    assert str(found).isprintable()
