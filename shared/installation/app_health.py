"""What is wrong with the app itself: kept by each sweep in table `control`, read with the pause for each answer.

The document's name begins as the pause's does, so that one request reads both. Called by the sweep and the HTTP API.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.context import Context, log
from shared.core.guards.pause import Pause
from shared.core.model.errors import AutopilotError
from shared.core.reports.app_health import AppProblem, Code, Health, failed_sweep, overdue_after, stored_health
from shared.installation import pause
from shared.state.control import DamagedRow, OnLostRace, understood, update

DOCUMENT = f"{pause.DOCUMENT}-health"


@dataclass(frozen=True, slots=True)
class PauseAndProblems:
    """The pause, and what is wrong, at one moment."""

    pause: Pause | None
    problems: tuple[AppProblem, ...]


last_look: ContextVar[PauseAndProblems | None] = ContextVar("last_look", default=None)
"""What `look` answered last in this piece of work: an answer that only reads needs no second one."""


async def look(context: Context) -> PauseAndProblems:
    """The pause and the app's problems now, with one request. Raises what the storage raises."""
    rows = {row.name: row async for row in context.storage.control.list(pause.DOCUMENT)}
    paused = rows.get(pause.DOCUMENT)
    health = rows.get(DOCUMENT)
    problems: tuple[AppProblem, ...] = ()
    try:
        problems = understood(health, stored_health).now(context.clock.now()) if health is not None else ()
    except DamagedRow as error:  # the next sweep writes it anew
        log.warning("how the app stands is not known: %s", error)
    found = PauseAndProblems(None if paused is None else pause.stored(context, paused), problems)
    last_look.set(found)
    return found


async def keep(
    context: Context, problems: tuple[AppProblem, ...], began: datetime | None = None
) -> tuple[AppProblem, ...]:
    """Keep what a sweep has found as it ended; returns it, and first that the sweep `began` late. Never fails it."""
    now = context.clock.now()
    found = problems

    def kept(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        nonlocal found
        before = _stored(document)
        found = problems if before is None or began is None else (*before.late(began), *problems)
        return Health(now, now + overdue_after(now, before.at if before else None), problems).document()

    await _update(context, kept)
    return found


async def keep_failed(context: Context, error: BaseException) -> tuple[AppProblem, ...]:
    """Keep that a sweep failed, beside what the one before had found; returns both. Never hides its error."""
    problem = failed_sweep(error)
    found: tuple[AppProblem, ...] = (problem,)

    def kept(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        nonlocal found
        now = context.clock.now()
        before = _stored(document) or Health(now, now + overdue_after(now, None))
        found = (problem, *(one for one in before.problems if one.code != problem.code))
        return replace(before, problems=found).document()

    await _update(context, kept)
    return found


async def decided(context: Context, code: Code) -> None:
    """A person has decided about this problem: it is over before the next sweep says so."""

    def kept(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        now = context.clock.now()
        before = _stored(document) or Health(now, now + overdue_after(now, None))
        return replace(before, problems=tuple(one for one in before.problems if one.code != code)).document()

    await _update(context, kept)


async def paused(context: Context) -> tuple[AppProblem, ...]:
    """The pause that holds now, as one of the problems, for those who are told of them."""
    try:
        found = await pause.present_pause(context)
    except AutopilotError as error:
        log.info("whether the app is paused is not told: %s", error)
        return ()
    if found is None:
        return ()
    why = f" ({found.reason})" if found.reason else ""
    what = f"Paused until {found.until:%Y-%m-%d at %H:%M} UTC{why}: the app plans and tests, and changes nothing."
    return (AppProblem(Code.PAUSED, what, "Send DELETE /api/pause to end it earlier."),)


async def _update(context: Context, kept: Any) -> None:
    try:
        await update(context.storage.control, context.clock, DOCUMENT, kept, lost=OnLostRace.SKIP, mend=True)
    except AutopilotError as error:
        log.info("how the app stands is not kept: %s", error)


def _stored(document: Mapping[str, Any] | None) -> Health | None:
    return None if document is None else stored_health(document)
