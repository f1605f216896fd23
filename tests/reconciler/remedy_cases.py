"""The cases of `test_remedies`: how a reason comes about, and what of its remedy's placeholders only a person knows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from local.arm import DEFAULT_SUBSCRIPTION, FaultResponse, Incoming
from local.arm.roles import RoleAssignment
from local.world import API_KEY, vnet_id
from shared.core.guards.consent import ENDPOINTS_TAG
from shared.core.model.reasons import Reason
from tests.harness.changing import take_away
from tests.harness.dns import OTHER_SUBSCRIPTION
from tests.harness.estate import VAULT, Estate, arm_error
from tests.harness.networks import RESOLVER, add_hub, add_spoke
from tests.harness.platform_parts import WORKERS
from tests.infra.shipped import everywhere
from tests.reconciler import situations_azure, situations_elastic
from tests.reconciler.remedy_parts import CLIENT_ID, LOCKS_API, Shell
from tests.reconciler.situations import (
    ADVICE,
    SITUATIONS,
    a_policy_by_hand,
    guid_of,
    made,
    ready,
    swept,
    the,
)
from tests.reconciler.test_never_addressed import of_ipv6_only
from tests.reconciler.test_recovered import lose_tables
from tests.reconciler.test_restores import change_record

assert situations_azure is not situations_elastic, "both fill the table"
Make = Callable[[Estate], Awaitable[str]]
WISH = {"elastic-deployments": "logs-eastus2"}
SUBNET = f"{vnet_id('eastus2')}/subnets/endpoints"
SUBSCRIPTION = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
LOCK = f"{SUBSCRIPTION}/resourceGroups/rg-apps/providers/Microsoft.Authorization/locks/keep"


async def nothing(_estate: Estate) -> None:
    """Nothing else happens."""


@dataclass(frozen=True, slots=True)
class Case:
    """A situation that has the reason, what only a person knows, and what is promised."""

    make: Make
    person: Mapping[str, Callable[[Shell], str]] = field(default_factory=dict)
    phase: str = "Ready"
    settings: dict[str, str] = field(default_factory=dict)
    second_scope: str | None = None
    choice: Callable[[Estate], str] = lambda _: ""
    """Of several lines of which a person takes one, a word that the right one has."""
    meanwhile: Callable[[Estate], Awaitable[None]] = nothing
    """What the services do besides, before the remedy is run."""

    async def opened(self) -> tuple[Estate, str]:
        """The estate in which it is so, and the endpoint."""
        settings = {"AZURE_CLIENT_ID": CLIENT_ID} | self.settings
        estate = await Estate(settings=settings, second_scope=self.second_scope).open()
        return estate, await self.make(estate)


def said(value: str) -> Callable[[Shell], str]:
    return lambda _: value


def read(name: str) -> Callable[[Shell], str]:
    """What the line before has answered."""
    return lambda shell: str(json.loads(shell.answer)[name])


def id_of(name: str = "logs-eastus2") -> Callable[[Shell], str]:
    return lambda shell: str(the(shell.estate, name).id)


def wishing(*names: str, **tags: str) -> Make:
    """An endpoint that asks for these."""

    async def make(estate: Estate) -> str:
        return await made(estate, tags={"elastic-deployments": ",".join(names)} | tags)

    return make


# -- the endpoint and its approval ---------------------------------------------------------------------------------


async def _rejected(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.arm.set_connection(endpoint, "Rejected", "not one of ours")
    await swept(estate, 1)
    return endpoint


async def _subnet_has_room(estate: Estate) -> None:
    estate.arm_settings.failing_endpoints.clear()
    estate.arm_settings.nic_address_seconds = 5


async def _ipv6_only(estate: Estate) -> str:
    endpoint = await of_ipv6_only(estate)
    await estate.settle(2400)
    return endpoint


async def _gone(estate: Estate) -> str:
    endpoint = await ready(estate)
    await estate.delete(endpoint)
    await estate.settle(3600)
    return endpoint


async def _misspelt(estate: Estate) -> str:
    """Elastic approves nothing while two policies have the GUID."""
    estate.elastic_settings.approves = False
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    a_policy_by_hand(estate, endpoint, guid=guid_of(estate, endpoint).upper())
    await estate.settle(7200)
    return endpoint


async def _approves(estate: Estate) -> None:
    estate.elastic_settings.approves = True


# -- zones, links, records -----------------------------------------------------------------------------------------


async def _slow_link(estate: Estate) -> str:
    estate.arm_settings.link_seconds = 4 * 3600
    endpoint = await estate.put_endpoint()
    await estate.settle(2700)
    return endpoint


async def _links_are_made(estate: Estate) -> None:
    estate.arm_settings.link_seconds = 5


async def _hub_answers(estate: Estate) -> str:
    await add_hub(estate)
    spoke = await add_spoke(estate, "one", 1, ("eastus2",), servers=(RESOLVER,))
    await estate.settle()
    return spoke.endpoints["eastus2"]


async def _fought(estate: Estate) -> str:
    endpoint = await ready(estate)
    for _ in range(4):
        await change_record(estate, endpoint)
        await swept(estate, 1)
    return endpoint


# -- targets -------------------------------------------------------------------------------------------------------


async def _two_of_a_name(estate: Estate) -> str:
    estate.elastic.add_deployment("logs-eastus2", "eastus2")
    return await made(estate)


async def _by_alias(estate: Estate) -> str:
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    return await made(estate, tags={"elastic-deployments": f"audit,{the(estate).alias}"})


async def _opted_out(estate: Estate) -> str:
    the(estate).tags = {"elastic-privatelink": "ignore", "team": "ours"}
    return await made(estate)


async def _not_allowed(estate: Estate) -> str:
    the(estate).tags = {"team": "ours"}
    return await made(estate)


async def _last_policy(estate: Estate) -> str:
    endpoint = await made(estate, tags={"elastic-deployments": "search-eastus2"})
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    await estate.put_endpoint(tags={})
    await estate.settle()
    return endpoint


async def _two_of_a_group_and_name(estate: Estate) -> str:
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    the(estate).tags[ENDPOINTS_TAG] = "rg-apps/pe-eastus2"
    vnet = vnet_id("eastus2").replace(DEFAULT_SUBSCRIPTION, OTHER_SUBSCRIPTION)
    await estate.put_endpoint_in(OTHER_SUBSCRIPTION, "eastus2", vnet, "10.99")
    return await made(estate, name="pe-eastus2")


async def _denied(estate: Estate) -> str:
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    return await made(estate)


async def _taken_away(estate: Estate) -> str:
    endpoint = await ready(estate)
    for _ in range(4):
        await estate.clock.sleep(3600)
        take_away(estate, endpoint, "logs-eastus2")
        await swept(estate, 1)
    return endpoint


async def _gone_but_listed(estate: Estate) -> str:
    endpoint = await ready(estate)
    await estate.clock.sleep(3600)
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    estate.elastic.remove_deployment(the(estate).id, stays_associated=True)
    await estate.put_endpoint(tags={"elastic-deployments": "audit"})
    await estate.settle()
    return endpoint


async def _other_organization(estate: Estate) -> str:
    endpoint = await ready(estate)
    await estate.clock.sleep(3600)
    await estate.put_endpoint(tags=WISH | {"Org": "Second"})
    await estate.settle()
    return endpoint


# -- modes, removal, refusals --------------------------------------------------------------------------------------


async def _undecided(estate: Estate) -> str:
    endpoint = await ready(estate, tags=WISH | {"elastic-privatelink": "enforce"})
    await estate.put_endpoint(tags=WISH | {"elastic-privatelink": "observe"})
    await estate.settle()
    await estate.delete(endpoint)
    await estate.settle(3600)
    await swept(estate)
    return endpoint


async def _locked(estate: Estate) -> str:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(30)
    await estate.azure("PUT", LOCK, {"properties": {"level": "ReadOnly"}}, api=LOCKS_API)
    await estate.send(endpoint)
    await estate.settle()
    return endpoint


async def _no_right_to_zones(estate: Estate) -> str:
    """The shipped roles, without one of their actions."""
    action = "Microsoft.Network/privateDnsZones/write"
    estate.arm_settings.role_assignments[WORKERS] = [
        RoleAssignment(one.scope, tuple(each for each in one.actions if each != action), one.not_actions)
        for one in everywhere()
    ]
    return await made(estate)


async def _unseen_subscription(estate: Estate) -> str:
    """The zones' subscription is there, and to an identity without a role in it Azure does not show it."""
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    there = f"/subscriptions/{OTHER_SUBSCRIPTION}"
    roles = estate.arm_settings.role_assignments
    roles[WORKERS] = [RoleAssignment(SUBSCRIPTION, one.actions, one.not_actions) for one in everywhere()]

    def unseen(request: Incoming) -> FaultResponse | None:
        seen = any(one.scope == there for one in roles[WORKERS])
        return None if seen or there not in request.path else arm_error(404, "SubscriptionNotFound")

    estate.arm.faults.append(unseen)
    return await made(estate)


async def _not_registered(estate: Estate) -> str:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(30)
    estate.arm_settings.unregistered_subscriptions = {DEFAULT_SUBSCRIPTION}
    await estate.send(endpoint)
    await estate.settle()
    return endpoint


async def _no_group(estate: Estate) -> str:
    estate.arm_settings.missing_resource_groups.add("rg-zones")
    return await made(estate)


async def _key_ends(estate: Estate) -> str:
    estate.vault.store("elastic-api-key", API_KEY)
    return await ADVICE["the Elastic API key ends soon"][0](estate)


async def _key_refused(estate: Estate) -> str:
    estate.vault.store("elastic-api-key", "bm90IGEga2V5")
    return await made(estate)


async def _new_key(estate: Estate) -> None:
    estate.elastic_settings.api_key_expires_at = None


async def _too_many(estate: Estate) -> str:
    endpoint = await ready(estate)
    other = await made(estate, name="pe-2", region="westeurope")
    await estate.clock.sleep(3600)
    estate.events.settings.drop = True
    for one in (endpoint, other):
        await estate.delete(one)
    for _ in range(3):
        await estate.sweep()
        await estate.settle(900)
    return endpoint


async def _tables_lost(estate: Estate) -> str:
    endpoint = await ready(estate)
    lose_tables(estate)
    await swept(estate)
    await estate.delete(endpoint)
    await estate.settle(3600)
    await swept(estate)
    return endpoint


SUBNET_ID = {"subnet id": said(SUBNET)}
KEY_FILE = {"file with the key alone": said("FILE")}
CASES: dict[Reason, Case] = {
    Reason.OBSERVE_MODE: Case(wishing("logs-eastus2", **{"elastic-privatelink": "observe"})),
    Reason.IGNORED_BY_TAG: Case(wishing("logs-eastus2", **{"elastic-privatelink": "ignore"})),
    Reason.ENDPOINT_FAILED: Case(SITUATIONS["the endpoint failed"].make, meanwhile=_subnet_has_room),
    Reason.ADDRESS_OVERDUE: Case(_ipv6_only, SUBNET_ID),
    Reason.REJECTED: Case(_rejected),
    Reason.DISCONNECTED: Case(SITUATIONS["disconnected"].make),
    Reason.ENDPOINT_NOT_FOUND: Case(_gone, SUBNET_ID),
    Reason.RECORD_HELD_BY_OTHERS: Case(SITUATIONS["the record is another owner's"].make),
    Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT: Case(SITUATIONS["two endpoints want one record"].make),
    Reason.LINK_OVERDUE: Case(_slow_link, settings={"DNS_LINK_VNETS": ""}, meanwhile=_links_are_made),
    Reason.ANSWERING_NETWORK_NOT_LINKED: Case(_hub_answers, settings={"DNS_LINK_VNETS": ""}),
    Reason.POLICY_NAME_MISMATCH: Case(SITUATIONS["another name in the policy"].make),
    Reason.POLICY_GUID_MISMATCH: Case(ADVICE["another GUID in a policy"][0], phase="AwaitingApproval"),
    Reason.POLICY_DUPLICATED: Case(ADVICE["a second policy"][0]),
    Reason.POLICY_IN_ANOTHER_REGION: Case(ADVICE["a policy in the wrong region"][0]),
    Reason.APPROVAL_OVERDUE: Case(_misspelt, meanwhile=_approves),
    Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC: Case(SITUATIONS["the first policy of an open deployment"].make),
    Reason.WOULD_REOPEN_PUBLIC_ACCESS: Case(_last_policy, settings={"ELASTIC_FIRST_POLICY_ALLOWED": "*"}),
    Reason.DEPLOYMENT_NOT_ALLOWED: Case(_not_allowed, settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}),
    Reason.CONSENT_AMBIGUOUS: Case(
        _two_of_a_group_and_name,
        settings={
            "ELASTIC_DEPLOYMENTS_ALLOWED": "",
            "AZURE_SUBSCRIPTIONS": f"{DEFAULT_SUBSCRIPTION},{OTHER_SUBSCRIPTION}",
        },
    ),
    Reason.DEPLOYMENT_NOT_FOUND: Case(_by_alias),
    Reason.DEPLOYMENT_AMBIGUOUS: Case(_two_of_a_name, choice=lambda estate: str(the(estate).id)),
    Reason.DEPLOYMENT_IN_ANOTHER_REGION: Case(wishing("logs-westeurope"), {"deployment ids": id_of()}),
    Reason.DEPLOYMENT_OUT_OF_SCOPE: Case(
        _denied, {"deployment ids": id_of("audit")}, settings={"ELASTIC_DEPLOYMENTS_DENIED": "logs-eastus2"}
    ),
    Reason.DEPLOYMENT_OPTED_OUT: Case(_opted_out),
    Reason.DEPLOYMENT_NOT_RUNNING: Case(SITUATIONS["the deployment is stopped"].make),
    Reason.DEPLOYMENT_GONE: Case(_gone_but_listed),
    Reason.ORGANIZATION_CHANGED: Case(_other_organization, second_scope="tag:org=second"),
    Reason.RESTORE_CONTESTED: Case(_fought),
    Reason.ASSOCIATION_CONTESTED: Case(_taken_away),
    Reason.REMOVAL_UNDECIDED: Case(_undecided, phase="Removed"),
    Reason.REMOVAL_LIMIT_REACHED: Case(_too_many, phase="Removed", settings={"REMOVAL_LIMIT": "1"}),
    Reason.RECOVERED_UNCONFIRMED: Case(_tables_lost, {"list": read("list")}, phase="Removed"),
    Reason.SCOPE_LOCKED: Case(_locked, {"lock id": said(LOCK)}),
    Reason.AZURE_RIGHTS_MISSING: Case(_no_right_to_zones, {"role": said("Private DNS Zone Contributor")}),
    Reason.SUBSCRIPTION_NOT_FOUND: Case(
        _unseen_subscription,
        {"role": said("Private DNS Zone Contributor")},
        settings={"DNS_ZONE_RESOURCE_GROUPS": f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-zones"},
    ),
    Reason.MISSING_SUBSCRIPTION_REGISTRATION: Case(_not_registered),
    Reason.RESOURCE_GROUP_NOT_FOUND: Case(
        _no_group, settings={"DNS_ZONE_RESOURCE_GROUPS": f"{SUBSCRIPTION}/resourceGroups/rg-zones"}
    ),
    Reason.ELASTIC_KEY_MISSING: Case(made, KEY_FILE, settings=VAULT),
    Reason.ELASTIC_KEY_REFUSED: Case(_key_refused, KEY_FILE, settings=VAULT),
    Reason.ELASTIC_KEY_EXPIRING: Case(_key_ends, KEY_FILE, settings=VAULT, meanwhile=_new_key),
}
