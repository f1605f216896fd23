"""May a connection use its endpoint's organization now, or is something left in another one? Used by runs and plans.

What is decided is in `shared.core.moving`; here the former organization is read, which is needed only after a change.
"""

from __future__ import annotations

import asyncio

from shared.context import Context
from shared.core.connection import Connection
from shared.core.desired import Desired
from shared.core.model import Claim, Policy
from shared.core.moving import changed, leaves_something, left_behind, moved, organization_on_record, refuse
from shared.run import Run


async def check_organization(context: Context, desired: Desired, known: Connection) -> None:
    """Raise Blocked if nothing may be made in the endpoint's organization; or what reading the former one raises."""
    left: tuple[str, ...] = ()
    if desired.organization and leaves_something(desired, known):
        left = await _left(context, desired, known)
    refuse(desired, known, context.rules, left)


async def _left(context: Context, desired: Desired, known: Connection) -> tuple[str, ...]:
    former = organization_on_record(known)
    if former not in context.elastic:
        raise changed(desired, known, f"not known whether that is gone: the settings have no key of {former} any more.")
    policies, claims = await asyncio.gather(_policies(context, known), _claims(context, known))
    return left_behind(known, policies, claims, context.rules, context.clock.now())


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
    return await context.elastic.of(known.organization).claims(known.claim.region)


def enter_organization(run: Run, desired: Desired) -> None:
    """Let the run's record be one of the endpoint's organization, which `check_organization` allowed."""
    former = run.connection.organization
    if former and former != desired.organization:
        run.note("change the Elastic Cloud organization", "done", before=former, after=desired.organization)
    run.connection = moved(run.connection, desired.organization)
