"""What differs between the recording and a play of today, in words. Called by `__main__` and the test; pure.

Requests are compared worker by worker and service by service, each in its order: the branches of a run go on side by
side, and which of two clouds is called first in one instant was never promised. Rows are compared leaf by leaf,
through `mapping`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any

from tests.recording.listening import Line
from tests.recording.mapping import MAPPING
from tests.recording.numbering import Numbers, ordered
from tests.recording.rules import Row, Table
from tests.recording.translating import leaves, present, translated, without

_MARKER = re.compile(r"/subscriptions/\S+(?=\. )|\[[^\]]*\]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")
MISSING = "(none)"

Streams = dict[tuple[int, str], list[Line]]
Stored = dict[tuple[str, str, str], dict[Any, Any]]


def differences(before: list[Line], now: list[Line], table: Table = MAPPING) -> list[str]:
    """Each difference in a line of its own."""
    was, numbers_before = _streams(before)
    is_, numbers_now = _streams(now)
    keys = sorted({*was, *is_})
    found = [line for key in keys for line in _of_stream(key, was.get(key, []), is_.get(key, []), table)]
    kept = _stored(translated(_rows(before), table), numbers_before, table)
    stored = _stored(present(table.comparable(_rows(before), _rows(now)), table), numbers_now, table)
    return [*found, *_of_rows(kept, stored, table)]


# -- requests ------------------------------------------------------------------------------------------------------


def _streams(lines: list[Line]) -> tuple[Streams, Numbers]:
    """The requests of each worker to each service, and the ids in them."""
    streams: Streams = defaultdict(list)
    for line in lines:
        if line["kind"] == "request":
            streams[line["worker"], line["service"]].append(line)
    numbers = Numbers()
    numbered: Streams = {key: [_request(line, numbers) for line in streams[key]] for key in sorted(streams)}
    return numbered, numbers


def _request(line: Line, numbers: Numbers) -> Line:
    body = line["body"]
    if isinstance(body, dict) and isinstance(body.get("description"), str):
        body = body | {"description": _MARKER.findall(body["description"])}  # the rest of it is a text for people
    what = {"what": f"{line['method']} {line['path']}", "headers": line["headers"], "body": body}
    return numbers({name: what[name] for name in ("what", "headers", "body")}) | {"at": line["at"]}


def _of_stream(key: tuple[int, str], before: list[Line], now: list[Line], table: Table) -> Iterator[str]:
    label = f"worker {key[0]}, {key[1]}"
    was, is_ = ([json.dumps(line | {"at": 0}, sort_keys=True) for line in lines] for lines in (before, now))
    for kind, a, b, c, d in SequenceMatcher(None, was, is_, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from _of_times(label, zip(before[a:b], now[c:d], strict=True), table)
            continue
        for number in range(max(b - a, d - c)):
            one = before[a + number] if a + number < b else None
            other = now[c + number] if c + number < d else None
            yield f"{label}, request {a + number + 1}: {_changed(one, other)}"


def _of_times(label: str, pairs: Any, table: Table) -> Iterator[str]:
    for one, other in pairs:
        if abs(one["at"] - other["at"]) > table.tolerance:
            yield f"{label}, {one['what']}: sent after {one['at']} s, now after {other['at']} s"


def _changed(one: Line | None, other: Line | None) -> str:
    if one is None or other is None or one["what"] != other["what"]:
        return f"{_shown(one)}; now {_shown(other)}"
    was, is_ = (dict(leaves({name: line[name] for name in ("headers", "body")})) for line in (one, other))
    parts = [
        f"{'.'.join(path)} {was.get(path, MISSING)!r}, now {is_.get(path, MISSING)!r}"
        for path in sorted({*was, *is_})
        if was.get(path) != is_.get(path)
    ]
    return f"{one['what']}: {'; '.join(parts)}"


def _shown(line: Line | None) -> str:
    if line is None:
        return MISSING
    return " ".join([line["what"], *(json.dumps(line[name]) for name in ("headers", "body") if line[name])])


# -- rows ----------------------------------------------------------------------------------------------------------


def _rows(lines: list[Line]) -> list[Row]:
    return [line for line in lines if line["kind"] == "row"]


def _stored(rows: list[Row], numbers: Numbers, table: Table) -> Stored:
    """The leaves of each row by its key; the entries of a diary by their number, oldest first."""
    left_out = (*table.texts, *table.durations)
    rows = [row | {"columns": without(row["table"], row["columns"], left_out)} for row in rows]
    stored: Stored = {}
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for row in ordered(rows, lambda row: _order(row, table)):
        place = (row["table"], numbers(row["partition"]))
        counted[place] += 1
        key = f"entry {counted[place]}" if row["table"] in table.diaries else numbers(row["row"])
        columns = sorted(row["columns"].items())
        stored[(*place, key)] = {numbers(path): numbers(value) for path, value in columns}
    return stored


def _order(row: Row, table: Table) -> str:
    diary = table.diaries.get(row["table"])
    key = row["row"] if diary is None else str(row["columns"].get((diary,), ""))
    return json.dumps([row["table"], row["partition"], key, sorted(map(str, row["columns"].items()))])


def _of_rows(before: Stored, now: Stored, table: Table) -> Iterator[str]:
    for key in sorted({*before, *now}):
        label = " / ".join(key)
        was, is_ = before.get(key), now.get(key)
        if was is None or is_ is None:
            columns = {".".join(path): value for path, value in (was or is_ or {}).items()}
            yield f"{label}: {'a new row' if was is None else 'the row is gone'}: {str(columns)[:300]}"
            continue
        for path in sorted({*was, *is_}):
            one, other = was.get(path, MISSING), is_.get(path, MISSING)
            if not _same(one, other, table.tolerance):
                yield f"{label}: {'.'.join(path)} was {one!r}, is {other!r}"


def _same(one: Any, other: Any, tolerance: float) -> bool:
    if one == other:
        return type(one) is type(other) or not isinstance(one, bool | None)
    if not all(isinstance(value, str) and _MOMENT.fullmatch(value) for value in (one, other)):
        return False
    return abs((datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds()) <= tolerance
