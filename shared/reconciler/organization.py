"""May a connection use its endpoint's organization now, or is something left in another one? Used by runs and plans.

What is decided is in `shared.core.planning.organization_change`; here the former organization is read, which is needed
only after a change.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from shared.context import Context, log
from shared.core.model.errors import AutopilotError
from shared.core.model.record import Connection, Owner, PolicyMemory
from shared.core.model.resources import Claim, Policy
from shared.core.planning.desired import Desired
from shared.core.planning.organization_change import (
    changed,
    holds,
    leaves_something,
    left_behind,
    moved,
    organization_on_record,
    refuse,
)
from shared.core.planning.removal import policies_made_for
from shared.core.ports import listed_claims
from shared.reconciler.run_state import Run


async def enter_organization(run: Run, desired: Desired) -> None:
    """Let the run's record be one of the endpoint's organization; raises as `check_organization` does."""
    found = await recall(run.context, desired, run.connection)
    # The other branch goes on meanwhile: only what is meant is changed.
    run.connection = replace(run.connection, organization=found.organization, policy=found.policy)
    await check_organization(run.context, desired, run.connection)
    former = run.connection.organization
    if former and former != desired.organization:
        run.note("change the Elastic Cloud organization", "done", before=former, after=desired.organization)
    run.connection = moved(run.connection, desired.organization)


async def check_organization(context: Context, desired: Desired, known: Connection) -> None:
    """Raise Blocked if nothing may be made in the endpoint's organization; or what reading the former one raises."""
    left: tuple[str, ...] = ()
    if desired.organization and leaves_something(desired, known):
        left = await _left(context, desired, known)
    refuse(desired, known, context.options, left)


async def _left(context: Context, desired: Desired, known: Connection) -> tuple[str, ...]:
    former = organization_on_record(known)
    if former not in context.elastic:
        raise changed(desired, known, f"not known whether that is gone: the settings have no key of {former} any more.")
    policies, claims = await asyncio.gather(_policies(context, known), _claims(context, known))
    return left_behind(known, policies, claims, context.options, context.clock.now())


async def _policies(context: Context, known: Connection) -> tuple[Policy, ...]:
    """Every policy; the one on record is looked for by its id before one short listing makes it missing."""
    api = context.elastic.of(known.organization)
    listed = await api.policies()
    if not known.policy.id or any(policy.id == known.policy.id for policy in listed):
        return listed
    found = await api.policy(known.policy.id)
    return listed if found is None else (*listed, found)


async def _claims(context: Context, known: Connection) -> tuple[Claim, ...]:
    if known.claim is None:
        return ()
    return await listed_claims(context.elastic.of(known.organization), known.claim.region)


async def recall(context: Context, desired: Desired, known: Connection) -> Connection:
    """A record that says nothing of Elastic Cloud, with our policy in another organization than the endpoint's.

    When the tables are lost and the endpoint's organization changed, nothing else tells that there is one already. It
    is looked for once: a record that was in use has an organization. One that cannot be read holds up nobody.
    """
    if known.organization or not desired.organization or holds(known):
        return known
    for name, api in context.elastic.items():
        if name == desired.organization:
            continue
        try:
            found = policies_made_for(known.id, await api.policies(), context.options.installation.instance_id)
        except AutopilotError as error:
            log.warning("organization %s not searched for a policy of connection %s: %s", name, known.id, error)
            continue
        if found:
            return replace(known, organization=name, policy=PolicyMemory(found[0].id, Owner.OURS))
    return known
