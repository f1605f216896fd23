"""Findings about the installation's own parts: settings, storage, queue, poison, sweeps, pause, clocks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.core.guards.pause import Pause
from shared.core.model.conditions import count
from shared.core.model.errors import InvalidSettings
from shared.core.reports.app_health import overdue_after
from shared.core.reports.doctor.findings import (
    Answer,
    Answers,
    Finding,
    Level,
    errors_in,
    failures,
    ok,
    problem,
    warning,
)
from shared.core.reports.doctor.text import span

LONG_IN_QUEUE = timedelta(minutes=15)
"""How long ago the next message may have been sent; its own delay, of a minute or two at most, is part of that."""
SKEW, MUCH_SKEW = timedelta(seconds=10), timedelta(seconds=60)
"""Nothing that the app stores depends on it (`shared.clock`); services refuse sign-ins that are minutes off."""


def judge_wrong_settings(error: InvalidSettings) -> list[Finding]:
    """A finding for each setting that is wrong."""
    step = "Correct it in the function app's configuration; docs/settings.md describes each setting."
    wrong_ones = [problem("settings", wrong, step) for wrong in error.problems or (error.what,)]
    return wrong_ones + judge_near_names(error.hints)


def judge_near_names(hints: Iterable[str]) -> list[Finding]:
    """Variables that nearly have the name of a setting; they stop nothing."""
    step = "Correct the variable's name in the function app's configuration, or remove the variable."
    return [warning("settings", hint, step) for hint in hints]


def judge_denied(entries: Iterable[str]) -> list[Finding]:
    """Entries of ELASTIC_DEPLOYMENTS_DENIED that deny nothing: a deployment of another name by now is not denied."""
    step = "Correct the entry, or remove it if the deployment is gone; an id does not change."
    what = "An entry of ELASTIC_DEPLOYMENTS_DENIED names no deployment that the API keys can see."
    return [Finding("settings", Level.WARNING, what, on=entry, next_step=step) for entry in entries]


def judge_settings(subscriptions: int, mode: str) -> list[Finding]:
    """The settings are as they must be: else nothing would have been asked."""
    what = f"Nothing is wrong with the settings: {count(subscriptions, 'subscription')}, mode {mode}."
    return [ok("settings", what, subscriptions=subscriptions, mode=mode)]


def judge_lag(lag: float, longest: float) -> list[Finding]:
    """Whether answers that are lost are waited for as long as they may take; nothing to say if so."""
    if lag >= longest:
        return []
    what = f"LAG_SECONDS is {lag:g}: a request that lands later can open a deployment to the internet, or close it."
    step = "Remove SHORT_LAG_ALLOWED and LAG_SECONDS, unless this is a trial and nothing depends on the deployments."
    return [Finding("settings", Level.WARNING, what, next_step=step)]


def judge_storage(answers: Answers) -> list[Finding]:
    """The tables and the queues."""
    errors = errors_in(answers)
    return failures("storage", errors) if errors else [ok("storage", f"All answer: {', '.join(map(str, answers))}.")]


def judge_queue(waiting: int, oldest: datetime | None, now: datetime) -> list[Finding]:
    """How much waits in the work queue, and since when."""
    if oldest is None:
        later = f"{count(waiting, 'message')} in the queue, for later."
        what = later if waiting else "The queue is empty."
        return [ok("queue", what, waiting=waiting, oldestSeconds=None)]
    age = now - oldest
    details = {"waiting": waiting, "oldestSeconds": round(age.total_seconds())}
    what = f"{count(waiting, 'message')} in the queue; the next one was sent {span(age)} ago."
    if age <= LONG_IN_QUEUE:
        return [ok("queue", what, **details)]
    step = (
        "Look whether the function `reconcile` runs: the log stream, an app that is stopped. If it does, it has more "
        "work than it can take: see what is throttled in the workbook, and MAXIMUM_INSTANCE_COUNT."
    )
    return [warning("queue", what, step, **details)]


def judge_poison(poisoned: int) -> list[Finding]:
    """What the platform gave up on."""
    if not poisoned:
        return [ok("poison", "No message was given up on.", poisoned=0)]
    step = "Find the exception in the log and repair its cause, then POST /api/poison/replay."
    return [problem("poison", f"{count(poisoned, 'message')} failed eight times.", step, poisoned=poisoned)]


def judge_sweep(told: Mapping[str, Any] | None, now: datetime) -> list[Finding]:
    """When the last sweep ended, whether it could read everything, and what it cost; `told` is its own document."""
    ended = _moment(told, "at")
    if told is None or ended is None:
        step = "Wait for HEALTH_SCHEDULE, or start one: POST /admin/functions/check_health with the master key."
        return [warning("sweep", "No sweep has ended yet.", step)]
    cost = {name: told.get(name) for name in ("durationMs", "armCalls", "elasticCalls", "storageCalls")}
    seen = {name: told.get(name) for name in ("endpoints", "enqueued", "probed", "unhealthy", "errorCount")}
    details = {"at": ended.isoformat(), **cost, **seen}
    age = now - ended
    what = (
        f"The last sweep ended {span(age)} ago: {told.get('endpoints')} endpoints, {told.get('probed')} tested, "
        f"{told.get('enqueued')} handed over; {told.get('durationMs')} ms, requests: {told.get('armCalls')} to Azure, "
        f"{told.get('elasticCalls')} to Elastic Cloud, {told.get('storageCalls')} to storage."
    )
    findings = [ok("sweep", what, **details)]
    if age > overdue_after(ended, _moment(told, "previousAt")):
        step = "Look in the log why `check_health` fails or does not start; HEALTH_SCHEDULE says when it should."
        findings = [problem("sweep", what, step, **details)]
    if told.get("errorCount"):
        step = "Repair what the text names; other findings here may be about the same."
        findings.append(warning("sweep", f"It could not read everything: {told.get('errors')}", step))
    return findings


ROWS_NAMED = 20
"""Damaged rows that are findings of their own; more of them are counted."""


def judge_rows(damaged: Sequence[tuple[str, str, str, bool]]) -> list[Finding]:
    """Rows that cannot be understood: table, row, what is wrong, and whether a newer version of the app wrote it."""
    if not damaged:
        return [ok("rows", "Every row of the tables can be understood.", damaged=0)]
    found = [_row(*one) for one in damaged[:ROWS_NAMED]]
    if len(damaged) > ROWS_NAMED:
        step = "Ask again once the others are taken over."
        found.append(problem("rows", f"{len(damaged) - ROWS_NAMED} more rows cannot be understood.", step))
    return found


def _row(table: str, row: str, what: str, newer: bool) -> Finding:
    step = "Deploy the newer version of the app again."
    if not newer:
        asked = f'{{"decision": "take-over-row", "table": "{table}", "row": "{row}"}}'
        step = f"Send POST /api/decisions {asked}: the row is deleted, and what it said is made anew."
    return replace(problem("rows", what, step, table=table, row=row), on=f"table {table}, row {row}")


def judge_pause(pause: Pause | None) -> list[Finding]:
    """Whether the installation is paused; nothing to say if not."""
    if pause is None:
        return []
    because = f": {pause.reason}" if pause.reason else "."
    what = f"The app is paused until {pause.until.isoformat(timespec='minutes')}{because}"
    return [warning("pause", what, "Send DELETE /api/pause to end it.", until=pause.until.isoformat())]


def judge_recovered(things: int) -> list[Finding]:
    """What has the app's marks and no row of its tables; nothing to say where there is none."""
    if not things:
        return []
    what = f"{count(things, 'thing')} with the app's marks, which its tables do not know; only their removal waits."
    step = 'Look at GET /api/recovered, then POST /api/decisions {"decision": "confirm-recovered", "list": "<its id>"}.'
    return [warning("recovered", what, step, things=things)]


def judge_deciding_keys(answer: Answer[Sequence[str]]) -> list[Finding]:
    """Who may decide over HTTP, by name; no key is ever shown."""
    if answer.error is not None:
        return [warning("deciding keys", answer.error.what, answer.error.next_step or "Ask again.")]
    names = ", ".join(answer.value or ())
    if not names:
        step = "Store one as docs/api.md says, or let people sign in with the app role Decide."
        return [
            warning("deciding keys", "There is no deciding key: only who signs in can re-run, pause or decide.", step)
        ]
    return [ok("deciding keys", f"May decide: {names}.")]


def judge_clocks(offsets: Mapping[str, timedelta | None]) -> list[Finding]:
    """How far this machine's clock is ahead of each service's; None: it told no time."""
    known = {name: offset for name, offset in offsets.items() if offset is not None}
    if not known:
        return [warning("clock", "No service told its time, so this clock was compared with none.", "Ask again.")]
    name, offset = max(known.items(), key=lambda item: abs(item[1]))
    details = {name: round(offset.total_seconds(), 1) for name, offset in known.items()}
    if abs(offset) <= SKEW:
        return [ok("clock", f"This machine's clock agrees with {' and '.join(known)}.", **details)]
    direction = "ahead of" if offset > timedelta(0) else "behind"
    what = f"This machine's clock is {abs(offset).total_seconds():.0f} s {direction} {name}'s."
    step = "Restart the app, which moves it to another machine; if it stays, ask Azure support."
    return [(problem if abs(offset) > MUCH_SKEW else warning)("clock", what, step, **details)]


def _moment(told: Mapping[str, Any] | None, name: str) -> datetime | None:
    try:
        found = datetime.fromisoformat((told or {})[name])
    except (KeyError, TypeError, ValueError):
        return None
    return found if found.tzinfo else None
