"""Whether a setting names a subscription of another tenant: looked at once, when the app starts with these settings.

The app's identity stands in one tenant, and Azure answers 401 to it in every other one, with any role: an
installation serves one tenant. Called by `app` before the first work. What was found to be in the app's own tenant is
kept in table `control`, so that later instances need not ask; a subscription that moves to another tenant afterwards
stops itself only, with the reason SubscriptionOfAnotherTenant.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from shared.clouds.azure.arm_reads import read_json
from shared.context import Context, log
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.errors import AutopilotError, Blocked, InvalidSettings, NotFound
from shared.core.model.json_values import texts
from shared.core.model.organizations import scope_setting
from shared.core.model.reasons import Reason
from shared.core.options.values import GUID
from shared.state.control import DamagedRow, OnLostRace, understood, update

DOCUMENT = "own-tenant"
API = "2022-12-01"
SECONDS = 10.0
"""For all of them: no start is held up for longer. What was not answered is asked at the next start."""
AT_ONCE = 16
_TENANT = re.compile(r"of tenant ([0-9a-fA-F-]{36})")


async def wrong_tenants(context: Context) -> InvalidSettings | None:
    """All that is wrong with the settings for this, each subscription as one problem; None: nothing. Raises nothing."""
    named = subscriptions_named(context)
    try:
        known = await _known(context)
        answers = await _ask(context, [one for one in named if one not in known])
        own = known | {one for one, theirs in answers.items() if not theirs}
        if own != known:
            kept = {"subscriptions": sorted(own)}
            await update(
                context.storage.control, context.clock, DOCUMENT, lambda _: kept, lost=OnLostRace.SKIP, mend=True
            )
    except AutopilotError as error:
        log.info("the tenants of the subscriptions in the settings are not known: %s", error)
        return None
    problems = [_problem(one, named[one], theirs) for one, theirs in answers.items() if theirs]
    if not problems:
        return None
    return InvalidSettings(
        "The app's settings are wrong:\n" + "\n".join(f"  {problem}" for problem in problems),
        next_step="Take these subscriptions out of the settings, and install the app once in each tenant.",
        problems=problems,
        hints=tuple(map(str, context.settings.near_names)),
    )


def subscriptions_named(context: Context) -> dict[str, list[str]]:
    """Every subscription that the settings name, in lower case, and the settings that do; what they deny aside."""
    settings, found = context.settings, dict[str, list[str]]()
    scope, dns = settings.scope, settings.dns
    networks = {"DNS_LINK_VNETS": dns.link_vnets, "APP_VNET": (settings.health.app_network,)}
    names: dict[str, list[str]] = {
        "AZURE_SUBSCRIPTIONS": [one for one in scope.watched_subscriptions if one not in scope.found],
        "AZURE_RESOURCE_GROUPS": [entry.partition("/")[0] for entry in scope.resource_groups if "/" in entry],
        "DNS_SUBSCRIPTIONS": list(dns.subscriptions),
        "DNS_ZONE_RESOURCE_GROUPS": [home.subscription_id for home in dns.zone_resource_groups],
        **{name: [parse_arm_id(one).subscription_id for one in ids if one] for name, ids in networks.items()},
    }
    for organization in settings.organizations:
        entries = (entry.partition(":")[2].partition("/")[0] for entry in organization.scope.entries)
        names[scope_setting(organization.name)] = [entry for entry in entries if GUID.match(entry)]
    for setting, subscriptions in names.items():
        for subscription in sorted(set(map(str.lower, subscriptions))):
            found.setdefault(subscription, []).append(setting)
    return found


async def _known(context: Context) -> set[str]:
    row = await context.storage.control.get(DOCUMENT)
    try:
        return set() if row is None else set(understood(row, lambda document: texts(document["subscriptions"])))
    except DamagedRow as error:
        log.warning("asked again: %s", error)
        return set()


async def _ask(context: Context, subscriptions: list[str]) -> Mapping[str, tuple[str, ...]]:
    """The tenant of each subscription and the app's, where they differ; empty: they do not. Without what is silent."""
    gate, found = asyncio.Semaphore(AT_ONCE), dict[str, tuple[str, ...]]()

    async def one(subscription: str) -> None:
        async with gate:
            try:
                await read_json(context.endpoints.clients, f"/subscriptions/{subscription}", API, "read a subscription")
            except (Blocked, NotFound) as error:  # also a right that is missing: the token's tenant is right
                reason = error.reason if isinstance(error, Blocked) else None
                if reason is Reason.AZURE_SIGN_IN_FAILED:
                    return
                other = reason is Reason.SUBSCRIPTION_OF_ANOTHER_TENANT
                found[subscription] = tuple(_TENANT.findall(error.what)) or ("unknown",) if other else ()
            except AutopilotError as error:
                log.info("the tenant of subscription %s is not known: %s", subscription, error)
            else:
                found[subscription] = ()

    tasks = [asyncio.create_task(one(subscription)) for subscription in subscriptions]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=SECONDS)
        for task in late:
            task.cancel()
    return {one: found[one] for one in subscriptions if one in found}


def _problem(subscription: str, settings: list[str], tenants: tuple[str, ...]) -> str:
    theirs, own = tenants[0], tenants[-1]
    return (
        f"{', '.join(settings)}: expected subscriptions of the app's tenant {own}, not {subscription}, which belongs "
        f"to tenant {theirs}"
    )
