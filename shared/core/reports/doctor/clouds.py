"""Findings about Azure and Elastic Cloud: are they reached, is the app let in, which right is missing where. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.core.model.conditions import count
from shared.core.model.errors import AutopilotError, Blocked, Forbidden
from shared.core.model.organizations import DEFAULT, key_setting
from shared.core.model.reasons import Reason
from shared.core.reasons import remedy_of
from shared.core.reports.doctor.findings import (
    Answer,
    Answers,
    Asked,
    Finding,
    Level,
    Role,
    Topic,
    errors_in,
    failures,
    ok,
    problem,
    warning,
)
from shared.core.reports.doctor.text import span

KEY = "the key where it is kept"
"""What is asked besides the services: it may be in use, and yet not be readable any more."""
KEY_ENDS, KEY_ENDS_SOON = timedelta(days=14), timedelta(days=3)
"""The first is when the alert on the key begins, too."""


def judge_azure(answers: Answers) -> list[Finding]:
    """The token first, then the reads that were refused or came to nothing, by subscription."""
    errors = errors_in(answers)
    unsigned = [error for error in errors.values() if _reason(error) is Reason.AZURE_SIGN_IN_FAILED]
    if unsigned and len(unsigned) == len(answers):
        return failures("azure sign-in", {Asked(Topic.AZURE, "Azure Resource Manager"): unsigned[0]})
    findings = []
    if len(errors) < len(answers) or any(_reason(error) is Reason.AZURE_RIGHTS_MISSING for error in errors.values()):
        findings.append(ok("azure sign-in", "Azure Resource Manager takes the app's token."))
    findings += [_denied(asked, error) for asked, error in errors.items() if isinstance(error, Forbidden)]
    others = {asked: error for asked, error in errors.items() if not isinstance(error, Forbidden)}
    worst = {_kind(error) for asked, error in others.items() if asked.needed}
    for level in (Level.PROBLEM, Level.WARNING):
        chosen = {a: e for a, e in others.items() if (_kind(e) in worst) is (level is Level.PROBLEM)}
        findings += failures("azure", chosen, level)
    if not errors:
        subscriptions = len({asked.where for asked in answers})
        kinds = ", ".join(dict.fromkeys(asked.what for asked in answers))
        what = f"All that was tried can be read in {count(subscriptions, 'subscription')}: {kinds}."
        findings.append(ok("azure rights", what, subscriptions=subscriptions))
    return findings


def judge_elastic(
    answers: Answers, key_ends: datetime | None, now: datetime, organization: str = DEFAULT, *, renewal: str = ""
) -> list[Finding]:
    """What an organization's key may read, and its end as the answers told it; `renewal`: how to replace it."""
    findings = _of_organization(answers, key_ends, now, renewal or f"set {key_setting(organization)}.")
    if organization == DEFAULT:
        return findings
    return [
        replace(found, on=found.on or organization, details={**found.details, "organization": organization})
        for found in findings
    ]


def judge_projects(shown: Mapping[str, Answer[Any]]) -> list[Finding]:
    """Organizations, by where they are, whose key sees no Serverless project though endpoints lead to projects."""
    what = "The API key sees no Serverless project: the organization has none, or the key has no role on any."
    return [
        Finding("elastic rights", Level.WARNING, what, on=where, next_step=remedy_of(Reason.NO_PROJECT_VISIBLE))
        for where, answer in shown.items()
        if answer.error is None and not answer.value
    ]


def _of_organization(answers: Answers, key_ends: datetime | None, now: datetime, renewal: str) -> list[Finding]:
    kept = {asked: answer for asked, answer in answers.items() if asked.what == KEY}
    answers = {asked: answer for asked, answer in answers.items() if asked.what != KEY}
    errors = errors_in(answers)
    unread = errors_in(kept)
    denied = {asked: error for asked, error in errors.items() if isinstance(error, Blocked)}
    findings = failures("elastic key", denied)
    findings += failures("elastic", {asked: error for asked, error in errors.items() if asked not in denied})
    if len(errors) < len(answers):
        findings.append(_key(key_ends, now, renewal))
        # The key that was read before still works; a new one would not be seen, and a new instance has none.
        findings += failures("elastic key", unread, Level.WARNING)
    elif not denied:
        findings += failures("elastic key", unread)
    if not errors:
        findings.append(ok("elastic rights", f"The key can read: {', '.join(map(str, answers))}."))
    return findings


def _key(ends: datetime | None, now: datetime, renewal: str) -> Finding:
    if ends is None:
        return ok("elastic key", "Elastic Cloud takes the key and names no end of it.", expiresAt=None)
    left = ends - now
    details = {"expiresAt": ends.isoformat(), "daysLeft": round(left.total_seconds() / 86400, 1)}
    what = f"Elastic Cloud takes the key, which ends on {ends.date().isoformat()}: {span(left)} left."
    if left > KEY_ENDS:
        return ok("elastic key", what, **details)
    step = f"Create a new Elastic Cloud API key and {renewal} See docs/installation.md, Keys and rotation."
    return (problem if left <= KEY_ENDS_SOON else warning)("elastic key", what, step, **details)


def _denied(asked: Asked, error: Forbidden) -> Finding:
    level = Level.PROBLEM if asked.needed else Level.WARNING
    what = " ".join(filter(None, (error.what, asked.without)))
    step = error.next_step
    if error.reason is not Reason.AZURE_RIGHTS_MISSING:
        return Finding("azure", level, what, on=str(asked), next_step=step)  # no role helps
    if asked.role is Role.GROUP_READER:
        step += f" The role '{asked.role}' does: deploy infra/management-group.bicep there, with the app's principalId."
    elif asked.role in {Role.DATA_SENDER, Role.METRICS_PUBLISHER}:
        step += f" The role '{asked.role}' does: scripts/roles.sh prints the command."
    elif asked.role:
        step += f" The role '{asked.role}' of infra/roles.json does: scripts/roles.sh prints the command."
    return Finding("azure rights", level, what, on=str(asked), next_step=step.strip())


def _kind(error: AutopilotError) -> tuple[type[AutopilotError], str]:
    """What makes two errors alike: then one finding tells both."""
    return type(error), error.next_step


def _reason(error: AutopilotError) -> Reason | None:
    return error.reason if isinstance(error, Blocked) else None
