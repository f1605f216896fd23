"""Rows <-> table entities, and the limits of tables and queues. Pure; called by the Azure ports and by their double.

An entity is a flat mapping of property name to str, int, bool or datetime. A string property holds 64 KiB of UTF-16, an
entity 1 MiB, a queue message 64 KiB after base64: the document is split over several properties, texts of the journal
are cut, and what cannot fit is refused here, before it is sent.
"""

from __future__ import annotations

import base64
import json
import math
import random
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.errors import InvalidInput, Permanent
from shared.state.rows import ConnectionRow, ControlRow, JournalEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Entity = dict[str, Any]

PART_CHARACTERS = 30_000  # JSON is written in ASCII: 60 000 bytes of the 65 536 that a property holds
MAX_PARTS = 16  # 960 000 bytes of the 1 048 576 that an entity holds
BATCH = 100  # operations that one table transaction takes
JOURNAL_TEXT = 8_000  # characters of each long text of a journal entry: 100 entries stay below a transaction's 4 MiB
MAX_DELAY = 7 * 24 * 3600  # seconds a queue message can stay invisible
MAX_MESSAGE = 64 * 1024  # bytes of a queue message, encoded

CONTROL = "control"
"""The one partition of table `control`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MICROSECOND = 10**16 - 1  # the year 2286; keeps the keys 16 digits wide
_JOURNAL_KEY = re.compile(r"[0-9]{16}-[0-9a-f]{6}-[0-9a-f]{6}")


def partition_of(subscription_id: str) -> str:
    """The partition of a subscription; ARM ids are compared without regard to case."""
    return subscription_id.lower()


def connection_entity(row: ConnectionRow) -> Entity:
    """A connection as a table entity; properties that are None are left out, as a table does."""
    columns: Entity = {
        "PartitionKey": partition_of(row.subscription_id),
        "RowKey": row.connection_id,
        "subscription_id": row.subscription_id,
        "phase": row.phase,
        "name": row.name,
        "region": row.region,
        "lease_owner": row.lease_owner,
        "lease_until": row.lease_until,
        "pending": row.pending,
        "guard_at": row.guard_at,
    }
    columns |= _document_columns(row.document, row.connection_id)
    return {name: value for name, value in columns.items() if value is not None}


def connection_row(entity: Mapping[str, Any], etag: str | None) -> ConnectionRow:
    """A connection from a table entity."""
    return ConnectionRow(
        subscription_id=entity["subscription_id"],
        connection_id=entity["RowKey"],
        document=json.loads("".join(_parts(entity))),
        phase=entity["phase"],
        name=entity["name"],
        region=entity["region"],
        lease_owner=entity.get("lease_owner"),
        lease_until=_optional_utc(entity.get("lease_until")),
        pending=entity["pending"],
        etag=etag,
        guard_at=_optional_utc(entity.get("guard_at")),
    )


def control_entity(row: ControlRow) -> Entity:
    """A document of the installation as a table entity."""
    return {"PartitionKey": CONTROL, "RowKey": row.name, **_document_columns(row.document, row.name)}


def control_row(entity: Mapping[str, Any], etag: str | None) -> ControlRow:
    """A document of the installation from a table entity."""
    return ControlRow(entity["RowKey"], json.loads("".join(_parts(entity))), etag)


def _document_columns(document: Mapping[str, Any], on: str) -> Entity:
    """A document as JSON, in as many properties as its length needs."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    parts = [text[at : at + PART_CHARACTERS] for at in range(0, len(text), PART_CHARACTERS)]
    if len(parts) > MAX_PARTS:
        raise Permanent(
            f"This document has {len(text)} characters; a table row holds {PART_CHARACTERS * MAX_PARTS}.", on=on
        )
    return {_part_name(number): part for number, part in enumerate(parts)}


def journal_entity(connection_id: str, row_key: str, entry: JournalEntry) -> Entity:
    """A journal entry as a table entity."""
    return {
        "PartitionKey": connection_id,
        "RowKey": row_key,
        "at": entry.at,
        "run_id": entry.run_id,
        "correlation_id": entry.correlation_id,
        "cause": entry.cause,
        "step": entry.step,
        "before": _clipped_json(entry.before),
        "after": _clipped_json(entry.after),
        "outcome": entry.outcome,
        "duration_ms": entry.duration_ms,
        "message": entry.message[:JOURNAL_TEXT],
    }


def journal_entry(entity: Mapping[str, Any]) -> JournalEntry:
    """A journal entry from a table entity."""
    return JournalEntry(
        at=_utc(entity["at"]),
        run_id=entity["run_id"],
        correlation_id=entity["correlation_id"],
        cause=entity["cause"],
        step=entity["step"],
        before=json.loads(entity["before"]),
        after=json.loads(entity["after"]),
        outcome=entity["outcome"],
        duration_ms=entity["duration_ms"],
        message=entity["message"],
    )


class JournalKeys:
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


def checked_journal_key(text: str) -> str:
    """`text` if it is a journal row key: it comes from a URL."""
    if not _JOURNAL_KEY.fullmatch(text):
        raise InvalidInput("The journal has no page that starts there.", next_step="Leave 'before' out, or copy it.")
    return text


def batches(entities: Sequence[Entity]) -> Iterator[Sequence[Entity]]:
    """Portions that one table transaction takes."""
    return (entities[at : at + BATCH] for at in range(0, len(entities), BATCH))


def visibility_timeout(delay: float) -> int:
    """A delay as the queue takes it: whole seconds, never less than asked for, 7 days at most."""
    return min(MAX_DELAY, max(0, math.ceil(delay)))


def checked_message(text: str) -> str:
    """`text` if it fits a queue message once it is base64, as `messageEncoding` in host.json says."""
    size = len(base64.b64encode(text.encode()))
    if size > MAX_MESSAGE:
        raise Permanent(f"A queue message holds {MAX_MESSAGE} bytes in base64; this one has {size}.", on="work queue")
    return text


def _part_name(number: int) -> str:
    return f"document_{number}" if number else "document"


def _parts(entity: Mapping[str, Any]) -> Iterator[str]:
    number = 0
    while (part := entity.get(_part_name(number))) is not None:
        yield part
        number += 1


def _clipped_json(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return text if len(text) <= JOURNAL_TEXT else json.dumps({"cut_after_characters": 1000, "json": text[:1000]})


def _inverted(at: datetime) -> int:
    return _LAST_MICROSECOND - (at - _EPOCH) // timedelta(microseconds=1)


def _optional_utc(value: datetime | None) -> datetime | None:
    return None if value is None else _utc(value)


def _utc(value: datetime) -> datetime:
    """A plain datetime: the SDK answers with a subclass of its own."""
    return datetime.combine(value.date(), value.time(), value.tzinfo).astimezone(UTC)
