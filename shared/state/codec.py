"""Rows <-> table entities, and the limits of tables. Pure; used by the Azure ports and their double.

An entity is a flat mapping of property name to str, int, bool or datetime. A string property holds 64 KiB of UTF-16, an
entity 1 MiB: the document is split over several properties, a long one is compressed, and what cannot fit is refused
here, before it is sent.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from shared.core.model.arm_ids import lower_case
from shared.core.model.errors import InvalidInput, Permanent
from shared.core.model.json_values import is_newer, stored_json
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import (
    Columns,
    NewerRecord,
    UnreadableRecord,
    carry_over_unknown,
    columns_of,
    damaged_record,
    ensure_not_newer,
    from_document,
    host_document,
    host_in,
    to_document,
    unknown_of_host,
)
from shared.core.model.record_health import ResolvedBy
from shared.state.rows import (
    CheckedHost,
    CheckEntry,
    ConnectionRow,
    ControlRow,
    E,
    HostRow,
    JournalEntry,
    ListedConnection,
    ThingRow,
)

T = TypeVar("T")
Entity = dict[str, Any]

PART_CHARACTERS = 30_000  # JSON is written in ASCII: 60 000 bytes of the 65 536 that a property holds
MAX_PARTS = 16  # 960 000 bytes of the 1 048 576 that an entity holds
COMPRESSED_FROM = 4 * PART_CHARACTERS  # a thousand targets of one connection, whose names are much alike
PART_BYTES, UNPACKED_MAX = 47_000, 64 * 1024 * 1024

RECORD = "record"
"""The one row of a connection in table `connections`: its id, the partition, is all that it takes to read it."""
_NO_KEY = re.compile(r"[^a-z0-9._-]")
_DOCUMENT_PART = re.compile(r"document(_[0-9]+)?")
_COLUMNS = tuple(column.name for column in fields(Columns))
LISTED = ("PartitionKey", *_COLUMNS)
"""What lists read of a row."""
PAGE = 1_000
"""Rows in one answer, the service's most."""

CONTROL = "control"  # the one partition of table `control`


def holding(row: ConnectionRow, record: ConnectionRecord) -> ConnectionRow:
    """The row with this record in it, the columns that belong to it, and what in it this version does not know.

    Raises NewerRecord for a row that a newer version has written meanwhile.
    """
    ensure_not_newer(row.document)
    document = carry_over_unknown(row.document, to_document(record))
    unknown = {name: value for name, value in row.unknown.items() if not _DOCUMENT_PART.fullmatch(name)}
    return replace(row, document=document, columns=columns_of(record), unknown=unknown)


def record_in(row: ConnectionRow) -> ConnectionRecord:
    """The record that a row holds; raises UnreadableRecord, and NewerRecord for one of a newer version."""
    try:
        record = from_document(row.document, written_at=row.written_at or row.read_at)
    except NewerRecord:
        raise
    except UnreadableRecord as error:
        raise damaged_record(error.on or row.columns.endpoint_id, row.connection_id) from error
    if record.id != row.connection_id:
        raise damaged_record(record.endpoint_id, row.connection_id)
    return record


def connection_entity(row: ConnectionRow) -> Entity:
    """A connection as a table entity; properties that are None are left out, as a table does."""
    columns: Entity = {"PartitionKey": row.connection_id, "RowKey": RECORD, **asdict(row.columns)}
    columns |= json_columns("document", row.document, on=row.connection_id)
    return {name: value for name, value in (columns | dict(row.unknown)).items() if value is not None}


def connection_row(entity: Mapping[str, Any], etag: str | None) -> ConnectionRow:
    """A connection from a table entity; a document that is no JSON object is empty, which no version can read."""
    found = _json_or_none("document", entity)
    unknown = _unknown_columns(entity, *_COLUMNS)
    if not isinstance(found, dict):
        found, unknown = {}, unknown | {name: value for name, value in entity.items() if _DOCUMENT_PART.fullmatch(name)}
    return ConnectionRow(entity["PartitionKey"], found, _columns(entity), etag, unknown)


def listed_connection(entity: Mapping[str, Any]) -> ListedConnection:
    """A connection as lists read it, from an entity with `LISTED` only."""
    return ListedConnection(entity["PartitionKey"], _columns(entity))


def _columns(entity: Mapping[str, Any]) -> Columns:
    return Columns(**{name: str(entity.get(name) or "") for name in _COLUMNS})


def control_entity(row: ControlRow) -> Entity:
    """A document of the installation as a table entity."""
    return {"PartitionKey": CONTROL, "RowKey": row.name, **json_columns("document", row.document, on=row.name)}


def control_row(entity: Mapping[str, Any], etag: str | None) -> ControlRow:
    """A document of the installation from a table entity; what is no JSON is None, which `understood` reports."""
    return ControlRow(entity["RowKey"], _json_or_none("document", entity), etag)


def thing_key(text: str) -> str:
    """A scope or a resource's id as a key: these hold `/`, which a key must not, and come in any letter case."""
    return hashlib.sha256(lower_case(text).encode()).hexdigest()[:32]


def thing_keys(row: ThingRow) -> tuple[str, str]:
    """Where a row of things stands: where it was read, else where its scope and its id belong."""
    partition, _, name = row.key.partition("/")
    return (partition, name) if name else (thing_key(row.scope), thing_key(row.resource_id))


def thing_entity(row: ThingRow) -> Entity:
    """What is kept of a thing as a table entity."""
    keys = {"PartitionKey": thing_key(row.scope), "RowKey": thing_key(row.resource_id)}
    named = {"scope": row.scope, "resource": row.resource_id, "state": row.state}
    return {**row.columns, **keys, **named, **json_columns("document", row.document, on=row.resource_id)}


def thing_row(entity: Mapping[str, Any], etag: str | None, at: datetime | None, stored_at: datetime | None) -> ThingRow:
    """What is kept of a thing from a table entity; a document that is no JSON is empty."""
    scope, resource = str(entity.get("scope") or ""), str(entity.get("resource") or "")
    document = _json_or_none("document", entity) or {}
    stored_at = None if stored_at is None else utc(stored_at)
    key = f"{entity['PartitionKey']}/{entity['RowKey']}"
    columns, state = _unknown_columns(entity, "scope", "resource", "state"), str(entity.get("state") or "")
    return ThingRow(scope, resource, state, document, etag, key, at, stored_at, columns)


def host_entity(connection_id: str, row: HostRow) -> Entity:
    """The last check of a host as a table entity."""
    key = {"PartitionKey": connection_id, "RowKey": _NO_KEY.sub("_", row.host.lower())}
    columns, check = dict(row.unknown or {}), row.check
    document = check and columns.pop("document", {}) | host_document(check)
    return columns | key | {"guid": row.guid} | json_columns("document", document, on=row.host)


def host_row(entity: Mapping[str, Any], etag: str | None) -> HostRow:
    """The last check of a host from a table entity."""
    key, document = str(entity["RowKey"]), _json_or_none("document", entity)
    check, guid = host_in(document), str(entity.get("guid") or "")
    own = check is not None and _NO_KEY.sub("_", check.host.lower()) == key
    unknown = _unknown_columns(entity, "guid") | (unknown_of_host(document) if own else {})
    return HostRow(key, check if own else None, etag, guid, unknown or None, is_newer(document))


def _unknown_columns(entity: Mapping[str, Any], *known: str) -> Entity:
    """The columns that this version does not know, beside the document's."""
    known = ("PartitionKey", "RowKey", *known)
    return {name: value for name, value in entity.items() if name not in known and not _DOCUMENT_PART.fullmatch(name)}


def json_columns(name: str, value: Any, *, on: str) -> Entity:
    """A JSON value as columns `name`, `name_1`, ...; raises Permanent when even all of them cannot hold it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    packed: str | bytes = text if len(text) <= COMPRESSED_FROM else zlib.compress(text.encode(), 1)
    size = PART_CHARACTERS if isinstance(packed, str) else PART_BYTES
    parts = [packed[at : at + size] for at in range(0, len(packed), size)]
    if len(parts) > MAX_PARTS:
        told = f"This {name} has {len(packed)} bytes when it is compressed; a table row holds {PART_BYTES * MAX_PARTS}."
        raise Permanent(told, on=on)
    return {_part_name(name, number): part for number, part in enumerate(parts)}


def json_value(name: str, entity: Mapping[str, Any]) -> Any:
    """The value that `json_columns` split."""
    parts = list(_parts(name, entity))
    if parts and all(isinstance(part, bytes) for part in parts):
        return stored_json(zlib.decompressobj().decompress(b"".join(parts), UNPACKED_MAX).decode())
    return stored_json("".join(map(str, parts)))


def _json_or_none(name: str, entity: Mapping[str, Any]) -> Any:
    """The same; None where it is no JSON: a damaged row stops what needs it, not all that read the table."""
    try:
        return json_value(name, entity)
    except (ValueError, TypeError, RecursionError, zlib.error):
        return None


def _part_name(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def _parts(name: str, entity: Mapping[str, Any]) -> Iterator[Any]:
    number = 0
    while (part := entity.get(_part_name(name, number))) is not None:
        yield part
        number += 1


def utc(value: datetime) -> datetime:
    """A plain datetime: the SDK answers with a subclass of its own."""
    return datetime.combine(value.date(), value.time(), value.tzinfo).astimezone(UTC)


BATCH = 100  # operations that one table transaction takes
TEXT = 8_000  # characters of each long text of an entry: 100 entries stay below a transaction's 4 MiB

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MICROSECOND = 10**16 - 1  # the year 2286; keeps the keys 16 digits wide
_KEY = re.compile(r"[0-9]{16}-[0-9a-f]{6}-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class DiaryCodec(Generic[E]):
    """How the entries of one diary become columns and come back; keys are the same for all."""

    columns: Callable[[E], Entity]
    entry: Callable[[Mapping[str, Any]], E]
    damaged: Callable[[datetime], E]
    """What stands in the place of an entry that cannot be read; its row key tells when it was made."""

    def entity(self, connection_id: str, row_key: str, entry: E) -> Entity:
        """An entry as a table entity."""
        return {"PartitionKey": connection_id, "RowKey": row_key, **self.columns(entry)}

    def read(self, entity: Mapping[str, Any]) -> E:
        """The entry of an entity; one that is damaged says so, and hides no other."""
        try:
            return self.entry(entity)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, zlib.error):
            return self.damaged(_made_at(str(entity["RowKey"])))


def _made_at(row_key: str) -> datetime:
    """When an entry was made, by its key; the beginning of all time where that is none."""
    try:
        return _EPOCH + timedelta(microseconds=_LAST_MICROSECOND - int(row_key[:16]))
    except (ValueError, OverflowError):
        return _EPOCH


def _journal_columns(entry: JournalEntry) -> Entity:
    return {
        "at": entry.at,
        "run_id": entry.run_id,
        "correlation_id": entry.correlation_id,
        "cause": str(entry.cause),
        "step": entry.step,
        "before": _clipped_json(entry.before),
        "after": _clipped_json(entry.after),
        "outcome": entry.outcome,
        "duration_ms": entry.duration_ms,
        "message": entry.message[:TEXT],
    }


def _journal_entry(entity: Mapping[str, Any]) -> JournalEntry:
    return JournalEntry(
        at=utc(entity["at"]),
        run_id=_text(entity["run_id"]),
        correlation_id=_text(entity["correlation_id"]),
        cause=_text(entity["cause"]),
        step=_text(entity["step"]),
        before=json.loads(entity["before"]),
        after=json.loads(entity["after"]),
        outcome=_text(entity["outcome"]),
        duration_ms=int(entity["duration_ms"]),
        message=_text(entity["message"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _check_columns(entry: CheckEntry) -> Entity:
    hosts = [
        [host.host, host.verdict, host.reason, host.addresses, host.stages, host.resolved_by] for host in entry.hosts
    ]
    return {
        "at": entry.at,
        "correlation_id": entry.correlation_id,
        "cause": str(entry.cause),
        "verdict": entry.verdict,
        "reason": str(entry.reason),
        "message": entry.message[:TEXT],
        "tested": entry.tested,
        "failed": entry.failed,
        **json_columns("hosts", hosts, on="checks"),
    }


def _check_entry(entity: Mapping[str, Any]) -> CheckEntry:
    return CheckEntry(
        at=utc(entity["at"]),
        correlation_id=_text(entity["correlation_id"]),
        cause=_text(entity["cause"]),
        verdict=_text(entity["verdict"]),
        reason=Reason(entity["reason"]),
        message=_text(entity["message"]),
        hosts=tuple(map(_checked_host, json_value("hosts", entity))),
        tested=int(entity["tested"]),
        failed=int(entity["failed"]),
    )


def _checked_host(parts: Sequence[Any]) -> CheckedHost:
    host, verdict, reason, addresses, stages, resolved_by = parts
    times = tuple((name, float(ms)) for name, ms in stages)
    return CheckedHost(host, verdict, Reason(reason), tuple(addresses), times, ResolvedBy(resolved_by))


_DAMAGED = "This entry's row is damaged; it says nothing any more."
JOURNAL = DiaryCodec(
    _journal_columns,
    _journal_entry,
    lambda at: JournalEntry(at, "", "", "unknown", "unreadable entry", outcome="damaged", message=_DAMAGED),
)
CHECKS = DiaryCodec(
    _check_columns,
    _check_entry,
    lambda at: CheckEntry(at, "", "unknown", "unknown", Reason.NOT_OBSERVED, _DAMAGED),
)


class DiaryKeys:
    """Row keys that sort newest first: inverted microseconds, inverted sequence number, random.

    The sequence number keeps the order of entries that one process writes within the same microsecond; the random part
    keeps two processes apart.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self._random = rng or random.Random()
        self._written = 0

    def next(self, at: datetime) -> str:
        """The key of an entry made at `at`."""
        self._written += 1
        sequence = 0xFFFFFF - self._written % 0x1000000
        return f"{_inverted(at):016d}-{sequence:06x}-{self._random.getrandbits(24):06x}"


def first_key_older_than(moment: datetime) -> str:
    """All keys of entries made before `moment` sort at or after this one, all others before it."""
    return f"{_inverted(moment) + 1:016d}"


ACROSS = 20
"""Requests of up to 1,000 entries each that a look across all connections may cost."""


def too_many_across() -> InvalidInput:
    """What is raised where it would cost more."""
    return InvalidInput(f"More has happened since then than {ACROSS} requests read.", next_step="Give a later since.")


def checked_key(text: str) -> str:
    """`text` if it is a row key of a diary: it comes from a URL."""
    if not _KEY.fullmatch(text):
        raise InvalidInput("There is no page that starts there.", next_step="Leave 'before' out, or copy it.")
    return text


def batches(entities: Sequence[T]) -> Iterator[Sequence[T]]:
    """Portions that one table transaction takes."""
    return (entities[at : at + BATCH] for at in range(0, len(entities), BATCH))


def _clipped_json(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return text if len(text) <= TEXT else json.dumps({"cut_after_characters": 1000, "json": text[:1000]})


def _inverted(at: datetime) -> int:
    return _LAST_MICROSECOND - (at - _EPOCH) // timedelta(microseconds=1)
