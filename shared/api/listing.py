"""The list of connections: filtered, sorted and in pages. Used by `queries` and by re-runs of many; pure.

A page ends with a cursor, which names the last connection of it by what the list is sorted by: what is made or removed
meanwhile neither repeats nor hides another one.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields

from shared.core.model.conditions import Phase
from shared.core.model.errors import InvalidInput
from shared.core.model.services import Family
from shared.state.rows import ListedConnection

PAGE = 1_000
"""Connections of a page, at most."""
MOST_NAMES = 500
"""Regions, or subscriptions, that the list counts one by one."""
Key = tuple[str, ...]

URGENCY = (
    Phase.BLOCKED, Phase.DEGRADED, Phase.AWAITING_APPROVAL, Phase.PROVISIONING, Phase.REMOVING, Phase.READY,
    Phase.IGNORED, Phase.REMOVED,
)  # fmt: skip
"""Phases, the most pressing first."""
_RANK = {str(phase): at for at, phase in enumerate(URGENCY)}

SORTS: Mapping[str, Callable[[ListedConnection], Key]] = {
    "name": lambda row: (row.columns.name.lower(),),
    "phase": lambda row: (str(_RANK.get(row.columns.shown_phase, len(URGENCY))), row.columns.since),
    "region": lambda row: (row.columns.region, row.columns.family),
    "target": lambda row: (", ".join(name or one for one, name in row.columns.target_list).lower(),),
    "reason": lambda row: (row.columns.ready, row.columns.reason),
    "since": lambda row: (row.columns.since,),
    "tested": lambda row: (row.columns.tested_at,),
}
"""What a list is sorted by, then by name and id."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which connections are meant; what is empty leaves none out."""

    phase: str = ""
    """One of them; with a minus before it, all others."""
    family: str = ""
    region: str = ""
    subscription: str = ""
    target: str = ""
    """Id or name of a deployment or project that the connection leads to."""
    q: str = ""
    """Words, each of which stands somewhere in what the list shows."""

    def matches(self, row: ListedConnection) -> bool:
        """Whether a connection is meant."""
        columns = row.columns
        without = self.phase.startswith("-")
        if self.phase and (self.phase.removeprefix("-").lower() == columns.shown_phase.lower()) is without:
            return False
        exact = (
            (self.family, columns.family),
            (self.region, columns.region),
            (self.subscription, columns.subscription),
        )
        if any(wanted and wanted.lower() != value.lower() for wanted, value in exact):
            return False
        if self.target and self.target.lower() not in {name.lower() for one in columns.target_list for name in one}:
            return False
        text = " ".join((row.connection_id, *columns.texts)).lower()
        return all(word in text for word in self.q.lower().split())


FILTERS = tuple(field.name for field in fields(Filter))


def filter_of(given: Mapping[str, object]) -> Filter:
    """A filter by its parameters' names; raises InvalidInput."""
    unknown = sorted(set(given) - set(FILTERS))
    if unknown:
        raise InvalidInput(f"There is no filter {unknown[0][:40]}.", next_step=f"Name one of {', '.join(FILTERS)}.")
    if not all(isinstance(value, str) for value in given.values()):
        raise InvalidInput("A filter's value is a text.", next_step='Send for example {"phase": "Blocked"}.')
    if empty := sorted(name for name, value in given.items() if not value and name in {"phase", "family"}):
        raise InvalidInput(f"{empty[0]} is empty.", next_step="Leave it out, or name one.")
    found = Filter(**{name: str(value) for name, value in given.items()})
    _ensure_one_of("phase", found.phase.removeprefix("-"), Phase)
    _ensure_one_of("family", found.family, Family)
    return found


def _ensure_one_of(name: str, value: str, words: Iterable[str]) -> None:
    known = [str(one) for one in words]
    if value and value.lower() not in {one.lower() for one in known}:
        raise InvalidInput(f"{name} must be {' or '.join(known)}.", on=value[:40])


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list."""

    rows: tuple[ListedConnection, ...]
    next: str | None
    """The cursor of the page that follows; None: this is the last one."""
    total: int
    """Connections that the filter lets through."""


def page_of(
    rows: Iterable[ListedConnection],
    wanted: Filter,
    *,
    sort: str = "name",
    limit: int = PAGE,
    cursor: str | None = None,
) -> Page:
    """One page; `sort` begins with a minus for the other way round. Raises InvalidInput."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        known = ", ".join(SORTS)
        raise InvalidInput(f"sort must be one of {known}, or one with a minus before it.", on=sort[:40])

    def key(row: ListedConnection) -> Key:
        return (*SORTS[name](row), row.columns.name.lower(), row.connection_id)

    found = sorted(filter(wanted.matches, rows), key=key, reverse=down)
    if cursor is not None:
        after = read_cursor(cursor, name)
        found_after = [row for row in found if (key(row) < after if down else key(row) > after)]
    else:
        found_after = found
    shown = found_after[:limit]
    more = len(found_after) > len(shown)
    return Page(tuple(shown), cursor_of(name, key(shown[-1])) if more else None, len(found))


def cursor_of(sort: str, key: Key) -> str:
    """Where a page ends, in a list that is sorted so."""
    return base64.urlsafe_b64encode(json.dumps([sort, *key]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: str) -> Key:
    """The last one of the page before; raises InvalidInput for the cursor of another list."""
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _no_cursor(cursor) from error
    if not isinstance(found, list) or not found or found[0] != sort or not all(isinstance(one, str) for one in found):
        raise _no_cursor(cursor)
    return tuple(found[1:])


def _no_cursor(cursor: str) -> InvalidInput:
    return InvalidInput(
        "The cursor is none of this list, sorted so.",
        on=cursor[:40],
        next_step="Ask for the first page again, without a cursor.",
    )
