"""What is refused for good and is no missing role: each kind by a state of the local clouds, from end to end.

Each row: the situation, the condition that tells it, its reason, what it names, the next step. For all of them: it is
looked at as rarely as the sweep looks, everything that does not need it goes on, and once a person has undone it the
connection becomes Ready by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from shared.core.model import conditions as c
from tests.harness.dns import an_unheard_endpoint
from tests.harness.estate import Estate

Change = Callable[[Estate], Awaitable[None]]
SUBSCRIPTION = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-apps"
AUTHORIZATION = f"{GROUP}/providers/Microsoft.Authorization"
API = "2022-04-01"
DNS_CONDITIONS = {c.ZONE_READY, c.LINKED, c.RECORD_READY}


def rule(kind: str, name: str, properties: dict[str, Any]) -> Change:
    async def make(estate: Estate) -> None:
        await estate.azure("PUT", f"{AUTHORIZATION}/{kind}/{name}", {"properties": properties}, api=API)

    return make


def no_rule(kind: str, name: str) -> Change:
    async def undo(estate: Estate) -> None:
        await estate.azure("DELETE", f"{AUTHORIZATION}/{kind}/{name}", api=API)

    return undo


def switch(name: str, value: Any, before: Any) -> tuple[Change, Change]:
    """A switch of ARM, and how it stood."""

    async def turn(estate: Estate) -> None:
        setattr(estate.arm_settings, name, value)

    async def back(estate: Estate) -> None:
        setattr(estate.arm_settings, name, before)

    return turn, back


async def a_policy(estate: Estate) -> None:
    """Made by a hub team, that wants zones elsewhere."""
    condition = {"field": "type", "equals": "Microsoft.Network/privateDnsZones"}
    made = {"displayName": "Zones live in the hub", "policyRule": {"if": condition, "then": {"effect": "deny"}}}
    await rule("policyDefinitions", "zones", made)(estate)
    given = {"policyDefinitionId": f"{AUTHORIZATION}/policyDefinitions/zones", "displayName": "Corp DNS"}
    await rule("policyAssignments", "corp", given | {"nonComplianceMessages": [{"message": "Ask us"}]})(estate)


async def group_goes(estate: Estate) -> None:
    estate.arm_settings.group_delete_seconds = 10**7
    await estate.azure("DELETE", GROUP, api="2021-04-01")


def something_in_between(status: int) -> tuple[Change, Change]:
    """A proxy answers in Elastic Cloud's place."""

    async def begin(estate: Estate) -> None:
        page = "<html><head><title>Blocked by the proxy</title></head></html>"
        estate.elastic_settings.faults.append(lambda _method, _path: (status, page))

    async def end(estate: Estate) -> None:
        estate.elastic_settings.faults.clear()

    return begin, end


@dataclass(frozen=True)
class Row:
    """A situation and what is to be said of it."""

    make: Change
    undo: Change | None
    condition: str
    reason: str
    named: str
    step: str
    settings: dict[str, str] = field(default_factory=dict)
    whole_subscription: bool = False
    """It stops the zones of every endpoint."""


DENIED = {
    "denyAssignmentName": "made by Deployment Stack 'hub'",
    "permissions": [{"actions": ["Microsoft.Network/privateDnsZones/*"]}],
}
ROWS = {
    "a lock": Row(
        rule("locks", "keep", {"level": "ReadOnly"}),
        no_rule("locks", "keep"),
        c.ZONE_READY,
        "ScopeLocked",
        f"A lock at {GROUP} allows no write",
        f"Remove the lock at {GROUP}",
    ),
    "a policy": Row(
        a_policy,
        no_rule("policyAssignments", "corp"),
        c.ZONE_READY,
        "RequestDisallowedByPolicy",
        f'"Zones live in the hub", assigned as "Corp DNS" ({AUTHORIZATION}/policyAssignments/corp). It says: "Ask us"',
        f"from the policy assignment {AUTHORIZATION}/policyAssignments/corp",
    ),
    "a deny assignment": Row(
        rule("denyAssignments", "stack", DENIED),
        no_rule("denyAssignments", "stack"),
        c.ZONE_READY,
        "DenyAssignment",
        f"'made by Deployment Stack 'hub'' at {GROUP} forbids Microsoft.Network/privateDnsZones/",
        "no role helps",
    ),
    "a group that is being deleted": Row(
        group_goes,
        None,
        c.ZONE_READY,
        "ResourceGroupBeingDeleted",
        "Resource group rg-apps is being deleted, which may take hours",
        "Wait until the group is gone",
    ),
    "a disabled subscription": Row(
        *switch("disabled_subscriptions", {DEFAULT_SUBSCRIPTION}, set()),
        c.ZONE_READY,
        "ReadOnlyDisabledSubscription",
        f"Subscription {DEFAULT_SUBSCRIPTION} is disabled",
        f"Enable subscription {DEFAULT_SUBSCRIPTION} again",
        whole_subscription=True,
    ),
    "a provider that is not registered": Row(
        *switch("unregistered_subscriptions", {DEFAULT_SUBSCRIPTION}, set()),
        c.ZONE_READY,
        "MissingSubscriptionRegistration",
        "has not registered Microsoft.Network",
        f"az provider register --namespace Microsoft.Network --subscription {DEFAULT_SUBSCRIPTION}",
        whole_subscription=True,
    ),
    **{
        f"{status} in Elastic Cloud's place": Row(
            *something_in_between(status),
            c.POLICY_READY,
            "ForeignAnswer",
            f'answered when it was asked to list policies: status {status}, its page is called "Blocked by the proxy"',
            "Let the app's requests to elastic.local pass",
            whole_subscription=True,
        )
        for status in (302, 403)
    },
    "a page with 200 in Elastic Cloud's place": Row(
        *something_in_between(200),
        c.POLICY_READY,
        "ForeignAnswer",
        "Something between the app and Elastic Cloud answered",
        "firewall, proxy or portal",
        whole_subscription=True,
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_each_refusal_says_what_it_is_and_holds_up_nothing_else(row: Row) -> None:
    estate = await Estate(settings=row.settings).open()
    other_needs = {"group": "rg-other", "region": "westeurope"}
    endpoint = await an_unheard_endpoint(estate)
    if not row.whole_subscription:
        other = await estate.put_endpoint("pe-other", **other_needs)
    await row.make(estate)
    await estate.send(endpoint)
    await estate.settle()
    told = (await estate.connection(endpoint)).condition(row.condition)
    assert told is not None
    assert (told.reason, told.needs) == (row.reason, c.WaitingFor.PERSON), told.message
    assert row.named in told.message
    assert row.step in told.next_step
    assert "Assign a role" not in told.next_step
    assert (await estate.connection(endpoint)).status.phase == "Blocked"
    await waits_for_the_sweep(estate, endpoint)
    if not row.whole_subscription:
        await estate.ready(other)
    of_the_other_branch = {c.POLICY_READY} if row.condition in DNS_CONDITIONS else DNS_CONDITIONS
    for one in of_the_other_branch:
        assert await true(estate, endpoint, one), f"{one} waits too"
    if row.undo is not None:
        await row.undo(estate)
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle()
        await estate.ready(endpoint)


async def true(estate: Estate, endpoint: str, condition: str) -> bool:
    found = (await estate.connection(endpoint)).condition(condition)
    return found is not None and found.true


async def waits_for_the_sweep(estate: Estate, endpoint: str) -> None:
    """No look of its own any more: in an hour it is tried as often as the timer runs, and not oftener."""
    await estate.clock.sleep(900)
    await estate.settle()
    assert (await estate.connection(endpoint)).schedule.wake_at is None
    before = len(refused(estate))
    for _ in range(2):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(200)
    assert len(refused(estate)) - before <= 4


def refused(estate: Estate) -> list[str]:
    """What the clouds refused to the app."""
    writes = [one for one in estate.arm.requests if one.status >= 400 and one.method != "GET" and one.status != 404]
    return [f"{one.method} {one.path}" for one in writes]
