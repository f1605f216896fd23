"""From an error to a condition, and from conditions to the next look. Pure; used by `plan` and by `reconcile`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.model import conditions as c
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.conditions import Condition
from shared.core.model.errors import (
    AnswerLost,
    AutopilotError,
    AwaitingEarlierRequest,
    Blocked,
    LostRace,
    NotFound,
    NotVisibleYet,
    RetryLater,
    Throttled,
    Waiting,
)
from shared.core.model.reasons import KEY_REASONS, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Endpoint
from shared.core.model.steps import CreateLink, CreateZone
from shared.core.planning.desired import Desired
from shared.core.reasons import remedy_of

GROWTH = 1.5
"""Each wait for the same thing is this much longer than the one before."""

KEY_LOOK = 30.0
"""Seconds between two looks while no API key works, as the app reads the vault: no event tells of a stored key."""

REFUSED = frozenset(
    {
        Reason.AZURE_RIGHTS_MISSING,
        Reason.AZURE_SIGN_IN_FAILED,
        Reason.AZURE_REFUSED,
        Reason.ELASTIC_RIGHTS_MISSING,
        Reason.ELASTIC_REFUSED,
        Reason.FOREIGN_ANSWER,
    }
)
REFUSED_LOOKS = (60.0,)
"""Seconds to the next looks at what one of these services refused, before it is left to the timer. One refusal means
little: a role that was just assigned, or a token that was just renewed, is not known everywhere at once. More looks
would take the reads of a subscription where a right is missing to many endpoints."""

FOLLOWED = frozenset(
    {
        Reason.AWAITING_APPROVAL,
        Reason.NO_ADDRESS_YET,
        Reason.NO_NETWORK_YET,
        Reason.NO_GUID_YET,
        Reason.IN_PROGRESS,
        Reason.OPERATION_RUNNING,
    }
)
"""What time alone changes, and one read shows: looks follow the time waited so far."""
SHARE = 0.08
"""Of the time waited so far, to the next such look."""
BESIDE_DNS = 10.0
"""Seconds between two looks at the approval at least, while an operation of private DNS runs longer than that."""
SOONEST = 2.0
"""Seconds between two such looks at least."""

PATIENCE = 10
"""Looks at a failing test before only the timer goes on looking."""

_REASONS: tuple[tuple[type[AutopilotError], Reason], ...] = (
    (Throttled, Reason.THROTTLED),
    (NotVisibleYet, Reason.NOT_VISIBLE_YET),
    (LostRace, Reason.CHANGED_MEANWHILE),
    (AnswerLost, Reason.ANSWER_LOST),
    (RetryLater, Reason.TEMPORARY_FAILURE),
)


def condition_of(
    type_: str, error: AutopilotError, before: Condition | None, now: datetime, visibility: float
) -> Condition:
    """The condition that an error makes; what stays invisible for longer than `visibility` seconds needs a person."""
    if isinstance(error, Waiting):
        earlier = isinstance(error, AwaitingEarlierRequest)
        reason = Reason.AWAITING_EARLIER_REQUEST if earlier else Reason.OPERATION_RUNNING
        return c.waiting(type_, reason, str(error))
    if isinstance(error, Blocked):
        return c.blocked(type_, error.reason, _text(error), error.next_step, error.explanation.about)
    if not isinstance(error, RetryLater):
        reason = Reason.NOT_FOUND if isinstance(error, NotFound) else Reason.INVALID_INPUT
        return c.blocked(type_, reason, _text(error), error.next_step or remedy_of(reason))
    reason = next(reason for kind, reason in _REASONS if isinstance(error, kind))
    if isinstance(error, NotVisibleYet):
        since = before.since if before is not None and before.reason == reason else None
        overdue = since is not None and (now - since).total_seconds() > visibility
        if overdue or (before is not None and before.reason is Reason.STILL_NOT_VISIBLE):
            return c.blocked(type_, Reason.STILL_NOT_VISIBLE, _text(error), remedy_of(Reason.STILL_NOT_VISIBLE))
        return c.waiting(type_, reason, _text(error))
    return c.waiting(type_, reason, _text(error), c.WaitingFor.WORK)


LINK_OVERDUE = timedelta(minutes=30)
LONGEST: Mapping[Reason, tuple[timedelta, Reason]] = {
    Reason.NO_ADDRESS_YET: (timedelta(minutes=30), Reason.ADDRESS_OVERDUE),
    Reason.NO_NETWORK_YET: (timedelta(minutes=30), Reason.ADDRESS_OVERDUE),
    Reason.NO_GUID_YET: (timedelta(minutes=30), Reason.ADDRESS_OVERDUE),
    Reason.IN_PROGRESS: (LINK_OVERDUE, Reason.LINK_OVERDUE),
    Reason.OPERATION_RUNNING: (timedelta(hours=2), Reason.OPERATION_OVERDUE),
}
"""How long is waited for what Azure should do by itself, and what it is called after that."""

OF_AZURE = frozenset({c.ADDRESSED, c.ZONE_READY, c.LINKED, c.RECORD_READY, c.POLICY_READY})
"""Conditions that wait for Azure; that of the policy only for what Azure tells of the endpoint."""


def overdue(found: Condition, before: Condition | None, now: datetime) -> Condition:
    """The condition, or what becomes of it when it has waited too long: then a person is asked.

    Conditions that wait for this one (the record for the address) have a reason of their own type, and end with it.
    """
    longest = LONGEST.get(found.reason)
    if longest is None or found.true or before is None or found.type not in OF_AZURE:
        return found
    if found.type == c.POLICY_READY and found.reason is Reason.OPERATION_RUNNING:
        return found  # what it waits for in Elastic Cloud says itself what it is held up by
    bound, reason = longest
    waited = before.reason is found.reason and before.since is not None and now - before.since >= bound
    if not waited and before.reason is not reason:
        return found
    message = f"{found.message} It has been so for {bound.total_seconds() / 60:.0f} minutes or longer."
    return c.blocked(found.type, reason, message, remedy_of(reason), found.about)


def _text(error: AutopilotError) -> str:
    return f"{error.what} [{error.on}]" if error.on else error.what


def next_delay(
    connection: ConnectionRecord,
    conditions: Mapping[str, Condition],
    *,
    first: float,
    longest: float,
    waits: Mapping[str, float],
    unread: Collection[str] = (),
    looked_at: datetime | None = None,
    now: datetime | None = None,
) -> float | None:
    """Seconds until the loop looks again by itself; None when only an event, a person or the timer should wake it.

    `waits` are the seconds that errors asked for, by condition: one service's long wait does not hold up the other.
    `unread` are conditions that stand as they were because the services could not be read. `looked_at`: when the
    endpoint was read, from which the wait for what time changes is counted.
    """
    looks = _Looks(connection.schedule.attempts, first, longest, waits, looked_at, now)
    delay = _delay(conditions, looks, unread)
    if looks.attempts < len(REFUSED_LOOKS) and any(_refused(condition) for condition in conditions.values()):
        delay = REFUSED_LOOKS[looks.attempts] if delay is None else min(REFUSED_LOOKS[looks.attempts], delay)
    waiting = any(waits_for_key(condition) for condition in conditions.values())
    if waiting and connection.status.ready_since is None:  # what worked works on, and the sweep sees the new key
        return KEY_LOOK if delay is None else min(KEY_LOOK, delay)
    return delay


@dataclass(frozen=True, slots=True)
class _Looks:
    """How long each wait is."""

    attempts: int
    first: float
    longest: float
    waits: Mapping[str, float]
    looked_at: datetime | None
    now: datetime | None

    def wait_for(self, condition: Condition, policy: Condition | None) -> float:
        """Seconds to the next look at one condition. An approval is awaited only since a policy asks for it."""
        asked = self.waits.get(condition.type, self.waits.get(_BEHIND.get(condition.type, ""), 0.0))
        if self.is_operation(condition):
            return asked  # when the next look is worth it is known there
        if condition.reason in FOLLOWED and condition.since and self.looked_at and self.now:
            asked_at = policy.since if policy is not None and condition.type == c.APPROVED else None
            waited = (self.looked_at - max(condition.since, asked_at or condition.since)).total_seconds()
            due = min(self.longest, max(min(self.first, SOONEST), waited * SHARE))
            return max(asked, due - (self.now - self.looked_at).total_seconds(), 0.0)
        return max(self.grown, asked)

    def is_operation(self, condition: Condition | None) -> bool:
        """Whether an operation of private DNS runs, and it is known when the next look is worth it."""
        running = condition is not None and condition.reason is Reason.OPERATION_RUNNING
        return running and condition is not None and condition.type in c.DNS and condition.type in self.waits

    @property
    def grown(self) -> float:
        """What has to be tried again is tried the more seldom the longer it fails."""
        return min(self.longest, self.first * GROWTH ** min(self.attempts, 30))


def _refused(condition: Condition) -> bool:
    return condition.pending and condition.reason in REFUSED and condition.type != c.READY


def waits_for_key(condition: Condition) -> bool:
    """Whether a person is to store an API key, before anything more can be done or known of it."""
    return not condition.true and condition.reason in KEY_REASONS and condition.type != c.READY


def _delay(conditions: Mapping[str, Condition], looks: _Looks, unread: Collection[str]) -> float | None:
    pending = {name for name, condition in conditions.items() if name != c.READY and not condition.true}
    waiting_for = {name for name in pending if conditions[name].needs in {c.WaitingFor.TIME, c.WaitingFor.WORK}}
    # "Not tested" waits for the others, it is nothing to look for by itself.
    waiting_for -= {name for name in waiting_for if conditions[name].reason is Reason.NOT_TESTED}
    for_persons = {name for name in pending if conditions[name].needs is c.WaitingFor.PERSON}
    waiting_for -= {name for name in waiting_for if for_persons & _AFTER.get(name, frozenset())}
    waiting_for |= set(unread)
    if not waiting_for or (waiting_for == {c.REACHABLE} and looks.attempts >= PATIENCE):
        return None
    waiting_for = waiting_for - {c.REACHABLE} or waiting_for
    policy = conditions.get(c.POLICY_READY)
    waits = {
        name: looks.wait_for(conditions[name], policy)
        if name in conditions
        else max(looks.grown, looks.waits.get(name, 0.0))
        for name in waiting_for
    }
    if for_persons:  # nothing is in a hurry that a person holds up, and reads are few
        waits = {name: max(wait, looks.grown) for name, wait in waits.items()}
    if policy is not None and not policy.true:  # Elastic approves nothing that no policy asks for
        with_policy = waits.get(c.POLICY_READY, looks.grown)
        waits |= {name: max(waits[name], with_policy) for name in waits if name in {c.APPROVED, c.ASSOCIATED}}
    # An approval is of no use before private DNS is ready: it is looked at with that, or a little later.
    dns = [wait for name, wait in waits.items() if looks.is_operation(conditions.get(name))]
    if dns:
        waits |= {
            name: max(waits[name], min([*dns, BESIDE_DNS])) for name in waits if name in {c.APPROVED, c.ASSOCIATED}
        }
    return min(waits.values())


_AFTER = {
    c.APPROVED: frozenset({c.ADDRESSED}),
    c.RECORD_READY: frozenset({c.ADDRESSED, c.ZONE_READY}),
    c.LINKED: frozenset({c.ADDRESSED, c.ZONE_READY, c.RECORD_READY}),
    c.ASSOCIATED: frozenset({c.POLICY_READY, c.APPROVED}),
    c.REACHABLE: frozenset({c.ZONE_READY, c.LINKED, c.RECORD_READY}),
}
"""What has to be met before each: while one of them needs a person, to look once a minute would change nothing, and
many endpoints that do so empty a subscription's budget of private DNS reads. The sweep looks."""

_BEHIND = {c.LINKED: c.ZONE_READY, c.RECORD_READY: c.ZONE_READY, c.ASSOCIATED: c.POLICY_READY}
"""Conditions that wait as long as the one before them in their branch."""


def fingerprint(conditions: tuple[Condition, ...]) -> frozenset[tuple[str, str]]:
    """What is being waited for: while it stays the same, the delays grow."""
    return frozenset((condition.type, condition.reason) for condition in conditions if not condition.true)


def address_awaited(endpoint: Endpoint, record: ConnectionRecord) -> bool:
    """Whether private DNS, as it stands on record, waits for the endpoint's address and for nothing else."""
    found = [record.condition(name) for name in c.DNS]
    return not endpoint.address and all(one and (one.true or one.reason is Reason.NO_ADDRESS_YET) for one in found)


def awaited_step(desired: Desired, record: ConnectionRecord) -> CreateZone | CreateLink | None:
    """The step whose operation runs, as the record says, and which is all that private DNS waits for."""
    zone, vnets = record.dns.zone, (desired.endpoint.vnet_id, *desired.link_vnets)
    zones = (*(() if zone is None else (parse_arm_id(zone.id),)), *desired.zone_homes)
    steps: list[CreateZone | CreateLink] = [CreateZone(one, desired.marker) for one in zones]
    steps += [CreateLink(one, "", vnet, desired.marker) for one in zones for vnet in vnets]
    for step in steps:
        condition = record.condition(step.condition)
        running = condition is not None and condition.reason is Reason.OPERATION_RUNNING
        if running and record.operation(str(step)) is not None:
            return step
    return None


def as_on_record(record: ConnectionRecord, endpoint: Endpoint) -> bool:
    """Whether the endpoint is the same, with the same address and network, as when it was last read."""
    return (record.identity.guid, record.identity.address, record.identity.vnet_id) == (
        endpoint.guid,
        endpoint.address or "",
        endpoint.vnet_id,
    )


def has_its_turn(record: ConnectionRecord, condition: Condition, now: datetime) -> bool:
    """Whether a part of DNS waits for the moment before which Azure is not to be asked."""
    turn = record.dns.not_before
    return condition.type in c.DNS and turn is not None and now < turn
