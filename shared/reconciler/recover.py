"""A connection's record from nothing but the markers, for an endpoint that is gone too. Used by `deleted`.

When the tables are lost, the records of living endpoints come back with the next sweep by themselves. Of an endpoint
that was deleted meanwhile only what was made for it is left, and it carries the markers: they say what is ours. What
they cannot say is which associations were ours; those count as others', and stay (S4).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from shared.context import Context
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.errors import AutopilotError
from shared.core.model.markers import Marker
from shared.core.model.record import AssociationMemory, Connection, Owned, Owner, PolicyMemory
from shared.core.model.resources import Policy, Zone
from shared.core.model.services import Services
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.deletion import has_things
from shared.core.planning.removal import policies_made_for


async def rebuilt(context: Context, blank: Connection) -> Connection:
    """The record as the markers tell it; `blank`, which knows of nothing, as it is where they tell nothing either."""
    subscription = parse_arm_id(blank.endpoint_id).subscription_id
    subscriptions = dict.fromkeys(
        (*context.settings.scope.subscriptions, *context.settings.dns.zone_subscriptions, subscription)
    )
    names = [service.zone for service in context.options.services.handled]
    zones, found = await asyncio.gather(context.dns.zones_named(names, subscriptions), _policies(context, blank))
    organization, policies = found
    known = replace(blank, organization=organization)
    for zone in zones:
        known = _with_zone(known, zone, context.options)
    known = _with_policy(known, policies, context.options.installation.instance_id)
    # It may have been said that nothing was made for it: by whoever looked before the markers were read.
    return known.found() if has_things(known) else blank


async def _policies(context: Context, blank: Connection) -> tuple[str, tuple[Policy, ...]]:
    """The policies that were made for the endpoint, and whose they are: a policy is in one organization only.

    One that cannot be read is passed over if another has them; else it could be the one, and its error is raised.
    """
    error: AutopilotError | None = None
    for name, api in context.elastic.items():
        try:
            made = policies_made_for(blank.id, await api.policies(), context.options.installation.instance_id)
        except AutopilotError as failed:
            error = error or failed
            continue
        if made:
            return name, made
    if error is not None:
        raise error
    return "", ()


def _with_zone(known: Connection, zone: Zone, options: PlanOptions) -> Connection:
    """Take the zone in if the connection has its address in it, or if it made it and no other zone is known."""
    record, instance = zone.record, options.installation.instance_id
    holds = (
        record is not None
        and record.marker is not None
        and record.marker.instance == instance
        and record.marker.holder(known.id) is not None
    )
    links = [link for link in zone.links if _mine(link.marker, known.id, instance)]
    if not holds and not links and not (known.zone is None and _mine(zone.marker, known.id, instance)):
        return known
    ours = zone.marker is not None and zone.marker.instance == instance
    return replace(
        known,
        region=_region_of(zone.name, options.services),
        vnet_id=known.vnet_id or next((link.vnet_id for link in links), ""),
        zone=Owned(zone.id.text, Owner.OURS if ours else Owner.ADOPTED),
        links=tuple(Owned(link.id, Owner.OURS) for link in links),
        record=Owned(f"{zone.id.text}/A/*", Owner.OURS) if holds else None,
    )


def _with_policy(known: Connection, policies: tuple[Policy, ...], instance: str) -> Connection:
    found = sorted(policies_made_for(known.id, policies, instance), key=lambda policy: (not policy.used, policy.id))
    if not found:
        return known
    policy = found[0]
    # A policy that a person handed over names another endpoint: its GUID is not this one's.
    name = parse_arm_id(known.endpoint_id).name.lower()
    guid = next((rule.endpoint_guid for rule in policy.rules if rule.endpoint_name.lower() == name), "")
    return replace(
        known,
        region=policy.region.removeprefix("azure-"),
        guid=guid,
        policy=PolicyMemory(policy.id, Owner.OURS, guid=guid),
        associations=tuple(AssociationMemory(one, Owner.ADOPTED, seen=True) for one in policy.associations),
    )


def _mine(marker: Marker | None, connection_id: str, instance: str) -> bool:
    return marker is not None and (marker.instance, marker.connection_id) == (instance, connection_id)


def _region_of(zone_name: str, services: Services) -> str:
    found = services.with_zone(zone_name)
    return found.region if found is not None else ""
