"""An endpoint that is another's now: of a new region, family, network or organization, and what it had before. Pure.

An alias or a network cannot be changed in Azure: Terraform deletes the endpoint and makes it anew under its name. Its
connection is then about the new service; what stands of the former one goes after the grace, under S2, S4 and S6, and
neither holds up the new things nor makes the connection less Ready. Called by `loop` and `reconciler.former`.

An endpoint's organization changes by a setting or a tag. Only a person decides that its connection moves: until then
the former organization serves. An endpoint has one policy at every moment, so what is in the former one is taken away
before anything is made in the new one. Asked by the loop, the sweep and the plans that are shown, before anything of
Elastic Cloud is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case
from shared.core.model.conditions import Explanation
from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.errors import Blocked, UnusableAnswer
from shared.core.model.organizations import DEFAULT, key_setting, scope_setting
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord, owned_resources
from shared.core.model.record_elastic import ElasticState, PolicyMemory
from shared.core.model.record_former import FormerThings
from shared.core.model.record_parts import DnsState
from shared.core.model.resources import Endpoint, Link, Zone
from shared.core.model.steps import DeleteLink
from shared.core.options.plan_options import PlanOptions
from shared.core.options.removal import OnDelete
from shared.core.planning.desired import Desired
from shared.core.planning.removal import ObservedRemoval, RemovalPlan, plan_removal
from shared.core.planning.removal_dns import ZoneUsers, users_of
from shared.core.reasons import explain

# -- another region, family or network ---------------------------------------------------------------------------------


def ensure_no_earlier_one(endpoint: Endpoint, record: ConnectionRecord) -> None:
    """Raise UnusableAnswer where an endpoint would look moved or made anew, because Azure shows part of it, or late."""
    if record.identity.vnet_id and not endpoint.vnet_id:
        raise UnusableAnswer("Azure shows the private endpoint without its subnet.", on=endpoint.id.text)
    guid, identity = endpoint.guid.lower(), record.identity
    if guid != identity.guid.lower() and guid in {one.lower() for one in identity.former_guids}:
        what = "Azure shows the private endpoint as it was before it was made anew."  # a GUID never comes back
        raise UnusableAnswer(what, on=endpoint.id.text, after=30.0)


def note_former(record: ConnectionRecord, desired: Desired, now: datetime) -> ConnectionRecord:
    """The record once the endpoint is of another service or in another network than on record."""
    identity, vnet = record.identity, desired.endpoint.vnet_id or record.identity.vnet_id
    service = (desired.service.family, desired.service.region)
    other_service = (identity.family, identity.region) != service
    if not identity.region or not (other_service or lower_case(vnet) != lower_case(identity.vnet_id)):
        return record
    elastic = record.elastic if other_service else ElasticState(organization=record.elastic.organization)
    left = FormerThings(identity, now, _dns_of(record.dns), _elastic_of(elastic))
    organization = record.elastic.organization or DEFAULT
    here = (*service, lower_case(vnet), organization)
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


def only_organization(record: ConnectionRecord, former: FormerThings) -> bool:
    """Whether only the organization is another: a person decided that, and nothing of DNS is about it."""
    same_service = former.service == (record.identity.family, record.identity.region)
    return same_service and former.organization != organization_on_record(record)


def former_stands_for_removal(record: ConnectionRecord, options: PlanOptions) -> bool:
    """Whether what it had is still to be taken away for the first time, and no person has decided that (S6)."""
    if (record.identity.on_delete or options.removal.on_delete) == OnDelete.RETAIN:
        return False
    told = record.condition(c.FORMER_REMOVED)
    tried = told is not None and told.reason not in {Reason.GRACE_PERIOD, Reason.REMOVAL_LIMIT_REACHED}
    due = (one for one in record.former_things if not only_organization(record, one))
    return not tried and any(owned_resources(as_it_was(record, one)) for one in due)


def as_it_was(record: ConnectionRecord, former: FormerThings) -> ConnectionRecord:
    """A record about the former things only, as the plan of a removal takes it."""
    return ConnectionRecord(record.endpoint_id, identity=former.identity, dns=former.dns, elastic=former.elastic)


def plan_former_removal(
    record: ConnectionRecord, former: FormerThings, observed: ObservedRemoval, options: PlanOptions
) -> RemovalPlan:
    """What is to be taken away. Of the zone that is in use now only the link to the former network goes."""
    used = lower_case(record.dns.zone.id) if record.dns.zone is not None else ""
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
    vnet = lower_case(former.identity.vnet_id)
    used = users.networks is not None and vnet in users.networks
    if used or vnet in {lower_case(one) for one in options.dns.link_vnets} or zone.has_other_records:
        return (), ()
    ours = [
        link
        for link in zone.links
        if lower_case(link.vnet_id) == vnet
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


# -- another organization ----------------------------------------------------------------------------------------------


def organization_on_record(record: ConnectionRecord) -> str:
    """Where everything in a record stands; a record from before there were several says nothing of it."""
    return record.elastic.organization or DEFAULT


def serving(desired: Desired, record: ConnectionRecord) -> Desired:
    """The endpoint as it is served: by the organization that it is connected in, until a person decides that it moves.

    A slip in a setting or a tag would else cut the deployments of the former organization off.
    """
    former = organization_on_record(record)
    if not desired.organization or desired.organization == former or not uses_anything(record):
        return desired
    return replace(desired, organization=former)


def uses_anything(record: ConnectionRecord) -> bool:
    """Whether anything in Elastic Cloud serves the endpoint, ours or of others."""
    return bool(record.elastic.policy.id) or record.elastic.claim is not None or owns_anything(record)


def owns_anything(record: ConnectionRecord) -> bool:
    """Whether anything in Elastic Cloud is ours by the record, or was begun and its end is not known."""
    policy, claim = record.elastic.policy, record.elastic.claim
    return (
        policy.owner is Owner.OURS
        or record.elastic.policy_post_until is not None
        or (claim is not None and claim.owner is Owner.OURS)
        or any(memory.owner is not Owner.ADOPTED for memory in record.elastic.associations)
    )


def ensure_has_one(desired: Desired, options: PlanOptions) -> None:
    """Raise Blocked if the endpoint belongs to no organization."""
    if not desired.organization:
        raise _no_organization(options)


def move(record: ConnectionRecord, organization: str, now: datetime) -> ConnectionRecord:
    """The record once a person has decided that its connection moves: what it had goes first, then all is made anew."""
    back = [one for one in _of_service(record) if one.organization == organization]
    left = FormerThings(record.identity, now, elastic=replace(record.elastic, targets=(), pending_targets=()))
    kept = tuple(one for one in record.former_things if one not in back)
    moved = switch_record(record, organization)
    if back:  # it is moved back before all was taken away there
        moved = replace(moved, elastic=back[0].elastic)
    return replace(moved, former_things=(*kept, *((left,) if left.anything else ())))


def in_former_organization(record: ConnectionRecord) -> FormerThings | None:
    """What of the endpoint's present service is still in the organization that it was moved from; None: nothing."""
    present = organization_on_record(record)
    return next((one for one in _of_service(record) if one.organization != present), None)


def _of_service(record: ConnectionRecord) -> list[FormerThings]:
    """Former things of the endpoint's present service with anything in Elastic Cloud."""
    here = record.identity.family, record.identity.region
    return [one for one in record.former_things if one.service == here and (one.elastic.policy.id or one.elastic.claim)]


def switch_record(record: ConnectionRecord, organization: str) -> ConnectionRecord:
    """The record in an organization; of what is used in another one nothing is kept."""
    if organization_on_record(record) == organization:
        return record.with_elastic(organization=organization)
    return record.with_elastic(
        organization=organization,
        policy=PolicyMemory(),
        policy_post_until=None,
        claim=None,
        associations=(),
        former_associations=(),
        targets=(),
        not_before=None,
    )


def _no_organization(options: PlanOptions) -> Blocked:
    scopes = ", ".join(scope_setting(one.name) for one in options.organizations)
    return Blocked(
        explain(
            Reason.NO_ORGANIZATION,
            f"The endpoint belongs to no Elastic Cloud organization: no entry of {scopes} includes it, and there is no "
            f"{key_setting(DEFAULT)} for the endpoints that no entry includes.",
            f"Add an entry for it to one of {scopes}, give it a tag that one of them names, or set "
            f"{key_setting(DEFAULT)}.",
        )
    )


def changed_explanation(desired: Desired, record: ConnectionRecord) -> Explanation | None:
    """What a person is told while the former organization serves; None: the endpoint's own does."""
    former, present = organization_on_record(record), desired.organization
    if not present or present == former:
        return None
    return explain(
        Reason.ORGANIZATION_CHANGED,
        f"The endpoint is connected in the organization {former} and now belongs to {present}; {former} serves it "
        "until a person decides that it moves.",
        f"Put the endpoint's tag, or the settings, back to keep it in {former}. To move it, send "
        f"{Decided(ConnectionDecision.MOVE_ORGANIZATION, present).request}: what it has in {former} is taken away "
        "first.",
        {"name": present},
    )


def left_without_key(record: ConnectionRecord, options: PlanOptions) -> Explanation | None:
    """What is said of a policy in the organization that the connection was moved from, while there is no key of it."""
    if not record.former_things:
        return None
    former = in_former_organization(record)
    known = {one.name for one in options.organizations} | ({DEFAULT} if options.has_default_organization else set())
    if former is None or not former.elastic.policy.id or former.organization in known:
        return None
    return explain(
        Reason.ORGANIZATION_NOT_CONFIGURED,
        f"Policy {former.elastic.policy.id} in the organization {former.organization} lets the endpoint in, too: the "
        "connection was moved from there while the settings had no key of it. It is a second policy of one endpoint, "
        "of which Elastic's documentation says nothing.",
        f"Set the key of {former.organization} again, so that the app takes it away, or delete it there.",
    )


def key_missing_error(desired: Desired, record: ConnectionRecord) -> Blocked:
    """The error of an endpoint whose former organization has no key any more: it can neither serve nor be left."""
    former, present = organization_on_record(record), desired.organization
    return Blocked(
        explain(
            Reason.ORGANIZATION_CHANGED,
            f"The endpoint was connected in the organization {former} and now belongs to {present}. Nothing is made in "
            f"{present}: the settings have no key of {former} any more, so what is there is not known.",
            f"Set the key of {former} again; or decide that the connection moves, with "
            f"{Decided(ConnectionDecision.MOVE_ORGANIZATION, present).request}.",
            {"name": present},
        )
    )
