"""When an endpoint that Azure does not show counts as gone: told once, or missed twice, and then after a grace period.

Pure; called by the run, the removal and the sweep. Azure's "not found" is believed only about the endpoint itself,
read by its id; a listing that was cut short, or a subscription that cannot be read, never gets here. The grace period
is for a person or a pipeline that deletes an endpoint and makes it again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum, auto

from shared.core.model.conditions import Phase
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.record import Connection
from shared.core.options.plan_options import PlanOptions

VISIBLE_WITHIN = timedelta(minutes=2)
"""How long an endpoint that was just named may be unreadable: Azure shows what was made only after a while."""

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


def miss(known: Connection, message: WorkMessage, options: PlanOptions, now: datetime) -> tuple[Connection, Missing]:
    """Count this miss, and say what it means."""
    known = replace(known, missing_since=known.missing_since or now)
    # A person who asks for what was left (the right to delete it was missing) is taken at their word.
    again = message.cause is Cause.EVENT_WRITE or (message.cause is Cause.MANUAL and known.left)
    if known.phase is Phase.REMOVED and not again:
        return known, Missing.SETTLED
    if not has_things(known) and message.cause is not Cause.EVENT_DELETE:
        since = known.missing_since or now
        return known, Missing.NOT_THERE_YET if now - since < VISIBLE_WITHIN else Missing.NEVER_SEEN
    known = _counted(known, message)
    if known.missed < BELIEVED and known.removing_since is None:
        return known, Missing.MISSED
    since = known.removing_since or now
    due = now >= since + timedelta(seconds=options.removal.grace)
    return replace(known, removing_since=since), Missing.DUE if due else Missing.GRACE


def told(known: Connection, message: WorkMessage) -> Connection:
    """The record after a look that Azure did not answer: an event's word that the endpoint is gone is kept for later.

    It is still only a hint: the next look that finds the endpoint forgets it (`Connection.found`).
    """
    return replace(known, missed=BELIEVED) if message.cause is Cause.EVENT_DELETE else known


def _counted(known: Connection, message: WorkMessage) -> Connection:
    if message.cause is Cause.EVENT_DELETE:
        return told(known, message)
    if message.cause not in {Cause.TIMER, Cause.MANUAL} or message.correlation_id == known.missed_in:
        return known
    return replace(known, missed=known.missed + 1, missed_in=message.correlation_id)


def has_things(known: Connection) -> bool:
    """Whether the connection was ever more than a name: seen in Azure, or with something made or used for it."""
    used = known.zone or known.links or known.record or known.policy.id or known.policy.intent_at or known.claim
    return bool(known.guid or known.observed_at or used or known.associations)
