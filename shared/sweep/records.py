"""Every connection's record as a sweep holds them, thousands at once. Used by `snapshot` and `checks`.

Of the row that a record was read from nothing is kept that the record tells itself; of the texts that many records have
alike, such as ids of zones and networks, messages and names of hosts, one of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import to_document
from shared.state.codec import record_in
from shared.state.rows import ConnectionRow


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A connection's record, and what else it takes to write it back to its row."""

    record: ConnectionRecord
    subscription: str
    """As the column says that rows are listed by."""
    _etag: str | None
    _unknown: Mapping[str, Any]
    _document: Mapping[str, Any] | None
    """None: the record as JSON. Else it holds more, such as what a newer version wrote."""

    @property
    def row(self) -> ConnectionRow:
        """As it was read, but for its columns: they are written anew with the record."""
        document = to_document(self.record) if self._document is None else self._document
        return ConnectionRow(self.record.id, document, etag=self._etag, unknown=self._unknown)


def stored_record(row: ConnectionRow, texts: dict[str, str]) -> StoredRecord:
    """What a row holds, with the texts that are known from other rows as their own; raises what `record_in` raises."""
    document = _with(texts, row.document)
    record = record_in(replace(row, document=document))
    more = None if document == to_document(record) else document
    return StoredRecord(record, _with(texts, row.columns.subscription), row.etag, row.unknown, more)


def _with(texts: dict[str, str], value: Any) -> Any:
    """A JSON value; of each text in it the first that was met."""
    if isinstance(value, str):
        return texts.setdefault(value, value)
    if isinstance(value, Mapping):
        return {name: _with(texts, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_with(texts, one) for one in value]
    return value
