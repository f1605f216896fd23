"""The state of an installation in the middle of its work, as this version leaves it, and the same state taken up again.

Dumped by `python -m tests.compatibility`, read back by the tests of every later version.
"""

from __future__ import annotations

import json
import re
from typing import Any

from local.world import API_KEY
from shared.core.model.callers import Asked
from shared.installation.pause import pause
from shared.state import codec
from tests.compatibility.samples import plain
from tests.harness.estate import START, Estate

SETTINGS = {"NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events", "EC_API_KEY": API_KEY}
_BY_CHANCE = re.compile(
    r"(?<=-)[0-9a-f]{6}(?=\")|(?<=run_id\": \")[0-9a-f]{12}"
    r"|\b(?!00000000-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
)
"""The end of a diary's key, the id of a run, and a correlation id or GUID; not that of the subscription."""
_TOOK = re.compile(r"(?<=duration_ms\": )\d+|(?<=Ms\\\":)\d+")


async def left_behind() -> dict[str, Any]:
    """Rows of every table and messages of the queue: something ready, blocked, half removed, and a pause."""
    estate = await Estate(settings=SETTINGS).open()
    await estate.put_endpoint("pe-ready")
    gone = await estate.put_endpoint("pe-gone", region="westeurope")
    await estate.settle()
    await estate.sweep()
    await estate.put_endpoint("pe-blocked", region="uksouth", tags={"elastic-deployments": "search-uksouth"})
    await estate.settle()
    await estate.delete(gone)
    await estate.settle(120)
    await pause(estate.worker.context, {"minutes": 60}, Asked("operator", "c-1"))
    await estate.sweep()
    storage = estate.storage
    return {
        "connections": [stored.entity for stored in storage.connections.rows().values()],
        "control": [stored.entity for stored in storage.control.rows().values()],
        "things": [stored[0] for stored in storage.things.rows().values()],
        "journal": [entity for partition in storage.journal.rows().values() for entity in partition.values()],
        "checks": [entity for partition in storage.checks.rows().values() for entity in partition.values()],
        "hosts": [entity for partition in storage.hosts.rows().values() for entity, _ in partition.values()],
        "messages": [message.text for message in storage.queue.messages],
    }


def without_chance(state: dict[str, Any]) -> dict[str, Any]:
    """The same with ids that come in the order of their first mention, so that a diff shows what has changed."""
    order: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        number = order.setdefault(found[0], f"{len(order):x}")
        return re.sub("[0-9a-f]", "0", found[0])[: -len(number)] + number

    text = _TOOK.sub("7", json.dumps(state, default=plain))
    return dict(json.loads(_BY_CHANCE.sub(named, text)))


async def taken_up(state: dict[str, Any], estate: Estate) -> None:
    """Put what a version left behind into the estate's storage, by way of this version's own reading."""
    storage = estate.storage
    for entity in state["connections"]:
        await storage.connections.insert(codec.connection_row(entity, None))
    for entity in state["control"]:
        await storage.control.put(codec.control_row(entity, None))
    for entity in state["things"]:
        await storage.things.put(codec.thing_row(entity, None, START, START))
    for entity in reversed(state["journal"]):
        await storage.journal.append(entity["PartitionKey"], [codec.JOURNAL.entry(entity)])
    for entity in reversed(state["checks"]):
        await storage.checks.append(entity["PartitionKey"], [codec.CHECKS.entry(entity)])
    for entity in state["hosts"]:
        await storage.hosts.write(entity["PartitionKey"], [codec.host_row(entity, None)])
    for text in state["messages"]:
        await storage.queue.send(text)
