"""Carrying out a plan's steps, each journalled, each returning what is then known to be there. Used by `reconcile`.

A branch stops at its first error, which becomes the condition of the step that met it; associations go on past each
other, so that one deployment that cannot be connected does not hold up the rest.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.core.connection import AssociationMemory, Owner, PolicyMemory
from shared.core.errors import AnswerLost, AutopilotError, Forbidden, LeaseLost, NotFound, NotVisibleYet, Waiting
from shared.core.markers import marker_from_description
from shared.core.model import Policy, Rule, Zone
from shared.core.plan import forget_policy_intent
from shared.core.plan_elastic import POLICY_TYPE, ObservedElastic
from shared.core.steps import Associate, CreateLink, CreatePolicy, CreateZone, DnsStep, ElasticStep
from shared.correlation import Stage, timed
from shared.run import Run

Failures = dict[str, AutopilotError]
"""The error of each condition that met one."""


@timed(Stage.APPLY_DNS)
async def apply_dns(
    run: Run,
    steps: tuple[DnsStep, ...],
    zones: tuple[Zone, ...],
    done: Callable[[tuple[Zone, ...]], Awaitable[None]],
) -> tuple[tuple[Zone, ...], Failures]:
    """Do the DNS steps in order, telling `done` after each; returns the zones as they then are, and what failed."""
    for step in steps:
        started = time.monotonic()
        try:
            zones = await _dns_step(run, step, zones)
        except AutopilotError as error:
            run.note(step, _outcome(error), message=str(error), started=started)
            return zones, {step.condition: error}
        run.note(step, "done", started=started)
        await done(zones)
    return zones, {}


async def _dns_step(run: Run, step: DnsStep, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
    dns = run.context.dns
    if isinstance(step, CreateZone):
        return (*zones, await dns.create_zone(step))
    zone = next(zone for zone in zones if zone.id.key == step.zone.key)
    if isinstance(step, CreateLink):
        changed = replace(zone, links=(*zone.links, await dns.create_link(step)))
    else:
        changed = replace(zone, record=await dns.put_record(step))
    return tuple(changed if other is zone else other for other in zones)


@timed(Stage.APPLY_ELASTIC)
async def apply_elastic(
    run: Run, steps: tuple[ElasticStep, ...], observed: ObservedElastic
) -> tuple[ObservedElastic, Failures]:
    """Do the Elastic Cloud steps; returns what is then there, and what failed."""
    failures: Failures = {}
    for step in steps:
        started = time.monotonic()
        try:
            if isinstance(step, CreatePolicy):
                observed = await _create_policy(run, step, observed)
            else:
                observed = await _associate(run, step, observed)
        except LeaseLost:
            raise
        except AutopilotError as error:
            run.note(step, _outcome(error), message=str(error), started=started)
            failures.setdefault(step.condition, error)
            if isinstance(step, CreatePolicy):
                break
            continue
        run.note(step, "done", started=started)
    return observed, failures


async def _create_policy(run: Run, step: CreatePolicy, observed: ObservedElastic) -> ObservedElastic:
    """The one call that is not idempotent: the intent is stored before it, the id right after it."""
    now = run.context.clock.now()
    run.connection = replace(run.connection, policy=PolicyMemory(intent_at=now))
    run.note(step, "begun")
    await run.flush()
    await run.save()  # renews the lease too
    if run.held.remaining() < run.context.settings.request_timeout:
        # The storing took long. Past the lease another worker could be doing the same; the POST must end within it.
        run.connection = forget_policy_intent(run.connection)
        raise Waiting("Too little of this run's lease is left to create a policy safely.", on=step.name, after=1.0)
    try:
        policy_id = await run.context.elastic.create_policy(step)
    except AnswerLost:
        raise  # the intent stays: the next run looks for the policy before it makes another
    except AutopilotError:
        run.connection = forget_policy_intent(run.connection)
        await run.save()
        raise
    created = PolicyMemory(policy_id, Owner.OURS, intent_at=now, created_at=run.context.clock.now())
    run.connection = replace(run.connection, policy=created)
    await run.save()
    run.note(step, "created", after=policy_id)
    await run.flush()
    return replace(observed, policies=(*observed.policies, _created(step, policy_id)))


def _created(step: CreatePolicy, policy_id: str) -> Policy:
    description = step.marker.description()
    return Policy(
        id=policy_id,
        name=step.name,
        type=POLICY_TYPE,
        region=step.region,
        include_by_default=False,
        description=description,
        rules=(Rule(step.endpoint_name, step.endpoint_guid),),
        marker=marker_from_description(description),
    )


def _just_created(run: Run) -> bool:
    created = run.connection.policy.created_at
    return created is not None and (run.context.clock.now() - created).total_seconds() < run.context.rules.policy_lag


async def _associate(run: Run, step: Associate, observed: ObservedElastic) -> ObservedElastic:
    """Associate, remembering before and after whether the association is ours (S4)."""
    before = next((known for known in run.connection.associations if known.deployment_id == step.deployment_id), None)
    run.connection = run.connection.with_association(before or AssociationMemory(step.deployment_id))
    await run.save()
    try:
        made = await run.context.elastic.associate(step)
    except AnswerLost:
        raise  # begun, and perhaps done: if it is there at the next look, it is ours
    except AutopilotError as error:
        if before is None:  # refused: what others may do later must not be taken for ours
            run.connection = run.connection.without_association(step.deployment_id)
        if isinstance(error, NotFound | Forbidden) and _just_created(run):
            # Elastic Cloud answers 404, or 403, for a policy that it does not show yet.
            raise NotVisibleYet(error.what, on=error.on, after=5.0) from error
        raise
    # There already, though not listed yet: begun or made by us earlier, else somebody else's.
    known = before.owner or Owner.OURS if before is not None else Owner.ADOPTED
    owner = Owner.OURS if made else known
    run.connection = run.connection.with_association(AssociationMemory(step.deployment_id, owner))
    policies = tuple(
        replace(policy, associations=(*policy.associations, step.deployment_id))
        if policy.id == step.policy_id
        else policy
        for policy in observed.policies
    )
    deployments = tuple(
        replace(deployment, attached=(*(deployment.attached or ()), step.policy_id))
        if deployment.id == step.deployment_id
        else deployment
        for deployment in observed.deployments or ()
    )
    return replace(observed, policies=policies, deployments=deployments)


def _outcome(error: AutopilotError) -> str:
    return "waiting" if isinstance(error, Waiting) else "failed"
