"""Conditions of a connection, the explanation that each carries, and the phase that sums them up for lists.

Made by `plan` and `diagnosis`, kept in the connection's record, shown by every HTTP answer. A False condition always
says why and what comes next; `since` is the moment its status or reason last changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import ParamSpec, Protocol, cast

from shared.core.model.reasons import Hop, Reason

_P = ParamSpec("_P")

RECOGNISED = "Recognised"
ADDRESSED = "Addressed"
ZONE_READY = "ZoneReady"
LINKED = "Linked"
RECORD_READY = "RecordReady"
POLICY_READY = "PolicyReady"
CLAIMED = "Claimed"
"""Only where a claim is asked for."""
APPROVED = "Approved"
ASSOCIATED = "Associated"
REACHABLE = "Reachable"
REMOVED = "Removed"
"""Only of a connection whose endpoint is gone: how far the removal of what was made for it is."""
FORMER_REMOVED = "FormerRemoved"
"""Only of a connection whose endpoint was in another region, network or organization before: whether what was made
there is gone."""
READY = "Ready"

DNS = frozenset({ZONE_READY, LINKED, RECORD_READY})
"""What is private DNS's."""

BESIDE = frozenset({FORMER_REMOVED})
"""Conditions that say nothing about whether the connection works."""

ORDER = (
    RECOGNISED,
    ADDRESSED,
    ZONE_READY,
    LINKED,
    RECORD_READY,
    POLICY_READY,
    CLAIMED,
    APPROVED,
    ASSOCIATED,
    REACHABLE,
    REMOVED,
    FORMER_REMOVED,
    READY,
)


Names = tuple[tuple[str, str], ...]
"""Placeholders and what they stand for."""

MOST_ABOUT = 10
"""Things that an explanation names at most: a row has a size."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something is as it is in one case, and what a person can do about it.

    Made by `shared.core.reasons.explain`, which adds what is true of every case. What keeps the app from a step is one,
    and so is advice.
    """

    reason: Reason
    message: str
    """What is so, with the names and addresses of the case."""
    next_step: str = ""
    cause: str = ""
    """Why it is so, in every case of this reason."""
    hop: Hop | None = None
    """Where on the path; None: where the condition belongs that has this reason."""
    about: tuple[Names, ...] = ()
    """What the placeholders of the remedy's commands stand for in this case; several: once for each of them."""


class _Explained(Protocol):
    @property
    def explanation(self) -> Explanation: ...


class Explained:
    """What has an explanation lets its parts be read as its own: a condition, an error, a verdict. Holds nothing."""

    __slots__ = ()

    @property
    def reason(self: _Explained) -> Reason:
        """Why."""
        return self.explanation.reason

    @property
    def message(self: _Explained) -> str:
        """What is so, with the names and addresses of the case."""
        return self.explanation.message

    @property
    def next_step(self: _Explained) -> str:
        """What a person can do; empty when nothing is to be done."""
        return self.explanation.next_step

    @property
    def about(self: _Explained) -> tuple[Names, ...]:
        """What the placeholders of the remedy's commands stand for."""
        return self.explanation.about


class Status(StrEnum):
    """Kubernetes' three values: unknown is not false."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class WaitingFor(StrEnum):
    """What a condition that is not True is waiting for."""

    NONE = "none"
    """Nothing: not True and waiting for nothing, as what the app cannot find out from where it stands."""
    WORK = "work"
    """The app itself: it will try again."""
    TIME = "time"
    """Azure or Elastic: an operation or an approval is under way."""
    PERSON = "person"
    """A person must act; `next_step` says how."""
    EVENT = "event"
    """A change to the endpoint itself: nothing in it asks for more."""


@dataclass(frozen=True, slots=True)
class Condition(Explained):
    """One thing that must be true of a connection."""

    type: str
    status: Status
    explanation: Explanation
    needs: WaitingFor = WaitingFor.NONE
    since: datetime | None = None

    @property
    def true(self) -> bool:
        """Whether it holds."""
        return self.status is Status.TRUE

    @property
    def pending(self) -> bool:
        """Whether something is still to come; a connection can be Ready though the app cannot test it."""
        return not self.true and self.needs is not WaitingFor.NONE


def _kept(make: Callable[_P, Condition]) -> Callable[_P, Condition]:
    """Most connections are told the same, and conditions never change: those of a sweep's plans are made once."""
    return cast("Callable[_P, Condition]", lru_cache(maxsize=1024)(make))


@_kept
def satisfied(type_: str, reason: Reason, message: str = "") -> Condition:
    """A condition that holds."""
    return Condition(type_, Status.TRUE, Explanation(reason, message))


@_kept
def waiting(type_: str, reason: Reason, message: str, needs: WaitingFor = WaitingFor.TIME) -> Condition:
    """A condition that will hold without anybody's help."""
    return Condition(type_, Status.FALSE, Explanation(reason, message), needs)


def blocked(type_: str, reason: Reason, message: str, next_step: str, about: tuple[Names, ...] = ()) -> Condition:
    """A condition that holds only after a person acted."""
    told = Explanation(reason, message, next_step, about=about[:MOST_ABOUT])
    return Condition(type_, Status.FALSE, told, WaitingFor.PERSON)


def resting(type_: str, reason: Reason, message: str, next_step: str = "") -> Condition:
    """A condition that does not hold and need not: only a change to the endpoint, or to a setting, has it looked at."""
    return Condition(type_, Status.FALSE, Explanation(reason, message, next_step), WaitingFor.EVENT)


@_kept
def unknown(type_: str, reason: Reason, message: str) -> Condition:
    """A condition that could not be determined, or whose turn has not come."""
    return Condition(type_, Status.UNKNOWN, Explanation(reason, message), WaitingFor.WORK)


def count(number: int, thing: str, many: str = "") -> str:
    """`1 message`, `2 messages`; `many`: where no `s` makes it many."""
    return f"{number} {thing}" if number == 1 else f"{number} {many or thing + 's'}"


def for_connection(condition: Condition, connection_id: str) -> Condition:
    """The condition with the connection's own paths in its next step: what is true of every case knows none."""
    step = condition.next_step.replace("/connections/<id>/", f"/connections/{connection_id}/")
    return replace(condition, explanation=replace(condition.explanation, next_step=step))


NAMED = 20
"""Names that a text gives of many: a row has a size, and a reader has an end."""


def listed(names: Iterable[object], between: str = ", ") -> str:
    """The names with commas; of very many the first, and how many there are besides."""
    told = list(map(str, names))
    more = f"{between}and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return between.join(told[:NAMED]) + more


def merge(old: Iterable[Condition], new: Iterable[Condition], now: datetime) -> tuple[Condition, ...]:
    """The new conditions in their fixed order, `since` kept where status and reason stayed as they were."""
    before = {condition.type: condition for condition in old}
    merged = {}
    for condition in new:
        known = before.get(condition.type)
        same = known is not None and (known.status, known.reason) == (condition.status, condition.reason)
        merged[condition.type] = replace(condition, since=known.since if same and known else now)
    return tuple(merged[name] for name in ORDER if name in merged)


def summary(conditions: Mapping[str, Condition]) -> Condition:
    """The `Ready` condition: true when no other one wants anything; else the first that does.

    What stops the connection until a person acts comes first, then what waits for a person and stops nothing.
    """
    recognised, gone = conditions.get(RECOGNISED), conditions.get(REMOVED)
    if gone is not None and recognised is not None and recognised.reason is Reason.ENDPOINT_NOT_FOUND:
        # How far its removal is, and what is left, is what matters now.
        return Condition(READY, Status.FALSE, replace(gone.explanation, message=f"Removed: {gone.message}"), gone.needs)
    others = [conditions[name] for name in ORDER if name not in {READY, *BESIDE} and name in conditions]
    pending = [condition for condition in others if condition.pending]
    if not pending:
        untested = next((one for one in others if not one.true and one.type != CLAIMED), None)
        if untested is None:
            return satisfied(READY, Reason.ALL_CONDITIONS_TRUE, "The private connection is set up and tested.")
        message = f"The private connection is set up. {untested.type}: {untested.message}"
        return satisfied(READY, Reason.SET_UP_NOT_TESTED, message)
    for_persons = [condition for condition in pending if condition.needs is WaitingFor.PERSON]
    stopping = (condition for condition in for_persons if condition.reason not in DEGRADING)
    first = next(stopping, None) or next(iter(for_persons), pending[0])
    told = replace(first.explanation, message=f"{first.type}: {first.message}")
    return Condition(READY, Status.FALSE, told, first.needs)


class Phase(StrEnum):
    """One word per connection, for lists."""

    PROVISIONING = "Provisioning"
    AWAITING_APPROVAL = "AwaitingApproval"
    READY = "Ready"
    DEGRADED = "Degraded"
    BLOCKED = "Blocked"
    REMOVING = "Removing"
    REMOVED = "Removed"
    IGNORED = "Ignored"


DEGRADING = frozenset(
    {
        Reason.ANSWERED_BY_ANOTHER_ZONE,
        Reason.ANSWERING_NETWORK_NOT_LINKED,
        Reason.NETWORK_LINKED_TO_ANOTHER_ZONE,
    }
)
"""What waits for a person and stops nothing: the endpoint works, for those who get its address."""


def phase_of(conditions: Mapping[str, Condition], *, was_ready: bool) -> Phase:
    """The phase that the conditions add up to; `was_ready`: it has been Ready before."""
    recognised = conditions.get(RECOGNISED)
    if recognised is not None and not recognised.true and recognised.needs is WaitingFor.EVENT:
        return Phase.IGNORED
    pending = [c for name, c in conditions.items() if name not in {READY, *BESIDE} and c.pending]
    if not pending:
        return Phase.READY if REACHABLE in conditions else Phase.PROVISIONING
    for_persons = [condition for condition in pending if condition.needs is WaitingFor.PERSON]
    if for_persons:
        return Phase.DEGRADED if all(one.reason in DEGRADING for one in for_persons) else Phase.BLOCKED
    if was_ready:
        return Phase.DEGRADED
    after_approval = {APPROVED, ASSOCIATED, REACHABLE}
    if {condition.type for condition in pending} <= after_approval and APPROVED in {c.type for c in pending}:
        return Phase.AWAITING_APPROVAL
    return Phase.PROVISIONING
