"""The values that the tables hold. Made by `reconcile` and `leases`, stored by the implementations of `ports`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from shared.core.model.reasons import Reason
from shared.core.model.record_document import Columns
from shared.core.model.record_health import HostCheck, ResolvedBy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One connection: its record as a JSON document, and the columns that lists show.

    `etag` is the version this row was read or written as; None for a row that was never stored.
    `read_at` and `written_at` are the storage service's, never a worker's: see `ControlRow`.
    """

    connection_id: str
    document: Mapping[str, Any] = field(default_factory=dict)
    columns: Columns = Columns()
    etag: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)
    """Columns that this version does not know, or cannot read: they are stored again as they are."""
    read_at: datetime | None = field(default=None, compare=False)
    written_at: datetime | None = field(default=None, compare=False)


class ListedConnection(NamedTuple):
    """A connection as lists read it: its id and its columns, without the record."""

    connection_id: str
    columns: Columns


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A small document of the whole installation, by its name. `etag` as in `ConnectionRow`.

    Two workers compare no instants but these, which are the storage service's.
    `read_at`: the `Date` of the answer that read or wrote this row, cut to the second; None where it came without one.
    `written_at`: the row's own `Timestamp`, which every write renews; None for a row that was not read.
    """

    name: str
    document: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None
    read_at: datetime | None = field(default=None, compare=False)
    written_at: datetime | None = field(default=None, compare=False)


class ControlLook(NamedTuple):
    """What was found under a name, and the `Date` of the answer, which is there where no row is."""

    row: ControlRow | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class ThingRow:
    """What is kept of one thing (`core.model.things`), by its scope and its id. `etag` as in `ConnectionRow`."""

    scope: str
    resource_id: str
    state: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None
    key: str = field(default="", compare=False)
    """Partition and row as the table has them, with a slash between: what a damaged row is deleted by."""
    at: datetime | None = field(default=None, compare=False)
    """The storage service's time when it answered with this row, or stored it; None: it was never asked."""
    stored_at: datetime | None = field(default=None, compare=False)
    """The service's time when the row was last written; only of a row that was read."""
    columns: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Those that this version does not know: they are stored again as they are."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One change or decision. `before` and `after` are JSON values; what is too long to keep is cut and says so."""

    at: datetime
    run_id: str
    correlation_id: str
    cause: str
    step: str
    before: Any = None
    after: Any = None
    outcome: str = ""
    duration_ms: int = 0
    message: str = ""


HOSTS_OF_CHECK = 100
"""Names that the entry of one check holds: a row has a size."""


@dataclass(frozen=True, slots=True)
class CheckedHost:
    """What testing one name gave. `stages`: name and milliseconds of each; `addresses`: what it resolved to."""

    host: str
    verdict: str
    reason: Reason
    addresses: tuple[str, ...] = ()
    stages: tuple[tuple[str, float], ...] = ()
    resolved_by: ResolvedBy = ResolvedBy.RESOLVER


@dataclass(frozen=True, slots=True)
class CheckEntry:
    """One health check of a connection: its verdict as a whole, and each name that was tested."""

    at: datetime
    correlation_id: str
    cause: str
    verdict: str
    reason: Reason
    message: str = ""
    hosts: tuple[CheckedHost, ...] = ()
    """`HOSTS_OF_CHECK` of the names at most: those that failed, then the slowest."""
    tested: int = 0
    """How many names were tested."""
    failed: int = 0
    """How many of these were not well."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """The last check of one name, in table `hosts`. `etag` as in `ConnectionRow`."""

    host: str
    check: HostCheck | None = None
    """None: the row cannot be read, and is written anew by the next test of the name."""
    etag: str | None = None
    guid: str = ""
    """Of the endpoint that was tested: one that was made anew under its name begins anew."""
    unknown: Mapping[str, Any] | None = field(default=None, compare=False)
    """Columns that this version does not know, and as `document` such fields: they are stored again as they are."""
    newer: bool = False
    """A newer version of the app wrote it: it is neither written nor deleted."""


@dataclass(frozen=True, slots=True)
class QueueLook:
    """The work queue as it is seen from outside: `waiting` counts hidden messages too, and is approximate.

    `oldest`: when the message that comes next was sent. Only one that is due can be seen: None where none is.
    `text`: what that one says; empty where it cannot be read.
    """

    waiting: int
    oldest: datetime | None
    text: str = ""


E = TypeVar("E", bound=JournalEntry | CheckEntry)
"""What a diary holds."""


class DiaryPage(NamedTuple, Generic[E]):
    """Entries, newest first, and what to give as `before` for the next older page (None: there is none)."""

    entries: tuple[E, ...]
    continuation: str | None
