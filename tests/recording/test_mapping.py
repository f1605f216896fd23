"""The table between former and present rows, proven on a made-up renaming of everything that it can say."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from tests.recording.differences import differences
from tests.recording.listening import Line
from tests.recording.mapping import MAPPING
from tests.recording.rules import Dropped, Moved, New, Renamed, Row, Rows

BEFORE: list[Line] = [
    {
        "kind": "row",
        "table": "connections",
        "partition": "subscription",
        "row": "c1",
        "columns": {
            "lease_owner": "worker/c0ffee000001",
            "document": {
                "zone": {"id": "/zones/z", "owner": "ours"},
                "links": [{"id": "/links/a"}, {"id": "/links/b"}],
                "checks": [{"host": "h", "checked_at": "2026-01-05T09:00:01+00:00", "reason": "Unread"}],
                "claim": None,
                "attempts": 2,
                "message": "former words",
            },
        },
    },
    {"kind": "row", "table": "control", "partition": "control", "row": "sweep-lease", "columns": {"document": {}}},
    {
        "kind": "row",
        "table": "queue",
        "partition": "waiting",
        "row": "0000",
        "columns": {"due": "2026-01-05T09:00:01+00:00", "deliveries": 0, "body": {"cause": "event-write"}},
    },
]
NOW: list[Line] = [
    {
        "kind": "row",
        "table": "records",
        "partition": "c1",
        "row": "record",
        "columns": {
            "phase": "Ready",
            "document": {
                "dns": {
                    "zone": {"id": "/zones/z", "owner": "ours"},
                    "links": [{"path": "/links/a"}, {"path": "/links/b"}],
                },
                "health": {"hosts": [{"host": "h", "at": "2026-01-05T09:00:01.000300+00:00", "reason": "Stale"}]},
                "status": {"message": "other words"},
            },
        },
    },
    {"kind": "row", "table": "leases", "partition": "c1", "row": "run", "columns": {"holder": "c0ffee000001"}},
    {
        "kind": "row",
        "table": "queue",
        "partition": "waiting",
        "row": "0000",
        "columns": {"due": "2026-01-05T09:00:01+00:00", "deliveries": 0, "body": {"cause": "endpoint-written"}},
    },
]
TABLE = replace(
    MAPPING,
    tables={"connections": "records"},
    keys={"connections": lambda row: (row["row"], "record")},
    moved=(
        Moved("connections", "document.zone", "document.dns.zone"),
        Moved("connections", "document.links.*.id", "document.dns.links.*.path"),
        Moved("connections", "document.checks.*.checked_at", "document.health.hosts.*.at"),
        Moved("connections", "document.checks", "document.health.hosts"),
    ),
    values=(
        Renamed("queue", "body.cause", {"event-write": "endpoint-written"}),
        Renamed("*", "**.reason", {"Unread": "Stale"}),
    ),
    dropped=(
        Dropped("connections", "lease_owner", "a row of its own"),
        Dropped("connections", "document.attempts", "counted elsewhere"),
    ),
    new=(New("records", "phase", "lists read columns"),),
    gone_rows=(Rows("control", "control", "*-lease", "a row of another table"),),
    new_rows=(Rows("leases", "*", "*", "a lease is a row of its own"),),
)


def test_rows_that_were_renamed_and_moved_are_the_same_through_the_table() -> None:
    assert differences(BEFORE, NOW, TABLE) == []


def test_without_the_table_they_are_not() -> None:
    assert len(differences(BEFORE, NOW)) > 3


def test_each_entry_of_the_table_is_needed() -> None:
    for name in ("tables", "keys", "moved", "values", "dropped", "new", "gone_rows", "new_rows"):
        entries = getattr(TABLE, name)
        for one in entries:
            less: Any = (
                {key: entry for key, entry in entries.items() if key != one}
                if isinstance(entries, dict)
                else tuple(entry for entry in entries if entry != one)
            )
            assert differences(BEFORE, NOW, replace(TABLE, **{name: less})), f"{name}: {one}"


def test_a_value_that_differs_is_found_where_it_is_now() -> None:
    now = copy.deepcopy(NOW)
    now[0]["columns"]["document"]["dns"]["links"][1]["path"] = "/links/c"
    (found,) = differences(BEFORE, now, TABLE)
    assert found == "records / c1 / record: document.dns.links.1.path was '/links/b', is '/links/c'"


def test_moments_may_differ_by_the_tolerance_only() -> None:
    assert differences(BEFORE, NOW, replace(TABLE, tolerance=0.0001))


def test_what_the_table_cannot_say_is_done_by_hand() -> None:
    def with_lease(rows: list[Row]) -> list[Row]:
        lease = {"table": "leases", "partition": "c1", "row": "run", "columns": {"holder": "c0ffee000001"}}
        return [*rows, lease]

    assert differences(BEFORE, NOW, replace(TABLE, new_rows=(), by_hand=with_lease)) == []
