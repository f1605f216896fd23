"""Journal and checks <-> table entities, and the row keys that sort them newest first. Pure; used by both diaries.

Both are append-only: an entry is written once, read in pages from the newest on, and deleted when it is old.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic

from shared.core.model.errors import InvalidInput
from shared.core.model.reasons import Reason
from shared.state import codec
from shared.state.codec import Entity
from shared.state.rows import CheckedHost, CheckEntry, E, JournalEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

    def entity(self, connection_id: str, row_key: str, entry: E) -> Entity:
        """An entry as a table entity."""
        return {"PartitionKey": connection_id, "RowKey": row_key, **self.columns(entry)}


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
        at=codec.utc(entity["at"]),
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


def _check_columns(entry: CheckEntry) -> Entity:
    hosts = [[host.host, host.verdict, host.reason, host.addresses, host.stages] for host in entry.hosts]
    return {
        "at": entry.at,
        "correlation_id": entry.correlation_id,
        "cause": str(entry.cause),
        "verdict": entry.verdict,
        "reason": str(entry.reason),
        "message": entry.message[:TEXT],
        **codec.json_columns("hosts", hosts, on="checks"),
    }


def _check_entry(entity: Mapping[str, Any]) -> CheckEntry:
    return CheckEntry(
        at=codec.utc(entity["at"]),
        correlation_id=entity["correlation_id"],
        cause=entity["cause"],
        verdict=entity["verdict"],
        reason=Reason(entity["reason"]),
        message=entity["message"],
        hosts=tuple(map(_checked_host, codec.json_value("hosts", entity))),
    )


def _checked_host(parts: Sequence[Any]) -> CheckedHost:
    host, verdict, reason, addresses, stages = parts
    return CheckedHost(host, verdict, Reason(reason), tuple(addresses), tuple((name, float(ms)) for name, ms in stages))


JOURNAL = DiaryCodec(_journal_columns, _journal_entry)
CHECKS = DiaryCodec(_check_columns, _check_entry)


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


def checked_key(text: str) -> str:
    """`text` if it is a row key of a diary: it comes from a URL."""
    if not _KEY.fullmatch(text):
        raise InvalidInput("There is no page that starts there.", next_step="Leave 'before' out, or copy it.")
    return text


def batches(entities: Sequence[Entity]) -> Iterator[Sequence[Entity]]:
    """Portions that one table transaction takes."""
    return (entities[at : at + BATCH] for at in range(0, len(entities), BATCH))


def _clipped_json(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return text if len(text) <= TEXT else json.dumps({"cut_after_characters": 1000, "json": text[:1000]})


def _inverted(at: datetime) -> int:
    return _LAST_MICROSECOND - (at - _EPOCH) // timedelta(microseconds=1)
