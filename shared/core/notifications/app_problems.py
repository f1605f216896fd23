"""Which events tell what is wrong with the app itself, and their document in table `control`.

Pure; used by `shared.notifications.app_problems` at the end of each sweep. Each problem is told once it has lasted, and
what was told is told again when it has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.core.model.json_names import named
from shared.core.model.json_values import mapping, mappings, stored_instant, text
from shared.core.model.notices import AppData, Notice, Type, notice_document, notice_id, stored_notice

AT_ONCE = frozenset({Type.SWEEP_LATE, Type.REMOVALS_STOPPED, Type.SETTINGS_WRONG, Type.PAUSED})
"""What is so for certain when it is first seen. Everything else may be over with the next sweep."""

MOST_WAITING = 20
"""Events in the outbox; past that the oldest is dropped."""


@dataclass(frozen=True, slots=True)
class AppNews:
    """A problem as a sweep has seen it: the last word of its event's type, what it is and what to do."""

    code: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class StandingProblem:
    """A problem that the last sweep has seen, too."""

    since: datetime
    told: bool = False


@dataclass(frozen=True, slots=True)
class AppNotices:
    """What stands and was told, and what waits to be sent."""

    standing: Mapping[str, StandingProblem] = field(default_factory=dict)
    """By code."""
    outbox: tuple[Notice, ...] = ()


def note_problems(
    memory: AppNotices,
    seen: Sequence[AppNews],
    now: datetime,
    *,
    lasting: timedelta,
    correlation_id: str,
    whole: bool = True,
) -> AppNotices:
    """The memory after a sweep, with an event in the outbox for each problem that is to be told, and each end.

    Not `whole`: no sweep was made, and what it did not see stands as before.
    """
    outbox, standing = list(memory.outbox), dict[str, StandingProblem]()
    for one in seen:
        known, type_ = memory.standing.get(one.code, StandingProblem(now)), Type.of_app(one.code)
        if not known.told and (type_ in AT_ONCE or now - known.since >= lasting):
            outbox.append(_notice(type_, one, known.since, now, correlation_id))
            known = replace(known, told=True)
        standing[one.code] = known
    for code, known in memory.standing.items():
        if code not in standing and not whole:
            standing[code] = known
        elif code not in standing and known.told:
            over = AppNews(code, f"{code}: it is over, as far as the last sweep could see.", "")
            outbox.append(_notice(Type.APP_RECOVERED, over, known.since, now, correlation_id))
    return AppNotices(standing, tuple(outbox[-MOST_WAITING:]))


def _notice(type_: Type, news: AppNews, since: datetime, now: datetime, correlation_id: str) -> Notice:
    data = AppData(
        problem=news.code,
        message=news.message,
        next_step=news.next_step,
        since=since.isoformat(),
        correlation_id=correlation_id,
    )
    identity = notice_id("app", type_, news.code, since.isoformat())
    return Notice(id=identity, type=type_, subject=f"/app/{news.code}", time=now, data=named(data))


def to_document(memory: AppNotices) -> dict[str, Any]:
    """The memory as JSON values."""
    standing = {code: {"since": one.since.isoformat(), "told": one.told} for code, one in memory.standing.items()}
    return {"standing": standing, "outbox": [notice_document(notice) for notice in memory.outbox]}


def from_document(document: Mapping[str, Any]) -> AppNotices:
    """Read it back. A damaged one counts as empty: what stands is then told again."""
    try:
        standing = {
            text(code): StandingProblem(stored_instant(one["since"]), one["told"] is True)
            for code, one in mapping(document["standing"]).items()
        }
        return AppNotices(standing, tuple(stored_notice(entry) for entry in mappings(document["outbox"])))
    except (KeyError, TypeError, ValueError):
        return AppNotices()
