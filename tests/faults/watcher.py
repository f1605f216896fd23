"""Looks on at every step of a plan, with an idea of its own of what must hold; imports nothing of the product.

Written from Elastic's guide: a deployment without any policy is open to the internet, its first policy closes it to all
that the policy does not name, and its last policy's going opens it again. A step is a change in the local clouds, or a
write that a worker sends.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from local.arm import ResourceEvent
from local.elastic.history import HistoryEvent
from tests.harness.estate import Estate
from tests.harness.wire import Call

ACTOR: ContextVar[tuple[int, str]] = ContextVar("actor", default=(0, ""))
"""Whose step it is: the number of a run and what it is about; 0 for people."""
ZONES = "microsoft.network/privatednszones"
READS = {
    "association": re.compile(
        r"GET .*/(associations/deployment/[^/]+/rulesets|traffic-filter/rulesets|serverless/projects/[^/]+(/[^/]+)?)$"
    ),
    "policy": re.compile(r"GET .*/(traffic-filter/rulesets|serverless/traffic-filters)(/[0-9a-f]{32})?$"),
    "zone": re.compile(r"GET .*/privateDnsZones/[^/]+(/aLL|/virtualNetworkLinks)?\?"),
}
"""What is asked of each thing that a person may change while the app is at work."""


class Asked(NamedTuple):
    """A request: its place among all, when it was, and what."""

    place: int
    at: datetime
    what: str


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
    admits_others: set[str] = field(default_factory=set)
    """Policies of ours to which a person has added a rule."""
    paused_until: datetime | None = None
    """Until when nothing may be begun."""
    races: int = 0
    """Harm that no client can keep off: a person acted between the last read and the write that followed at once."""
    _calls: dict[int, list[Asked]] = field(default_factory=dict)
    """Of each run, its requests to the clouds."""
    _place: int = 0
    _since_pause: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Writes of each run to each cloud since a pause began."""
    lag: Callable[[str], float] = lambda _: 0.0
    """For how many seconds reads may not show what was done to a kind of thing."""
    in_force: tuple[timedelta, timedelta] = (timedelta(), timedelta())
    """How much later than it is listed an association keeps a deployment closed, and how much longer."""
    _since: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When each association was made, of those that were made since the watcher looks on."""
    _person: dict[str, int] = field(default_factory=dict)
    """When a person last changed something, as a place among the requests."""
    _unseen: dict[str, datetime] = field(default_factory=dict)
    """And by the clock."""
    _others: dict[str, Any] = field(default_factory=dict)
    _guids: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)
    """Of endpoints, by their GUIDs."""
    _whose: dict[str, str] = field(default_factory=dict)
    """The endpoints of a policy when it was first seen."""
    _there: set[str] = field(default_factory=set)
    """Zones, links and records that are there."""
    _writers: dict[str, list[int]] = field(default_factory=dict)

    def begin(self) -> None:
        """Look from now on; what is there and names no endpoint of ours belongs to others."""
        self._see_guids()
        for ruleset in self.estate.elastic.rulesets():
            for guid in ruleset.guids & self._guids:
                self.policies.setdefault(guid, set()).add(ruleset.id)
            self._whose[ruleset.id] = " ".join(sorted(self._names.get(guid, guid) for guid in ruleset.guids))
        for zone in self.estate.arm.private_dns_zones():
            found = [zone.id, *(link.id for link in self.estate.links_of(zone)), f"{zone.id}/A/*"]
            self._there |= {one.lower().rpartition("/providers/")[2] for one in found}
        self._others = self._others_now()
        self.estate.elastic.listeners.append(self._elastic)
        self.estate.arm.listeners.append(self._azure)

    def _see_guids(self) -> None:
        for endpoint in self.estate.arm.private_endpoints():
            self._guids.add(endpoint.resource_guid.lower())
            self._names[endpoint.resource_guid.lower()] = endpoint.id.rpartition("/")[2]

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

    def person_acts(self, kind: str) -> None:
        """A person changes a thing of that kind now."""
        self._place += 1
        self._person[kind] = self._place
        self._unseen[kind] = self.estate.clock.now()

    def others_changed(self) -> None:
        """What belongs to others is as they made it."""
        self._others = self._others_now()

    def say(self, problem: str, about: str = "") -> None:
        """Note what must not be, once; `about`: the kind of thing, where a person may have acted just before."""
        if about in self._person and self._unavoidable(about):
            self.races += 1
            return
        text = f"{self.estate.clock.now():%H:%M:%S} {problem}"
        if text not in self.problems:
            self.problems.append(text)

    def _unavoidable(self, kind: str) -> bool:
        """Whether the run's last read of the thing did not show the person's act, and the write was its next request.

        It was before that, or lags: then it shows what there was before.
        """
        calls = self._calls.get(ACTOR.get()[0], [])
        asked = [index for index, one in enumerate(calls) if READS[kind].search(one.what)]
        if not asked or self._shows(calls[asked[-1]], kind):
            return False
        between = [one.what for one in calls[asked[-1] + 1 : -1] if ("privateDns" in one.what) == (kind == "zone")]
        # Of two looks that one write needs, the one at the target's policies is the last: that is the greater harm.
        return all(kind == "policy" and READS["association"].search(what) for what in between)

    def _shows(self, read: Asked, kind: str) -> bool:
        """Whether a read shows what the person did to a thing of that kind."""
        age = (read.at - self._unseen[kind]).total_seconds()
        return read.place > self._person[kind] and age >= self.lag(kind)

    @property
    def ours(self) -> set[str]:
        """Ids of the policies that admit an endpoint."""
        return {one for holders in self.policies.values() for one in holders}

    # -- steps -----------------------------------------------------------------------------------------------------

    def call(self, call: Call) -> None:
        """A worker sends something."""
        number, about = ACTOR.get()
        self._place += 1
        if call.service in {"arm", "elastic"} and not call.polls:
            asked = Asked(self._place, self.estate.clock.now(), call.what)
            self._calls.setdefault(number, []).append(asked)
        if call.service not in {"arm", "elastic"} or not call.writes:
            return
        self.writes[f"{call.what} {call.condition}".rstrip()] += 1  # for another version it is another write
        if self.paused_until is not None and self.estate.clock.now() < self.paused_until:
            self._since_pause[number, call.service] += 1
            if self._since_pause[number, call.service] > 1:  # of what a branch was at, it may send one
                self.say(f"{call.what} is sent in a pause")
        if "ignore_associations=true" in call.query:
            self.say("a policy is deleted together with its associations")
        runs = self._writers.setdefault(about, [])
        if number in runs[:-1]:
            self.say(f"two writers: run {number} writes for {about} after run {runs[-1]} did")
        if runs[-1:] != [number]:
            runs.append(number)

    def _elastic(self, event: HistoryEvent) -> None:
        """A policy or an association changed."""
        self._see_guids()
        ours = ACTOR.get()[0] != 0
        whose = self._whose.setdefault(event.ruleset_id, " ".join(sorted(self._names.get(g, g) for g in event.guids)))
        thing = (
            f"policy of {whose}" if event.deployment_id is None else f"association of {whose} with {self._name(event)}"
        )
        if event.what == "associated":
            self._since[event.ruleset_id, event.deployment_id or ""] = event.at
        self.net[thing] += {"created": 1, "associated": 1, "deleted": -1, "disassociated": -1}.get(event.what, 0)
        self._count(event)
        if not ours:
            self._others = self._others_now()
            return
        attached = self.estate.elastic.attached(event.deployment_id) if event.deployment_id else []
        if event.what == "disassociated" and not self._closed(event) and self._name(event) not in self.opens:
            self.say(f"{self._name(event)} is OPEN TO THE INTERNET: its last policy was taken away", "association")
        if event.what == "associated" and len(attached) == 1 and self._name(event) not in self.closes:
            self.say(f"{self._name(event)} is closed to those who used it: its first policy came", "association")
        if event.what in {"deleted", "disassociated"} and event.ruleset_id in self.admits_others:
            self.say(f"a policy that lets others in is {event.what}", "policy")
        if event.include_by_default:
            self.say("a policy applies by default")
        self._compare()

    def _closed(self, event: HistoryEvent) -> bool:
        """Whether another policy is in force when the one that is taken away now no longer is."""
        target, (later, longer) = event.deployment_id or "", self.in_force
        until = event.at + longer
        made = (self._since.get((one.id, target)) for one in self.estate.elastic.attached(target))
        return any(since is None or since + later <= until for since in made)

    def _count(self, event: HistoryEvent) -> None:
        """At most one policy of ours for a GUID."""
        if event.what == "updated":
            for guid in self.policies.keys() - event.guids:
                self.policies[guid].discard(event.ruleset_id)
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
        self._weigh(event)
        if ACTOR.get()[0] and event.operation == "delete":
            self._order(event)
            self._names_of_others(event)
            self._compare("zone")

    def _weigh(self, event: ResourceEvent) -> None:
        thing = event.resource_id.lower().rpartition("/providers/")[2]
        if event.operation == "delete":
            self.net[thing] -= thing in self._there
            self._there.discard(thing)
        else:
            self.net[thing] += thing not in self._there
            self._there.add(thing)

    def _order(self, event: ResourceEvent) -> None:
        """A record goes after the policy of an endpoint that is gone, unless that is a target's last and stays."""
        if not event.resource_type.lower().endswith("/a"):
            return
        living = {one.resource_guid.lower() for one in self.estate.arm.private_endpoints()}
        last = self._last_ones() | self.admits_others
        gone = [guid for guid, holders in self.policies.items() if holders - last and guid not in living]
        if gone and not living:
            self.say(f"the record {event.resource_id.rpartition('/')[2]} went before the policy of {gone[0]}")

    def _names_of_others(self, event: ResourceEvent) -> None:
        """A link is not taken from a zone in which others have names."""
        zone = event.resource_id.lower().partition("/virtualnetworklinks/")
        found = [one for one in self.estate.arm.private_dns_zones() if zone[1] and one.id.lower() == zone[0]]
        if any(key[1] not in {"@", "*"} for one in found for key in one.record_sets):
            self.say("a link is taken from a zone that holds names of others", "zone")

    def _last_ones(self) -> set[str]:
        """The policies that alone keep a deployment closed that may not be opened."""
        elastic = self.estate.elastic
        attached = [elastic.attached(one.id) for one in elastic.deployments() if one.name not in self.opens]
        return {policies[0].id for policies in attached if len(policies) == 1}

    def _compare(self, about: str = "") -> None:
        """What belongs to others stays as it is."""
        now = self._others_now()
        for name, was in self._others.items():
            if now.get(name) != was:
                self.say(f"what belongs to others changed: {name} was {was} and is {now.get(name)}", about)
        self._others = now
