"""All that a sweep has read, as one value: records, endpoints, and what the listings of both clouds show. Pure.

Filled by `sweep.snapshot`; sorted by `triage` and by the plans that are shown. What could not be read is None, and
nothing is concluded from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from shared.core.guards.consent import short_name
from shared.core.guards.pause import Pause
from shared.core.guards.scope import is_out_of_scope
from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, lower_case, same_id
from shared.core.model.conditions import Condition, Explanation
from shared.core.model.errors import Blocked
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Claim, Endpoint, Listing, Policy, Target, VirtualNetwork, Zone
from shared.core.model.services import Family
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired, desired_of, subscriptions_of, zone_subscriptions
from shared.core.planning.dns import DnsFacts, zone_name
from shared.core.planning.former import ensure_has_one, key_missing_error, serving
from shared.core.planning.name_resolution import resolution_of
from shared.core.planning.plan import ObservedElastic
from shared.core.planning.requeue import condition_of


@dataclass(frozen=True, slots=True)
class OrganizationListing:
    """What one Elastic Cloud organization answered; None: could not be read, so nothing is concluded from it."""

    policies: Listing[Policy] | None = None
    targets: Listing[Target] | None = None
    claims: Listing[Claim] | None = None

    key_expires: datetime | None = None
    """When the key ends, as the answers said; None: not known, or never."""
    offers_claims: bool = True
    """Whether the family has claims."""
    key_refused: Blocked | None = None
    """There is no key, or none that it takes: that is known, and told on every connection of the organization."""
    vanished: tuple[str, ...] = ()
    """What `unseen_targets.all_vanished` says of it."""
    key_mark: str = ""

    def seen_from(self, region: str, namesakes: tuple[str, ...], seen_guids: frozenset[str]) -> ObservedElastic | None:
        """What matters to an endpoint of a region; None when not all of it was read."""
        if self.policies is None or self.targets is None:
            return None
        return ObservedElastic(
            self.policies,
            self.targets,
            None if self.claims is None else self.claims.where(_region, region),
            self.key_expires,
            namesakes=namesakes,
            seen_guids=seen_guids,
            offers_claims=self.offers_claims,
            vanished=self.vanished,
            key_mark=self.key_mark,
        )


def _region(claim: Claim) -> tuple[str]:
    return (claim.region,)


_UNREAD = OrganizationListing()


def subscriptions_answering(record: ConnectionRecord | None) -> tuple[str, ...]:
    """The subscriptions of the networks that answer an endpoint's clients, as its last run has found."""
    return () if record is None else subscriptions_of(record.dns.resolution)


@dataclass(frozen=True)
class CloudListing:
    """What the listings of zones and of Elastic Cloud answered."""

    zones: dict[str, Listing[Zone] | None] = field(default_factory=dict)
    """By subscription; None: could not be read, so nothing is concluded from it."""
    organizations: dict[tuple[str, Family], OrganizationListing] = field(default_factory=dict)
    """Elastic Cloud, by organization and family of targets."""
    zone_counts: dict[str, int] = field(default_factory=dict)
    """Zones of any name in each subscription, as far as they were listed."""
    unusable: dict[str, Explanation] = field(default_factory=dict)
    """Why a subscription shows no zones and takes none: it is gone, or another tenant's."""
    networks: dict[str, VirtualNetwork | None] = field(default_factory=dict)
    """The endpoints' networks by their lower-cased ids. None: cannot be read; left out: could not be read just now."""
    other_networks: Listing[VirtualNetwork] = field(default_factory=Listing)
    """Further ones, in which the endpoints' name servers may be."""
    endpoints: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids of the endpoints that are handled, by resource group and name: `consent.short_name`."""
    guids: frozenset[str] = frozenset()
    """Lower-cased, of every endpoint that was listed."""
    unread_zones: frozenset[str] = frozenset()
    """Keys of the listed zones whose content is left to another sweep."""

    @property
    def key_ends(self) -> dict[str, datetime | None]:
        """When the key of each organization ends that could be read; None: not known, or never."""
        read = ((name, one) for (name, _), one in self.organizations.items() if one.policies is not None)
        return {name: one.key_expires for name, one in read}

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy of every organization that could be read."""
        return tuple(policy for one in self.organizations.values() for policy in one.policies or ())

    def zones_for(self, desired: Desired, record: ConnectionRecord, options: PlanOptions) -> tuple[Zone, ...] | None:
        """The zones of its service's name in every subscription that matters to an endpoint; None: not all were read.

        Of zones that are left to another sweep that counts for the one in use alone.
        """
        matter = dict.fromkeys((*zone_subscriptions(desired, options), *subscriptions_answering(record)))
        if self.left_to_another_sweep(desired, record):
            return None
        return self._zones_in(tuple(matter), desired.service.zone)

    def _zones_in(self, subscriptions: tuple[str, ...], name: str) -> Listing[Zone] | None:
        """Most endpoints share theirs with others, and what was looked for in one listing is known for all of them."""
        if (subscriptions, name) not in self._together:
            listed = [self.zones.get(one) for one in subscriptions]
            found = [one.where(zone_name, name) for one in listed if one is not None]
            whole = len(found) == len(listed)
            zones = found[0] if len(found) == 1 else Listing(zone for some in found for zone in some)
            self._together[subscriptions, name] = zones if whole else None
        return self._together[subscriptions, name]

    @cached_property
    def _together(self) -> dict[tuple[tuple[str, ...], str], Listing[Zone] | None]:
        return {}

    def left_to_another_sweep(self, desired: Desired, record: ConnectionRecord) -> bool:
        """Whether the content of the endpoint's zone is not read now; where none is known, of any that may be it."""
        if record.dns.zone is not None:
            return lower_case(record.dns.zone.id) in self.unread_zones
        return self._any_unread(desired)

    def _any_unread(self, desired: Desired) -> bool:
        return desired.service.zone.lower() in self._unread_names

    @cached_property
    def _unread_names(self) -> frozenset[str]:
        return frozenset(key.rpartition("/")[2] for key in self.unread_zones)

    def facts_for(self, desired: Desired, record: ConnectionRecord) -> DnsFacts:
        """What is known of DNS besides the zones."""
        vnet, resolution = desired.endpoint.vnet_id, record.dns.resolution
        if lower_case(vnet) in self.networks:
            resolution = resolution_of(vnet, self.networks[lower_case(vnet)], self.other_networks)
        full = not self._any_unread(desired)
        return DnsFacts(resolution, self.zone_counts, full=full, unusable=self.unusable)

    def elastic_for(
        self, desired: Desired, record: ConnectionRecord, options: PlanOptions, now: datetime
    ) -> tuple[ObservedElastic | None, Condition | None]:
        """What there is in the endpoint's organization, or the condition of one that may have nothing there.

        Neither: not all that it takes to tell could be read.
        """
        try:
            ensure_has_one(desired, options)
            served = serving(desired, record)
            listing = self.organizations.get((served.organization, desired.service.family))
            if listing is None and served != desired:
                raise key_missing_error(desired, record)
        except Blocked as error:
            return None, condition_of(c.POLICY_READY, error, None, now, options.timing.visibility)
        listing = listing or _UNREAD
        if listing.key_refused is not None:
            return None, condition_of(c.POLICY_READY, listing.key_refused, None, now, options.timing.visibility)
        own = desired.endpoint.id
        namesakes = tuple(one for one in self.endpoints.get(short_name(own), ()) if not same_id(one, own.text))
        return listing.seen_from(desired.service.elastic_region, namesakes, self.guids), None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a sweep has read."""

    records: dict[str, ConnectionRecord]
    """By connection id."""
    unreadable: set[str]
    """Ids of the connections whose record cannot be read."""
    listed: dict[str, Endpoint]
    """By lower-cased ARM id, without those whose record cannot be read."""
    complete: set[str]
    """Subscriptions whose listing was complete."""
    pause: Pause | None
    correlation_id: str
    clouds: CloudListing = field(default_factory=CloudListing)

    def message(self, endpoint: ArmId, cause: Cause = Cause.TIMER) -> WorkMessage:
        """Work for the loop."""
        return WorkMessage(endpoint, cause, self.correlation_id)

    def desired(self, options: PlanOptions) -> list[Desired]:
        """What is wanted for each listed endpoint that is handled at all."""
        handled = (endpoint for endpoint in self.listed.values() if not is_out_of_scope(endpoint, options.scope))
        return [wanted for endpoint in handled if (wanted := desired_of(endpoint, options))]
