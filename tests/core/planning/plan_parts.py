"""Pure counterparts of `apply`: what is there after a plan's steps. A step that would do harm is refused.

The clouds would refuse some of these too; the plan must not even try them. The judges are `world_dns` and
`world_elastic`.
"""

from __future__ import annotations

from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Zone
from shared.core.model.steps import DnsStep, ElasticStep
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired
from shared.core.planning.dns import plan_dns
from shared.core.planning.plan import ElasticPlan, Observed, ObservedElastic, Plan, plan, plan_elastic
from tests.core.core_parts import KNOWN, NOW, plan_options
from tests.core.world_dns import dns_done
from tests.core.world_elastic import Elastic, elastic_done


def dns_after(zones: tuple[Zone, ...], steps: tuple[DnsStep, ...], options: PlanOptions) -> tuple[Zone, ...]:
    """The zones once the steps are done."""
    for step in steps:
        zones = dns_done(zones, step, options)
    return zones


def elastic_after(
    wanted: Desired, observed: ObservedElastic, steps: tuple[ElasticStep, ...], options: PlanOptions
) -> ObservedElastic:
    """What Elastic Cloud has once the steps are done."""
    elastic = Elastic(observed.policies, observed.targets or (), observed.claims or ())
    for step in steps:
        elastic = elastic_done(elastic, step, wanted.marker, options, wanted)
    targets = None if observed.targets is None else elastic.targets
    return ObservedElastic(elastic.policies, targets, None if observed.claims is None else elastic.claims)


def settle_dns(wanted: Desired, zones: tuple[Zone, ...], options: PlanOptions) -> tuple[Zone, ...]:
    """Do what is planned, and see that nothing is left to do."""
    after = dns_after(zones, plan_dns(wanted, zones, options).steps, options)
    assert plan_dns(wanted, after, options).steps == ()
    return after


def settle_elastic(
    wanted: Desired, observed: ObservedElastic, options: PlanOptions, record: ConnectionRecord = KNOWN
) -> tuple[ObservedElastic, ElasticPlan]:
    """Do what is planned, and what is planned then (a policy is associated once it is made); nothing is left after."""
    for _ in range(2):
        found = plan_elastic(wanted, observed, record, options, NOW)
        observed = elastic_after(wanted, observed, found.steps, options)
    final = plan_elastic(wanted, observed, record, options, NOW)
    assert final.steps == ()
    return observed, final


def planned(
    wanted: Desired, observed: Observed, record: ConnectionRecord = KNOWN, options: PlanOptions | None = None
) -> Plan:
    return plan(wanted, observed, record, options or plan_options(), NOW)
