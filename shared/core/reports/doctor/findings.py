"""The values of an examination: what was answered, what follows from it, and how bad all of it is together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from shared.core.model.errors import AutopilotError

T = TypeVar("T")


class Level(StrEnum):
    """How bad a finding is, from good to bad."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Role(StrEnum):
    """The roles of the app; custom ones by their titles in `infra/roles.json`."""

    ENDPOINT_READER = "endpoint reader"
    NETWORK_READER = "network reader"
    DNS_WRITER = "DNS writer"
    DNS_REMOVER = "DNS remover"
    DATA_SENDER = "EventGrid Data Sender"
    """Built in, as the next one."""
    METRICS_PUBLISHER = "Monitoring Metrics Publisher"
    GROUP_READER = "group reader"
    """Of `infra/management-group.bicep`."""


class Topic(StrEnum):
    """Whom a question is put to."""

    STORAGE = "storage"
    CONTROL = "control"
    AZURE = "azure"
    ELASTIC = "elastic"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `where`: subscription, place or organization. `role`: that which lets the app ask it in Azure.

    `without`: what comes of a right that is missing, where work is done all the same; empty where it is not.
    """

    topic: Topic
    what: str
    where: str = ""
    role: str = ""
    without: str = ""

    @property
    def needed(self) -> bool:
        """Whether no work is done without an answer."""
        return not self.without

    def __str__(self) -> str:
        return f"{self.what} of {self.where}" if self.where else self.what


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a question came to: a value, or the error that stands in its place."""

    value: T | None = None
    error: AutopilotError | None = None


Answers = Mapping[Asked, Answer[Any]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, how it is, and what a person can do about it.

    `details` holds the same for machines: numbers and times as JSON values.
    """

    check: str
    level: Level
    what: str
    on: str = ""
    next_step: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """It as JSON values."""
        return {
            "check": self.check,
            "level": str(self.level),
            "what": self.what,
            "on": self.on,
            "nextStep": self.next_step,
            "details": dict(self.details),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one examination."""

    at: datetime
    took_ms: int
    findings: tuple[Finding, ...]
    instance: str = ""
    version: str = ""

    @property
    def status(self) -> Level:
        """The worst of all findings."""
        order = list(Level)
        return max((finding.level for finding in self.findings), key=order.index, default=Level.OK)

    def document(self) -> dict[str, Any]:
        """It as JSON values."""
        return {
            "status": str(self.status),
            "instance": self.instance,
            "version": self.version,
            "at": self.at.isoformat(),
            "tookMs": self.took_ms,
            "findings": [finding.document() for finding in self.findings],
        }


def ok(check: str, what: str, **details: Any) -> Finding:
    """Nothing to do."""
    return Finding(check, Level.OK, what, details=details)


def warning(check: str, what: str, next_step: str, **details: Any) -> Finding:
    """It works, and will not for ever, or not for all."""
    return Finding(check, Level.WARNING, what, next_step=next_step, details=details)


def problem(check: str, what: str, next_step: str, **details: Any) -> Finding:
    """It does not work."""
    return Finding(check, Level.PROBLEM, what, next_step=next_step, details=details)


def errors_in(answers: Answers) -> dict[Asked, AutopilotError]:
    """The questions that came to nothing, and why."""
    return {asked: answer.error for asked, answer in answers.items() if answer.error is not None}


def failures(check: str, errors: Mapping[Asked, AutopilotError], level: Level = Level.PROBLEM) -> list[Finding]:
    """A finding for each error; those that are alike share one, which names all that they are about."""
    alike: dict[tuple[type[AutopilotError], str], list[Asked]] = {}
    for asked, error in errors.items():
        alike.setdefault((type(error), error.next_step), []).append(asked)
    return [_failure(check, errors[asked[0]], asked, level) for asked in alike.values()]


def _failure(check: str, error: AutopilotError, asked: Iterable[Asked], level: Level) -> Finding:
    step = error.next_step or "Look in the log, and at the service's own status page, if it stays."
    details = {"error": type(error).__name__}
    return Finding(check, level, error.what, on=", ".join(map(str, asked)), next_step=step, details=details)
