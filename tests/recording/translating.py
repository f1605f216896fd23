"""Applies `mapping` to the rows of a recording. Called by `differences` for both sides; pure.

A row becomes its leaves, by their paths: moving, dropping and comparing are then the same for every form. A leaf that
is null, or an empty list or object, is as good as none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain
from typing import Any

from tests.recording.rules import Row, Rows, Table

Path = tuple[str, ...]
Leaves = dict[Path, Any]
_BETWEEN = "\x1f"


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf of a JSON value, with its path."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, (*path, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from leaves(part, (*path, str(number)))
    elif value is not None:
        yield path, value


@cache
def _pattern(path: str) -> re.Pattern[str]:
    """A path as a pattern of joined parts: one group for each star, and the last for what is below."""
    one, between = f"[^{_BETWEEN}]+", re.escape(_BETWEEN)
    words = {"*": f"({one}){between}", "**": f"((?:{one}{between})*)"}
    text = "".join(words.get(part, f"{re.escape(part)}{between}") for part in path.split("."))
    return re.compile(f"{text}(.*)", re.DOTALL)


def matched(path: Path, pattern: str) -> list[Path] | None:
    """What each star of a pattern stands for, and last what is below it; None where it does not match."""
    found = _pattern(pattern).fullmatch("".join(part + _BETWEEN for part in path))
    return None if found is None else [tuple(filter(None, group.split(_BETWEEN))) for group in found.groups()]


def translated(rows: Iterable[Row], table: Table) -> list[Row]:
    """Former rows as they would be stored now; `columns` are leaves."""
    found = table.by_hand([dict(row) for row in rows])
    return [_translated(row, table) for row in found if not _listed(row, table.gone_rows)]


def present(rows: Iterable[Row], table: Table) -> list[Row]:
    """Rows as they are stored now, without what is new; `columns` are leaves."""
    new = [(one.table, one.path) for one in table.new]
    return [
        row | {"columns": without(row["table"], dict(leaves(row["columns"])), new)}
        for row in rows
        if not _listed(row, table.new_rows)
    ]


def zeroed(row: Row, paths: Iterable[tuple[str, str]], value: Any = None, path: Path = ()) -> Any:
    """The columns of a row, with 0 wherever a path of the table leads to: what is measured is never the same twice."""
    value = value if path else row["columns"]
    if path and any(name in {"*", row["table"]} and matched(path, one) is not None for name, one in paths):
        return 0
    if isinstance(value, dict):
        return {name: zeroed(row, paths, part, (*path, name)) for name, part in value.items()}
    if isinstance(value, list):
        return [zeroed(row, paths, part, (*path, str(number))) for number, part in enumerate(value)]
    return value


def without(name: str, columns: Leaves, paths: Iterable[tuple[str, str]]) -> Leaves:
    """The leaves that no path of the table leads to."""
    left_out = [path for where, path in paths if where in {"*", name}]
    return {
        path: value for path, value in columns.items() if not any(matched(path, one) is not None for one in left_out)
    }


def _translated(row: Row, table: Table) -> Row:
    former = row["table"]
    name = table.tables.get(former, former)
    columns = without(former, dict(leaves(row["columns"])), [(one.table, one.path) for one in table.dropped])
    columns = {_moved(former, path, table): value for path, value in columns.items()}
    columns = {path: _renamed(name, path, value, table) for path, value in columns.items()}
    partition, key = table.keys[former](row) if former in table.keys else (row["partition"], row["row"])
    return {"table": name, "partition": partition, "row": key, "columns": columns}


def _moved(name: str, path: Path, table: Table) -> Path:
    for one in table.moved:
        if one.table in {"*", name} and (found := matched(path, one.old)) is not None:
            *stars, below = found
            parts = [stars.pop(0) if part in {"*", "**"} else (part,) for part in one.new.split(".")]
            return tuple(chain(*parts, below))
    return path


def _renamed(name: str, path: Path, value: Any, table: Table) -> Any:
    for one in table.values:
        if one.table in {"*", name} and value in one.values and _ends(path, one.path):
            return one.values[value]
    return value


def _ends(path: Path, pattern: str) -> bool:
    found = matched(path, pattern)
    return found is not None and not found[-1]


def _listed(row: Row, rules: Iterable[Rows]) -> bool:
    place = (row["table"], row["partition"], row["row"])
    return any(
        all(fnmatchcase(*pair) for pair in zip(place, (one.table, one.partition, one.row), strict=True))
        for one in rules
    )
