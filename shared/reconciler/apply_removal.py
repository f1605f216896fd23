"""Carrying out a removal's steps in their order, each journalled. Used by `deleted`.

A refused step (a right to delete is missing, a lock) is reported, and what needs it is not tried; the rest goes on.
What is only busy, does not answer, or knows the app no more, ends the run: the next one reads everything again.
What was busy for too long is reported as refused.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from shared.core.model.arm_ids import ArmId, lower_case, record_id
from shared.core.model.errors import (
    AutopilotError,
    AwaitingEarlierRequest,
    Blocked,
    LeaseLost,
    NotVisibleYet,
    Permanent,
    RetryLater,
    TargetUnseen,
    Waiting,
)
from shared.core.model.reasons import KEY_REASONS, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.steps import (
    DeleteLink,
    DeletePolicy,
    DeleteRecord,
    DeleteZone,
    Disassociate,
    DnsRemoval,
    RemovalStep,
    UnclaimEndpoint,
    WithdrawAddress,
)
from shared.core.planning.dns import link_name
from shared.core.planning.dns_record import emptied
from shared.core.planning.removal import RemovalPlan, held_up_by
from shared.core.ports import claims_of
from shared.installation import things
from shared.reconciler.holders import seconds_too_young, wake_left
from shared.reconciler.run_state import Run
from shared.reconciler.target_requests import disassociate, policy_as_read

SIGNED_OUT = KEY_REASONS | {Reason.AZURE_SIGN_IN_FAILED}
"""Reasons of an app that a service does not know, and that may so do nothing at all."""


DELETE_FORBIDDEN = frozenset(
    {
        Reason.SCOPE_LOCKED,
        Reason.AZURE_RIGHTS_MISSING,
        Reason.DENY_ASSIGNMENT,
        Reason.REQUEST_DISALLOWED_BY_POLICY,
    }
)
"""Reasons why nothing may be deleted where writing is still allowed."""


HAS_PARTS = "CannotDeleteResource"
"""Azure's word where something in a thing keeps it; just before it was read, and nothing was seen in it."""
GROUP_LOOK = 300.0
"""Seconds between two looks at what goes with its resource group: that takes minutes to hours."""


class CarriedOut(NamedTuple):
    """What became of a removal's steps."""

    refused: tuple[str, ...]
    """What was refused, and why."""
    postponed: AutopilotError | None = None
    """What keeps the removal open."""
    held: tuple[RemovalStep, ...] = ()
    """Steps that were not taken because a pause has begun."""


async def apply_removal(run: Run, plan: RemovalPlan, *, patient: bool = True) -> CarriedOut:
    """Take the steps, until one has to wait or the app is paused."""
    refused: dict[RemovalStep, str] = {}
    waiting: AwaitingEarlierRequest | TargetUnseen | None = None
    opens: Blocked | None = None
    for number, step in enumerate(plan.steps):
        if waiting is not None and not isinstance(step, Disassociate):
            break  # the order of S5: what follows the associations waits with them
        if held_up_by(step, refused):
            refused[step] = f"not done, because something before it was refused: {step}"
            continue
        started = time.monotonic()
        try:
            if not await run.may_write():
                return CarriedOut(tuple(refused.values()), held=plan.steps[number:])
            await take_step(run, step, plan)
        except LeaseLost:
            raise
        except AutopilotError as error:
            run.note_failure(step, error, started)
            error = _once_more(step, error)
            if isinstance(error, AwaitingEarlierRequest | TargetUnseen):  # of one target; the others go on
                waiting = waiting or error
                continue
            if not _lasting(error, patient=patient):
                return CarriedOut(tuple(refused.values()), error)
            refused[step] = f"not done: {step} ({error.what}){_of_unseen_links(run, step, error)}"
            opens = opens or _opening(error)
        else:
            run.note(step, "done", started=started)
            run.record = _without(run.record, step)
            await run.save()
    return CarriedOut(tuple(refused.values()), waiting or opens)


def _once_more(step: RemovalStep, error: AutopilotError) -> AutopilotError:
    """NotVisibleYet for what Elastic Cloud refuses: a right or an end that is not known everywhere yet looks like that.

    What is refused again and again is left in the end, as what stays busy is; Azure's steps come after these (S5).
    What is in a resource group that is being deleted goes with it.
    """
    refused = isinstance(error, Blocked) and error.reason in {Reason.ELASTIC_RIGHTS_MISSING, Reason.ELASTIC_REFUSED}
    if refused and isinstance(step, Disassociate | DeletePolicy):
        return NotVisibleYet(error.what, on=error.on, after=30.0)
    if isinstance(error, Blocked) and error.reason is Reason.RESOURCE_GROUP_BEING_DELETED:
        return NotVisibleYet(error.what, on=error.on, after=GROUP_LOOK, code=error.reason)
    return error


def _of_unseen_links(run: Run, step: RemovalStep, error: AutopilotError) -> str:
    """How a person takes away a link that no read shows: one that could not be made stays behind like that at times."""
    if not isinstance(step, DeleteZone) or not isinstance(error, NotVisibleYet) or error.code != HAS_PARTS:
        return ""
    group, zone = step.zone.resource_group, step.zone.name
    networks = (run.record.identity.vnet_id, *run.context.options.dns.link_vnets)
    names = " ".join(dict.fromkeys(link_name(one) for one in networks if one))
    return (
        " The zone has a link that no read shows, as one that could not be made may leave behind; delete it by its "
        f"name: for name in {names}; do az network private-dns link vnet delete --yes -g {group} -z {zone} -n $name; "
        "done"
    )


def _opening(error: AutopilotError) -> Blocked | None:
    """The error, where the step would open a target, seen only now: another has left it since the plan was made."""
    if isinstance(error, Blocked) and error.reason is Reason.WOULD_REOPEN_PUBLIC_ACCESS:
        return error
    return None


def _lasting(error: AutopilotError, *, patient: bool) -> bool:
    """Whether the step is to be left. A key or an identity that is refused altogether is renewed some time."""
    if isinstance(error, Blocked):
        return error.reason not in SIGNED_OUT
    return isinstance(error, Permanent) or (isinstance(error, NotVisibleYet) and not patient)


async def take_step(run: Run, step: RemovalStep, plan: RemovalPlan) -> None:
    """Take one step, after the looks that it needs just before."""
    dns = run.context.dns
    match step:
        case Disassociate():
            await disassociate(run, step, plan.policies)
        case DeletePolicy():
            if await policy_as_read(run, plan.policies[step.policy_id]) is not None:
                await run.elastic.delete_policy(step.policy_id)
        case UnclaimEndpoint():
            await claims_of(run.elastic).unclaim(step)
        case WithdrawAddress():
            await _old_enough(run, step.zone, step.record.etag or "")
            written = await dns.put_record(step.record)
            await things.first_seen(run.context, step.zone.text, record_id(step.zone), written.etag)
        case DeleteRecord():
            await _old_enough(run, step.zone, step.etag)
            await _delete_record(run, step, plan)
        case DeleteLink():
            await _still_empty(run, step.zone)
            await dns.delete_link(step)
            await things.forget(run.context, step.zone.text, f"{step.zone.text}/virtualNetworkLinks/{step.name}")
        case DeleteZone():
            await _still_empty(run, step.zone)
            await dns.delete_zone(step)
            await things.forget(run.context, step.zone.text, step.zone.text)
            await wake_left(run.context, step.zone, run.correlation_id)


async def _still_empty(run: Run, zone: ArmId) -> None:
    """Read the zone again just before: its ETag does not change when a record set is added.

    Raise RetryLater where others have put names into it meanwhile: they would stop resolving, or go with the zone.
    """
    found = await run.context.dns.whole_zone(zone)
    marker = found.record.marker if found is not None and found.record is not None else None
    mine = marker is not None and marker.holder(run.record.id) is not None  # it has moved to another network
    if found is not None and ((found.record is not None and not mine) or found.has_other_records is not False):
        raise RetryLater("The zone has records that it did not have when it was read.", on=zone.text, after=5.0)


async def _delete_record(run: Run, step: DeleteRecord, plan: RemovalPlan) -> None:
    """Delete the record; where a lock or a missing right forbids that, leave it without an address.

    A dead address answers clients and keeps the record from the endpoint that comes next; an empty set does neither.
    """
    context = run.context
    try:
        await context.dns.delete_record(step)
    except Blocked as error:
        record = plan.records.get(step.zone.key)
        empty = emptied(step, record, context.options) if record is not None else None
        if error.reason not in DELETE_FORBIDDEN or empty is None:
            raise
        if record is not None and record.addresses and await run.may_write():
            written = await context.dns.put_record(empty)
            await things.first_seen(context, step.zone.text, record_id(step.zone), written.etag)
            run.note(f"take {', '.join(record.addresses)} out of the * A record in {step.zone.name}", "done")
        raise
    await things.forget(context, step.zone.text, record_id(step.zone))


async def _old_enough(run: Run, zone: ArmId, version: str) -> None:
    """Raise Waiting while the record was written so lately that its holder may be back unseen."""
    left = await seconds_too_young(run.context, zone, version)
    if left:
        raise Waiting(
            f"The * record was written a moment ago; it is left alone for {left:.0f} s.", on=zone.text, after=left + 1
        )


def _without(record: ConnectionRecord, step: RemovalStep) -> ConnectionRecord:
    """The record once the step is done."""
    match step:
        case Disassociate() if step.policy_id == record.elastic.policy.id:
            record = record.without_association(step.target_id)
        case Disassociate():
            record = record.without_former(step.policy_id, step.target_id)
        case DeletePolicy() if step.policy_id == record.elastic.policy.id:
            record = record.with_elastic(policy=PolicyMemory(), targets=())
        case UnclaimEndpoint():
            record = record.with_elastic(claim=None)
        case WithdrawAddress() | DeleteRecord() if _used(record, step):
            record = record.with_dns(record=None, record_addresses=())
        case DeleteLink():
            gone = lower_case(f"{step.zone.text}/virtualNetworkLinks/{step.name}")
            record = record.with_dns(links=tuple(link for link in record.dns.links if lower_case(link.id) != gone))
        case DeleteZone() if _used(record, step):
            record = record.with_dns(zone=None, links=())
    return record


def _used(record: ConnectionRecord, step: DnsRemoval) -> bool:
    """Whether the step is about the zone on record; there may be others with marks of the connection."""
    return record.dns.zone is not None and lower_case(record.dns.zone.id) == step.zone.key
