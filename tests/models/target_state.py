"""What the model of a target's requests is made of: its values, rules and bounds. Used by `target_requests`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, auto
from typing import NamedTuple

A, B, C = range(3)
NAMES = "ABC"
TYPES = dict.fromkeys(NAMES, "ip")
AT = datetime(2026, 1, 1, tzinfo=UTC)
"""When the row was read, in every decision; a tick is a second."""
NONE = -99
"""In place of an instant: there is none."""


class At(IntEnum):
    """Where a worker is."""

    REST = auto()
    ROW_READ = auto()
    DECIDED = auto()
    NOTED = auto()
    RESUMED = auto()
    """Only by a weaker rule: it counts its deadline from when it learned that the note is written."""
    SENT = auto()
    REFUSED = auto()
    DONE = auto()


class Kind(IntEnum):
    """A request about the target."""

    DELETE = auto()
    POST = auto()


class Association(NamedTuple):
    listed: bool
    stale: int = 0
    """Ticks in which a list may still show the opposite."""
    young: int = 0
    """Ticks until it is in force."""


class Note(NamedTuple):
    """`PolicyNote`, in ticks from now; `NONE` for none."""

    delete: int = NONE
    post: int = NONE
    since: int = NONE


Row = tuple[Note, Note, Note]


class Worker(NamedTuple):
    at: At = At.REST
    left: int = 0
    """Ticks to its deadline."""
    passed: int = 0
    """Ticks since it read the row; counted until it has decided."""
    row: Row | None = None
    """As it was read; once it has decided, as it is to be written."""
    before: Row | None = None
    """What a refusal brings back; None: an earlier request may be under way, or the row was written since."""


class Flight(NamedTuple):
    """A request under way."""

    policy: int
    kind: Kind
    ticks: int
    owner: int
    """The worker that waits for its answer; -1: none."""


class State(NamedTuple):
    associations: tuple[Association, Association, Association]
    row: Row
    workers: tuple[Worker, ...]
    flights: tuple[Flight, ...] = ()
    wanted_again: bool = False
    closed_unasked: bool = False


@dataclass(frozen=True)
class Rules:
    """As the code has them; each other value is a weaker one, which the search must see break."""

    note_with_etag: bool = True
    answer_keeps_note: bool = True
    """A 200 of a DELETE leaves its note."""
    whole_lag: bool = True
    """LAG_SECONDS covers late writes and the larger of lag and effect; else one tick less."""
    refusal_needs_sole: bool = True
    """A refusal lifts the note only when no earlier one stood."""
    count_from_read: bool = True
    """The deadline counts from before the row's read."""
    stop_at_deadline: bool = True
    need_age: bool = True
    """A policy protects from an age on only."""
    note_posts: bool = True
    reopening_waits: bool = True
    """The removal of a last policy, though allowed, waits for notes of POSTs."""


AS_IN_THE_CODE = Rules()


@dataclass(frozen=True)
class Bounds:
    jobs: tuple[tuple[Kind, int], ...] = ((Kind.DELETE, A), (Kind.DELETE, B))
    here: tuple[int, ...] = (A, B)
    young: tuple[int, ...] = ()
    """Associated just before the start, and never seen by us."""
    late: int = 1
    lag: int = 1
    effect: int = 1
    patience: int = 1
    flights: int = 2
    again: bool = False
    """A may become wanted again, once: then its worker associates it."""
    may_reopen: bool = False
