"""What should be, for one endpoint: from what ARM says about it and the operator's rules.

Called by `plan` and by the sweep. The region comes from the alias, never from the endpoint's own location: an endpoint
may stand in one Azure region and connect to a target in another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.core.guards.modes import tag_note
from shared.core.guards.scope import organization_of
from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, connection_id, parse_arm_id
from shared.core.model.conditions import Condition
from shared.core.model.errors import InvalidInput
from shared.core.model.markers import Marker
from shared.core.model.organizations import DEFAULT
from shared.core.model.reasons import Reason
from shared.core.model.resources import Endpoint, NameResolution
from shared.core.model.services import Family, Service, ServiceKind, Services
from shared.core.options.plan_options import PlanOptions
from shared.core.options.removal import OnDelete
from shared.core.options.values import ZoneHome
from shared.core.planning.unknown_alias import what_is_unknown

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
        message = f"{_SERVICES[found.service.family]} of {found.service.region}. {tag_note(endpoint)}"
        return c.satisfied(c.RECOGNISED, Reason.ELASTIC_SERVICE, message.rstrip())
    if found.kind is ServiceKind.UNKNOWN_ELASTIC:
        reason = Reason.UNKNOWN_ELASTIC_ALIAS
        message, step = what_is_unknown(found, services)
    else:
        reason, step = Reason.NOT_ELASTIC, ""
        message = "The endpoint does not connect to a service of Elastic's."
    return c.resting(c.RECOGNISED, reason, message, step)


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
    extra = {vnet.lower(): vnet for vnet in options.dns.link_vnets if vnet.lower() != endpoint.vnet_id.lower()}
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
