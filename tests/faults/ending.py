"""How a plan ended, as plain values, and what of that is wrong. Used by `search`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shared.core.model.record_document import from_document
from tests.faults.acts import NEWER
from tests.faults.lives import Life
from tests.faults.stage import Stage
from tests.harness.leaving import everything

SWEEPS = 3
BETWEEN = timedelta(seconds=900)
"""From one sweep to the next: longer than the grace of a removal."""
_POLICY, _ZONE = (
    re.compile(r"\b[0-9a-f]{32}\b"),
    re.compile(r"\bprivate(?:link)?\.\w+\.azure\.elastic[.-]cloud(?:\.com)?\b"),
)
LATE_RUNS = 5
"""Runs of a connection that two minutes hold in which Azure's reads are late."""
QUIET = 2000.0
"""Seconds after which the last note and the last intent of any plan has ended."""


async def ending(stage: Stage, life: Life, wanted: dict[str, Any] | None, faults: int = 1) -> dict[str, Any]:
    """Let it come to rest; what then stands. Sweeps end as soon as all is as `wanted`, else as the last one left it."""
    await stage.work(7200.0)
    await stage.estate.clock.sleep(QUIET)
    stage.azure.lag = 0
    before: dict[str, Any] | None = wanted
    found: dict[str, Any] = {}
    for _ in range(SWEEPS * faults):  # what was refused twice is tried again after an hour
        await stage.sweep()
        ends = stage.estate.clock.now() + BETWEEN
        await stage.work(BETWEEN.total_seconds())
        found = await view(stage, life)
        if found == before and not left_unsaid(stage):
            break
        before = before if wanted is not None else found
        await stage.estate.clock.sleep((ends - stage.estate.clock.now()).total_seconds())
    return found


async def view(stage: Stage, life: Life) -> dict[str, Any]:
    """The world and the records."""
    estate = stage.estate
    attached = {
        deployment.name: sorted(ruleset.name for ruleset in estate.elastic.attached(deployment.id))
        for deployment in estate.elastic.deployments()
        if deployment.region.endswith("eastus2")
    }
    records: dict[str, Any] = {}
    async for row in estate.storage.connections.list():
        record = from_document(row.document)
        if row.connection_id in stage.newer and NEWER not in row.document:
            stage.unexpected.append(f"what a newer version added to the record of {record.identity.name} is lost")
        conditions = sorted(f"{one.type} {one.status} {one.reason}" for one in record.status.conditions)
        records[record.identity.name] = [record.status.phase, *conditions]
        stage.told[record.identity.name] = record.removal.leftovers
    found = {
        "things": sorted(_sorted_addresses(thing) for thing in everything(estate)),
        "attached": attached,
        "claims": sorted(claim["azure_endpoint_name"] for claim in estate.elastic.claims()),
        "records": records,
        "poison": len(estate.queue.poison),
    }
    if life.either:
        found["things"] = Counter(thing.split()[0] for thing in found["things"])
        found["attached"] = {name: len(policies) for name, policies in attached.items()}
        found["records"] = sorted(map(str, records.values()))
    return {name: _plain(value) for name, value in found.items()}


def _sorted_addresses(thing: str) -> str:
    """A record's addresses have no order."""
    kind, _, name = thing.partition(" ")
    return f"record {' '.join(sorted(re.findall(r'[0-9.]+', name)))}" if kind == "record" else thing


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Counter) else value


def problems(
    stage: Stage, life: Life, found: dict[str, Any], reference: dict[str, Any], *, same: bool = True, faults: int = 1
) -> list[str]:
    """All that is wrong with a plan's end.

    `same`: it ends as the run without faults does.
    """
    wrong = [*stage.watcher.problems, *stage.unexpected, *left_unsaid(stage)]
    if not same:
        return wrong if not found["poison"] else [*wrong, f"{found['poison']} messages are poison"]
    wanted = reference["end"]
    for name, value in found.items():
        if value != wanted[name]:
            wrong.append(f"at the end {name}: {_difference(value, wanted[name])}")
    for what, times in stage.watcher.writes.items():
        usual = max(1, reference["writes"].get(what, 0))
        if times > usual + faults * _repeats(stage, what):
            wrong.append(f"{what} was sent {times} times, without the fault {usual} times")
    return [*wrong, *_made_again(_nets(stage.watcher.net, life), _nets(reference["net"], life))]


def _repeats(stage: Stage, what: str) -> int:
    """How often a fault may let a write be repeated: once by each connection that wants it.

    All that is written to Azure has a condition. Where its reads are late it refuses what is not so any more, and
    nothing comes of that; each run finds it out for itself, as it comes back for what Azure does not show yet.
    """
    late = stage.azure.late and "https://" in what
    return len(stage.told) * (1 + (LATE_RUNS if late else 0))


def _nets(net: Mapping[str, int], life: Life) -> Counter[str]:
    """The same, of two alike together where it is open which comes first."""
    found: Counter[str] = Counter()
    for name, times in net.items():
        found[re.sub(r"\bpe-\d\b", "one", name) if life.either else name] += times
    return found


def _made_again(net: Mapping[str, int], wanted: Mapping[str, int]) -> list[str]:
    """Of each thing, how often it was made less how often it was deleted."""
    names = sorted({*net, *wanted})
    return [
        f"{name} was made {net.get(name, 0)} times more often than deleted, without the fault {wanted.get(name, 0)}"
        for name in names
        if net.get(name, 0) != wanted.get(name, 0)
    ]


def left_unsaid(stage: Stage) -> list[str]:
    """What is left of endpoints that are gone, and no record names; and what records name that is not there."""
    estate, told = stage.estate, " ".join(text for texts in stage.told.values() for text in texts)
    living = {one.resource_guid.lower() for one in estate.arm.private_endpoints()}
    ours = {one for guid, holders in stage.watcher.policies.items() if guid not in living for one in holders}
    left = {one.id for one in estate.elastic.rulesets() if one.id in ours}
    left |= {
        c["azure_endpoint_name"] for c in estate.elastic.claims() if c["azure_endpoint_guid"].lower() not in living
    }
    if not living:
        left |= {zone.name for zone in estate.arm.private_dns_zones()}
    there = {one.id for one in estate.elastic.rulesets()} | {one.name for one in estate.arm.private_dns_zones()}
    named = {one for one in _POLICY.findall(told) if estate.elastic.deployment(one) is None} | set(_ZONE.findall(told))
    wrong = [f"{one} is left, and no record says so" for one in sorted(left) if one not in told]
    return [*wrong, *(f"a record says that {one} is left, and it is not there" for one in sorted(named - there))]


def _difference(mine: Any, good: Any) -> str:
    if isinstance(mine, dict) and isinstance(good, dict):
        names = sorted(name for name in {*mine, *good} if mine.get(name) != good.get(name))
        return "; ".join(f"{name}: {_difference(mine.get(name), good.get(name))}" for name in names)
    if isinstance(mine, list) and isinstance(good, list):
        return f"has {[one for one in mine if one not in good]}, lacks {[one for one in good if one not in mine]}"
    return f"{mine}, not {good}"
