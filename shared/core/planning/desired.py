"""What should be, for one endpoint, and how it stands itself: from what ARM says about it and the operator's rules.

Called by `plan` and by the sweep. The region comes from the alias, never from the endpoint's own location: an endpoint
may stand in one Azure region and connect to a target in another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.core.guards.scope import organization_of, tag_note
from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, connection_id, lower_case, parse_arm_id
from shared.core.model.conditions import Condition
from shared.core.model.errors import InvalidInput
from shared.core.model.markers import Marker
from shared.core.model.organizations import DEFAULT
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import ConnectionStatus, Endpoint, NameResolution
from shared.core.model.services import Family, Service, ServiceKind, Services
from shared.core.options.plan_options import PlanOptions
from shared.core.options.removal import OnDelete
from shared.core.options.values import ZoneHome
from shared.core.planning.unknown_alias import what_is_unknown
from shared.core.reasons import remedy_of

TERMINAL = {
    ConnectionStatus.REJECTED: Reason.REJECTED,
    ConnectionStatus.DISCONNECTED: Reason.DISCONNECTED,
}
"""Azure never leaves these states: the endpoint has to be made anew."""

DEPLOYMENTS_TAG = "elastic-deployments"
"""Tag of an endpoint: ids or exact names of the targets to connect it to, separated by commas."""

CLAIM_TAG = "elastic-privatelink-claim"
"""Tag of an endpoint: `true` or `false`, whether it is claimed for the organization; stronger than the settings."""

ON_DELETE_TAG = "elastic-privatelink-on-delete"
"""Tag of an endpoint: `cleanup` or `retain`, what becomes of what was made for it. Remembered: it is gone by then."""


_SERVICES = {
    Family.HOSTED: "Elastic's Private Link Service",
    Family.SERVERLESS: "Elastic's Private Link Service for Serverless projects",
}


@dataclass(frozen=True, slots=True)
class Desired:
    """What one endpoint should have."""

    endpoint: Endpoint
    service: Service
    marker: Marker
    zone_homes: tuple[ArmId, ...]
    """Where the zone may be made when no network that answers the endpoint's clients has one of the name, in order."""
    link_vnets: tuple[str, ...]
    """Networks to link besides the endpoint's own."""
    targets: tuple[str, ...]
    """Ids or names that the endpoint's tag asks for."""
    organization: str = DEFAULT
    """The Elastic Cloud organization that the endpoint belongs to; empty: the settings name none for it."""
    claim: bool = False
    """Whether the endpoint is to be claimed for the organization."""
    on_delete: str = ""
    """What the endpoint's tag says about its removal; empty: as the settings say."""

    @property
    def connection_id(self) -> str:
        """The connection's short id."""
        return self.marker.connection_id


def recognition_condition(endpoint: Endpoint, services: Services) -> Condition:
    """Whether the endpoint connects to one of Elastic's services."""
    found = services.recognise(endpoint.alias)
    if found.service is not None:
        message = f"{_SERVICES[found.service.family]} of {found.service.region}. {_tags_of(endpoint)}"
        return c.satisfied(c.RECOGNISED, Reason.ELASTIC_SERVICE, message.rstrip())
    if found.kind is ServiceKind.UNKNOWN_ELASTIC:
        reason = Reason.UNKNOWN_ELASTIC_ALIAS
        message, step = what_is_unknown(found, services)
    else:
        reason, step = Reason.NOT_ELASTIC, ""
        message = "The endpoint does not connect to a service of Elastic's."
    return c.resting(c.RECOGNISED, reason, message, step)


def addressed(endpoint: Endpoint) -> Condition:
    """Whether the endpoint has its private address."""
    failed = _is_failed(endpoint)
    told = f"Azure says that the endpoint's provisioning is {endpoint.provisioning_state}." if failed else ""
    if failed and (endpoint.address is None or endpoint.status is not ConnectionStatus.APPROVED):
        reason = Reason.ENDPOINT_FAILED
        return c.blocked(c.ADDRESSED, reason, f"{told}{_address_of(endpoint)}", remedy_of(reason))
    if endpoint.address:
        # One that was approved works on, even if the last change to it failed.
        message = f"{endpoint.address}. {told}" if failed else endpoint.address
        return c.satisfied(c.ADDRESSED, Reason.HAS_ADDRESS, message)
    message = f"The endpoint is {endpoint.provisioning_state or 'being created'}, and has no private IPv4 address"
    only = f": only {endpoint.ipv6}, to which none of Elastic's names leads." if endpoint.ipv6 else "."
    return c.waiting(c.ADDRESSED, Reason.NO_ADDRESS_YET, message + only)


def _is_failed(endpoint: Endpoint) -> bool:
    """Whether Azure says that it could not make the endpoint, or could not carry out the last change to it."""
    return endpoint.provisioning_state.lower() in {"failed", "canceled"}


def _address_of(endpoint: Endpoint) -> str:
    return f" Its address is {endpoint.address}." if endpoint.address else ""


def approved(endpoint: Endpoint, record: ConnectionRecord, options: PlanOptions, now: datetime) -> Condition:
    """Where the approval by Elastic stands; terminal states say that the endpoint has to be made anew."""
    if endpoint.status is ConnectionStatus.APPROVED:
        return c.satisfied(c.APPROVED, Reason.APPROVED, "Elastic has approved the connection.")
    if endpoint.status in TERMINAL:
        verb = "rejected" if endpoint.status is ConnectionStatus.REJECTED else "disconnected"
        said = f' ("{endpoint.status_description}")' if endpoint.status_description else ""
        return c.blocked(
            c.APPROVED,
            TERMINAL[endpoint.status],
            f"Elastic has {verb} the connection{said}. Azure never leaves this state.",
            remedy_of(TERMINAL[endpoint.status]),
        )
    since, policy = record.schedule.pending_since or now, record.elastic.policy
    if policy.created_at is not None:
        # The endpoint may have waited for its policy; Elastic knows only of that.
        since = max(since, policy.created_at)
    is_overdue = (now - since).total_seconds() >= options.timing.approval_overdue
    message = f"{_standing(endpoint)} since {since:%Y-%m-%d %H:%M:%S} UTC"
    if not policy.id:
        # Elastic cannot approve what no policy asks for: say, and wait for, what keeps the policy away.
        message += "; no policy names the endpoint yet, and Elastic approves it by its policy."
        needs = c.WaitingFor.NONE if is_overdue else c.WaitingFor.TIME
        return c.waiting(c.APPROVED, Reason.AWAITING_APPROVAL, message, needs)
    if _is_failed(endpoint):
        message += f"; it is not waited for, as the endpoint's provisioning is {endpoint.provisioning_state}."
        return c.waiting(c.APPROVED, Reason.AWAITING_APPROVAL, message, c.WaitingFor.NONE)
    if is_overdue:
        return c.blocked(
            c.APPROVED,
            Reason.APPROVAL_OVERDUE,
            f"{message}, and Elastic has not approved it. The policy may hold another name or GUID, "
            "or belong to another organization.",
            remedy_of(Reason.APPROVAL_OVERDUE),
        )
    by_itself = "; Elastic approves by itself" if endpoint.status is ConnectionStatus.PENDING else ""
    return c.waiting(c.APPROVED, Reason.AWAITING_APPROVAL, f"{message}{by_itself}.")


def behind_approval(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """The conditions where no approval is waited for: then the associations behind it are not, either."""
    awaited = next((one.needs for one in conditions if one.type == c.APPROVED and not one.true), c.WaitingFor.TIME)
    if awaited is not c.WaitingFor.NONE:
        return conditions
    behind = (one.type == c.ASSOCIATED and one.reason is Reason.AWAITING_APPROVAL for one in conditions)
    return tuple(
        replace(one, needs=c.WaitingFor.NONE) if waits else one for one, waits in zip(conditions, behind, strict=True)
    )


def _standing(endpoint: Endpoint) -> str:
    """The state of the connection, in Azure's own word where it is none of those that Azure documents."""
    if endpoint.status is ConnectionStatus.PENDING:
        return "Pending"
    said = f' ("{endpoint.status_description}")' if endpoint.status_description else ""
    if not endpoint.status_word:
        return f"Azure names no state of the connection{said}; it has not been approved"
    return f"Azure calls the connection {endpoint.status_word}{said}, which is no state that it documents,"


def _tags_of(endpoint: Endpoint) -> str:
    """What is to be said of the endpoint's tags: what a value that is none counts as."""
    if not endpoint.tags:
        return ""
    claim, on_delete = endpoint.tag(CLAIM_TAG), endpoint.tag(ON_DELETE_TAG)
    notes = [tag_note(endpoint)]
    if claim and claim.lower() not in {"true", "false"}:
        notes.append(
            f"Its tag {CLAIM_TAG} has the value {claim[:40]!r}, which is neither true nor false: it says nothing."
        )
    if on_delete and on_delete.lower() not in set(OnDelete):
        known = ", ".join(OnDelete)
        value = f"the value {on_delete[:40]!r}, none of {known}"
        notes.append(f"Its tag {ON_DELETE_TAG} has {value}; that counts as {OnDelete.RETAIN}.")
    return " ".join(note for note in notes if note)


def requested_targets(endpoint: Endpoint) -> tuple[str, ...]:
    """The entries of the endpoint's tag, without blanks and repetitions, in order."""
    entries = (entry.strip() for entry in endpoint.tag(DEPLOYMENTS_TAG).split(","))
    return tuple(dict.fromkeys(entry for entry in entries if entry))


def _claim_of(endpoint: Endpoint, options: PlanOptions) -> bool:
    wish = endpoint.tag(CLAIM_TAG).lower()
    return wish == "true" if wish in {"true", "false"} else options.targets.claim


def _on_delete_of(endpoint: Endpoint) -> str:
    """The tag's value if it is one; of any other word, what keeps more."""
    wish = endpoint.tag(ON_DELETE_TAG).lower()
    if not wish:
        return ""
    return OnDelete.CLEANUP if wish == OnDelete.CLEANUP else OnDelete.RETAIN


def desired_of(endpoint: Endpoint, options: PlanOptions) -> Desired | None:
    """What the endpoint should have; None when it is not one that this app handles."""
    found = options.services.recognise(endpoint.alias)
    if found.service is None:
        return None
    extra = {
        lower_case(vnet): vnet for vnet in options.dns.link_vnets if lower_case(vnet) != lower_case(endpoint.vnet_id)
    }
    return Desired(
        endpoint=endpoint,
        service=found.service,
        marker=Marker(options.installation.instance_id, connection_id(endpoint.id.text), endpoint.id.text),
        zone_homes=_zone_homes(endpoint, found.service.zone, options),
        link_vnets=tuple(extra.values()),
        targets=requested_targets(endpoint),
        organization=organization_of(endpoint, options.organizations, has_default=options.has_default_organization),
        claim=_claim_of(endpoint, options),
        on_delete=_on_delete_of(endpoint),
    )


def _zone_homes(endpoint: Endpoint, zone: str, options: PlanOptions) -> tuple[ArmId, ...]:
    homes = options.dns.zone_resource_groups or (ZoneHome(endpoint.id.subscription_id, endpoint.id.resource_group),)
    return tuple(
        parse_arm_id(
            f"/subscriptions/{home.subscription_id}/resourceGroups/{home.resource_group}"
            f"/providers/Microsoft.Network/privateDnsZones/{zone}"
        )
        for home in homes
    )


def zone_subscriptions(desired: Desired, options: PlanOptions) -> tuple[str, ...]:
    """Where a zone may be that the endpoint's network is linked to."""
    own = (desired.endpoint.id.subscription_id, *(home.subscription_id for home in desired.zone_homes))
    networks = _subscriptions((desired.endpoint.vnet_id, *desired.link_vnets))
    return tuple(dict.fromkeys((*own, *networks, *options.dns.subscriptions)))


def subscriptions_of(resolution: NameResolution | None) -> tuple[str, ...]:
    """The subscriptions of the networks that answer: a zone that serves them may be there."""
    return _subscriptions(resolution.networks) if resolution is not None else ()


def _subscriptions(networks: Iterable[str]) -> tuple[str, ...]:
    found = []
    for vnet in networks:
        try:
            found.append(parse_arm_id(vnet).subscription_id)
        except InvalidInput:
            continue
    return tuple(dict.fromkeys(found))
