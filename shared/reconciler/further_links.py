"""Networks besides the endpoint's: where its name servers may be, and links to those that the settings name.

The former are read for `observe`, the latter made by `dns_branch`; they decide nothing for the endpoint's clients.
One that cannot be linked costs itself: it is told as advice and left alone for a day, and every other one is linked.
"""

from __future__ import annotations

import asyncio

from shared.context import Context, log
from shared.core.model.arm_ids import lower_case
from shared.core.model.errors import AutopilotError, Blocked, NotFound, RetryLater
from shared.core.model.reasons import Reason
from shared.core.model.record_parts import RefusedNetwork
from shared.core.model.resources import VirtualNetwork
from shared.core.model.steps import CreateLink
from shared.core.planning.desired import Desired, zone_subscriptions
from shared.reconciler.run_state import Run

NEEDS_NO_LINK = frozenset(
    {
        Reason.NETWORK_LINKED_TO_ANOTHER_ZONE,
        Reason.NETWORK_NOT_FOUND,
        Reason.NETWORK_OF_ANOTHER_TENANT,
        Reason.NETWORK_IDENTITY_IN_USE,
        Reason.SUBSCRIPTION_NOT_FOUND,
        Reason.SUBSCRIPTION_OF_ANOTHER_TENANT,
    }
)
"""What is so of the network itself: nothing that this connection has, or lacks, changes it."""


async def goes_without(run: Run, desired: Desired, step: CreateLink, error: AutopilotError) -> bool:
    """Whether the connection is complete without this link. It is remembered, so that not every sweep asks for it."""
    refused = await _refused(run, desired, step, error)
    if refused is None:
        return False
    dns = run.record.dns
    at = dns.refused_at or run.context.clock.now()
    run.record = run.record.with_dns(refused=(*dns.refused, refused), refused_at=at)
    return True


async def _refused(run: Run, desired: Desired, step: CreateLink, error: AutopilotError) -> RefusedNetwork | None:
    """What is wrong with the network; None: something else is, and may be mended or pass."""
    found = error
    if not isinstance(error, Blocked) or error.reason not in NEEDS_NO_LINK:
        # Azure has many words for a network that is not there; one read tells.
        try:
            await run.context.endpoints.network(step.vnet_id)
        except AutopilotError as why:
            found = why if isinstance(why, Blocked | NotFound) else error
            log.info("network %s not linked: %s", step.vnet_id, why)
    named = " It is named in DNS_LINK_VNETS." if step.vnet_id in desired.link_vnets else ""
    if isinstance(found, NotFound) and found is not error:
        message = f"Virtual network {step.vnet_id} does not exist, and so is not linked.{named}"
        return RefusedNetwork(lower_case(step.vnet_id), Reason.NETWORK_NOT_FOUND, message)
    if isinstance(found, Blocked) and found.reason in NEEDS_NO_LINK:
        message = f"Virtual network {step.vnet_id} is not linked: {found.what}{named}"
        return RefusedNetwork(lower_case(step.vnet_id), found.reason, message)
    return None


async def networks_of_servers(context: Context, desired: Desired) -> tuple[VirtualNetwork, ...]:
    """The networks besides the endpoint's and its peers in which name servers may be, as far as they can be read."""
    subscriptions = (*context.settings.scope.watched_subscriptions, *zone_subscriptions(desired, context.options))
    named = await asyncio.gather(*(context.endpoints.network_if_readable(vnet) for vnet in desired.link_vnets))
    found = {lower_case(one.id): one for one in named if one is not None}
    for subscription in dict.fromkeys(subscriptions):
        try:
            found |= await context.endpoints.networks_listed(subscription)
        except RetryLater:
            raise
        except AutopilotError as error:
            log.info("virtual networks of subscription %s not read: %s", subscription, error)
    return tuple(found.values())
