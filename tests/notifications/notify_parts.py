"""What the tests of notifications share: an app with a topic, trouble that can be switched, and what was told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from local.arm import FaultResponse, Incoming
from tests.harness.estate import Estate, arm_error

ON = {"NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events"}
LASTING = 240.0
"""NOTIFY_AFTER_SECONDS, where it is not set."""
DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "notifications.schema.json").read_text(encoding="utf-8"))


def judged(event: dict[str, Any]) -> list[str]:
    """What the schema for receivers says against an event."""
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    return [error.message for error in validator.iter_errors(event)]


def told(estate: Estate) -> list[str]:
    """What the topic took: the last word of each event's type."""
    return [event["type"].removeprefix("ElasticPrivateLink.Connection") for event in of_connections(estate)]


def of_connections(estate: Estate) -> list[dict[str, Any]]:
    """What the topic took, without the events of the app itself."""
    return [event for event in estate.topic.events if "problem" not in event["data"]]


def once(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what came twice, as a receiver reads them."""
    return list({event["id"]: event for event in events}.values())


class Trouble:
    """The `*` records are gone, and Azure takes no new ones while `on`: connections become Degraded."""

    def __init__(self, estate: Estate) -> None:
        self._estate, self._on = estate, False
        estate.arm.faults.append(self._fault)

    @property
    def on(self) -> bool:
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        self._on = on
        for zone in self._estate.arm.private_dns_zones() if on else ():
            zone.record_sets.pop(("A", "*"), None)

    def _fault(self, request: Incoming) -> FaultResponse | None:
        broken = self._on and request.method == "PUT" and "privatednszones" in request.path.lower()
        return arm_error(503, "ServiceUnavailable") if broken else None


async def connected(estate: Estate, name: str = "pe-1", region: str = "eastus2") -> str:
    """A connection that is Ready."""
    endpoint = await estate.put_endpoint(name, region=region)
    await estate.settle()
    await estate.ready(endpoint)
    return endpoint


async def look(estate: Estate, endpoint: str) -> str:
    """Run the connection once, and all that follows at once; returns its phase."""
    await estate.send(endpoint)
    await estate.settle(1)
    return str((await estate.connection(endpoint)).status.phase)


async def sweeps(estate: Estate, seconds: float) -> None:
    """The timer fires every five minutes; what it finds is done."""
    end = estate.clock.now().timestamp() + seconds
    while estate.clock.now().timestamp() < end:
        await estate.sweep()
        began = estate.clock.now()
        await estate.settle(299)
        await estate.clock.sleep(300 - (estate.clock.now() - began).total_seconds())
