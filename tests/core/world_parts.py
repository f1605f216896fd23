"""A whole world of plain values, in which plans are carried out step by step as the loop would do it.

Every step is judged before it is taken (`world_dns`, `world_elastic`), and after it everything foreign must be as it
was, and no target may have been closed or opened without an opt-in. Used by the tests of every combination.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, get_args

from shared.core.model.conditions import WaitingFor
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, PolicyMemory
from shared.core.model.resources import Endpoint, NameResolution
from shared.core.model.steps import (
    Associate,
    ClaimEndpoint,
    CreatePolicy,
    DeletePolicy,
    Disassociate,
    DnsRemoval,
    DnsStep,
    Step,
    UnclaimEndpoint,
    UpdatePolicy,
)
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.associations import begin_restore
from shared.core.planning.desired import Desired
from shared.core.planning.dns import DnsFacts
from shared.core.planning.plan import Observed, ObservedElastic, Plan, plan, remember
from shared.core.planning.removal import ObservedRemoval, RemovalPlan, plan_removal
from shared.core.planning.removal_dns import bears_marks
from tests.core.core_parts import ADDRESS, HUB, MARKER, NOW, OTHER_VNET, VNET
from tests.core.world_dns import Zones, check_links, dns_done
from tests.core.world_elastic import Elastic, elastic_done

OLD_ADDRESS = "10.1.0.40"
"""Of the endpoint, before its network interface was made anew."""

LATER = timedelta(hours=2)
"""Past every lag."""
ROUNDS = 4
"""A plan's first pass makes the policy, its second associates it; one more gives an old claim up before a new one."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a plan may depend on."""

    wanted: Desired | None
    """None: the endpoint is gone."""
    record: ConnectionRecord
    zones: Zones
    elastic: Elastic
    options: PlanOptions
    others: tuple[Endpoint, ...] | None = ()
    """Other endpoints of the service; None: not all could be listed."""
    resolution: NameResolution | None = None
    """Which networks answer the endpoint's clients; None: not known."""
    marker_id: str = field(default=MARKER.connection_id)

    # -- plans -----------------------------------------------------------------------------------------------------

    def plan(self, now: datetime = NOW) -> Plan | RemovalPlan:
        """What is left to do."""
        elastic = self.elastic
        if self.wanted is not None:
            seen = ObservedElastic(elastic.policies, elastic.targets, elastic.claims)
            observed = Observed(self.wanted.endpoint, self.zones, seen, DnsFacts(self.resolution))
            return plan(self.wanted, observed, self.record, self.options, now)
        used = self.record.dns.zone.id.lower() if self.record.dns.zone else ""
        marked = [one for one in self.zones if bears_marks(one, self.record.id, self.options.installation.instance_id)]
        zones = tuple(zone for zone in self.zones if zone.id.key == used or zone in marked)
        there = ObservedRemoval(
            zones, self.others, policies=elastic.policies, targets=elastic.targets, claims=elastic.claims
        )
        return plan_removal(self.record, there, self.options)

    def remembering(self, found: Plan | RemovalPlan, now: datetime = NOW) -> World:
        """The same after a run has written down what it saw."""
        if self.wanted is None or not isinstance(found, Plan):
            return self
        return replace(self, record=remember(self.record, self.wanted, found, now))

    # -- one step --------------------------------------------------------------------------------------------------

    def done(self, step: Step) -> World:
        """The world after one step; an assertion fails where the step does harm."""
        if isinstance(step, (*get_args(DnsStep), *get_args(DnsRemoval))):
            if self.wanted is None:
                check_links(self.zones, self.record, self.others or (), step)
            after = replace(self, zones=dns_done(self.zones, step, self.options))
        else:
            elastic = elastic_done(self.elastic, step, MARKER, self.options, self.wanted)
            after = replace(self, elastic=elastic)
        after = replace(after, record=_noted(self.record, step))
        assert foreign(after) == foreign(self), "what is foreign is as it was"
        self._check_open_and_closed(after, step)
        self._check_names(after)
        return after

    def _check_open_and_closed(self, after: World, step: Step) -> None:
        """S1 and S2 in one: no target is closed, or opened, unless that was allowed for it."""
        for target in self.elastic.targets:
            before, now = self.elastic.closed(target), after.elastic.closed(target)
            which = "last" if before else "first"
            names = {"*", target.id, target.name.lower()}
            setting = self.options.targets.last_policy_allowed if before else self.options.targets.first_policy_allowed
            allowed = bool(names & setting) or target.tags.get(f"elastic-privatelink-{which}-policy") == "allow"
            assert before == now or allowed, f"{target.id} was {'opened' if before else 'closed'} by: {step}"

    def _check_names(self, after: World) -> None:
        """A network begins to resolve only what is right for it, and what leads to others goes on doing so."""
        for vnet in (VNET, OTHER_VNET, HUB):
            before, now = self.resolved(vnet), after.resolved(vnet)
            if self.wanted is not None and before is None and now:
                assert self.wanted.endpoint.address in now, "a network was linked to a record of another endpoint"
            to_others = set(before or ()) - {ADDRESS, OLD_ADDRESS}
            assert to_others <= set(now or ()), f"{vnet} no longer resolves to another endpoint"

    def resolved(self, vnet: str) -> tuple[str, ...] | None:
        """The addresses that a network gets for the service's names; None: it is not linked."""
        zone = next((zone for zone in self.zones if zone.link_to(vnet)), None)
        return None if zone is None else zone.record.addresses if zone.record else ()


def _noted(record: ConnectionRecord, step: Step) -> ConnectionRecord:
    """The record after a step, as the loop writes it."""
    match step:
        case CreatePolicy():
            record = record.with_elastic(policy=PolicyMemory("p-new", Owner.OURS, NOW, NOW, step.endpoint_guid))
        case UpdatePolicy():
            policy = replace(record.elastic.policy, id=step.policy_id, owner=Owner.OURS, guid=step.endpoint_guid)
            record = record.with_elastic(policy=policy)
        case Associate():
            begun = begin_restore(record.association(step.target_id) or AssociationMemory(step.target_id), NOW)
            record = record.with_association(replace(begun, owner=Owner.OURS, asked=step.asked))
        case Disassociate():
            record = record.without_association(step.target_id)
        case ClaimEndpoint():
            memory = ClaimMemory(step.region, step.endpoint_name, step.endpoint_guid, Owner.OURS)
            record = record.with_elastic(claim=memory)
        case UnclaimEndpoint():
            record = record.with_elastic(claim=None)
        case DeletePolicy() if step.policy_id == record.elastic.policy.id:
            record = record.with_elastic(policy=PolicyMemory())
    return record


# -- what is foreign -----------------------------------------------------------------------------------------------


def foreign(world: World) -> dict[str, Any]:
    """All that this installation did not make for this endpoint, as one value to compare."""
    mine = world.options.installation.instance_id
    found: dict[str, Any] = {}
    for zone in world.zones:
        name = zone.id.key
        if zone.marker is None or zone.marker.instance != mine:
            found[name] = (zone.marker, zone.other_records)
        theirs = [link for link in zone.links if link.marker is None or link.marker.instance != mine]
        found.update({f"{name} link {link.name}": link for link in theirs})
        record = zone.record
        if record is not None and (record.marker is None or record.marker.instance != mine):
            found[f"{name} *"] = record
        elif record is not None and record.marker is not None:
            holders = [one for one in record.marker.holders if one.connection_id != world.marker_id]
            found.update({f"{name} * {one.connection_id}": one for one in holders if one.address in record.addresses})
    return found | _foreign_in_elastic(world.elastic, world.marker_id, mine)


def _foreign_in_elastic(elastic: Elastic, connection_id: str, instance: str) -> dict[str, Any]:
    found: dict[str, Any] = {f"pair {pair}": True for pair in elastic.pairs() - elastic.our_pairs}
    found |= {f"claim {one}": True for one in elastic.claims if one.endpoint_guid not in elastic.our_claims}
    for policy in elastic.policies:
        marker = policy.marker
        if marker is None or (marker.instance, marker.connection_id) != (instance, connection_id):
            found[policy.id] = replace(policy, associations=())
        else:
            strangers = frozenset(rule for rule in policy.rules if rule.endpoint_name.startswith("theirs"))
            extras = (policy.include_by_default, policy.other_rules, policy.hidden_associations)
            found[policy.id] = strangers if any(extras) or strangers else None
    return {name: value for name, value in found.items() if value is not None}


# -- until nothing is left -----------------------------------------------------------------------------------------


def settled(world: World, steps: list[str]) -> tuple[World, Plan | RemovalPlan]:
    """Carry out plans until one is empty; notes each step in `steps`. The last plan is empty, also long after."""
    found = world.plan()
    for _ in range(ROUNDS):
        world = world.remembering(found)
        if not found.steps:
            break
        for step in found.steps:
            steps.append(str(step))
            world = world.done(step)
        found = world.plan()
    assert found.steps == (), f"after {ROUNDS} rounds there is still to do: {'; '.join(map(str, found.steps))}"
    later = world.plan(NOW + LATER)
    assert later.steps == (), f"two hours later there is to do: {'; '.join(map(str, later.steps))}"
    if isinstance(later, Plan):
        _check_explained(later)
    return world.remembering(later, NOW + LATER), later


def _check_explained(found: Plan) -> None:
    """Nothing waits for a step that is in no plan, and who must act is told what to do."""
    for condition in found.conditions:
        assert condition.needs is not WaitingFor.WORK, f"{condition.type} waits for work that is in no plan"
        if condition.needs is WaitingFor.PERSON:
            assert condition.message, condition.type
            assert condition.next_step, condition.type
