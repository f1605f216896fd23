"""The state of an installation in the middle of its work, as this version leaves it, and the same state taken up again.

Dumped by `python -m tests.compatibility`, read back by the tests of every later version.
"""

from __future__ import annotations

from typing import Any

from local.world import API_KEY
from shared.installation.pause import pause
from shared.state import codec
from tests.harness.estate import START, Estate

SETTINGS = {"NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events", "EC_API_KEY": API_KEY}


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
    await pause(estate.worker.context, {"minutes": 60}, "c-1")
    await estate.sweep()
    storage = estate.storage
    return {
        "connections": [stored.entity for stored in storage.connections.rows().values()],
        "control": [stored.entity for stored in storage.control.rows().values()],
        "things": [stored[0] for stored in storage.things.rows().values()],
        "journal": [entity for partition in storage.journal.rows().values() for entity in partition.values()],
        "checks": [entity for partition in storage.checks.rows().values() for entity in partition.values()],
        "messages": [message.text for message in storage.queue.messages],
    }


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
    for text in state["messages"]:
        await storage.queue.send(text)
