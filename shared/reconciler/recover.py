"""A connection's record from nothing but the markers, for an endpoint that is gone too. Used by `deleted`, `observe`.

When the tables are lost, the records of living endpoints come back with the next sweep by themselves. Of an endpoint
that was deleted meanwhile only what was made for it is left, and it carries the markers: they say what is ours. What
they cannot say is which associations were ours: these go once a person has confirmed them (S4).
"""

from __future__ import annotations

import asyncio

from shared.context import Context, log
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.errors import AutopilotError, Forbidden
from shared.core.model.markers import Marker
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, PolicyMemory
from shared.core.model.resources import Policy, Zone, policies_made_for
from shared.core.model.services import Family
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.deletion import has_things
from shared.core.planning.desired import Desired
from shared.core.planning.former import owns_anything
from shared.installation.services import follow_services


async def rebuilt(context: Context, blank: ConnectionRecord) -> ConnectionRecord:
    """The record as the markers tell it; `blank`, which knows of nothing, as it is where they tell nothing either."""
    subscription = parse_arm_id(blank.endpoint_id).subscription_id
    subscriptions = dict.fromkeys(
        (*context.settings.scope.subscriptions, *context.settings.dns.zone_subscriptions, subscription)
    )
    await follow_services(context)
    names = context.options.services.zone_names
    zones, found = await asyncio.gather(context.dns.zones_named(names, subscriptions), _policies(context, blank))
    (organization, family), policies = found
    record = blank.with_elastic(organization=organization).with_identity(family=family)
    for zone in zones:
        record = _with_zone(record, zone, context.options)
    record = _with_policy(record, policies, context.options.installation.instance_id)
    # An earlier run, before the markers were read, may have said that nothing was made for it.
    return record.mark_present() if has_things(record) else blank


async def _policies(context: Context, blank: ConnectionRecord) -> tuple[tuple[str, Family], tuple[Policy, ...]]:
    """The policies that were made for the endpoint, and where: they are in one organization and one family only.

    One that cannot be read is passed over if another has them; else it could be the one, and its error is raised. But a
    key without the role for Serverless is that of an installation without Serverless endpoints: it made none there.
    """
    error: AutopilotError | None = None
    for where, api in context.elastic.items():
        try:
            made = policies_made_for(blank.id, await api.policies(), context.options.installation.instance_id)
        except AutopilotError as failed:
            error = error or (None if _without_role(where[1], failed) else failed)
            continue
        if made:
            return where, made
    if error is not None:
        raise error
    return ("", blank.identity.family), ()


def _without_role(family: Family, error: AutopilotError) -> bool:
    refused = isinstance(error, Forbidden) and error.reason is Reason.ELASTIC_RIGHTS_MISSING
    return family is Family.SERVERLESS and refused


def _with_zone(record: ConnectionRecord, zone: Zone, options: PlanOptions) -> ConnectionRecord:
    """Take the zone in if the connection has its address in it, or if it made it and no other zone is known."""
    wildcard, instance = zone.record, options.installation.instance_id
    holds = (
        wildcard is not None
        and wildcard.marker is not None
        and wildcard.marker.instance == instance
        and wildcard.marker.holder(record.id) is not None
    )
    links = [link for link in zone.links if _mine(link.marker, record.id, instance)]
    if not holds and not links and not (record.dns.zone is None and _mine(zone.marker, record.id, instance)):
        return record
    ours = zone.marker is not None and zone.marker.instance == instance
    service = options.services.with_zone(zone.name)
    return record.with_identity(
        region=service.region if service is not None else "",
        family=service.family if service is not None else record.identity.family,
        vnet_id=record.identity.vnet_id or next((link.vnet_id for link in links), ""),
    ).with_dns(
        zone=Owned(zone.id.text, Owner.OURS if ours else Owner.ADOPTED),
        links=tuple(Owned(link.id, Owner.OURS) for link in links),
        record=Owned(f"{zone.id.text}/A/*", Owner.OURS) if holds else None,
    )


def _with_policy(record: ConnectionRecord, policies: tuple[Policy, ...], instance: str) -> ConnectionRecord:
    found = sorted(policies_made_for(record.id, policies, instance), key=lambda policy: (not policy.used, policy.id))
    if not found:
        return record
    policy = found[0]
    # A policy that a person handed over names another endpoint: its GUID is not this one's.
    name = parse_arm_id(record.endpoint_id).name.lower()
    guid = next((rule.endpoint_guid for rule in policy.rules if rule.endpoint_name.lower() == name), "")
    return record.with_identity(region=policy.region.removeprefix("azure-"), guid=guid).with_elastic(
        policy=PolicyMemory(policy.id, Owner.OURS, guid=guid),
        associations=tuple(
            AssociationMemory(one, Owner.ADOPTED, seen=True, recovered=True) for one in policy.associations
        ),
    )


def _mine(marker: Marker | None, connection_id: str, instance: str) -> bool:
    return marker is not None and (marker.instance, marker.connection_id) == (instance, connection_id)


async def recall(context: Context, desired: Desired, record: ConnectionRecord) -> ConnectionRecord:
    """A record that says nothing of Elastic Cloud, with our policy in another organization than the endpoint's.

    When the tables are lost and the endpoint's organization changed, nothing else tells that there is one already. It
    is looked for once: a record that was in use has an organization. One that cannot be read holds up no other.
    """
    if record.elastic.organization or not desired.organization or owns_anything(record):
        return record
    for name, api in context.elastic.of_family(desired.service.family).items():
        if name == desired.organization:
            continue
        try:
            found = policies_made_for(record.id, await api.policies(), context.options.installation.instance_id)
        except AutopilotError as error:
            log.warning("organization %s not searched for a policy of connection %s: %s", name, record.id, error)
            continue
        if found:
            return record.with_elastic(organization=name, policy=PolicyMemory(found[0].id, Owner.OURS, recovered=True))
    return record
