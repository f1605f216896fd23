"""What is wrong with the app itself, as each answer and the dashboard say it, and its document. Pure.

`shared.installation.app_health` keeps it; the sweep finds most of it, and a sweep that is late is found by who reads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.core.model.conditions import count
from shared.core.model.json_values import mappings, stored_instant, text

NO_SWEEP = timedelta(minutes=30)
"""How long ago the last sweep may have ended where nothing tells how often sweeps run."""
MISSED_SWEEPS = 3
_LONGEST = 300
_DOCTOR = "Read GET /api/doctor, which says what to do about each."


class Code(StrEnum):
    """Every problem of the app itself. The pause is one in notifications; in answers it has a place of its own."""

    KEY_REFUSED = "KeyRefused"
    SWEEP_FAILED = "SweepFailed"
    SWEEP_INCOMPLETE = "SweepIncomplete"
    SWEEP_LATE = "SweepLate"
    REMOVALS_STOPPED = "RemovalsStopped"
    RECOVERED_UNCONFIRMED = "RecoveredUnconfirmed"
    MESSAGES_POISONED = "MessagesPoisoned"
    EVENTS_LOST = "EventsLost"
    SETTINGS_WRONG = "SettingsWrong"
    PAUSED = "Paused"


@dataclass(frozen=True, slots=True)
class AppProblem:
    """One of them, with what to do."""

    code: str
    message: str
    next_step: str

    def document(self) -> dict[str, str]:
        """It as JSON values, as it is stored and shown."""
        return {"code": self.code, "message": self.message, "nextStep": self.next_step}


@dataclass(frozen=True, slots=True)
class Health:
    """What the last sweep has found, and until when the next one should have ended."""

    at: datetime
    due: datetime
    problems: tuple[AppProblem, ...] = ()

    def now(self, now: datetime) -> tuple[AppProblem, ...]:
        """The problems of this moment."""
        return (*self.late(now), *self.problems)

    def late(self, now: datetime) -> tuple[AppProblem, ...]:
        """Whether a sweep is missed, as a problem."""
        if now <= self.due:
            return ()
        what = f"The last sweep ended on {self.at:%Y-%m-%d at %H:%M} UTC: what is shown here is as old, or older."
        step = "Look in the log why `check_health` fails or does not start; HEALTH_SCHEDULE says when it should."
        return (AppProblem(Code.SWEEP_LATE, what, step),)

    def document(self) -> dict[str, object]:
        """It as JSON values, as it is stored."""
        problems = [one.document() for one in self.problems]
        return {"at": self.at.isoformat(), "due": self.due.isoformat(), "problems": problems}


def stored_health(document: Mapping[str, object]) -> Health:
    """Read it back; raises ValueError, KeyError or TypeError for a damaged one."""
    listed = mappings(document["problems"])
    problems = tuple(AppProblem(text(one["code"]), text(one["message"]), text(one["nextStep"])) for one in listed)
    return Health(stored_instant(document["at"]), stored_instant(document["due"]), problems)


def overdue_after(ended: datetime, before: datetime | None) -> timedelta:
    """From what age on a sweep is missed: some times as long as it was between the last two."""
    return max(NO_SWEEP, MISSED_SWEEPS * (ended - before)) if before is not None else NO_SWEEP


def found_by_sweep(
    errors: Sequence[str],
    keys: Collection[str],
    lost: Collection[str],
    *,
    stopped: bool,
    poisoned: int,
    recovered: int = 0,
) -> tuple[AppProblem, ...]:
    """What a sweep says of the app; `keys`: what was read by no key, `lost`: subscriptions without any."""
    found = []
    if keys:
        step = "Create a new Elastic Cloud API key and store it as docs/installation.md, Keys and rotation, says."
        what = f"Elastic Cloud takes no API key of the app. Not read: {', '.join(sorted(keys))}."
        found.append(AppProblem(Code.KEY_REFUSED, what[:_LONGEST], step))
    if stopped:
        what = "More connections stand for removal at once than the limit allows: nothing is removed."
        found.append(
            AppProblem(Code.REMOVALS_STOPPED, what, "Look at GET /api/removals and confirm it, or end its cause.")
        )
    if recovered:
        what = f"{count(recovered, 'thing')} with the app's marks, which its tables do not know: none of it is removed."
        found.append(AppProblem(Code.RECOVERED_UNCONFIRMED, what, "Look at GET /api/recovered and confirm the list."))
    if poisoned:
        step = "Find the exception in the log and repair its cause, then send POST /api/poison/replay."
        found.append(AppProblem(Code.MESSAGES_POISONED, f"{count(poisoned, 'message')} failed eight times.", step))
    if lost:
        what = f"Events of {count(len(lost), 'subscription')} do not arrive: {', '.join(sorted(lost))}."
        found.append(AppProblem(Code.EVENTS_LOST, what[:_LONGEST], _DOCTOR))
    if len(errors) > len(keys):
        what = f"The last sweep could not read everything: {'; '.join(errors)}"
        found.append(AppProblem(Code.SWEEP_INCOMPLETE, what[:_LONGEST], _DOCTOR))
    return tuple(found)


def wrong_settings(what: str) -> AppProblem:
    """Settings that the app cannot work with; `what` names each."""
    step = "Correct it in the function app's configuration; docs/settings.md describes each setting."
    return AppProblem(Code.SETTINGS_WRONG, what, step)


def failed_sweep(error: BaseException) -> AppProblem:
    """A sweep that ended with an error: the next one begins anew."""
    what = f"The last sweep failed: {type(error).__name__}. Nothing was looked at to the end."
    return AppProblem(Code.SWEEP_FAILED, what, "Find the exception in the log of `check_health`, and repair its cause.")
