"""What came of a story, as plain values: to compare a faulty run with one that went well."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from local.elastic.history import most_policies_at_once
from tests.harness.estate import Estate
from tests.harness.wire import Call, Fault, Faults, Outcome, Refusal, no_faults

EVERY_FAULT = bool(os.environ.get("EVERY_FAULT"))
"""EVERY_FAULT=1: every fault at every call, not only those of the ordinary run."""

_HOLDERS_GUID = re.compile(r" [0-9a-f-]{36} (?=/)")

DNS = "Microsoft.Network/privateDnsZones"


def end_state(estate: Estate, endpoint: str) -> dict[str, Any]:
    """Everything that was made in Azure and in Elastic Cloud, without the ids that chance gives."""
    zones = {
        zone.id: {
            "tags": zone.tags,
            "record": zone.a_record("*"),
            "metadata": _without_guids(zone.record_sets["A", "*"].metadata) if ("A", "*") in zone.record_sets else None,
            "links": sorted((link.vnet.id, link.state, link.tags["elastic-privatelink-connection"]) for link in links),
        }
        for zone, links in ((zone, estate.links_of(zone)) for zone in estate.arm.private_dns_zones())
    }
    policies = [
        (policy.name, policy.region, policy.description, policy.include_by_default, sorted(policy.guids))
        for policy in estate.policies_of(endpoint)
    ]
    attached = {
        f"{deployment.name} has": sorted(ruleset.name for ruleset in estate.elastic.attached(deployment.id))
        for deployment in estate.elastic.deployments()
    }
    return {**zones, **attached, "policies": policies}


def _without_guids(metadata: Mapping[str, str]) -> dict[str, str]:
    """A record's marker without its holders' resource GUIDs, which chance gives."""
    return {name: _HOLDERS_GUID.sub(" ", value) for name, value in metadata.items()}


def snapshot(estate: Estate) -> dict[str, Any]:
    """All zones with links and records, all policies and what they are associated with, byte for byte."""
    zones = {
        zone.id: (zone.tags, {key: str(record) for key, record in zone.record_sets.items() if key[0] == "A"})
        for zone in estate.arm.private_dns_zones()
    }
    links = {link.id: str(link.tags) for zone in estate.arm.private_dns_zones() for link in estate.links_of(zone)}
    policies = {ruleset.id: str(ruleset) for ruleset in estate.elastic.rulesets()}
    attached = {
        deployment.id: sorted(ruleset.id for ruleset in estate.elastic.attached(deployment.id))
        for deployment in estate.elastic.deployments()
    }
    return {**zones, **links, **policies, **attached}


async def record_state(estate: Estate, endpoint: str) -> dict[str, Any]:
    """What the connection's record says, without ids that chance gives, and without times."""
    connection = await estate.connection(endpoint)
    owned = {
        "zone": connection.dns.zone,
        "links": connection.dns.links,
        "record": connection.dns.record,
        "policy": connection.elastic.policy.owner,
        "associations": sorted((a.target_id, str(a.owner)) for a in connection.elastic.associations),
    }
    conditions = {condition.type: (condition.status, condition.reason) for condition in connection.status.conditions}
    return {"phase": connection.status.phase, **conditions, **owned}


def creates(estate: Estate) -> Counter[str]:
    """How often each thing was made: zones, links and records by id, the endpoints' policies and their associations."""
    counted = Counter(
        event.resource_id.lower()
        for event in estate.changes
        if event.resource_type.startswith(DNS) and (event.operation, event.status) == ("write", "Succeeded")
    )
    private = [event for event in estate.elastic.history if event.guids]
    return counted + Counter(f"policy {event.what}" for event in private)


@dataclass(frozen=True)
class Story:
    """One endpoint brought to Ready by workers that had `faults`."""

    estate: Estate
    endpoint: str
    seconds: float
    """From the first worker's start until nothing was left to do."""
    ready_after: float
    """From there until the connection was Ready; infinite if it never was."""

    async def problems(self, reference: Story) -> list[str]:
        """How it differs from the story that went well; sorted from bad to less bad."""
        estate = self.estate
        found = estate.arm.private_endpoint(self.endpoint)
        guid = found.resource_guid if found else ""
        most = most_policies_at_once(estate.elastic.history, guid)
        problems = [] if most == 1 else [f"{most} policies at once"]
        if estate.queue.poison or estate.queue.messages:
            problems.append(f"left: {estate.queue.poison} {estate.queue.messages}")
        for what, mine, good in (
            ("creates", creates(estate), creates(reference.estate)),
            ("clouds", end_state(estate, self.endpoint), end_state(reference.estate, reference.endpoint)),
            (
                "record",
                await record_state(estate, self.endpoint),
                await record_state(reference.estate, reference.endpoint),
            ),
        ):
            problems += [f"{what} {name}: {a}\n      instead of {b}" for name, a, b in _differences(mine, good)]
        return problems


def _differences(mine: Mapping[str, Any], good: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    names = sorted({*mine, *good})
    return [(name, mine.get(name), good.get(name)) for name in names if mine.get(name) != good.get(name)]


def as_it_is(_: Estate) -> None:
    """Nothing special about the estate."""


async def tell(faults: Faults = no_faults, arrange: Callable[[Estate], None] = as_it_is) -> Story:
    """Create an endpoint in a new estate and let a worker with `faults`, and those after it, do their work."""
    estate = await Estate().open()
    await estate.clock.sleep(3600)  # what was there before has been there for long
    arrange(estate)
    endpoint = await estate.put_endpoint()
    estate.worker = estate.new_worker(faults)
    began = estate.clock.now()
    await estate.settle(7200)
    ready = (await estate.connection(endpoint)).status.ready_since
    passed = (estate.clock.now() - began).total_seconds()
    return Story(estate, endpoint, passed, (ready - began).total_seconds() if ready else inf)


def in_ordinary_run(call: Call, outcome: Outcome) -> bool:
    """Whether the ordinary run, too, tells the story with this outcome at this call; always the same ones.

    A worker that dies after a call that only reads leaves the world as one that died after the last write: of these,
    and of reads whose answer is lost, each third is told. Each call is refused once, with one of the statuses.
    """
    turn = call.number % 3
    if EVERY_FAULT:
        return True
    if isinstance(outcome, Refusal):
        return turn == {500: 0, 503: 1}.get(outcome.status, 2)
    if outcome is Fault.CRASH_AFTER:
        return call.writes or turn == 0
    return turn == 1


class At:
    """A fault at one call of the first worker: by its name, as branches run side by side in any order."""

    def __init__(self, name: str, occurrence: int, outcome: Outcome) -> None:
        self.name, self.occurrence, self.outcome = name, occurrence, outcome
        self.met = False
        self._seen = 0

    def __call__(self, call: Call) -> Outcome:
        self._seen += call.name == self.name
        if self.met or self._seen != self.occurrence:
            return None
        self.met = True
        return self.outcome
