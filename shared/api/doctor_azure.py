"""What the doctor asks Azure Resource Manager: something of each role of the app, at each place. Used by `doctor`.

The places are those of the settings; the template assigns roles there (`infra/app/rights.bicep`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from shared.api.deadlines import Question
from shared.clouds.azure.arm_checks import ArmChecks
from shared.clouds.azure.management_groups import subscriptions_below
from shared.clouds.azure.permissions import ensure_permitted
from shared.context import Context
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.errors import Blocked, NotFound
from shared.core.model.reasons import Reason
from shared.core.reasons import explain
from shared.core.reports.doctor.findings import Asked, Role, Topic

FOUND_TRIED = 5
"""Of the subscriptions below management groups."""
ZONES = "Microsoft.Network/privateDnsZones"
JOIN = ("Microsoft.Network/virtualNetworks/join/action",)
DELETES = tuple(f"{ZONES}{part}/delete" for part in ("/A", "/virtualNetworkLinks", ""))
PUBLISH = ("Microsoft.EventGrid/events/send/action",)
UNTOLD = "Notifications are kept until the topic takes them."
WRITE_LOGS = ("Microsoft.Insights/Telemetry/Write",)
UNLOGGED = "No log line arrives, and no alert rings."
LEFT = "What was made for endpoints that are gone stays, and is reported."
UNFOUND = "A zone there that serves an endpoint's network is not found."
UNEXPLAINED = "Checks that fail are explained less, and a hub that answers its clients is not seen."


def azure_questions(context: Context, arm: ArmChecks) -> dict[Asked, Question]:
    """All of them."""
    dns = context.settings.dns
    watched = tried(context)
    homes = {home.subscription_id for home in dns.zone_resource_groups} or set(watched)
    questions: dict[Asked, Question] = {}
    for group in context.settings.scope.management_groups:
        asked = Asked(Topic.AZURE, "subscriptions below the management group", group, Role.GROUP_READER)
        questions[asked] = partial(subscriptions_below, context.endpoints.clients, group)
    for subscription in watched:
        reader = partial(Asked, Topic.AZURE, where=subscription, role=Role.ENDPOINT_READER)
        questions[reader("private endpoints")] = partial(arm.endpoints, subscription)
        questions[reader("network interfaces")] = partial(arm.interfaces, subscription)
    for subscription in dict.fromkeys((*watched, *homes, *dns.subscriptions)):
        without = "" if subscription in homes else UNFOUND
        zones = Asked(Topic.AZURE, "private DNS zones", subscription, Role.ENDPOINT_READER, without)
        questions[zones] = partial(_zones, context, arm, subscription)
        networks = Asked(Topic.AZURE, "virtual networks", subscription, Role.NETWORK_READER, UNEXPLAINED)
        questions[networks] = partial(arm.networks, subscription)
    for network in dict.fromkeys((*filter(None, [context.settings.health.app_network]), *dns.link_vnets)):
        asked = Asked(Topic.AZURE, "the virtual network", network, Role.NETWORK_READER, UNEXPLAINED)
        questions[asked] = partial(_network, context, network)
    writer = partial(Asked, Topic.AZURE, "operations on private DNS zones", role=Role.DNS_WRITER)
    for home in dns.zone_resource_groups:
        questions[writer(where=home.id)] = partial(arm.operations, home.id)
    for subscription in () if dns.zone_resource_groups else watched:
        questions[writer(where=subscription)] = partial(arm.operations_beside, subscription)
    questions |= _untried(context, watched)
    return {asked: partial(_named_by, context, asked.where, question) for asked, question in questions.items()}


def _untried(context: Context, watched: tuple[str, ...]) -> dict[Asked, Question]:
    """Rights that no read tries, asked of Azure: to delete what was made, and to join networks to zones."""
    dns, clients = context.settings.dns, context.endpoints.clients
    subscriptions = {one: f"/subscriptions/{one}" for one in watched}
    questions: dict[Asked, Question] = {}
    for where, place in (subscriptions | {one: one for one in dns.link_vnets}).items():
        asked = Asked(Topic.AZURE, "the right to link networks", where, Role.ENDPOINT_READER)
        questions[asked] = partial(ensure_permitted, clients, place, JOIN)
    azure = context.settings.azure
    for what, place, role, actions, without in (
        ("the right to publish notifications", azure.notification_topic, Role.DATA_SENDER, PUBLISH, UNTOLD),
        ("the right to write logs", azure.telemetry, Role.METRICS_PUBLISHER, WRITE_LOGS, UNLOGGED),
    ):
        if place:
            asked = Asked(Topic.AZURE, what, place, role, without)
            questions[asked] = partial(ensure_permitted, clients, place, actions, data=True)
    homes = {home.id: home.id for home in dns.zone_resource_groups} or subscriptions
    for where, place in homes.items() if context.options.removal.allow_delete else ():
        asked = Asked(Topic.AZURE, "the right to delete zones with links and records", where, Role.DNS_REMOVER, LEFT)
        questions[asked] = partial(ensure_permitted, clients, place, DELETES)
    return questions


def tried(context: Context) -> tuple[str, ...]:
    """Those that the settings name, and the first of those that were found: one assignment gives them their roles."""
    scope = context.settings.scope
    return (*(one for one in scope.subscriptions if one not in scope.found), *sorted(scope.found)[:FOUND_TRIED])


async def _named_by(context: Context, where: str, question: Question) -> object:
    """The answer; where the subscription is gone or another tenant's no role helps, and the setting is named."""
    try:
        return await question()
    except Blocked as error:
        if error.reason not in {Reason.SUBSCRIPTION_NOT_FOUND, Reason.SUBSCRIPTION_OF_ANOTHER_TENANT}:
            raise
        named = " and ".join(_settings_that_name(context, where.removeprefix("/subscriptions/").partition("/")[0]))
        step = f"Correct {named}." if named else error.next_step
        raise Blocked(replace(error.explanation, next_step=step), on=error.on) from error


def _settings_that_name(context: Context, subscription: str) -> list[str]:
    settings = context.settings
    listed = {
        "AZURE_SUBSCRIPTIONS": settings.scope.subscriptions,
        "DNS_SUBSCRIPTIONS": settings.dns.subscriptions,
        "DNS_ZONE_RESOURCE_GROUPS": [home.subscription_id for home in settings.dns.zone_resource_groups],
        "DNS_LINK_VNETS": [parse_arm_id(one).subscription_id for one in settings.dns.link_vnets],
    }
    return [name for name, found in listed.items() if subscription.lower() in {one.lower() for one in found}]


async def _network(context: Context, network: str) -> None:
    try:
        await context.endpoints.network(network)
    except NotFound as error:
        setting = "DNS_LINK_VNETS" if network in context.settings.dns.link_vnets else "APP_VNET"
        what = f"{setting} names virtual network {network}, which does not exist."
        raise Blocked(explain(Reason.NETWORK_NOT_FOUND, what, f"Correct {setting}."), on=network) from error


async def _zones(context: Context, arm: ArmChecks, subscription: str) -> None:
    """The list of zones, and what is in one of Elastic's."""
    zone = await arm.zones(subscription, context.options.services.zone_names)
    if zone is not None:
        await context.dns.zone(zone)
