"""What an administrator forbids: locks, policies and deny assignments, written over ARM and refused as Azure does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local.arm.arm_client import DNS, NET, SUB, VNET, ZONE, Http

if TYPE_CHECKING:
    import httpx

    from local.arm import ArmCloud

GROUP = f"{SUB}/resourceGroups/rg-dns"
AUTHORIZATION = "providers/Microsoft.Authorization"
RECORD = f"{ZONE}/A/*"
RECORD_BODY = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": "10.1.0.4"}]}}


async def rule(http: Http, scope: str, kind: str, name: str, properties: dict[str, Any]) -> httpx.Response:
    """A lock, policy or deny assignment at a scope."""
    url = f"{scope}/{AUTHORIZATION}/{kind}/{name}?api-version=2022-04-01"
    return await http("PUT", url, {"properties": properties})


def error(answer: httpx.Response) -> dict[str, Any]:
    """The error of an answer, in its wrapper or without."""
    body: dict[str, Any] = answer.json()
    return body.get("error", body)


@pytest.mark.parametrize("scope", [SUB, GROUP, ZONE])
@pytest.mark.parametrize(("level", "write"), [("CanNotDelete", 201), ("ReadOnly", 409)])
async def test_a_lock_holds_for_all_below_its_scope(http: Http, scope: str, level: str, write: int) -> None:
    await http.zone()
    made = await rule(http, scope, "locks", "keep", {"level": level})
    assert (made.status_code, made.json()["properties"]["level"]) == (201, level)
    assert (await http("PUT", RECORD, RECORD_BODY)).status_code == write
    refused = await http("DELETE", ZONE)
    assert (refused.status_code, error(refused)["code"]) == (409, "ScopeLocked")
    assert f"following scope(s) are locked: '{scope}'" in error(refused)["message"]
    assert (await http("GET", ZONE)).status_code == 200
    await http("DELETE", f"{scope}/{AUTHORIZATION}/locks/keep?api-version=2022-04-01")
    assert (await http.done("DELETE", ZONE))["status"] == "Succeeded"


async def test_a_lock_of_a_part_keeps_the_whole_from_being_deleted(http: Http) -> None:
    await http.network()
    await http.zone()
    await http("PUT", RECORD, RECORD_BODY)
    await rule(http, RECORD, "locks", "keep", {"level": "CanNotDelete"})
    assert error(await http("DELETE", ZONE))["code"] == "ScopeLocked"
    elsewhere = await http("DELETE", VNET)
    assert elsewhere.status_code == 202


async def test_locks_are_listed_where_they_hold(http: Http) -> None:
    await rule(http, GROUP, "locks", "keep", {"level": "ReadOnly", "notes": "ask the DNS team"})
    listed = await http("GET", f"{ZONE}/{AUTHORIZATION}/locks?api-version=2022-04-01")
    assert [one["id"] for one in listed.json()["value"]] == [f"{GROUP}/{AUTHORIZATION}/locks/keep"]
    assert (await http("GET", f"{NET}/{AUTHORIZATION}/locks?api-version=2022-04-01")).json()["value"] == []


DENIED_ZONES = {"allOf": [{"field": "type", "equals": "Microsoft.Network/privateDnsZones"}]}


async def policy(http: Http, condition: dict[str, Any], **assignment: Any) -> None:
    """A definition of the subscription that denies, and its assignment."""
    made = {"displayName": "Zones live in the hub", "policyRule": {"if": condition, "then": {"effect": "deny"}}}
    await rule(http, SUB, "policyDefinitions", "zones", made)
    definition = f"{SUB}/{AUTHORIZATION}/policyDefinitions/zones"
    await rule(http, SUB, "policyAssignments", "corp", {"policyDefinitionId": definition, **assignment})


@pytest.mark.parametrize("reason", [None, "Ask the DNS team"])
async def test_a_policy_denies_and_names_itself_in_the_message_or_beside_it(http: Http, reason: str | None) -> None:
    own = {"nonComplianceMessages": [{"message": reason}]} if reason else {}
    await policy(http, DENIED_ZONES, displayName="Corp DNS", **own)
    refused = await http("PUT", ZONE, {"location": "global"})
    assert (refused.status_code, error(refused)["code"]) == (403, "RequestDisallowedByPolicy")
    assignment = f"{SUB}/{AUTHORIZATION}/policyAssignments/corp"
    assert (assignment in error(refused)["message"]) == (reason is None)
    assert (reason or "Corp DNS") in error(refused)["message"]
    (told,) = error(refused)["additionalInfo"]
    assert told["type"] == "PolicyViolation"
    assert told["info"]["policyAssignmentId"] == assignment
    assert told["info"]["policyAssignmentDisplayName"] == "Corp DNS"


@pytest.mark.parametrize(
    ("condition", "denied"),
    [
        ({"field": "tags['cost']", "exists": "false"}, True),
        ({"field": "tags.team", "exists": False}, False),
        ({"field": "name", "like": "privatelink.*"}, True),
        ({"not": {"field": "location", "in": ["global"]}}, False),
        ({"anyOf": [{"field": "type", "equals": "x"}, {"field": "id", "contains": "rg-dns"}]}, True),
    ],
)
async def test_a_policys_rule_looks_at_type_name_location_and_tags(
    http: Http, condition: dict[str, Any], denied: bool
) -> None:
    await policy(http, condition)
    answer = await http("PUT", ZONE, {"location": "global", "tags": {"team": "a"}})
    assert answer.status_code == (403 if denied else 202)


@pytest.mark.parametrize("assignment", [{"notScopes": [GROUP]}, {"enforcementMode": "DoNotEnforce"}])
async def test_a_policy_does_not_hold_where_it_is_not_enforced(http: Http, assignment: dict[str, Any]) -> None:
    await policy(http, DENIED_ZONES, **assignment)
    assert (await http("PUT", ZONE, {"location": "global"})).status_code == 202


async def test_a_deny_assignment_refuses_what_roles_allow_and_leaves_the_excluded_alone(
    cloud: ArmCloud, http: Http
) -> None:
    await http.zone()
    denied = {
        "denyAssignmentName": "Deny assignment created by Deployment Stack 'hub'",
        "permissions": [
            {"actions": ["*/write", "*/delete"], "notActions": ["Microsoft.Network/privateDnsZones/A/write"]}
        ],
    }
    await rule(http, GROUP, "denyAssignments", "stack", denied)
    assert (await http("GET", ZONE)).status_code == 200
    assert (await http("PUT", RECORD, RECORD_BODY)).status_code == 201
    refused = await http("DELETE", ZONE)
    assert (refused.status_code, error(refused)["code"]) == (403, "DenyAssignmentAuthorizationFailed")
    assert "because of the deny assignment with name 'Deny assignment created by" in error(refused)["message"]
    assert f"at scope '{GROUP}'" in error(refused)["message"]
    await rule(http, GROUP, "denyAssignments", "stack", denied | {"excludePrincipals": [{"id": "test"}]})
    assert (await http("DELETE", ZONE)).status_code == 202


async def test_who_has_no_right_cannot_write_the_rules(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.role_assignments["test"] = []
    refused = await rule(http, GROUP, "locks", "keep", {"level": "ReadOnly"})
    assert (refused.status_code, error(refused)["code"]) == (403, "AuthorizationFailed")


@pytest.mark.parametrize(
    ("kind", "properties"), [("locks", {"level": "Maybe"}), ("policyAssignments", {"displayName": "of nothing"})]
)
async def test_a_rule_that_is_none_is_refused(http: Http, kind: str, properties: dict[str, Any]) -> None:
    assert (await rule(http, DNS.split("/providers")[0], kind, "one", properties)).status_code == 400
