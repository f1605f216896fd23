"""Values out of JSON that others wrote: a service's answer, an event, a table's row. Pure.

Used by `clouds` and by what reads markers and URLs. Anything may stand anywhere: what is of another type than it should
be counts as not there, and a text that no id, name or address can be (very long, or no text that can be encoded) too.
Where "not there" and "not readable" lead to opposite decisions, the caller asks for the type itself. An instant is the
exception: a row may be damaged, one of the year 9999 would hold what is counted from it for ever, and one without a
time zone can be compared with none.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

LONGEST = 8_000
"""Characters; ids and names have some hundreds, a policy's description a few thousand."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:-]*(?:\.[A-Za-z0-9_:-]+)*", re.ASCII)
LONGEST_IDENTIFIER = 200
_NOTHING: Mapping[str, Any] = {}
_YEARS = range(2000, 2200)

FORM = 1
"""The form of the rows that this version writes. One that takes a field away or changes its type counts on, and writes
the number into a row's document as `schema`."""

AHEAD = timedelta(days=10)
"""How far ahead of its row's writing an instant may be: the longest wait, and the longest grace period, is 7 days."""


def text(value: object) -> str:
    """A text; empty for anything else."""
    if not isinstance(value, str) or len(value) > LONGEST or "\x00" in value:
        return ""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # half a letter: no table, queue or answer of ours could hold it
            return ""
    return value


def identifier(value: object) -> str:
    """An id that can stand in the path of a URL as it is; empty for anything else."""
    found = text(value)
    return found if len(found) <= LONGEST_IDENTIFIER and _IDENTIFIER.fullmatch(found) else ""


def mapping(value: object) -> Mapping[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else _NOTHING


def is_newer(document: object) -> bool:
    """Whether a newer version of the app wrote a row's document: it is whole, and not this version's to change."""
    schema = mapping(document).get("schema")
    return type(schema) is int and schema > FORM


def entries(value: object) -> list[Any]:
    """A list as it is; an empty one for anything else."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; its other entries are left out."""
    return (entry for entry in entries(value) if isinstance(entry, Mapping))


def texts(value: object) -> tuple[str, ...]:
    """The texts in a list; its other entries are left out."""
    return tuple(found for entry in entries(value) if (found := text(entry)))


def whole_number(value: object) -> int | None:
    """A whole number of a size that something is counted by; None for anything else."""
    return value if type(value) is int and abs(value) < 10**12 else None


def stored_instant(text: object, *, latest: datetime | None = None) -> datetime:
    """An instant out of a document; raises ValueError for anything else, and for one after `latest`."""
    if isinstance(text, datetime):
        found = text
    elif isinstance(text, str):
        found = datetime.fromisoformat(text)
    else:
        raise ValueError("no instant")  # noqa: TRY004 - one error for all that is damaged
    if found.tzinfo is None or found.year not in _YEARS:
        raise ValueError("no instant that this app has written")
    found = found.astimezone(UTC)
    if latest is not None and found > latest:
        raise ValueError("an instant that is too far ahead")
    return found


def _finite(number_text: str) -> float:
    number = float(number_text)
    if not math.isfinite(number):
        raise ValueError(number_text)
    return number


_STORED = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def stored_json(document: str) -> Any:
    """What a row holds; ValueError for what is no JSON, or has a number that no version of the app writes."""
    return _STORED.decode(document)
