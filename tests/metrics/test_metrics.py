"""Each metric is moved by what it is about, goes through OpenTelemetry, and is described on its page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from shared import telemetry
from shared.app import provide
from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.conditions import Phase
from shared.core.model.errors import InvalidSettings
from shared.core.model.log_lines import METRICS
from shared.core.model.messages import Cause, WorkMessage
from shared.sweep import sweep as sweeping
from tests.functions.trigger_parts import ENDPOINT_ID, functions
from tests.harness.estate import Estate

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
ON = {"NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events"}


class Read:
    """What a reader of OpenTelemetry's has got."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        telemetry.measure(lambda: self._reader)

    def points(self) -> dict[str, list[tuple[dict[str, Any], float]]]:
        """Of each metric its attributes, and its sum."""
        data = self._reader.get_metrics_data()
        return {
            metric.name: [
                (dict(point.attributes), point.sum if hasattr(point, "sum") else point.value)
                for point in metric.data.data_points
            ]
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def value(self, name: str, **attributes: str) -> float:
        """The sum of a metric over the points with these attributes."""
        points = self.points().get(name, [])
        return sum(value for found, value in points if attributes.items() <= found.items())


@pytest.fixture
def read() -> Iterator[Read]:
    yield Read()
    telemetry.measure(None)


async def test_a_life_moves_all_that_it_is_about(read: Read) -> None:
    estate = await Estate(settings=ON).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    await estate.sweep()
    assert read.value("privatelink.runs") > 1
    assert "privatelink.run.duration" in read.points()
    assert read.value("privatelink.steps", outcome="done") >= 5
    assert read.value("privatelink.phase.changes", phase="Ready") == 1
    assert read.value("privatelink.sweeps", outcome="complete") == 1
    assert "privatelink.sweep.duration" in read.points()
    assert read.value("privatelink.connections", phase="Ready") == 1
    assert read.value("privatelink.verdicts", verdict="healthy") == 1
    assert [attributes for attributes, _ in read.points()["privatelink.latency"]] == [{"region": "eastus2"}]
    assert read.value("privatelink.calls", service="arm") > 5
    assert read.value("privatelink.calls", service="elastic") > 2
    assert read.value("privatelink.notifications", outcome="taken") == 1
    assert read.value("privatelink.throttled") == read.value("privatelink.repairs") == 0

    for zone in estate.arm.private_dns_zones():
        zone.record_sets.pop(("A", "*"))
    await estate.send(endpoint)
    await estate.settle()
    assert read.value("privatelink.repairs") == 1

    await estate.delete(endpoint)
    await estate.settle(7200)
    assert read.value("privatelink.removals") == 1
    assert read.value("privatelink.phase.changes", phase=Phase.REMOVED) == 1


async def test_an_answer_429_of_either_cloud_is_counted_as_its(read: Read) -> None:
    estate = await Estate(settings=ON).open()
    estate.elastic_settings.faults.append(lambda *_: (429, {"errors": []}))
    await estate.put_endpoint()
    await estate.settle(60)
    assert read.value("privatelink.throttled", service="elastic") > 0
    assert read.value("privatelink.throttled", service="arm") == 0


async def test_a_sweep_that_fails_is_counted(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await Estate().open()

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sweeping, "take_snapshot", fail)
    with pytest.raises(ZeroDivisionError):
        await estate.sweep()
    assert read.value("privatelink.sweeps", outcome="failed") == 1


def test_a_message_ages_from_when_it_was_due(read: Read) -> None:
    now = datetime.now(UTC)
    telemetry.waited(now - timedelta(seconds=90), None, now)
    assert 89 < read.value("privatelink.queue.age") < 100
    telemetry.waited(
        now - timedelta(seconds=900), now - timedelta(seconds=5), now
    )  # a wait that ended five seconds ago
    assert 94 < read.value("privatelink.queue.age") < 110
    telemetry.waited(None, None, now)


async def test_the_queues_trigger_tells_how_long_a_message_was_due(read: Read) -> None:
    class Due(func.QueueMessage):
        insertion_time = datetime.now(UTC) - timedelta(seconds=90)

    message = Due(body=WorkMessage(parse_endpoint_id(ENDPOINT_ID), Cause.MANUAL, "a-correlation-id").encode())
    # No work is done.
    with provide(InvalidSettings(["EC_API_KEY is missing"])), pytest.raises(InvalidSettings):
        await functions()["reconcile"](message)
    assert read.value("privatelink.queue.age") > 89


def test_a_reader_that_fails_stops_the_metrics_and_nothing_else() -> None:
    def broken() -> object:
        raise OSError

    telemetry.measure(broken)
    telemetry.sweep_failed()
    telemetry.sweep_failed()


def test_there_are_at_most_fifteen_and_the_page_describes_each() -> None:
    assert len({one.name for one in METRICS}) == len(METRICS) <= 15
    for one in METRICS:
        attributes = ", ".join(f"`{name}`" for name in one.attributes)
        assert f"| `{one.name}` | {one.kind} | {one.unit or '1'} | {attributes} | {one.about} |" in PAGE


def test_nothing_is_loaded_until_there_is_a_value() -> None:
    code = (
        "import function_app, shared.telemetry, sys; print([name for name in sys.modules if 'opentelemetry' in name])"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - fixed
    assert asked.stdout.splitlines()[-1] == "[]"


def test_azure_monitor_is_sent_to_by_the_apps_identity_and_no_other_is_told() -> None:
    key = "00000000-0000-0000-0000-000000000001"
    code = f"""
import os
os.environ["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] = "ClientId=c-1;Authorization=AAD"
from shared import telemetry
environ = os.environ
environ[telemetry.INSIGHTS] = "InstrumentationKey={key};IngestionEndpoint=https://127.0.0.1:1/"
reader = telemetry.azure_monitor(environ)
exporter = reader._exporter
print(type(exporter).__name__, type(exporter._credential).__name__, exporter.storage is None)
print(environ["APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL"])
os._exit(0)
"""
    asked = subprocess.run([sys.executable, "-u", "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    assert asked.stdout.splitlines() == ["AzureMonitorMetricExporter ManagedIdentityCredential True", "true"], (
        asked.stderr
    )
