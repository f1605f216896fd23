"""Event Grid and the host agree with each other, over HTTP, in both schemas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import azure.functions as func  # noqa: TC002 - the host evaluates the annotations of functions
import httpx
import pytest

from local.eventgrid import EventGrid, EventGridSettings, HandshakeError, HttpDeliver
from local.exchanges import ExchangeLog

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://host/runtime/webhooks/eventgrid?functionName=on_event&code="


@dataclass(frozen=True)
class Change:
    operation: str = "write"
    status: str = "Succeeded"
    resource_id: str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"
    resource_type: str = "Microsoft.Network/privateEndpoints"
    subscription_id: str = "s"
    tenant_id: str = "t"
    correlation_id: str = "c"
    at: datetime = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    client_id: str = ""


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
async def test_an_event_is_delivered_retried_after_a_failure_and_recorded(
    app: func.FunctionApp, start: Callable[..., Any], schema: Any
) -> None:
    got: list[dict[str, Any]] = []

    @app.event_grid_trigger(arg_name="event")
    async def on_event(event: str) -> None:
        got.append(json.loads(event))
        if len(got) == 1:
            raise ValueError("not yet")

    running = start()
    log = ExchangeLog(clock=running.clock)
    deliver = HttpDeliver(httpx.AsyncClient(transport=httpx.ASGITransport(running.host.app)))  # type: ignore[arg-type]  # httpx spells the scope's type narrower
    grid = EventGrid(running.clock, deliver=deliver, settings=EventGridSettings(), random=Random(1), write=log.write)
    with pytest.raises(HandshakeError):
        await grid.subscribe(URL + "wrong", schema=schema)
    await grid.subscribe(URL + running.host.keys.event_grid, schema=schema)
    grid.publish(Change())
    await grid.drain()
    await deliver.close()
    assert [event["subject"] for event in got] == [Change.resource_id.replace("resourceGroups", "resourcegroups")] * 2
    assert [line["status"] for line in log.exchanges] == [401, 200, 500, 202]
