"""May a connection use its endpoint's organization now, or is something left in another one? Used by runs and plans.

What is decided is in `shared.core.planning.organization_change`; here the former organization is read, which is needed
only after a change.
"""

from __future__ import annotations

import asyncio

from shared.context import Context, log
from shared.core.model.errors import AutopilotError
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import PolicyMemory
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
    found = await recall(run.context, desired, run.record)
    # The other branch goes on meanwhile: only what is meant is changed.
    run.record = run.record.with_elastic(organization=found.elastic.organization, policy=found.elastic.policy)
    await check_organization(run.context, desired, run.record)
    former = run.record.elastic.organization
    if former and former != desired.organization:
        run.note("change the Elastic Cloud organization", "done", before=former, after=desired.organization)
    run.record = moved(run.record, desired.organization)


async def check_organization(context: Context, desired: Desired, record: ConnectionRecord) -> None:
    """Raise Blocked if nothing may be made in the endpoint's organization; or what reading the former one raises."""
    left: tuple[str, ...] = ()
    if desired.organization and leaves_something(desired, record):
        left = await _left(context, desired, record)
    refuse(desired, record, context.options, left)


async def _left(context: Context, desired: Desired, record: ConnectionRecord) -> tuple[str, ...]:
    former = organization_on_record(record)
    if former not in context.elastic:
        raise changed(
            desired, record, f"not known whether that is gone: the settings have no key of {former} any more."
        )
    policies, claims = await asyncio.gather(_policies(context, record), _claims(context, record))
    return left_behind(record, policies, claims, context.options, context.clock.now())


async def _policies(context: Context, record: ConnectionRecord) -> tuple[Policy, ...]:
    """Every policy; the one on record is looked for by its id before one short listing makes it missing."""
    api = context.elastic.of(record.elastic.organization)
    listed = await api.policies()
    if not record.elastic.policy.id or any(policy.id == record.elastic.policy.id for policy in listed):
        return listed
    found = await api.policy(record.elastic.policy.id)
    return listed if found is None else (*listed, found)


async def _claims(context: Context, record: ConnectionRecord) -> tuple[Claim, ...]:
    if record.elastic.claim is None:
        return ()
    return await listed_claims(context.elastic.of(record.elastic.organization), record.elastic.claim.region)


async def recall(context: Context, desired: Desired, record: ConnectionRecord) -> ConnectionRecord:
    """A record that says nothing of Elastic Cloud, with our policy in another organization than the endpoint's.

    When the tables are lost and the endpoint's organization changed, nothing else tells that there is one already. It
    is looked for once: a record that was in use has an organization. One that cannot be read holds up no other.
    """
    if record.elastic.organization or not desired.organization or holds(record):
        return record
    for name, api in context.elastic.items():
        if name == desired.organization:
            continue
        try:
            found = policies_made_for(record.id, await api.policies(), context.options.installation.instance_id)
        except AutopilotError as error:
            log.warning("organization %s not searched for a policy of connection %s: %s", name, record.id, error)
            continue
        if found:
            return record.with_elastic(organization=name, policy=PolicyMemory(found[0].id, Owner.OURS))
    return record
