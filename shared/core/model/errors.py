"""The product's errors, one small tree.

Raised by `clouds`, `state` and `core`; understood by `reconcile` and the triggers.

    AutopilotError              what happened, on what, what to do next
    ├── RetryLater              no person has to act; the same call may succeed after `after` seconds
    │   ├── Throttled           429: the service said how long, or we choose
    │   ├── NotVisibleYet       404 on what was just made, "another operation in progress": bounded in time
    │   ├── LostRace            an ETag changed under us: re-read, never overwrite
    │   ├── LeaseLost           another worker holds the endpoint now: stop without writing
    │   ├── UnusableAnswer      an answer that is not as the service describes it: the next one may be
    │   └── AnswerLost          a request went out and no answer came: it may or may not have been applied
    │       └── ChangeUnseen    the list that it rested on is no more: whether by it does not show yet
    ├── Waiting                 no fault: a long-running operation or an approval is still under way
    │   └── AwaitingEarlierRequest  one of ours may still land: it ends by itself, and counts against no bound
    ├── Blocked                 a person must act; its explanation is the condition's
    │   └── Forbidden           401/403: a right or a key is missing
    └── Permanent               this request can never succeed
        ├── NotFound            the thing does not exist
        ├── InvalidInput        a request, message or event that cannot be understood
        └── InvalidSettings     the app's settings, all that is wrong at once

Texts of these errors reach logs, table rows and HTTP answers: they never hold a key, a token or an event's claims.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.core.model.conditions import Explanation
from shared.core.model.reasons import Reason


class AutopilotError(Exception):
    """What happened, on what, and what a person can do next."""

    def __init__(self, what: str, *, on: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        # May be a stranger's text: one line, nothing that a terminal or a log would act on.
        self.on = "".join(letter if letter.isprintable() else "?" for letter in on)
        self.next_step = next_step

    def __str__(self) -> str:
        text = f"{self.what} [{self.on}]" if self.on else self.what
        return f"{text} Next: {self.next_step}" if self.next_step else text


class RetryLater(AutopilotError):
    """No person has to act; try the same again after `after` seconds."""

    def __init__(self, what: str, *, on: str = "", next_step: str = "", after: float = 15.0) -> None:
        super().__init__(what, on=on, next_step=next_step)
        self.after = after


class Throttled(RetryLater):
    """The service asked for fewer requests; `after` is its Retry-After in seconds, or our choice."""


class NotVisibleYet(RetryLater):
    """What was just made is not readable everywhere yet, or another operation runs on it. `code`: Azure's word."""

    def __init__(self, what: str, *, on: str = "", next_step: str = "", after: float = 15.0, code: str = "") -> None:
        super().__init__(what, on=on, next_step=next_step, after=after)
        self.code = code


class LostRace(RetryLater):
    """The thing changed since it was read; re-read it."""


class LeaseLost(RetryLater):
    """Another worker holds this endpoint's lease; nothing more may be written by this run."""


class UnusableAnswer(RetryLater):
    """An answer is not as the service describes it; nothing is concluded from it."""


class TargetUnseen(RetryLater):
    """A target is not found just before a request about it: that is no answer about its policies."""


class AnswerLost(RetryLater):
    """A request was sent and its answer never came; whether it was applied is unknown."""


class ChangeUnseen(AnswerLost):
    """A list is not as it was read any more, and what is read does not show whether by this request."""


class Waiting(AutopilotError):
    """Something is under way that takes its time; look again after `after` seconds.

    `operation`: the address at which Azure tells how a long-running operation went, where that is what is waited for.
    """

    def __init__(self, what: str, *, on: str = "", after: float = 15.0, operation: str = "") -> None:
        super().__init__(what, on=on)
        self.after = after
        self.operation = operation


class AwaitingEarlierRequest(Waiting):
    """What an earlier request of ours did is not certain yet; it is by a moment that the text names."""


class Blocked(AutopilotError):
    """A person must act before this can go on; why and how is its explanation."""

    def __init__(self, explanation: Explanation, *, on: str = "") -> None:
        super().__init__(explanation.message, on=on, next_step=explanation.next_step)
        self.explanation = explanation

    @property
    def reason(self) -> Reason:
        """Why; the condition that it makes has the same."""
        return self.explanation.reason


class Forbidden(Blocked):
    """A right or a key is missing."""


class Permanent(AutopilotError):
    """Repeating this can never help."""


class NotFound(Permanent):
    """The thing asked for does not exist; `code` is the service's word for it, where it has one."""

    def __init__(self, what: str, *, on: str = "", next_step: str = "", code: str = "") -> None:
        super().__init__(what, on=on, next_step=next_step)
        self.code = code


class InvalidInput(Permanent):
    """A request, message or event that cannot be understood."""


class InvalidSettings(Permanent):
    """The app's settings; the text lists all that is wrong, and so does `problems`, one text each.

    `hints` names variables that nearly have a setting's name: often the reason why one is not set.
    """

    def __init__(
        self,
        what: str,
        *,
        on: str = "",
        next_step: str = "",
        problems: Sequence[str] = (),
        hints: Sequence[str] = (),
    ) -> None:
        super().__init__(what, on=on, next_step=next_step)
        self.problems = tuple(problems)
        self.hints = tuple(hints)
