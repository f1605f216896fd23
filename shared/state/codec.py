"""Connections <-> table entities, and the limits of tables and queues. Pure; used by the Azure ports and their double.

An entity is a flat mapping of property name to str, int, bool or datetime. A string property holds 64 KiB of UTF-16, an
entity 1 MiB, a queue message 64 KiB after base64: the document is split over several properties, and what cannot fit
is refused here, before it is sent.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.core.model.errors import Permanent
from shared.core.model.record_columns import Columns
from shared.state.rows import ConnectionRow, ControlRow, ListedConnection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Entity = dict[str, Any]

PART_CHARACTERS = 30_000  # JSON is written in ASCII: 60 000 bytes of the 65 536 that a property holds
MAX_PARTS = 16  # 960 000 bytes of the 1 048 576 that an entity holds
MAX_DELAY = 7 * 24 * 3600  # seconds a queue message can stay invisible
MAX_MESSAGE = 64 * 1024  # bytes of a queue message, encoded

RECORD = "record"
"""The one row of a connection in table `connections`: its id, the partition, is all that it takes to read it."""
_COLUMNS = tuple(column.name for column in fields(Columns))
LISTED = ("PartitionKey", *_COLUMNS)
"""What lists read of a row."""
PAGE = 1_000
"""Rows in one answer, the service's most."""

CONTROL = "control"
"""The one partition of table `control`."""


def connection_entity(row: ConnectionRow) -> Entity:
    """A connection as a table entity; properties that are None are left out, as a table does."""
    columns: Entity = {
        "PartitionKey": row.connection_id,
        "RowKey": RECORD,
        **asdict(row.columns),
    }
    columns |= json_columns("document", row.document, on=row.connection_id)
    return {name: value for name, value in columns.items() if value is not None}


def connection_row(entity: Mapping[str, Any], etag: str | None) -> ConnectionRow:
    """A connection from a table entity."""
    return ConnectionRow(
        connection_id=entity["PartitionKey"],
        document=json_value("document", entity),
        columns=_columns(entity),
        etag=etag,
    )


def listed_connection(entity: Mapping[str, Any]) -> ListedConnection:
    """A connection as lists read it, from an entity with `LISTED` only."""
    return ListedConnection(entity["PartitionKey"], _columns(entity))


def _columns(entity: Mapping[str, Any]) -> Columns:
    return Columns(**{name: str(entity.get(name) or "") for name in _COLUMNS})


def control_entity(row: ControlRow) -> Entity:
    """A document of the installation as a table entity."""
    return {"PartitionKey": CONTROL, "RowKey": row.name, **json_columns("document", row.document, on=row.name)}


def control_row(entity: Mapping[str, Any], etag: str | None) -> ControlRow:
    """A document of the installation from a table entity."""
    return ControlRow(entity["RowKey"], json_value("document", entity), etag)


def visibility_timeout(delay: float) -> int:
    """A delay as the queue takes it: whole seconds, never less than asked for, 7 days at most."""
    return min(MAX_DELAY, max(0, math.ceil(delay)))


def checked_message(text: str) -> str:
    """`text` if it fits a queue message once it is base64, as `messageEncoding` in host.json says."""
    size = len(base64.b64encode(text.encode()))
    if size > MAX_MESSAGE:
        raise Permanent(f"A queue message holds {MAX_MESSAGE} bytes in base64; this one has {size}.", on="work queue")
    return text


def json_columns(name: str, value: Any, *, on: str) -> Entity:
    """A JSON value as columns `name`, `name_1`, ...; raises Permanent when even all of them cannot hold it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    parts = [text[at : at + PART_CHARACTERS] for at in range(0, len(text), PART_CHARACTERS)]
    if len(parts) > MAX_PARTS:
        raise Permanent(
            f"This {name} has {len(text)} characters; a table row holds {PART_CHARACTERS * MAX_PARTS}.",
            on=on,
        )
    return {_part_name(name, number): part for number, part in enumerate(parts)}


def json_value(name: str, entity: Mapping[str, Any]) -> Any:
    """The value that `json_columns` split."""
    return json.loads("".join(_parts(name, entity)))


def _part_name(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def _parts(name: str, entity: Mapping[str, Any]) -> Iterator[str]:
    number = 0
    while (part := entity.get(_part_name(name, number))) is not None:
        yield part
        number += 1


def utc(value: datetime) -> datetime:
    """A plain datetime: the SDK answers with a subclass of its own."""
    return datetime.combine(value.date(), value.time(), value.tzinfo).astimezone(UTC)
