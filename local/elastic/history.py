"""A diary of what happened to policies and associations, for invariants that must hold at every moment.

Written by `local.elastic.traffic_filters`; read by tests ("never two policies with one GUID").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

What = Literal["created", "updated", "deleted", "associated", "disassociated"]


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One change; `guids` are those of the ruleset after it, `deployment_id` is set for associations only."""

    at: datetime
    what: What
    ruleset_id: str
    guids: frozenset[str] = frozenset()
    deployment_id: str | None = None
    include_by_default: bool = False
    """Whether every new deployment of the region gets the policy from then on."""


def most_policies_at_once(history: list[HistoryEvent], guid: str) -> int:
    """The largest number of policies that held this endpoint's GUID at any one moment."""
    holders: set[str] = set()
    most = 0
    for event in history:
        if event.what in ("created", "updated") and guid.lower() in event.guids:
            holders.add(event.ruleset_id)
        elif event.what in ("updated", "deleted"):
            holders.discard(event.ruleset_id)
        most = max(most, len(holders))
    return most


def attached_over_time(history: list[HistoryEvent], deployment_id: str) -> list[frozenset[str]]:
    """The sets of policies the deployment had, one after the other, beginning with the first change."""
    attached: set[str] = set()
    states: list[frozenset[str]] = []
    for event in history:
        if event.deployment_id != deployment_id:
            continue
        if event.what == "associated":
            attached.add(event.ruleset_id)
        else:
            attached.discard(event.ruleset_id)
        states.append(frozenset(attached))
    return states


def moments_open(
    history: list[HistoryEvent], deployment_id: str, *, association_effect: timedelta = timedelta()
) -> list[datetime]:
    """When the deployment had no policy in force any more though it had had one: its doors opened to the internet.

    An association counts from `association_effect` after it was made, its end at once: the worst that may be.
    """
    events = [event for event in history if event.deployment_id == deployment_id]
    changes = [(e.at + association_effect * (e.what == "associated"), e.what, e.at, e.ruleset_id) for e in events]
    ended = {(e.ruleset_id, e.at) for e in events if e.what == "disassociated"}
    in_force: set[str] = set()
    opened, closed = [], False
    for at, what, made_at, policy in sorted(changes):
        if what == "associated" and not any(one == policy and made_at <= end < at for one, end in ended):
            in_force.add(policy)
        elif what == "disassociated":
            in_force.discard(policy)
        if closed and not in_force:
            opened.append(at)
        closed = bool(in_force)
    return opened
