"""Pure counterparts of `apply`: what is there after a plan's steps. Each refuses a step that would do harm.

The clouds would refuse some of these too; the plan must not even try them.
"""

from __future__ import annotations

from dataclasses import replace

from core_parts import KNOWN, NOW

from shared.core.connection import Connection
from shared.core.desired import Desired
from shared.core.markers import marker_from_description
from shared.core.model import ConnectionStatus, Link, Policy, Rule, WildcardRecord, Zone
from shared.core.plan import Observed, Plan, plan
from shared.core.plan_dns import plan_dns
from shared.core.plan_elastic import POLICY_TYPE, ElasticPlan, ObservedElastic, plan_elastic
from shared.core.rules import Rules
from shared.core.steps import Associate, CreateLink, CreatePolicy, CreateZone, DnsStep, ElasticStep, PutWildcardRecord


def dns_after(zones: tuple[Zone, ...], steps: tuple[DnsStep, ...], rules: Rules) -> tuple[Zone, ...]:
    """The zones once the steps are done."""
    for step in steps:
        before = next((zone for zone in zones if zone.id.key == step.zone.key), None)
        if isinstance(step, CreateZone):
            assert before is None, "a zone that is there is not made again"
            zones = (*zones, Zone(step.zone, step.marker))
            continue
        assert before is not None, "zone first"
        if isinstance(step, CreateLink):
            same_name = [zone for zone in zones if zone.name.lower() == before.name.lower()]
            assert not any(zone.link_to(step.vnet_id) for zone in same_name), "one zone of a name per network"
            made = Link(f"{step.zone.text}/virtualNetworkLinks/{step.name}", step.name, step.vnet_id, True, step.marker)
            after = replace(before, links=(*before.links, made))
        else:
            after = replace(before, record=record_after(before.record, step, rules))
        zones = tuple(after if zone is before else zone for zone in zones)
    return zones


def record_after(before: WildcardRecord | None, step: PutWildcardRecord, rules: Rules) -> WildcardRecord:
    """The record once it is written; what others made, or hold, stays in it."""
    if before is None:
        assert step.etag is None
    else:
        assert step.etag == before.etag, "only the version that was read is replaced"
        assert before.marker is not None, "what is foreign is never written"
        assert before.marker.instance == rules.instance_id, "what another installation made is never written"
        for holder in before.marker.holders:
            kept = step.marker.holder(holder.connection_id)
            assert kept is not None, "no holder is thrown out"
            assert kept.address in step.addresses
    assert 1 <= len(step.addresses) == len(set(step.addresses)) <= 20
    assert step.ttl == rules.record_ttl
    return WildcardRecord(step.addresses, f"{step.etag}+", step.marker)


def elastic_after(wanted: Desired, observed: ObservedElastic, steps: tuple[ElasticStep, ...]) -> ObservedElastic:
    """What Elastic Cloud has once the steps are done."""
    for step in steps:
        observed = _created(observed, step) if isinstance(step, CreatePolicy) else _associated(wanted, observed, step)
    return observed


def _created(observed: ObservedElastic, step: CreatePolicy) -> ObservedElastic:
    guids = {rule.endpoint_guid.lower() for p in observed.policies if p.type == POLICY_TYPE for rule in p.rules}
    assert step.endpoint_guid.lower() not in guids, "one policy for a GUID at every moment"
    text = step.marker.description()
    rules = (Rule(step.endpoint_name, step.endpoint_guid),)
    marker = marker_from_description(text)
    made = Policy("p-new", step.name, POLICY_TYPE, step.region, False, text, rules, marker=marker)
    return replace(observed, policies=(*observed.policies, made))


def _associated(wanted: Desired, observed: ObservedElastic, step: Associate) -> ObservedElastic:
    assert wanted.endpoint.status is ConnectionStatus.APPROVED, "S3: only once approved"
    (target,) = [one for one in observed.deployments or () if one.id == step.deployment_id]
    assert target.region == wanted.service.elastic_region, "S3: only in the policy's region"
    assert target.running
    policies = tuple(
        replace(one, associations=(*one.associations, target.id)) if one.id == step.policy_id else one
        for one in observed.policies
    )
    changed = replace(target, attached=(*(target.attached or ()), step.policy_id))
    deployments = tuple(changed if one is target else one for one in observed.deployments or ())
    return replace(observed, policies=policies, deployments=deployments)


def settle_dns(wanted: Desired, zones: tuple[Zone, ...], rules: Rules) -> tuple[Zone, ...]:
    """Do what is planned, and see that nothing is left to do."""
    after = dns_after(zones, plan_dns(wanted, zones, rules).steps, rules)
    assert plan_dns(wanted, after, rules).steps == ()
    return after


def settle_elastic(
    wanted: Desired, observed: ObservedElastic, rules: Rules, known: Connection = KNOWN
) -> tuple[ObservedElastic, ElasticPlan]:
    """Do what is planned, and what is planned then (a policy is associated once it is made); nothing is left after."""
    for _ in range(2):
        found = plan_elastic(wanted, observed, known, rules, NOW)
        observed = elastic_after(wanted, observed, found.steps)
    final = plan_elastic(wanted, observed, known, rules, NOW)
    assert final.steps == ()
    return observed, final


def planned(wanted: Desired, observed: Observed, known: Connection = KNOWN, rules: Rules | None = None) -> Plan:
    return plan(wanted, observed, known, rules or Rules(), NOW)
