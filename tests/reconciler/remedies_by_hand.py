"""Reasons whose remedy is no line to paste: a setting, something in a console, a thing of others.

How each comes about, which words of its next step a person follows, and what that person then does. Read by
`test_remedies_by_hand`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from local.world import API_KEY, HUB_VNET, SECOND_API_KEY, vnet_id
from shared.core.model.reasons import Reason
from shared.core.model.services import Family, Services, service_of_alias
from shared.settings.services import shipped_services
from tests.harness.changing import THEIRS, policy_of
from tests.harness.changing import connected as wished
from tests.harness.dns import DNS_API, OTHER_SUBSCRIPTION
from tests.harness.estate import Estate, arm_error
from tests.harness.networks import HUB, RESOLVER, add_hub, add_spoke
from tests.reconciler import situations_told
from tests.reconciler.remedy_cases import SUBSCRIPTION
from tests.reconciler.situations import ADVICE, SITUATIONS, made, ready, refused, swept, the
from tests.reconciler.test_restores import delete_link

Make = Callable[[Estate], Awaitable[str]]
Act = Callable[[Estate, str], Awaitable[None]]
DAY = 86_400


async def nothing(_estate: Estate, _endpoint: str) -> None:
    """It passes by itself, once who did it is found."""


@dataclass(frozen=True, slots=True)
class Hand:
    """A situation that has the reason, words of its next step, and what a person does."""

    make: Make
    step: str
    act: Act = nothing
    phase: str = "Ready"
    settings: dict[str, str] = field(default_factory=dict)
    second_scope: str | None = None
    family: Family | None = None
    services: Services | None = None
    """Elastic's, of which the app knows only those that come with it."""
    later: float = 3700
    """Seconds from what is done to the last sweep that may see it."""


def setting(**changed: str) -> Act:
    """The app is deployed with other settings."""

    async def act(estate: Estate, _endpoint: str) -> None:
        estate.worker = estate.new_worker(**changed)

    return act


def so(change: Callable[[Estate], Any]) -> Act:
    """Something is other than it was."""

    async def act(estate: Estate, _endpoint: str) -> None:
        change(estate)

    return act


# -- settings ------------------------------------------------------------------------------------------------------


async def _out_of_scope(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.worker = estate.new_worker(AZURE_RESOURCE_GROUPS="rg-others")
    await swept(estate, 1)
    return endpoint


async def _second_network(estate: Estate) -> str:
    await made(estate)
    return await made(estate, name="pe-2", location="westeurope", vnet=vnet_id("westeurope"))


async def _not_configured(estate: Estate) -> str:
    endpoint = await ready(estate, tags={"elastic-deployments": "logs-eastus2", "Org": "Second"})
    estate.worker = estate.new_worker(ELASTIC_ORGANIZATIONS="")
    await estate.delete(endpoint)
    await estate.settle()
    return endpoint


async def _retained(estate: Estate) -> str:
    kept = await ready(estate, tags={"elastic-privatelink-on-delete": "retain"})
    await estate.delete(kept)
    await estate.settle(3600)
    return await made(estate, name="pe-new")


async def _two_behind_a_hub(estate: Estate) -> str:
    await add_hub(estate)
    await add_spoke(estate, "one", 1, ("eastus2",), servers=(RESOLVER,))
    await estate.settle()
    other = await add_spoke(estate, "two", 2, ("eastus2",), servers=(RESOLVER,))
    await estate.settle()
    await swept(estate)
    return other.endpoints["eastus2"]


async def _other_key(estate: Estate) -> str:
    estate.worker = estate.new_worker(**_ONE)
    endpoint = await ready(estate)
    await estate.clock.sleep(3600)
    estate.worker = estate.new_worker(EC_API_KEY=SECOND_API_KEY, **_ONE)
    for _ in range(8):
        await estate.sweep()
        await estate.settle(900)
        await estate.clock.sleep(900)
    return endpoint


_ONE = {"ELASTIC_ORGANIZATIONS": "", "EC_API_KEY_SECOND": "", "ELASTIC_SCOPE_SECOND": ""}


# -- things of others ----------------------------------------------------------------------------------------------


async def _no_own_record(estate: Estate, _endpoint: str) -> None:
    """The record of its own, which hides the `*`, is taken out of the zone."""
    zone = estate.zone()
    for kind, name in [one for one in zone.record_sets if one[0] == "A" and one[1] != "*"]:
        await estate.azure("DELETE", f"{zone.id}/{kind}/{name}", api=DNS_API)


async def _last_link_is_restored(estate: Estate) -> str:
    return await situations_told.after(delete_link, times=2)(estate)


async def _seven_days(estate: Estate, _endpoint: str) -> None:
    await estate.clock.sleep(7 * DAY)


async def _azure_refuses(estate: Estate) -> str:
    def refuses(request: Any) -> Any:
        return arm_error(400, "InvalidRequestFormat") if request.operation == "PUT zone" else None

    estate.arm.faults.append(refuses)
    return await made(estate)


# -- Elastic Cloud's console ---------------------------------------------------------------------------------------


async def _guid_of_another(estate: Estate) -> str:
    endpoint = await ready(estate)
    await estate.clock.sleep(3600)
    other = estate.arm.private_endpoint(await ready(estate, name="pe-2", region="westeurope"))
    assert other is not None
    (rule,) = policy_of(estate, endpoint).rules
    rule["azure_endpoint_guid"] = other.resource_guid
    await swept(estate, 1)
    return endpoint


async def _right_guid(estate: Estate, endpoint: str) -> None:
    found = estate.arm.private_endpoint(endpoint)
    (policy,) = [one for one in estate.elastic.rulesets() if one.name == "pe-1"]
    assert found is not None
    policy.rules[0]["azure_endpoint_guid"] = found.resource_guid


async def _admits_others(estate: Estate) -> str:
    endpoint = await wished(estate)
    policy_of(estate, endpoint).rules.append(dict(THEIRS))
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2,audit"})
    await estate.settle()
    return endpoint


async def _own_rule_alone(estate: Estate, endpoint: str) -> None:
    policy_of(estate, endpoint).rules.pop()


async def _elasticsearch_is_down(estate: Estate) -> str:
    endpoint = await ready(estate)
    the(estate).unwell.add("es")
    await swept(estate)
    return endpoint


async def _may_not_edit(estate: Estate) -> str:
    estate.elastic_settings.editable_deployments = {the(estate, "logs-westeurope").id}
    return await made(estate)


async def _no_role_on_any(estate: Estate) -> str:
    estate.serverless_settings.project_roles = False
    return await made(estate)


_ALIAS = (
    "marsnorth-prod-001-privatelink-service.12345678-1234-4234-8234-123456789abc.marsnorth.azure.privatelinkservice"
)
_MARS = service_of_alias(_ALIAS)
assert _MARS is not None


async def _of_a_new_region(estate: Estate) -> str:
    return await made(estate, alias=_ALIAS, tags={})


async def _proxy_in_between(estate: Estate) -> str:
    page = "<html><head><title>Blocked by the proxy</title></head></html>"
    estate.elastic_settings.faults.append(lambda _method, _path: (403, page))
    return await made(estate)


async def _elastic_refuses(estate: Estate) -> str:
    refused(estate, 400, "traffic_filter.invalid")
    return await made(estate)


_HOME, _NEXT = (f"{SUBSCRIPTION}/resourceGroups/{name}" for name in ("rg-dns", "rg-more"))
HANDS: dict[Reason, Hand] = {
    Reason.UNKNOWN_ELASTIC_ALIAS: Hand(
        _of_a_new_region,
        "Name it in ELASTIC_SERVICES",
        setting(ELASTIC_SERVICES=_ALIAS),
        services=shipped_services().and_further([_MARS]),
    ),
    Reason.OUT_OF_SCOPE: Hand(_out_of_scope, "the setting AZURE_RESOURCE_GROUPS", setting()),
    Reason.NETWORK_LINKED_TO_ANOTHER_ZONE: Hand(
        SITUATIONS["zones overlap"].make, "DNS_SUBSCRIPTIONS", setting(DNS_SUBSCRIPTIONS=OTHER_SUBSCRIPTION)
    ),
    Reason.NO_PLACE_FOR_ZONE: Hand(
        _second_network,
        "Add a resource group to DNS_ZONE_RESOURCE_GROUPS",
        setting(DNS_ZONE_RESOURCE_GROUPS=f"{_HOME},{_NEXT}"),
        settings={"DNS_ZONE_RESOURCE_GROUPS": _HOME},
    ),
    Reason.NETWORK_NOT_FOUND: Hand(
        ready,
        "Correct DNS_LINK_VNETS",
        setting(DNS_LINK_VNETS=HUB_VNET),
        settings={"DNS_LINK_VNETS": f"{HUB_VNET},{HUB_VNET}-of-a-typing-error"},
    ),
    Reason.NO_ORGANIZATION: Hand(
        made, "set EC_API_KEY", setting(EC_API_KEY=API_KEY), settings={"EC_API_KEY": ""}, second_scope="tag:org=second"
    ),
    Reason.ORGANIZATION_NOT_CONFIGURED: Hand(
        _not_configured, "ELASTIC_ORGANIZATIONS", setting(), phase="Removed", second_scope="tag:org=second"
    ),
    Reason.RETAINED_POLICIES_MAX_REACHED: Hand(
        _retained,
        "raise RETAINED_POLICIES_MAX",
        setting(RETAINED_POLICIES_MAX="2"),
        settings={"RETAINED_POLICIES_MAX": "1"},
    ),
    Reason.ANSWERED_BY_ANOTHER_ZONE: Hand(
        _two_behind_a_hub,
        "set DNS_RECORD_MODE=union",
        setting(DNS_RECORD_MODE="union"),
        settings={"DNS_LINK_VNETS": HUB},
    ),
    Reason.OTHER_ORGANIZATIONS_KEY: Hand(
        _other_key, "Give the app the API key of the organization", setting(**_ONE), second_scope="group:rg-nothing"
    ),
    Reason.NAME_NOT_FOUND: Hand(SITUATIONS["the name does not resolve"].make, "* record", _no_own_record),
    Reason.PUBLIC_ADDRESS: Hand(SITUATIONS["the name resolves to a public address"].make, "* record", _no_own_record),
    Reason.WRONG_ADDRESS: Hand(
        SITUATIONS["the name resolves to another private address"].make, "no record of its own hides it", _no_own_record
    ),
    Reason.RESTORE_DELAYED: Hand(situations_told.deleted_just_now, "Find who deletes it"),
    Reason.RESTORED_AGAIN: Hand(_last_link_is_restored, "Find who did", _seven_days),
    Reason.LEFT_BEHIND: Hand(
        situations_told.kept_by_others, "Delete by hand what is not needed", _no_own_record, phase="Removed", later=DAY
    ),
    Reason.AZURE_REFUSED: Hand(
        _azure_refuses, "Correct what the message names", so(lambda estate: estate.arm.faults.clear())
    ),
    Reason.ELASTIC_REFUSED: Hand(
        _elastic_refuses, "Correct what the message names", so(lambda estate: estate.elastic_settings.faults.clear())
    ),
    Reason.FOREIGN_ANSWER: Hand(_proxy_in_between, "pass", so(lambda estate: estate.elastic_settings.faults.clear())),
    Reason.CERTIFICATE_MISMATCH: Hand(
        SITUATIONS["a certificate for other names"].make,
        "what listens at",
        so(lambda estate: estate.network.intercepted.clear()),
    ),
    Reason.POLICY_RULE_EDITED: Hand(_guid_of_another, "Correct the rule", _right_guid),
    Reason.POLICY_ADMITS_OTHERS: Hand(_admits_others, "Take the other rules out", _own_rule_alone),
    Reason.CONSOLE_SIGN_IN_AFFECTED: Hand(
        ADVICE["no IP policy beside the private one"][0],
        "Associate an IP policy",
        so(
            lambda estate: estate.elastic.add_policy(
                "office", "eastus2", deployments=[the(estate, "search-eastus2").id]
            )
        ),
    ),
    Reason.ELASTICSEARCH_ERROR: Hand(
        _elasticsearch_is_down,
        "Check the target's health in the Elastic Cloud console",
        so(lambda estate: the(estate).unwell.clear()),
    ),
    Reason.SERVICE_ERROR: Hand(
        SITUATIONS["Kibana alone is down"].make,
        "switch it off there if it is not used",
        so(lambda estate: the(estate).switched_off.add("kb")),
    ),
    Reason.ELASTIC_RIGHTS_MISSING: Hand(
        _may_not_edit,
        "Give the key the role Editor",
        so(lambda estate: setattr(estate.elastic_settings, "editable_deployments", None)),
    ),
    Reason.NO_PROJECT_VISIBLE: Hand(
        _no_role_on_any,
        "give the API key the role Admin or Editor",
        so(lambda estate: setattr(estate.serverless_settings, "project_roles", True)),
        family=Family.SERVERLESS,
    ),
}
