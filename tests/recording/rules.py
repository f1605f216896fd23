"""The words in which `mapping` says how what is stored has changed. Applied by `translating`.

A path names a place inside a row, its parts separated by dots and the column first: `document.policy.guid`. `*` stands
for one part (a number in a list, any name in an object), `**` for any number of parts. A path means all that is below
it too. A table is named as its attribute of the storage is, `queue` holds the messages, `*` means every table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
"""`table`, `partition`, `row` and `columns`: JSON values; messages have `due`, `deliveries` and `body`."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What stood at `old` stands at `new`. Each `*` and `**` of `old` is filled into `new`, in their order."""

    table: str
    """As it was called before."""
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A value that is written differently: an enum's word, a cause."""

    table: str
    """As it is called now."""
    path: str
    """As it is now."""
    values: Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Dropped:
    """No longer stored."""

    table: str
    """As it was called before."""
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class New:
    """Stored since; not compared, as there is nothing to compare it with."""

    table: str
    """As it is called now."""
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Whole rows that are stored no longer, or since: by patterns of partition and row key, as `fnmatch` reads them."""

    table: str
    """As it was called before for rows that are gone, as it is called now for new ones."""
    partition: str
    row: str
    why: str


def as_they_are(rows: list[Row]) -> list[Row]:
    """Nothing that the table cannot say."""
    return rows


def all_of_them(_: list[Row], now: list[Row]) -> list[Row]:
    """No row of today is left out."""
    return now


@dataclass(frozen=True, slots=True)
class Table:
    """All of it.

    Applied to what was recorded before in this order: `by_hand`, `gone_rows`, `dropped`, `moved`, `tables` and `keys`,
    `values`; to what is stored now: `new_rows` and `new`.
    """

    tables: Mapping[str, str]
    """Tables by their former names: what they are called now."""
    keys: Mapping[str, Callable[[Row], tuple[str, str]]]
    """By a table's former name: partition and row key of a former row, as they are now."""
    moved: tuple[Moved, ...]
    values: tuple[Renamed, ...]
    dropped: tuple[Dropped, ...]
    new: tuple[New, ...]
    gone_rows: tuple[Rows, ...]
    new_rows: tuple[Rows, ...]
    diaries: Mapping[str, str]
    """Tables whose row keys hold chance: which column says when an entry was made. As they are called now."""
    texts: tuple[tuple[str, str], ...]
    """Table and path of texts for people; left out on both sides, so former and present paths stand here."""
    durations: tuple[tuple[str, str], ...]
    """The same for milliseconds of real time, and for counts of requests to storage."""
    tolerance: float
    """Seconds by which two moments may differ."""
    by_hand: Callable[[list[Row]], list[Row]] = as_they_are
    """For what the rest cannot say, such as a part of one row that is a row of its own now."""
    comparable: Callable[[list[Row], list[Row]], list[Row]] = all_of_them
    """Of former rows and those of today: which of today have a counterpart that could have been recorded."""
