"""The one table between what was recorded and what is stored now. A change that renames or moves something edits it.

`rules` says what each entry means. An example of each kind, all made up:

    tables={"connections": "records"},
    keys={"connections": lambda row: (row["row"], "record")},
    moved=(Moved("connections", "document.zone", "document.dns.zone"),
           Moved("connections", "document.checks.*.checked_at", "document.health.*.at")),
    values=(Renamed("queue", "body.cause", {"event-write": "endpoint-written"}),
            Renamed("*", "**.reason", {"Unread": "Stale"})),
    dropped=(Dropped("connections", "document.attempts", "counted by the queue"),),
    new=(New("connections", "since", "lists read columns"),),
    gone_rows=(Rows("control", "control", "sweep-lease", "a lease is a row of table leases"),),
    new_rows=(Rows("leases", "*", "*", "a lease is a row of its own"),),
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.recording.rules import Dropped, New, Row, Rows, Table

KEPT = {"journal": timedelta(days=90), "checks": timedelta(days=30)}
"""How long entries are kept without a setting. A walk ends a hundred days later, with sweeps."""


def _by_hand(rows: list[Row]) -> list[Row]:
    """Old entries are deleted by sweeps now, not by runs and checks; a lease names no former holder any more."""
    sweep = next((row for row in rows if (row["table"], row["row"]) == ("control", "sweep")), None)
    last = None if sweep is None else datetime.fromisoformat(sweep["columns"]["document"]["at"])
    return [_given_back(row) for row in rows if last is None or not _old(row, last)]


def _old(row: Row, last: datetime) -> bool:
    return row["table"] in KEPT and datetime.fromisoformat(row["columns"]["at"]) < last - KEPT[row["table"]]


def _given_back(row: Row) -> Row:
    if (row["table"], row["row"]) != ("control", "disassociation"):
        return row
    return row | {"columns": row["columns"] | {"document": _less(row["columns"]["document"], {"holder", "until"})}}


def _less(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names or document.get("until")}


MAPPING = Table(
    tables={},
    keys={"connections": lambda row: (row["row"], "record")},
    moved=(),
    values=(),
    dropped=(
        Dropped("connections", "subscription_id", "the id of a connection is all that addresses it"),
        *(
            Dropped("connections", column, "a lease, and what is left for its holder, are rows of their own")
            for column in ("lease_owner", "lease_until", "pending", "guard_at")
        ),
    ),
    new=(
        *(
            New("connections", column, "lists read columns only")
            for column in ("subscription", "endpoint_id", "mode", "ready", "reason", "message", "next_step", "since")
        ),
        New("connections", "document.advice.*.cause", "advice is an Explanation: it says what is true of every case"),
        New("connections", "document.advice.*.hop", "advice is an Explanation: it says where on the path it is"),
    ),
    gone_rows=(),
    new_rows=(
        Rows("control", "control", "lease-*", "the lease of a connection: there while it is held"),
        Rows("control", "control", "word-*", "what is left for the holder of a lease"),
    ),
    diaries={"journal": "at", "checks": "at", "queue": "due"},
    texts=(
        ("*", "**.message"),
        ("*", "**.next_step"),
        ("*", "**.description"),
        ("*", "**.summary"),
        ("connections", "document.checks.*.cause"),
        ("connections", "document.checks.*.standing.cause"),
        ("connections", "document.planned"),
        ("connections", "document.left"),
    ),
    durations=(
        ("journal", "duration_ms"),
        ("checks", "hosts.*.4"),  # stages of a test
        ("connections", "document.checks.*.stages"),
        ("control", "document.durationMs"),
        ("control", "document.listEndpointsMs"),
        ("control", "document.readCloudsMs"),
        ("control", "document.readRecordsMs"),
        ("control", "document.testMs"),
        ("control", "document.storageCalls"),
    ),
    tolerance=0.1,  # the pauses after a lost race: the leases lose other ones now
    by_hand=_by_hand,
)

NO_LONGER_COMPARED: dict[str, str] = {
    "walk-??": "faults strike a request by its number, and storage gets another number of requests",
}
"""Scenarios by name or pattern, and why they cannot be compared any more.

The plain walks are here once the number of requests to storage has changed: `{"walk-??": "why"}`. The walks named
`walk-NN-clouds` do not depend on it.
"""
