"""A pause of the whole installation: its value, its document, and what a request may ask for.

Pure; used by `shared.installation.pause`. A pause always has an end: one that no person lifts expires by itself (S7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.core.model.errors import InvalidInput
from shared.core.model.json_values import mapping, text

DEFAULT = timedelta(minutes=60)
LONGEST = timedelta(days=7)
CLOCKS = timedelta(minutes=15)
"""How far clocks may differ that told since when a pause lasts."""
MAX_REASON = 200
"""Characters."""

_FIELDS = frozenset({"minutes", "until", "reason"})
EXAMPLE = '{"minutes": 60, "reason": "..."} or {"until": "2027-01-31T18:00:00Z", "reason": "..."}'
_NEXT = f"Send {EXAMPLE}."


class InvalidPause(InvalidInput):
    """A request for a pause that cannot be understood, or is longer than a pause may be."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is changed in Azure or Elastic Cloud before `until`."""

    since: datetime
    until: datetime
    reason: str = ""

    def over(self, now: datetime) -> bool:
        """Whether it has expired."""
        return now >= self.until

    def document(self) -> dict[str, str]:
        """It as JSON values, as it is stored and shown."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat(), "reason": self.reason}


def pause_from(document: object, latest: datetime) -> Pause:
    """Read a stored pause. A damaged one counts as one until `latest`: doing nothing is what can be undone."""
    try:
        return stored_pause(document, latest)
    except ValueError:
        return Pause(latest - LONGEST, latest, "The pause's record is damaged; DELETE /api/pause lifts it.")


def stored_pause(document: object, latest: datetime) -> Pause:
    """Read a stored pause; raises ValueError for a damaged one, and for one that lasts longer than until `latest`."""
    said = mapping(document)
    since, until = _moment(said.get("since")), _moment(said.get("until"))
    if since is None or until is None or not since <= until <= latest + CLOCKS:
        raise ValueError(document)
    return Pause(since, until, text(said.get("reason"))[:MAX_REASON])


def requested_pause(body: Mapping[str, Any], now: datetime) -> Pause:
    """What a request asks for; raises InvalidPause."""
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        what = "The body has a field that is none of minutes, until and reason."
        raise InvalidPause(what, on=unknown[0][:40], next_step=_NEXT)
    now = now.replace(microsecond=0)  # people read it
    until = _until(body, now)
    if not now < until <= now + LONGEST:
        raise InvalidPause(
            f"A pause ends in the future and within {LONGEST.days} days.", on=until.isoformat(), next_step=_NEXT
        )
    return Pause(now, until, _reason(body.get("reason", "")))


def _until(body: Mapping[str, Any], now: datetime) -> datetime:
    if "until" not in body:
        minutes = body.get("minutes", DEFAULT.total_seconds() / 60)
        if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes < 10**6:
            raise InvalidPause("minutes is no number of minutes.", on=str(minutes)[:40], next_step=_NEXT)
        return now + timedelta(minutes=minutes)
    if "minutes" in body:
        raise InvalidPause("The body has both minutes and until.", next_step=_NEXT)
    until = _moment(body["until"])
    if until is None:
        raise InvalidPause(
            "until is no time with a time zone in ISO 8601.", on=str(body["until"])[:40], next_step=_NEXT
        )
    return until


def _reason(reason: object) -> str:
    if not isinstance(reason, str) or len(reason) > MAX_REASON or not reason.isprintable():
        raise InvalidPause(f"reason is no text of one line with at most {MAX_REASON} characters.", next_step=_NEXT)
    return reason.strip()


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
