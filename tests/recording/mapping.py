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

from tests.recording.rules import Dropped, Moved, New, Renamed, Row, Rows, Table

DIARIES = ("journal", "checks")
A_MOMENT = timedelta(seconds=1)
"""More than `tolerance`, and less than what lies between two runs."""


def _not_yet_deleted(before: list[Row], now: list[Row]) -> list[Row]:
    """Runs and checks deleted the oldest entries of a diary when the recording was made; what they left is compared.

    All of today's are kept (`listening`). Sweeps delete them now, which tests/sweep/test_retention.py holds.
    """
    first = dict[tuple[str, str], datetime]()
    for row in before:
        if row["table"] in DIARIES:
            first[_place(row)] = min(first.get(_place(row), _at(row)), _at(row))
    return [row for row in now if _place(row) not in first or _at(row) > first[_place(row)] - A_MOMENT]


def _place(row: Row) -> tuple[str, str]:
    return row["table"], row["partition"]


def _at(row: Row) -> datetime:
    return datetime.fromisoformat(row["columns"]["at"])


def _by_hand(rows: list[Row]) -> list[Row]:
    return [_given_back(row) for row in rows]


def _given_back(row: Row) -> Row:
    """A lease that was given back named its former holder and no end. It names neither now, and may not.

    Only former rows lose the name, so a holder that stands in a row of today is told as a difference.
    """
    if (row["table"], row["row"]) != ("control", "disassociation"):
        return row
    return row | {"columns": row["columns"] | {"document": _less(row["columns"]["document"], {"holder", "until"})}}


def _less(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names or document.get("until")}


_PARTS = {
    "name": "identity.name",
    "guid": "identity.guid",
    "former_guids": "identity.former_guids",
    "region": "identity.region",
    "alias": "identity.alias",
    "location": "identity.location",
    "vnet_id": "identity.vnet_id",
    "address": "identity.address",
    "mode": "identity.mode",
    "on_delete": "identity.on_delete",
    "zone": "dns.zone",
    "links": "dns.links",
    "record": "dns.record",
    "record_addresses": "dns.record_addresses",
    "operations": "dns.operations",
    "dns_not_before": "dns.not_before",
    "organization": "elastic.organization",
    "policy": "elastic.policy",
    "claim": "elastic.claim",
    "associations": "elastic.associations",
    "former": "elastic.former_associations",
    "deployments": "elastic.targets",
    "unserved": "elastic.pending_targets",
    "elastic_not_before": "elastic.not_before",
    "checks": "health.checks",
    "reached": "health.last_reached",
    "network": "health.network",
    "missing_since": "removal.missing_since",
    "missed": "removal.missed",
    "missed_in": "removal.missed_in",
    "removing_since": "removal.removing_since",
    "left": "removal.leftovers",
    "wake_at": "schedule.wake_at",
    "attempts": "schedule.attempts",
    "pending_since": "schedule.pending_since",
    "observed_at": "schedule.observed_at",
    "unread_since": "schedule.stale_since",
    "conditions": "status.conditions",
    "advice": "status.advice",
    "phase": "status.phase",
    "generation": "status.generation",
    "first_seen": "status.first_seen",
    "ready_since": "status.ready_since",
    "planned": "status.planned",
    "notices": "notifications",
}
"""The parts of the record, by the flat fields of before."""

MAPPING = Table(
    tables={},
    keys={"connections": lambda row: (row["row"], "record")},
    moved=(
        Moved("connections", "document.associations.*.deployment_id", "document.elastic.associations.*.target_id"),
        Moved("connections", "document.former.*.deployment_id", "document.elastic.former_associations.*.target_id"),
        Moved("connections", "document.checks.*.standing", "document.health.checks.*.effective"),
        Moved("connections", "document.notices.told", "document.notifications.last_sent"),
        Moved("connections", "document.notices.turned", "document.notifications.pending"),
        Moved("connections", "document.notices.turned_at", "document.notifications.pending_since"),
        *(Moved("connections", f"document.{old}", f"document.{new}") for old, new in _PARTS.items()),
    ),
    values=(Renamed("connections", "document.schema", {2: 1}),),
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
        New("connections", "document.identity.family", "the word is target, with a family"),
        New(
            "connections",
            "document.status.advice.*.cause",
            "advice is an Explanation: it says what is true of every case",
        ),
        New("connections", "document.status.advice.*.hop", "advice is an Explanation: it says where on the path it is"),
    ),
    gone_rows=(
        Rows("control", "control", "sweep-lease", "a lease that keeps no document has a row only while it is held"),
    ),
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
        ("connections", "document.health.checks.*.cause"),
        ("connections", "document.checks.*.standing.cause"),
        ("connections", "document.health.checks.*.effective.cause"),
        ("connections", "document.planned"),
        ("connections", "document.status.planned"),
        ("connections", "document.left"),
        ("connections", "document.removal.leftovers"),
    ),
    durations=(
        ("journal", "duration_ms"),
        ("checks", "hosts.*.4"),  # stages of a test
        ("connections", "document.checks.*.stages"),
        ("connections", "document.health.checks.*.stages"),
        ("control", "document.durationMs"),
        ("control", "document.listEndpointsMs"),
        ("control", "document.readCloudsMs"),
        ("control", "document.readRecordsMs"),
        ("control", "document.testMs"),
        ("control", "document.storageCalls"),
    ),
    # Only in walk-03-clouds: a sweep came 0.03 s later for the pause after a lost race, which a lease in the
    # connection's own row lost to a write of that row, and one in a row of its own does not lose.
    tolerance=0.05,
    by_hand=_by_hand,
    comparable=_not_yet_deleted,
)

NO_LONGER_COMPARED: dict[str, str] = {
    "walk-??": "faults strike a request by its number, and storage gets another number of requests",
}
"""Scenarios by name or pattern, and why they cannot be compared any more.

The plain walks are here once the number of requests to storage has changed: `{"walk-??": "why"}`. The walks named
`walk-NN-clouds` do not depend on it.
"""
