"""How a plan ended, as plain values, and what of that is wrong. Used by `search`."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any

from shared.core.model.record_document import from_document
from tests.faults.lives import Life
from tests.faults.stage import Stage
from tests.harness.leaving import everything

SWEEPS = 3
BETWEEN = timedelta(seconds=900)
"""From one sweep to the next: longer than the grace of a removal."""
QUIET = 2000.0
"""Seconds after which the last note and the last intent of any plan has ended."""


async def ending(stage: Stage, life: Life, wanted: dict[str, Any] | None) -> dict[str, Any]:
    """Let it come to rest; what then stands. Sweeps end as soon as all is as `wanted`."""
    await stage.work(7200.0)
    await stage.estate.clock.sleep(QUIET)
    found: dict[str, Any] = {}
    for _ in range(SWEEPS):
        await stage.sweep()
        ends = stage.estate.clock.now() + BETWEEN
        await stage.work(BETWEEN.total_seconds())
        found = await view(stage, life)
        if wanted is None or found == wanted:
            break
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
        conditions = sorted(f"{one.type} {one.status} {one.reason}" for one in record.status.conditions)
        records[record.identity.name] = [record.status.phase, *conditions]
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


def problems(stage: Stage, found: dict[str, Any], reference: dict[str, Any]) -> list[str]:
    """All that is wrong with a plan's end. Where reads lag, each of them is a fault that may repeat a write."""
    wrong = [*stage.watcher.problems, *stage.unexpected]
    wanted = reference["end"]
    for name, value in found.items():
        if value != wanted[name]:
            wrong.append(f"at the end {name}: {_difference(value, wanted[name])}")
    for what, times in stage.watcher.writes.items() if not stage.lag else ():
        usual = reference["writes"].get(what, 0)
        if usual and times > usual + 1:
            wrong.append(f"{what} was sent {times} times, without the fault {usual} times")
    return wrong


def _difference(mine: Any, good: Any) -> str:
    if isinstance(mine, dict) and isinstance(good, dict):
        names = sorted(name for name in {*mine, *good} if mine.get(name) != good.get(name))
        return "; ".join(f"{name}: {_difference(mine.get(name), good.get(name))}" for name in names)
    if isinstance(mine, list) and isinstance(good, list):
        return f"has {[one for one in mine if one not in good]}, lacks {[one for one in good if one not in mine]}"
    return f"{mine}, not {good}"
