"""A sweep's snapshot of an estate of any size, of plain values: every kind of thing grows with the endpoints.

Used by the test of what a sweep's planning looks at, and by `benchmarks/scale.py`, which measures its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from shared.core.model import conditions as c
from shared.core.model.arm_ids import connection_id, parse_arm_id
from shared.core.model.conditions import Phase
from shared.core.model.markers import Holder, Marker, RecordMarker
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import (
    Claim,
    ConnectionStatus,
    Endpoint,
    Link,
    Listing,
    NameResolution,
    Peering,
    Policy,
    Rule,
    Target,
    VirtualNetwork,
    WildcardRecord,
    Zone,
)
from shared.core.model.services import Family
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import CLAIM_TAG, desired_of
from shared.core.planning.dns import DnsFacts
from shared.core.planning.plan import Observed, ObservedElastic, plan, remember
from shared.core.planning.snapshot import CloudListing, OrganizationListing, Snapshot
from tests.core.core_parts import IP_POLICY, NOW, SERVICE, endpoint, plan_options, policy, target

BEFORE = NOW - timedelta(hours=3)
"""When all were last looked at."""
OPTIONS = plan_options(deployments_allowed=frozenset({"*"}))
KINDS = 8
"""Situations of an endpoint; each has every eighth."""
READY, NO_POLICY, WAITS, OVERDUE, NOT_FOUND, RENAMED, NEW_VNET, CLAIMED = range(KINDS)


@dataclass(frozen=True)
class One:
    """An endpoint and what there is for it."""

    endpoint: Endpoint
    record: ConnectionRecord
    zone: Zone
    policy: Policy
    target: Target
    network: VirtualNetwork
    claim: Claim


def large_snapshot(
    endpoints: int, in_subscription: int = 25, watch: Callable[[Any], Any] = lambda thing: thing
) -> tuple[Snapshot, PlanOptions]:
    """So many endpoints, so many of them in each subscription, and the options. `watch`: what becomes of each thing."""
    ones = [_one(number, number // in_subscription) for number in range(endpoints)]
    zones: dict[str, list[Zone]] = {}
    for one in ones:
        zones.setdefault(one.zone.id.subscription_id, []).append(watch(one.zone))
    organization = OrganizationListing(
        Listing([watch(one.policy) for n, one in enumerate(ones) if n % KINDS != NO_POLICY] + [watch(IP_POLICY)]),
        Listing(watch(one.target) for n, one in enumerate(ones) if n % KINDS != NOT_FOUND),
        Listing(watch(one.claim) for one in ones),
    )
    networks = Listing(watch(one.network) for one in ones)
    clouds = CloudListing(
        {subscription: Listing(some) for subscription, some in zones.items()},
        {("default", Family.HOSTED): organization},
        networks={one.id.lower(): one for one in networks},
        other_networks=networks,
        guids=frozenset(one.endpoint.guid for one in ones),
    )
    records = {one.record.id: one.record for one in ones}
    listed = {one.endpoint.id.key: one.endpoint for one in ones}
    return Snapshot(records, set(), listed, set(zones), None, "large", clouds), OPTIONS


def _one(number: int, subscription: int) -> One:
    kind = number % KINDS
    group = f"/subscriptions/00000000-0000-4000-8000-{subscription:012}/resourceGroups/rg-{number}"
    network = f"{group}/providers/Microsoft.Network"
    endpoint_id, vnet, guid = f"{network}/privateEndpoints/pe", f"{network}/virtualNetworks/v", f"guid-{number}"
    asked = f"name-{number}"
    one = endpoint(asked, id=parse_arm_id(endpoint_id), name="pe", guid=guid, vnet_id=vnet)
    marker = Marker("autopilot", connection_id(endpoint_id), endpoint_id)
    held = RecordMarker("autopilot", (Holder(marker.connection_id, one.address or "", endpoint_id, guid),))
    zone_id = parse_arm_id(f"{network}/privateDnsZones/{SERVICE.zone}")
    link = Link(f"{zone_id.text}/virtualNetworkLinks/v", "v", vnet, completed=True, marker=marker)
    zone = Zone(zone_id, marker, (link,), WildcardRecord((one.address or "",), "e", held))
    ours = policy(
        f"p-{number}",
        name="pe",
        rules=(Rule("pe", guid),),
        description=marker.description(),
        marker=marker,
        associations=(f"t-{number}",),
    )
    theirs = target(f"t-{number}", name=asked, attached=(ours.id, IP_POLICY.id))
    desired = desired_of(one, OPTIONS)
    assert desired is not None
    facts = DnsFacts(NameResolution((vnet,)))
    observed = Observed(one, (zone,), ObservedElastic((ours, IP_POLICY), (theirs,)), facts)
    found = plan(desired, observed, ConnectionRecord(endpoint_id), OPTIONS, BEFORE)
    tested = (*found.conditions, c.satisfied(c.REACHABLE, Reason.REACHABLE))
    known = remember(ConnectionRecord(endpoint_id), desired, found, BEFORE)
    known = known.with_status(conditions=c.merge((), tested, NOW), phase=Phase.READY)
    around = VirtualNetwork(vnet, prefixes=(f"10.{number // 256}.{number % 256}.0/24",))
    if kind in {WAITS, OVERDUE}:
        one = replace(one, status=ConnectionStatus.PENDING)
    if kind == OVERDUE:
        known = known.with_schedule(pending_since=NOW - timedelta(days=2))
        ours = replace(ours, rules=(Rule("pe", guid.upper()),))
    if kind == WAITS:  # a person's policy has its name
        ours = replace(ours, marker=None, description="", rules=(Rule(f"pe-{number}", f"another-{number}"),))
        one = replace(one, name=f"pe-{number}")
    if kind == RENAMED:
        theirs = replace(theirs, name=f"another-{number}")
    if kind == NEW_VNET:  # its name server is in a hub
        around = replace(around, dns_servers=("10.0.1.4",), peerings=(Peering(f"{vnet}-peer", ("172.16.0.0/24",)),))
    if kind == CLAIMED:
        one = replace(one, tags={**one.tags, CLAIM_TAG: "true"})
    claim = Claim(SERVICE.elastic_region, "pe", guid)
    return One(one, known, zone, ours, theirs, around, claim)
