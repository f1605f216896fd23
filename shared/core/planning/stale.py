"""What could not be read for a moment: what was known of it stands for a while. Pure; used by a run's end.

A read that is throttled, or whose answer is lost, says nothing about the connection. What worked is called working, and
what waits for a person is still said to, until the read has failed for `STANDS_FOR`; the text says so meanwhile. What a
run found to be missing and could not put right is no such case: that is known, and is told at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.model.conditions import Condition, WaitingFor
from shared.core.model.errors import AutopilotError, LeaseLost, LostRace, NotVisibleYet, RetryLater

STANDS_FOR = timedelta(minutes=10)
"""How long a verdict stands while the service cannot be read: two sweeps."""

_UNREADABLE = " It could not be read again: "


def is_passing(error: AutopilotError) -> bool:
    """Whether the next try may well succeed, and nothing is known by this one."""
    return isinstance(error, RetryLater) and not isinstance(error, NotVisibleYet | LostRace | LeaseLost)


def carry_over(before: Condition | None, error: AutopilotError, since: datetime, now: datetime) -> Condition | None:
    """The condition from before the read failed, if it still stands; `since`: when reads began to fail."""
    if before is None or now - since >= STANDS_FOR:
        return None
    if not before.true and before.needs in {WaitingFor.WORK, WaitingFor.TIME}:
        return None  # there was something to come; that it does not come now is worth knowing
    message = f"{before.message.partition(_UNREADABLE)[0]}{_UNREADABLE}{error.what}"
    return replace(before, explanation=replace(before.explanation, message=message))
