"""Looks on at every step of a plan, with an idea of its own of what must hold; imports nothing of the product.

Written from Elastic's guide: a deployment without any policy is open to the internet, its first policy closes it to all
that the policy does not name, and its last policy's going opens it again. A step is a change in the local clouds, or a
write that a worker sends.
"""

from __future__ import annotations

import copy
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from local.arm import ResourceEvent
from local.elastic.history import HistoryEvent
from tests.harness.estate import Estate
from tests.harness.wire import Call

ACTOR: ContextVar[tuple[int, str]] = ContextVar("actor", default=(0, ""))
"""Whose step it is: the number of a run and what it is about; 0 for people."""
ZONES = "microsoft.network/privatednszones"


@dataclass(slots=True)
class Watcher:
    """What was seen, and what of it must not be."""

    estate: Estate
    opens: frozenset[str] = frozenset()
    """Names of the deployments that may be opened, since their people said so."""
    closes: frozenset[str] = frozenset()
    problems: list[str] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)
    net: Counter[str] = field(default_factory=Counter)
    """Of each thing, how often it was made less how often it was deleted."""
    policies: dict[str, set[str]] = field(default_factory=dict)
    """Of each endpoint's GUID, the policies that hold it."""
    _others: dict[str, Any] = field(default_factory=dict)
    _guids: set[str] = field(default_factory=set)
    _writers: dict[str, list[int]] = field(default_factory=dict)

    def begin(self) -> None:
        """Look from now on; what is there and names no endpoint of ours belongs to others."""
        self._see_guids()
        for ruleset in self.estate.elastic.rulesets():
            for guid in ruleset.guids & self._guids:
                self.policies.setdefault(guid, set()).add(ruleset.id)
        self._others = self._others_now()
        self.estate.elastic.listeners.append(self._elastic)
        self.estate.arm.listeners.append(self._azure)

    def _see_guids(self) -> None:
        self._guids |= {endpoint.resource_guid.lower() for endpoint in self.estate.arm.private_endpoints()}

    def _others_now(self) -> dict[str, Any]:
        elastic = self.estate.elastic
        theirs = {one.id: copy.deepcopy(one) for one in elastic.rulesets() if not one.guids & self._guids}
        pairs = {pair for pair in elastic.associations() if pair[0] in theirs}
        records = {
            f"{zone.id}/{key}": str(record)
            for zone in self.estate.arm.private_dns_zones()
            for key, record in zone.record_sets.items()
            if key[1] not in {"@", "*"}
        }
        return {**theirs, "associations": pairs, **records}

    def say(self, problem: str) -> None:
        """Note what must not be, once."""
        text = f"{self.estate.clock.now():%H:%M:%S} {problem}"
        if text not in self.problems:
            self.problems.append(text)

    # -- steps -----------------------------------------------------------------------------------------------------

    def call(self, call: Call) -> None:
        """A worker sends something."""
        if call.service not in {"arm", "elastic"} or not call.writes:
            return
        self.writes[call.what] += 1
        if "ignore_associations=true" in call.query:
            self.say("a policy is deleted together with its associations")
        number, about = ACTOR.get()
        runs = self._writers.setdefault(about, [])
        if number in runs[:-1]:
            self.say(f"two writers: run {number} writes for {about} after run {runs[-1]} did")
        if runs[-1:] != [number]:
            runs.append(number)

    def _elastic(self, event: HistoryEvent) -> None:
        """A policy or an association changed."""
        self._see_guids()
        ours = ACTOR.get()[0] != 0
        thing = f"policy {event.ruleset_id}" if event.deployment_id is None else f"association with {self._name(event)}"
        self.net[thing] += {"created": 1, "associated": 1, "deleted": -1, "disassociated": -1}.get(event.what, 0)
        self._count(event)
        if not ours:
            self._others = self._others_now()
            return
        attached = self.estate.elastic.attached(event.deployment_id) if event.deployment_id else []
        if event.what == "disassociated" and not attached and self._name(event) not in self.opens:
            self.say(f"{self._name(event)} is OPEN TO THE INTERNET: its last policy was taken away")
        if event.what == "associated" and len(attached) == 1 and self._name(event) not in self.closes:
            self.say(f"{self._name(event)} is closed to those who used it: its first policy came")
        if event.include_by_default:
            self.say("a policy applies by default")
        self._compare()

    def _count(self, event: HistoryEvent) -> None:
        """At most one policy of ours for a GUID."""
        for guid in event.guids & self._guids:
            holders = self.policies.setdefault(guid, set())
            if event.what in {"created", "updated"}:
                holders.add(event.ruleset_id)
            elif event.what == "deleted":
                holders.discard(event.ruleset_id)
            if len(holders) > 1 and event.what == "created":
                self.say(f"{len(holders)} policies for one endpoint")

    def _name(self, event: HistoryEvent) -> str:
        found = self.estate.elastic.deployment(event.deployment_id or "")
        return found.name if found else "?"

    def _azure(self, event: ResourceEvent) -> None:
        """Something in Azure changed."""
        if not event.resource_type.lower().startswith(ZONES) or event.status != "Succeeded":
            self._see_guids()
            return
        if ACTOR.get()[0] and event.operation == "delete":
            self._order(event)
            self._compare()

    def _order(self, event: ResourceEvent) -> None:
        """A record goes after the policy of an endpoint that is gone."""
        if not event.resource_type.lower().endswith("/a"):
            return
        living = {one.resource_guid.lower() for one in self.estate.arm.private_endpoints()}
        gone = [guid for guid, holders in self.policies.items() if holders and guid not in living]
        if gone and not living:
            self.say(f"the record {event.resource_id.rpartition('/')[2]} went before the policy of {gone[0]}")

    def _compare(self) -> None:
        """What belongs to others stays as it is."""
        now = self._others_now()
        for name, was in self._others.items():
            if now.get(name) != was:
                self.say(f"what belongs to others changed: {name} was {was} and is {now.get(name)}")
        self._others = now
