"""What was made for an endpoint in a former region, family or network: noticed, and planned to be taken away. Pure.

An alias or a network cannot be changed in Azure: Terraform deletes the endpoint and makes it anew under its name. Its
connection is then about the new service; what stands of the former one goes after the grace, under S2, S4 and S6, and
neither holds up the new things nor makes the connection less Ready. Called by `loop` and `reconciler.former`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.core.model.arm_ids import lower_case
from shared.core.model.organizations import DEFAULT
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import ElasticState
from shared.core.model.record_former import FormerThings
from shared.core.model.record_parts import DnsState
from shared.core.model.resources import Link, Zone
from shared.core.model.steps import DeleteLink
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired
from shared.core.planning.removal import ObservedRemoval, RemovalPlan, plan_removal
from shared.core.planning.removal_dns import ZoneUsers, users_of


def note_former(record: ConnectionRecord, desired: Desired, now: datetime) -> ConnectionRecord:
    """The record once the endpoint is of another service or in another network than on record."""
    identity, vnet = record.identity, desired.endpoint.vnet_id or record.identity.vnet_id
    service = (desired.service.family, desired.service.region)
    other_service = (identity.family, identity.region) != service
    if not identity.region or not (other_service or vnet.lower() != identity.vnet_id.lower()):
        return record
    elastic = record.elastic if other_service else ElasticState(organization=record.elastic.organization)
    left = FormerThings(identity, now, _dns_of(record.dns), _elastic_of(elastic))
    organization = record.elastic.organization or DEFAULT
    here = (*service, vnet.lower(), organization)
    former = [one for one in record.former_things if one.key not in {left.key, here}]
    same = [one for one in record.former_things if (one.service, one.organization) == (service, organization)]
    back = same if other_service else []
    if other_service:
        former = [
            replace(one, elastic=ElasticState(one.elastic.organization)) if one in back else one for one in former
        ]
        dns = next((one.dns for one in back if one.key == here), DnsState())
        used = next((one.elastic for one in back if one.elastic.policy.id), None)
        record = replace(record, dns=dns, elastic=used or ElasticState(record.elastic.organization))
    return replace(record, former_things=(*former, *((left,) if left.anything else ())))


def _dns_of(dns: DnsState) -> DnsState:
    """What was made; how names resolved there tells nothing any more."""
    return DnsState(zone=dns.zone, links=dns.links, record=dns.record, record_addresses=dns.record_addresses)


def _elastic_of(elastic: ElasticState) -> ElasticState:
    return replace(elastic, targets=(), pending_targets=(), not_before=None)


def as_it_was(record: ConnectionRecord, former: FormerThings) -> ConnectionRecord:
    """A record about the former things only, as the plan of a removal takes it."""
    return ConnectionRecord(record.endpoint_id, identity=former.identity, dns=former.dns, elastic=former.elastic)


def plan_former_removal(
    record: ConnectionRecord, former: FormerThings, observed: ObservedRemoval, options: PlanOptions
) -> RemovalPlan:
    """What is to be taken away. Of the zone that is in use now only the link to the former network goes."""
    used = record.dns.zone.id.lower() if record.dns.zone is not None else ""
    here = next((zone for zone in observed.zones if zone.id.key == used), None)
    elsewhere = tuple(zone for zone in observed.zones if zone is not here)
    found = plan_removal(as_it_was(record, former), replace(observed, zones=elsewhere), options)
    if here is None:
        return found
    steps, unknown = _former_links(former, here, observed, options)
    return replace(found, dns=(*found.dns, *steps), leftovers=(*found.leftovers, *unknown))


def _former_links(
    former: FormerThings, zone: Zone, observed: ObservedRemoval, options: PlanOptions
) -> tuple[tuple[DeleteLink, ...], tuple[str, ...]]:
    """Our link to the network that the endpoint was in, unless anything else needs it; and what is not known yet."""
    users = users_of(observed.others, observed.answering, observed.unconfirmed)
    vnet = former.identity.vnet_id.lower()
    used = users.networks is not None and vnet in users.networks
    if used or vnet in {one.lower() for one in options.dns.link_vnets} or zone.has_other_records:
        return (), ()
    ours = [
        link
        for link in zone.links
        if link.vnet_id.lower() == vnet
        and link.marker is not None
        and link.marker.instance == options.installation.instance_id
    ]
    unknown = {link.id: _unknown(link, zone, users) for link in ours}
    steps = (DeleteLink(zone.id, one.name, one.vnet_id, one.etag) for one in ours if not unknown[one.id])
    texts = (f"link of zone {zone.name} to {one.vnet_id}: {unknown[one.id]}" for one in ours if unknown[one.id])
    return tuple(steps), tuple(texts)


def _unknown(link: Link, zone: Zone, users: ZoneUsers) -> str:
    """Why it cannot be told yet whether a link may go; empty: it may."""
    if users.networks is None:
        return "whether other endpoints use it could not be checked"
    if zone.has_other_records is None:
        return "whether the zone has records of others could not be checked"
    if lower_case(link.id) in users.unconfirmed:
        return "not removed before a person confirms that it is the app's"
    return ""
