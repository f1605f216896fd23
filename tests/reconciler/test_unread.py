"""One read that is throttled, or whose answer is lost, tells nothing of a connection: what was known stands a while."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.core.model.record import ConnectionRecord
from shared.core.planning.stale import STANDS_FOR
from tests.harness.estate import Estate, arm_error
from tests.harness.leaving import GRACE, connected, removed_reason
from tests.harness.wire import Call, Fault, Outcome, Refusal

DNS_API = "2024-06-01"

READS: dict[str, Callable[[Call], bool]] = {
    "endpoint": lambda call: call.service == "arm" and "/privateEndpoints/" in call.what,
    "zone": lambda call: call.service == "arm" and "/privateDnsZones/" in call.what,
    "policies": lambda call: call.service == "elastic" and call.what.endswith("/rulesets"),
    "deployments": lambda call: call.service == "elastic" and call.what.endswith("_search"),
}
OF = {"endpoint": "Recognised", "zone": "ZoneReady", "policies": "PolicyReady", "deployments": "Associated"}
"""The condition that each read is about."""
SAID = "It could not be read again"


class Outage:
    """Some reads fail, until they are let through."""

    def __init__(self, estate: Estate, reads: Callable[[Call], bool], answer: Outcome) -> None:
        self.on = True

        def faults(call: Call) -> Outcome:
            return answer if self.on and not call.writes and reads(call) else None

        estate.worker = estate.new_worker(faults)


async def looked_at(estate: Estate, endpoint: str) -> ConnectionRecord:
    await estate.send(endpoint)
    return await after(estate, endpoint, 5)


async def after(estate: Estate, endpoint: str, seconds: float) -> ConnectionRecord:
    await estate.settle(0)
    end = estate.clock.now() + timedelta(seconds=seconds)
    await estate.settle(seconds)
    await estate.clock.sleep((end - estate.clock.now()).total_seconds())
    return await estate.connection(endpoint)


def told(connection: ConnectionRecord) -> set[str]:
    """The conditions of which it is said that they could not be read."""
    return {one.type for one in connection.status.conditions if SAID in one.message and one.type != "Ready"}


@pytest.mark.parametrize("answer", [Refusal(429), Refusal(503), Fault.LOSE_ANSWER], ids=["429", "503", "lost"])
@pytest.mark.parametrize("what", READS)
async def test_a_working_connection_stays_ready_while_something_cannot_be_read_once(
    estate: Estate, what: str, answer: Outcome
) -> None:
    endpoint = await connected(estate)
    since = {condition.type: condition.since for condition in (await estate.ready(endpoint)).status.conditions}
    outage = Outage(estate, READS[what], answer)
    connection = await looked_at(estate, endpoint)
    assert connection.status.phase == "Ready"
    assert told(connection) == {OF[what]}, "and says so"
    assert connection.schedule.wake_at is not None, "and looks again soon"
    outage.on = False
    await estate.settle(120)
    connection = await estate.ready(endpoint)
    assert (told(connection), connection.schedule.stale_since, connection.schedule.wake_at) == (set(), None, None)
    assert {condition.type: condition.since for condition in connection.status.conditions} == since, (
        "nothing has turned"
    )


@pytest.mark.parametrize("what", READS)
async def test_what_cannot_be_read_for_long_is_said_not_to_be_known(estate: Estate, what: str) -> None:
    endpoint = await connected(estate)
    outage = Outage(estate, READS[what], Refusal(429, {"Retry-After": "3600"}))
    await looked_at(estate, endpoint)
    assert (await after(estate, endpoint, STANDS_FOR.total_seconds() - 30)).status.phase == "Ready"
    assert (await after(estate, endpoint, 60)).status.phase == "Degraded"
    # Asked to wait by one answer, the app leaves all of Elastic Cloud alone.
    assert await estate.reason(endpoint, "PolicyReady" if what == "deployments" else OF[what]) == "Throttled"
    outage.on = False
    await estate.settle(4000)
    await estate.ready(endpoint)


async def test_a_connection_that_is_tested_meanwhile_is_told_to_be_broken_when_it_is(estate: Estate) -> None:
    """What cannot be read is believed; what is seen is believed more."""
    endpoint = await connected(estate)
    Outage(estate, READS["zone"], Refusal(429))
    estate.network.broken.add((await estate.connection(endpoint)).identity.address)
    await looked_at(estate, endpoint)
    connection = await after(estate, endpoint, STANDS_FOR.total_seconds() - 60)
    assert (connection.status.phase, told(connection)) == ("Degraded", {"ZoneReady"})
    assert [condition.type for condition in connection.status.conditions if not condition.true] == [
        "Reachable",
        "Ready",
    ]


async def test_what_is_known_to_be_missing_is_told_at_once(estate: Estate) -> None:
    """The read says that the record is gone; that it cannot be put back now is no doubt about that."""
    endpoint = await connected(estate)
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)
    throttled = arm_error(429, "TooManyRequests")
    estate.arm.faults.append(lambda request: throttled if request.method == "PUT" else None)
    connection = await looked_at(estate, endpoint)
    assert connection.status.phase == "Degraded"
    assert await estate.reason(endpoint, "RecordReady") == "Throttled"


async def test_what_was_known_of_another_address_does_not_stand(estate: Estate) -> None:
    endpoint = await connected(estate)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.address = "127.77.200.9"
    Outage(estate, READS["zone"], Refusal(429))
    assert (await looked_at(estate, endpoint)).status.phase == "Degraded"


@pytest.mark.parametrize("passed", [60.0, 2 * GRACE], ids=["Removing", "Removed"])
async def test_what_is_going_or_gone_stays_so(estate: Estate, passed: float) -> None:
    endpoint = await connected(estate)
    await estate.delete(endpoint)
    await estate.settle(passed)
    before = await estate.connection(endpoint)
    outage = Outage(estate, READS["endpoint"], Refusal(429))
    connection = await looked_at(estate, endpoint)
    assert (connection.status.phase, told(connection)) == (before.status.phase, {"Recognised"})
    outage.on = False
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert await removed_reason(estate, endpoint) == "Removed"


@pytest.mark.parametrize("what", READS)
async def test_a_throttled_run_is_counted_though_what_was_known_stands(
    estate: Estate, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The alert on throttling reads the log line: a Ready connection must not hide it."""
    endpoint = await connected(estate)
    outage = Outage(estate, READS[what], Refusal(429))
    caplog.set_level("INFO", "privatelink.telemetry")
    assert (await looked_at(estate, endpoint)).status.phase == "Ready"
    assert _lines(caplog)[-1]["throttled"] is True
    outage.on = False
    await estate.settle(120)
    assert _lines(caplog)[-1]["throttled"] is False


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    texts = [record.getMessage() for record in caplog.records if record.name == "privatelink.telemetry"]
    return [json.loads(text) for text in texts if '"ReconcileCompleted"' in text]
