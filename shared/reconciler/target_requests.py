"""Requests that associate a policy with a target or end that: each is noted in the target's row first (S1, S2).

Used by `elastic_branch` and `apply_removal`. The order is what makes it safe when answers are lost, lists lag and
workers freeze: read the row, begin the list, decide, write the note with the ETag that was read (a lost race starts
again at the row), send. The note holds the row's `Date` plus the request's time; the worker counts the same time by its
own clock from before that read, and sends nothing once it has passed. The rules: `core.guards.first_and_last_policy`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from shared.clock import Stopwatch
from shared.context import log
from shared.core.guards.first_and_last_policy import (
    NotYet,
    OutdatedList,
    PolicyNote,
    TargetReading,
    association_problem,
    disassociation_problem,
    document_of,
    notes_in,
    outdated_in,
    row_name,
)
from shared.core.model.conditions import Explanation
from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.errors import (
    AnswerLost,
    AutopilotError,
    AwaitingEarlierRequest,
    Blocked,
    ChangeUnseen,
    LostRace,
    NotFound,
    RetryLater,
    TargetUnseen,
    Throttled,
    Waiting,
)
from shared.core.model.json_values import is_newer
from shared.core.model.reasons import Reason
from shared.core.model.resources import Attached, Policy
from shared.core.model.steps import Associate, Disassociate
from shared.installation import decided
from shared.reconciler.run_state import Run
from shared.state.rows import ControlRow

_A = TypeVar("_A")

TRIES = 5
"""Lost races in a row before the run comes back later."""
LIST_IS_LATE = 30.0
"""Seconds until a list is looked at again that is behind what the service knows."""
DATE_STEP = timedelta(seconds=1)
"""A `Date` has whole seconds: the answer is at most so much later."""
_NOT_DONE = frozenset({Reason.ELASTIC_KEY_REFUSED, Reason.DEPLOYMENT_NOT_RUNNING, Reason.PROJECT_LIST_NOT_GUARDED})
"""A key that is refused may do nothing; a target that does not run, or cannot be guarded, is sent nothing."""
REQUESTS = 2
"""From the row's read to the deadline: this many times what one request may take, for all of them."""


async def associate(run: Run, step: Associate, types: Mapping[str, str], begin: Callable[[], Awaitable[None]]) -> bool:
    """Associate; True when it was not associated before. `begin` runs just before the note is written."""
    begun: list[bool] = []

    def problem(view: _TargetView) -> NotYet | Explanation | None:
        found = association_problem(step, view.listed, types, view.reading)
        if isinstance(found, Explanation):  # the plan, made anew, tells what that means
            raise LostRace(found.message, on=step.target_id, after=5.0)
        return found

    async def send(view: _TargetView) -> bool:
        if not begun:
            await begin()
        begun.append(True)
        noted = view.reading.with_post(step.policy_id, view.deadline)
        return await _send_noted(run, view, noted, step.policy_id, lambda: run.elastic.associate(step, view.seen))

    made = await _in_turn(run, step.target_id, problem, send)
    # There by the second try already: by the first one, whose answer did not tell.
    return bool(made) or len(begun) > 1


async def disassociate(
    run: Run, step: Disassociate, policies: Mapping[str, Policy], begin: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Take the association away; Blocked if it is the last one, AwaitingEarlierRequest while that is not certain.

    `policies`: as they were read when this was decided. A rule that was added since would be cut off.
    """
    begun: list[bool] = []
    types = {policy_id: policy.type for policy_id, policy in policies.items()}
    seen: list[Policy | None] = []

    async def look() -> None:
        with suppress(NotFound):  # the read of its policies tells what that means
            await run.elastic.prepare_change(step.target_id)
        seen[:] = [await policy_as_read(run, policies[step.policy_id])] if step.policy_id in policies else []

    def problem(view: _TargetView) -> NotYet | Explanation | str | None:
        found = disassociation_problem(step, view.listed, types, view.reading)
        if isinstance(found, str) and any(one is not None and step.target_id in one.associations for one in seen):
            what = f"The {step.family.noun}'s list lacks a policy that lists the {step.family.noun}."
            raise RetryLater(what, on=step.target_id, after=15.0)
        return found

    async def send(view: _TargetView) -> None:
        if begin is not None and not begun:
            begun.append(True)
            await begin()
        noted = view.reading.with_delete(step.policy_id, view.deadline)
        await _send_noted(
            run,
            view,
            noted,
            step.policy_id,
            lambda: run.elastic.disassociate(step.policy_id, step.target_id, view.seen),
        )

    forgotten = step.policy_id if step.forgotten else ""
    await _in_turn(run, step.target_id, problem, send, look=look, forgotten=forgotten)
    if step.forgotten:
        await decided.carried_out(run.context, run.record.id, Decided(ConnectionDecision.FORGET_TARGET, step.target_id))


async def policy_as_read(run: Run, policy: Policy) -> Policy | None:
    """Read the policy again just before something is taken away; None: it is gone.

    Raises LostRace where it has another marker or other rules by now: it was taken over, or lets others in.
    """
    found = await run.elastic.policy(policy.id)
    if found is not None and not found.is_as(policy):
        raise LostRace("The policy was changed since it was read.", on=policy.id, after=5.0)
    return found


async def awaited_posts(run: Run, explanations: Iterable[Explanation]) -> AwaitingEarlierRequest | None:
    """Why it is not certain yet that a policy is a target's last one: another's POST may still land. None: it is.

    `explanations`: what the plan says of its associations; asked only where it says that a target would be opened.
    """
    if all(one.reason is not Reason.WOULD_REOPEN_PUBLIC_ACCESS for one in explanations):
        return None
    elastic, control = run.record.elastic, run.context.storage.control
    for target_id in (memory.target_id for memory in elastic.associations):
        row, read_at = await control.look(row_name(elastic.organization, target_id))
        if row is None:
            continue
        notes, _ = _noted(row, (), read_at)
        reading = TargetReading(read_at, timedelta(seconds=run.context.settings.timing.lag), notes)
        coming = [one for one in notes if one != elastic.policy.id and reading.posting(one)]
        if coming:
            ends = min(map(reading.ends_at, coming))
            what = f"Policy {coming[0]} may still be associated with it; the app looks again after {ends:%H:%M:%S} UTC."
            return AwaitingEarlierRequest(what, on=target_id, after=(ends - read_at).total_seconds() + 1.0)
    return None


async def look_at(run: Run, target_ids: Iterable[str]) -> None:
    """Note which policies targets have, so that their age counts from now on; a failure costs time, not safety."""
    if run.effective_mode.enforces:
        await asyncio.gather(*(_look_at(run, one) for one in target_ids))


async def _look_at(run: Run, target_id: str) -> None:
    try:
        view = await _view(run, target_id)
        if view.reading.notes != view.noted:
            await _put(run, view, view.reading)
    except _Changed:
        return  # the other worker has seen as much
    except AutopilotError as error:
        log.info("policies of target %s not noted: %s", target_id, error)


# -- one try -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _TargetView:
    """A target as its row and then a list showed it."""

    row: ControlRow
    reading: TargetReading
    """With what the list told."""
    noted: Mapping[str, PolicyNote]
    """What the row says."""
    seen: Attached
    """The list, as the target's service showed it."""
    listed: tuple[str, ...]
    """What counts as listed: where a person decided that the target is gone, what they decided on too."""
    watch: Stopwatch
    """Runs since before the row was read."""
    patience: float
    """Seconds of it after which nothing is sent any more."""

    @property
    def deadline(self) -> datetime:
        """When a request that is sent now has ended, answered or not."""
        return self.reading.read_at + DATE_STEP + timedelta(seconds=self.patience)


async def _in_turn(
    run: Run,
    target_id: str,
    problem: Callable[[_TargetView], NotYet | Explanation | str | None],
    send: Callable[[_TargetView], Awaitable[_A]],
    *,
    look: Callable[[], Awaitable[None]] | None = None,
    forgotten: str = "",
) -> _A | None:
    """Look, decide and send; None: there is nothing to do. Raises what keeps it from being sent.

    `look`: what else is read first; the target's policies are the last look before the request (S2).
    `forgotten`: a person decided that the target, which is not found, is gone, and only this policy lists it.
    """
    for number in range(TRIES):
        if number and not await run.may_write():
            raise Waiting(f"Not done, because {run.effective_mode.why}.", on=target_id)
        if look is not None:
            await look()
        view = await _view(run, target_id, forgotten)
        found = problem(view)
        try:
            if found is None:
                return await send(view)
            if view.reading.notes != view.noted:
                await _put(run, view, view.reading)
        except _Changed:
            continue
        if isinstance(found, NotYet):
            raise _awaiting(view, found, target_id)
        if isinstance(found, Explanation):
            raise Blocked(found, on=target_id)
        return None
    raise Waiting("Other requests about this target are being noted; this one follows.", on=target_id, after=2.0)


async def _view(run: Run, target_id: str, forgotten: str = "") -> _TargetView:
    timing = run.context.settings.timing
    watch = Stopwatch(run.context.clock)
    name = row_name(run.record.elastic.organization, target_id)
    found, read_at = await run.context.storage.control.look(name)
    row = found or ControlRow(name)
    seen = await _seen(run, target_id, forgotten)
    listed = tuple(dict.fromkeys((*seen.policies, forgotten))) if forgotten else seen.policies
    noted, outdated = _noted(row, listed, read_at)
    reading = TargetReading(read_at, timedelta(seconds=timing.lag), noted, outdated)
    if reading.is_outdated(seen.version):
        what = "Elastic Cloud still shows the list that it no longer lets be changed: it shows changes late."
        raise Waiting(what, on=target_id, after=LIST_IS_LATE)
    learned = reading.learn(listed, read_at + DATE_STEP + timedelta(seconds=watch.seconds))
    return _TargetView(row, learned, noted, seen, listed, watch, patience_of(run))


async def _seen(run: Run, target_id: str, forgotten: str) -> Attached:
    """The target's policies. Not found is no answer about them: a key that lost sight of the target gets the same."""
    if forgotten and not await run.elastic.is_unknown(target_id):
        raise TargetUnseen(f"Elastic Cloud shows the {run.record.identity.family.noun} again.", on=target_id)
    try:
        return await run.elastic.attached_to(target_id)
    except NotFound as error:
        if not forgotten:
            what = f"Elastic Cloud does not show the {run.record.identity.family.noun}: {error.what}"
            raise TargetUnseen(what, on=target_id) from error
        return Attached(())


def _noted(
    row: ControlRow, listed: tuple[str, ...], read_at: datetime
) -> tuple[Mapping[str, PolicyNote], OutdatedList | None]:
    """What the row says; a damaged one is mended with the next write, and until LAG_SECONDS later nothing counts.

    Raises Waiting for the row of a newer version, whose notes this one cannot keep.
    """
    if is_newer(row.document):
        what = "A newer version of the app keeps the notes of this target, so this one sends nothing."
        raise Waiting(what, on=row.name, after=60.0)
    try:
        return notes_in(row.document, read_at), outdated_in(row.document, read_at)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("row %s of table control cannot be understood, it is written anew: %s", row.name, error)
        return {policy_id: PolicyNote(delete_until=read_at) for policy_id in listed}, None


class _Changed(Exception):
    """The target's row, or the list of its policies, was written since it was read."""


async def _put(run: Run, view: _TargetView, reading: TargetReading) -> ControlRow:
    row = replace(view.row, document=document_of(reading, view.row.document))
    try:
        return await run.context.storage.control.put(row)
    except LostRace:
        raise _Changed from None


async def _send_noted(
    run: Run, view: _TargetView, noted: TargetReading, policy_id: str, request: Callable[[], Awaitable[_A]]
) -> _A:
    """Write the note, then send, within the time that the note stands for."""
    sole = not view.reading.deleting(policy_id) and not view.reading.posting(policy_id)
    row = await _put(run, view, noted)
    left = view.patience - view.watch.seconds
    if left <= 0:
        raise Waiting("Noting the request took too long; it was not sent.", on=row.name, after=1.0)
    try:
        async with asyncio.timeout(left):
            return await request()
    except TimeoutError as error:
        raise AnswerLost("Elastic Cloud did not answer in time.", on=row.name) from error
    except AutopilotError as error:
        changed = isinstance(error, LostRace)
        known = view.reading if sole and (changed or proves_nothing_was_done(error)) else noted
        if view.seen.version and isinstance(error, LostRace | ChangeUnseen):
            now = view.reading.read_at + timedelta(seconds=view.watch.seconds)
            known = replace(known, outdated=OutdatedList(view.seen.version, now))
        if known is not noted:
            await _renote(run, replace(row, document=document_of(known, row.document)))
        if changed:  # the target's list is not what this was decided on: read and decide again
            raise _Changed from error
        raise


def patience_of(run: Run) -> float:
    """Seconds from the read that an instant is made from until the request has ended."""
    return REQUESTS * run.context.settings.timing.request_timeout


def proves_nothing_was_done(error: AutopilotError) -> bool:
    """Whether an answer says that the request had no effect, or that it was not sent."""
    if isinstance(error, Throttled | Waiting):
        return True
    return isinstance(error, Blocked) and error.reason in _NOT_DONE


async def _renote(run: Run, row: ControlRow) -> None:
    """Write what the answer told, with the note's own ETag; where that fails the note ends by itself."""
    try:
        await run.context.storage.control.put(row)
    except AutopilotError as error:
        log.info("note %s stays as it was and will end: %s", row.name, error)


def _awaiting(view: _TargetView, found: NotYet, target_id: str) -> AwaitingEarlierRequest:
    now = view.reading.read_at + timedelta(seconds=view.watch.seconds)
    after = max(1.0, (found.until - now).total_seconds() + 1.0)
    what = f"{found.why}; the app looks again after {found.until:%H:%M:%S} UTC."
    return AwaitingEarlierRequest(what, on=target_id, after=after)
