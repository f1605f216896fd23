"""The history of health checks: what is written of each, for how long, and that work never waits for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.harness.estate import Estate
from tests.harness.wire import Call, Outcome, Refusal, Stall

if TYPE_CHECKING:
    from shared.state.rows import CheckEntry


async def history(estate: Estate, endpoint: str) -> list[CheckEntry]:
    """Every check of a connection, oldest first."""
    page = await estate.storage.checks.newest((await estate.connection(endpoint)).id, 500)
    return list(reversed(page.entries))


async def a_ready_connection(estate: Estate, name: str = "pe-1") -> str:
    endpoint = await estate.put_endpoint(name)
    await estate.settle()
    await estate.ready(endpoint)
    return endpoint


async def test_the_check_after_a_change_and_every_check_of_a_sweep_are_kept(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    await estate.clock.sleep(3600)
    await estate.sweep()
    *_, made, swept = await history(estate, endpoint)
    address = (await estate.connection(endpoint)).identity.address
    assert swept.at - made.at >= timedelta(hours=1)
    assert (swept.cause, swept.correlation_id, made.cause in {"wait", "event-write"}) == ("timer", "sweep-1", True)
    for entry in (made, swept):
        assert (entry.verdict, entry.reason) == ("healthy", "Reachable")
        assert len(entry.hosts) == 4
        for host in entry.hosts:
            assert (host.verdict, host.addresses) == ("healthy", (address,))
            assert [name for name, _ in host.stages] == ["resolve", "connect", "tls", "http"]


async def test_a_failed_check_is_kept_with_its_cause_and_what_was_seen(estate: Estate) -> None:
    """A record of its own hides the * record for the deployment's name."""
    endpoint = await a_ready_connection(estate)
    host = (await estate.hosts(endpoint))[0].host
    label = host.removesuffix(f".{estate.zone().name}")
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.99.0.4"}]}}
    await estate.azure("PUT", f"{estate.zone().id}/A/{label}", body, api="2024-06-01")
    await estate.clock.sleep(3600)
    await estate.sweep()
    await estate.settle()
    failed = (await history(estate, endpoint))[-1]
    assert (failed.verdict, failed.reason) == ("unreachable", "WrongAddress")
    assert "10.99.0.4" in failed.message
    assert [host.addresses for host in failed.hosts if host.verdict != "healthy"] == [("10.99.0.4",)]


async def test_a_check_that_a_person_asks_for_repairs_first_and_then_tests(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api="2024-06-01")
    await estate.clock.sleep(3600)
    before = len(await history(estate, endpoint))
    await estate.send(endpoint, "check")
    await estate.settle()
    asked = (await history(estate, endpoint))[before:]
    assert [(entry.cause, entry.verdict) for entry in asked] == [("check", "healthy")]
    assert estate.zone().a_record("*") is not None


def refuse_checks(call: Call) -> Outcome:
    return Refusal(503) if call.service == "checks" else None


async def test_a_check_that_cannot_be_written_stops_neither_a_run_nor_a_sweep(estate: Estate) -> None:
    estate.worker = estate.new_worker(refuse_checks)
    endpoint = await a_ready_connection(estate)
    await estate.clock.sleep(3600)
    found = await estate.sweep()
    assert (found.probed, found.errors) == (1, [])
    verdict = (await estate.hosts(endpoint))[0]
    assert estate.clock.now() - verdict.checked_at < timedelta(minutes=1), (
        "the record has the last verdict all the same"
    )
    assert await history(estate, endpoint) == []


async def test_a_sweep_writes_many_checks_at_once_but_not_all() -> None:
    estate = await Estate(settings={"DNS_RECORD_MODE": "union", "CHECKS_AT_ONCE": "4"}).open()
    for number in range(10):
        await estate.put_endpoint(f"pe-{number}")
    await estate.settle()
    slow = estate.new_worker(lambda call: Stall(10) if call.service == "checks" else None)
    before = estate.clock.now()
    assert (await estate.sweep(slow)).probed == 10
    assert 30 <= (estate.clock.now() - before).total_seconds() < 40, "ten in threes of four at once, ten seconds each"


async def test_checks_past_their_retention_are_deleted_once_a_day() -> None:
    estate = await Estate(settings={"CHECKS_DAYS": "2"}).open()
    endpoint = await a_ready_connection(estate)
    for _ in range(20):
        await estate.clock.sleep(6 * 3600)
        await estate.sweep()
    kept = await history(estate, endpoint)
    oldest = estate.clock.now() - kept[0].at
    assert timedelta(days=2) - timedelta(hours=6) <= oldest < timedelta(days=3)
    assert kept[-1].at > estate.clock.now() - timedelta(minutes=1)
    prunes = [call for call in estate.worker.wire.calls if call.what == "prune" and call.service == "checks"]
    assert len(prunes) == 5, "five days"
