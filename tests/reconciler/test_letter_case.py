"""Azure spells one id in many ways: in events of any letter case the endpoint is one, made once and removed once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.eventgrid import Answer
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE, everything
from tests.harness.outcome import creates, end_state

SPELT: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "swapped": str.swapcase,
    "mixed": lambda text: "".join(c.upper() if n % 2 else c.lower() for n, c in enumerate(text)),
}
FIELDS = ("subject", "eventType", "type", "resourceUri", "resourceProvider", "operationName")


def spelt(event: Any, change: Callable[[str], str]) -> Any:
    """An event whose ids, types and operations are spelt so."""
    if isinstance(event, list):
        return [spelt(one, change) for one in event]
    if not isinstance(event, dict):
        return event
    return {
        key: change(value) if key in FIELDS and isinstance(value, str) else spelt(value, change)
        for key, value in event.items()
    }


class Spelling(Estate):
    """An estate whose events are spelt in another way, each in the next one where there are several."""

    def __init__(self, changes: list[Callable[[str], str]]) -> None:
        super().__init__(dns_events=True)
        self._changes = changes
        self.events_told = 0

    async def _deliver(self, method: str, url: str, headers: Any, body: bytes) -> Answer:
        if headers["aeg-event-type"] != "SubscriptionValidation":
            change = self._changes[self.events_told % len(self._changes)]
            self.events_told += 1
            body = json.dumps(spelt(json.loads(body), change)).encode()
        return await super()._deliver(method, url, headers, body)


async def lived(changes: list[Callable[[str], str]]) -> tuple[Any, ...]:
    """Made, looked at again, and removed, by events alone."""
    estate = Spelling(changes)
    await estate.open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    made = end_state(estate, endpoint)
    await estate.clock.sleep(3600)
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api="2024-06-01")
    await estate.settle()
    await estate.ready(endpoint)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE + 1800)
    rows = [row.connection_id async for row in estate.storage.connections.list()]
    assert estate.events_told > 3
    assert not estate.queue.poison
    record = await estate.connection(endpoint)
    return made, everything(estate), creates(estate), rows, record.status.phase, record.endpoint_id


@pytest.mark.parametrize("case", [*SPELT, "each in turn"])
async def test_a_life_by_events_of_any_letter_case_is_the_same(case: str) -> None:
    expected = await lived([str])
    assert expected[3:5] == ([expected[3][0]], "Removed")
    found = await lived(list(SPELT.values()) if case == "each in turn" else [SPELT[case]])
    assert found == expected, "also the spelling on record, which is that of ARM"
