"""One correlation id from the event to every remote call, and one line that says what each piece of work cost."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import uuid
from collections import Counter
from typing import Any

import pytest

from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.services import Family
from shared.reconciler.loop import reconcile
from tests.harness.estate import Estate, arm_error


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Any:
    """The summary lines so far, by event."""
    caplog.set_level(logging.INFO, "privatelink.telemetry")

    def lines(event: str) -> list[dict[str, Any]]:
        found = [json.loads(r.getMessage()) for r in caplog.records if r.name == "privatelink.telemetry"]
        return [line for line in found if line["event"] == event]

    return lines


def ids(requests: list[Any]) -> set[str]:
    return {request.client_request_id for request in requests}


async def test_the_events_correlation_id_is_on_every_request_from_the_first_read_to_the_last_wait(
    estate: Estate,
) -> None:
    before = len(estate.arm.requests)
    endpoint = await estate.put_endpoint()
    of_the_user = len(estate.arm.requests)
    await estate.settle()
    await estate.ready(endpoint)
    correlation = next(change.correlation_id for change in estate.changes if change.resource_id == endpoint)
    assert uuid.UUID(correlation)
    assert ids(estate.arm.requests[before:of_the_user]) == {""}, "the user's own"
    assert ids(estate.arm.requests[of_the_user:]) == {correlation}, "reads, writes, and polls of operations"
    assert ids(estate.elastic.requests) == {correlation}
    assert {call.correlation_id for call in estate.worker.wire.calls} == {correlation}, "tables and queue too"
    assert {call.service for call in estate.worker.wire.calls} >= {"arm", "elastic", "connections", "journal", "queue"}


async def test_runs_side_by_side_in_one_process_never_mix(estate: Estate) -> None:
    """Interleaved at every await: both wait for the same slow clouds."""
    estate.events.settings.drop = True
    estate.elastic_settings.latency_seconds = 0.5
    endpoints = {name: await estate.put_endpoint(name, region=name) for name in ("eastus2", "westeurope", "japaneast")}
    await estate.clock.sleep(10)
    await asyncio.gather(
        *(
            reconcile(estate.worker.context, WorkMessage(parse_endpoint_id(endpoint), Cause.MANUAL, f"run-{name}"))
            for name, endpoint in endpoints.items()
        )
    )
    order = [call.correlation_id for call in estate.worker.wire.calls]
    assert set(order) == {f"run-{name}" for name in endpoints}
    assert sum(a != b for a, b in itertools.pairwise(order)) > 20, "they did run side by side"
    about = [
        (name, call) for name in endpoints for call in estate.worker.wire.calls if f"privatelink.{name}." in call.what
    ]
    assert len(about) > 6
    assert [call for name, call in about if call.correlation_id != f"run-{name}"] == []


async def test_a_sweep_has_an_id_of_its_own_and_hands_it_to_the_work_that_it_finds(estate: Estate) -> None:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(10)
    before = len(estate.arm.requests)
    await estate.sweep()
    assert ids(estate.arm.requests[before:]) == ids(estate.elastic.requests) == {"sweep-1"}
    await estate.settle()
    await estate.ready(endpoint)
    assert ids(estate.arm.requests[before:]) == {"sweep-1"}


async def test_outside_of_any_work_nothing_is_sent_along(estate: Estate) -> None:
    await estate.worker.context.elastic.of("default", Family.HOSTED).policies()
    assert ids(estate.elastic.requests) == {""}


# -- what it cost --------------------------------------------------------------------------------------------------


async def test_each_run_says_what_it_did_and_what_it_cost(estate: Estate, logged: Any) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    runs = logged("ReconcileCompleted")
    calls = Counter(
        service if service in {"arm", "elastic"} else "storage"
        for service in (call.service for call in estate.worker.wire.calls)
    )
    assert sum(run["armCalls"] for run in runs) == calls["arm"]
    assert sum(run["elasticCalls"] for run in runs) == calls["elastic"]
    # Messages that ask for nothing any more read the record, and have no line.
    assert calls["storage"] - len(estate.changes) <= sum(run["storageCalls"] for run in runs) <= calls["storage"]
    assert {run["topicCalls"] for run in runs} == {0}
    assert sum(run["stepsDone"] for run in runs) == 6, "zone, record, two links, policy, association"
    assert {run["stepsFailed"] for run in runs} == {0}


async def test_time_is_told_by_stage(estate: Estate, logged: Any) -> None:
    estate.elastic_settings.latency_seconds = 3.0
    await estate.put_endpoint()
    await estate.settle(10)
    run = logged("ReconcileCompleted")[0]
    assert run["observeElasticMs"] == 6000, "the policies, then the targets: the plan goes on past the approval"
    assert run["applyElasticMs"] == 3000, "one policy"
    assert run["applyDnsMs"] > 1000, "Azure takes its time to make a zone"
    assert run["observeDnsMs"] < 100
    assert run["testMs"] == 0, "there was nothing to test yet"


async def test_steps_that_failed_are_counted(estate: Estate, logged: Any) -> None:
    refusal = arm_error(403, "AuthorizationFailed", "The client does not have authorization.")
    estate.arm.faults.append(lambda request: refusal if request.operation == "PUT zone" else None)
    await estate.put_endpoint()
    await estate.settle(10)
    assert [(run["stepsDone"], run["stepsFailed"]) for run in logged("ReconcileCompleted")][:1] == [(1, 1)]


async def test_each_sweep_says_what_it_cost(estate: Estate, logged: Any) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    estate.worker = estate.new_worker()
    estate.elastic_settings.latency_seconds = 2.0
    await estate.sweep()
    (swept,) = logged("SweepCompleted")
    calls = Counter(call.service for call in estate.worker.wire.calls)
    assert (swept["armCalls"], swept["elasticCalls"]) == (calls.pop("arm"), calls.pop("elastic"))
    # But for the last five: the app's health and the line itself are remembered, and the sweep's lease given back.
    assert [call.what for call in estate.worker.wire.calls[-5:]] == ["get", "put", "get", "put", "delete"]
    assert swept["storageCalls"] == calls.total() - 5
    assert swept["readCloudsMs"] == 4000, "the policies say which deployments matter"
    assert (swept["readRecordsMs"], swept["listEndpointsMs"]) == (0, 0)
