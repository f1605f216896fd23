"""When an endpoint that Azure does not show counts as gone: told once, or missed twice, and then after a grace period.

Pure; called by the run, the removal and the sweep. Azure's "not found" is believed only about the endpoint itself,
read by its id; a listing that was cut short, or a subscription that cannot be read, never gets here. The grace period
is for a person or a pipeline that deletes an endpoint and makes it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum, auto

from shared.core.model.conditions import REMOVED, Phase
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord, owned_resources
from shared.core.options.plan_options import PlanOptions

VISIBLE_WITHIN = timedelta(minutes=2)
"""How long an endpoint that was just named may be unreadable: Azure shows what was made only after a while."""

LEFTOVERS_AFTER, LEFTOVERS_MOST = timedelta(minutes=10), timedelta(days=1)
"""How long after the first try what a removal had to leave is tried again, and after many. One refusal means little:
a role that was just assigned is not known everywhere yet."""
TRIES_OF_OTHERS = 3
"""Tries where all that is left seems to be others': a list that lags shows what we have just taken away like that."""
LEFTOVERS_GROWTH = 4
"""Each of these times is so much longer than the one before."""

BELIEVED = 2
"""Misses that make an endpoint count as gone; a delete event counts as that many."""


class Missing(StrEnum):
    """How far an endpoint that is not there is on its way to being removed."""

    NOT_THERE_YET = auto()
    """It was named and never seen: it may be about to appear."""
    NEVER_SEEN = auto()
    """It was named, never seen, and does not appear: there is nothing to remove."""
    MISSED = auto()
    """It was there, and was missed once: not believed yet."""
    GRACE = auto()
    """It is gone; the grace period runs."""
    DUE = auto()
    """It is gone, and what was made for it is to be removed now."""
    SETTLED = auto()
    """It is gone, and what was to be done has been done."""


CONFIRMING = frozenset({"ResourceNotFound", "ResourceGroupNotFound"})
"""Azure's codes that say of one endpoint that it is gone. That a subscription is not found says nothing of it."""


def confirmed(record: ConnectionRecord) -> bool:
    """Whether an event told the deletion *and* a read by id said so: such a removal counts against no limit (S6)."""
    return record.removal.event_told and record.removal.absent_as in CONFIRMING


def record_absence(
    record: ConnectionRecord, message: WorkMessage, code: str, options: PlanOptions, now: datetime
) -> tuple[ConnectionRecord, Missing]:
    """Count this miss, and say what it means. `code`: Azure's, of the read by id that did not find the endpoint."""
    record = record.with_removal(missing_since=record.removal.missing_since or now, absent_as=code)
    # A person who asks for what was left (the right to delete it was missing) is taken at their word.
    again = message.cause is Cause.EVENT_WRITE or (message.cause is Cause.MANUAL and record.removal.leftovers)
    again = again or (message.cause is Cause.TIMER and left_something(record))
    if record.status.phase is Phase.REMOVED and not again:
        return record, Missing.SETTLED
    if not has_things(record) and message.cause is not Cause.EVENT_DELETE:
        since = record.removal.missing_since or now
        return record, Missing.NOT_THERE_YET if now - since < VISIBLE_WITHIN else Missing.NEVER_SEEN
    record = _counted(record, message)
    if record.removal.missed < BELIEVED and record.removal.removing_since is None:
        return record, Missing.MISSED
    since = record.removal.removing_since or now
    due = now >= since + timedelta(seconds=options.removal.grace)
    return record.with_removal(removing_since=since), Missing.DUE if due else Missing.GRACE


def left_something(record: ConnectionRecord) -> bool:
    """Whether a removal has ended and had to leave something that may go. What was to be retained is not meant."""
    removed = record.condition(REMOVED)
    if removed is None or removed.reason is not Reason.LEFT_BEHIND:
        return False
    return bool(owned_resources(record)) or record.removal.tries < TRIES_OF_OTHERS


def leftovers_due(record: ConnectionRecord, now: datetime) -> bool:
    """Whether what a removal had to leave is to be tried again: as long as any of ours is there, soon, then once a day.

    A lock or a disabled subscription does not last for ever. What was to be retained stays.
    """
    tried = record.removal.tried_at
    growth = LEFTOVERS_GROWTH ** min(max(0, record.removal.tries - 1), 10)
    return left_something(record) and (tried is None or now - tried >= min(LEFTOVERS_MOST, LEFTOVERS_AFTER * growth))


def note_delete_event(record: ConnectionRecord, message: WorkMessage) -> ConnectionRecord:
    """The record after a look that Azure did not answer: an event's word that the endpoint is gone is kept for later.

    It is still only a hint: the next look that finds the endpoint forgets it (`ConnectionRecord.mark_present`).
    """
    return record.with_removal(missed=BELIEVED, event_told=True) if message.cause is Cause.EVENT_DELETE else record


def _counted(record: ConnectionRecord, message: WorkMessage) -> ConnectionRecord:
    if message.cause is Cause.EVENT_DELETE:
        return note_delete_event(record, message)
    if message.cause not in {Cause.TIMER, Cause.MANUAL} or message.correlation_id == record.removal.missed_in:
        return record
    return record.with_removal(missed=record.removal.missed + 1, missed_in=message.correlation_id)


def has_things(record: ConnectionRecord) -> bool:
    """Whether the connection was ever more than a name: seen in Azure, or with something made or used for it."""
    used = (
        record.dns.zone
        or record.dns.links
        or record.dns.record
        or record.elastic.policy.id
        or record.elastic.policy_post_until
        or record.elastic.claim
    )
    return bool(record.identity.guid or record.schedule.observed_at or used or record.elastic.associations)
