"""All rows and messages that the storage double holds, as lines of a recording. Used by `scenarios` at a play's end.

It looks for entities wherever the double's tables keep them, so it knows neither the tables nor their columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from local.storage.memory import MemoryStorage
from tests.recording.listening import Line

KEYS = ("PartitionKey", "RowKey")
_PART = re.compile(r"(.+)_(\d+)")


def rows(storage: MemoryStorage) -> list[Line]:
    """Every row of every table, in the order of the keys."""
    lines = [_row(table, entity) for table, held in vars(storage).items() for entity in _entities(vars(held))]
    return sorted(lines, key=lambda line: (line["table"], line["partition"], line["row"]))


def messages(storage: MemoryStorage) -> list[Line]:
    """Every message that waits or was put aside."""
    queue = storage.queue
    named = [("waiting", one) for one in queue.messages] + [("poison", one) for one in queue.poison]
    return [
        {
            "kind": "row",
            "table": "queue",
            "partition": place,
            "row": f"{number:04}",
            "columns": {
                "due": message.visible_at.isoformat(),
                "deliveries": message.dequeue_count,
                "body": _value(message.text),
            },
        }
        for number, (place, message) in enumerate(named)
    ]


def _entities(held: Any) -> Iterator[Mapping[str, Any]]:
    """Every entity in a structure of dictionaries, lists and tuples."""
    if isinstance(held, Mapping):
        if KEYS[0] in held:
            yield held
            return
        held = held.values()
    elif not isinstance(held, list | tuple):
        return
    for part in held:
        yield from _entities(part)


def _row(table: str, entity: Mapping[str, Any]) -> Line:
    partition, row = (entity[key] for key in KEYS)
    columns = {name: _value(value) for name, value in _joined(entity).items() if name not in KEYS}
    return {"kind": "row", "table": table, "partition": partition, "row": row, "columns": columns}


def _joined(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Columns with those put together again that were split for their length: `document`, `document_1`, ..."""
    joined: dict[str, Any] = {}
    for name, value in entity.items():
        part = _PART.fullmatch(name)
        if part and part[1] in joined and isinstance(joined[part[1]], str):
            joined[part[1]] += value
        else:
            joined[name] = value
    return joined


def _value(value: Any) -> Any:
    """A column as JSON values: what is JSON in a text is read."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value[:1] in {"{", "[", '"'}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return None if value == "null" else value
