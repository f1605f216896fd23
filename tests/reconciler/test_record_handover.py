"""The `*` record passes from an endpoint that is gone to one that waits: at once, and never from one that lives."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from local.arm import FaultResponse
from tests.harness.estate import Estate, arm_error
from tests.harness.leaving import DNS_API, GRACE, connected, everything, removed_reason, work_for
from tests.harness.outcome import EVERY_FAULT, At
from tests.harness.wire import Call, Fault, Faults, Wire, no_faults

pytestmark = pytest.mark.both_families(at_length=True)


AT_ONCE = 60.0
"""Seconds in which an event reaches the app and the record is written; the grace lasts ten minutes."""


def holder_of(estate: Estate) -> tuple[list[str], list[str]]:
    """The addresses of the `*` record, and the names of the endpoints that its marker names."""
    record = estate.zone().record_sets["A", "*"]
    holders = [value for name, value in record.metadata.items() if "holder" in name]
    return estate.zone().a_record("*") or [], sorted(value.rpartition("/")[2] for value in holders)


async def two_of_one_network(estate: Estate) -> tuple[str, str]:
    """The first one serves the network, the second one waits."""
    first = await connected(estate)
    second = await estate.put_endpoint("pe-2")
    await estate.settle()
    assert await estate.reason(second, "RecordReady") == "RecordHeldByAnotherEndpoint"
    await estate.clock.sleep(300)
    return first, second


async def address_of(estate: Estate, endpoint: str) -> str:
    return (await estate.connection(endpoint)).identity.address


def forbid_deletes(estate: Estate, code: str) -> None:
    def fault(request: Any) -> FaultResponse | None:
        if request.method != "DELETE" or "privateDnsZones" not in request.path:
            return None
        return arm_error(409 if code == "ScopeLocked" else 403, code, "no deletes here")

    estate.arm.faults.append(fault)


# -- at once -------------------------------------------------------------------------------------------------------


async def test_terraforms_create_before_destroy_is_served_again_within_a_minute(estate: Estate) -> None:
    """The new endpoint is there before the old one goes; policy and links of the old one stay for their grace."""
    first, second = await two_of_one_network(estate)
    await estate.delete(first)
    await estate.settle(AT_ONCE)
    assert holder_of(estate) == ([await address_of(estate, second)], ["pe-2"])
    await estate.ready(second)
    assert "policy pe-1" in everything(estate), "the old one's policy stays until its grace has ended"
    await estate.settle(2 * GRACE)
    await estate.ready(second)
    assert holder_of(estate) == ([await address_of(estate, second)], ["pe-2"])
    assert [thing for thing in everything(estate) if "pe-1" in thing] == []


@pytest.mark.parametrize("code", ["ScopeLocked", "AuthorizationFailed"])
async def test_where_nothing_may_be_deleted_the_successor_is_served_all_the_same(estate: Estate, code: str) -> None:
    first, second = await two_of_one_network(estate)
    forbid_deletes(estate, code)
    await estate.delete(first)
    await estate.settle(AT_ONCE)
    await estate.ready(second)
    assert holder_of(estate) == ([await address_of(estate, second)], ["pe-2"])


@pytest.mark.parametrize("code", ["ScopeLocked", "AuthorizationFailed"])
async def test_where_nothing_may_be_deleted_a_dead_address_is_withdrawn_and_the_next_one_takes_the_record(
    estate: Estate, code: str
) -> None:
    first = await connected(estate)
    forbid_deletes(estate, code)
    await estate.delete(first)
    await estate.settle(2 * GRACE)
    assert holder_of(estate) == ([], []), "the set is there, and answers nothing"
    assert await removed_reason(estate, first) == "LeftBehind"
    second = await estate.put_endpoint("pe-2")
    await estate.settle()
    await estate.ready(second)
    assert holder_of(estate) == ([await address_of(estate, second)], ["pe-2"])


async def test_with_union_a_new_endpoint_does_not_stand_beside_a_dead_one() -> None:
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    first = await connected(estate)
    estate.events.settings.drop = True
    await estate.delete(first)
    second = await estate.put_endpoint("pe-2")
    await estate.clock.sleep(60)
    await estate.send(second)
    await estate.settle(AT_ONCE)
    assert holder_of(estate) == ([await address_of(estate, second)], ["pe-2"])


@pytest.mark.parametrize("status", ["Rejected", "Disconnected"])
async def test_with_union_an_endpoint_that_can_never_work_again_leaves_the_record(status: str) -> None:
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    first, second = await connected(estate), await connected(estate, "pe-2")
    found = estate.arm.private_endpoint(first)
    assert found is not None
    found.connection.status = status
    await estate.sweep()
    await estate.settle()
    assert holder_of(estate) == ([await address_of(estate, second)], ["pe-2"])
    await estate.ready(second)


async def test_where_the_event_is_lost_the_sweep_finds_it(estate: Estate) -> None:
    first, second = await two_of_one_network(estate)
    estate.events.settings.drop = True
    await estate.delete(first)
    await estate.sweep()
    await estate.settle(AT_ONCE)
    await estate.ready(second)


# -- never from one that lives -------------------------------------------------------------------------------------


async def test_a_holder_that_lives_keeps_the_record(estate: Estate) -> None:
    first, second = await two_of_one_network(estate)
    for _ in range(3):
        await estate.send(second)
        await estate.settle()
        await estate.clock.sleep(3700)
        await estate.sweep()
        await estate.settle()
    await estate.ready(first)
    assert holder_of(estate) == ([await address_of(estate, first)], ["pe-1"])


async def test_a_holder_that_azure_cannot_show_keeps_the_record(estate: Estate) -> None:
    """No answer, and no right to read it, are no word that it is gone."""
    first, second = await two_of_one_network(estate)
    for answer in ((503, "ServiceUnavailable"), (403, "AuthorizationFailed"), (404, "SubscriptionNotFound")):
        error = arm_error(*answer)
        estate.arm.faults[:] = [
            lambda request, error=error: error if request.path.lower() == first.lower() else None  # type: ignore[misc]
        ]
        await estate.send(second)
        await estate.settle(300)
        assert holder_of(estate)[1] == ["pe-1"]


async def test_a_record_that_was_written_a_moment_ago_is_not_handed_over(estate: Estate) -> None:
    """A read of a holder that was just made anew may answer as before: two minutes are waited for."""
    first, second = await two_of_one_network(estate)
    await estate.delete(first)
    estate.events.settings.drop = True
    await estate.put_endpoint("pe-1")
    await estate.clock.sleep(60)
    await estate.send(first)
    await estate.settle(30)
    await estate.ready(first)
    estate.hide(first, while_=lambda: True)
    await estate.send(second)
    await estate.settle(90)
    assert holder_of(estate)[1] == ["pe-1"], "it was written less than two minutes ago"
    await estate.settle(120)
    assert holder_of(estate)[1] == ["pe-2"]


@pytest.mark.parametrize("mode", ["first", "union"])
async def test_a_record_that_was_written_a_moment_ago_is_not_taken_away_either(mode: str) -> None:
    """Not by a removal without a grace: the read that did not find its holder may be as old as that."""
    settings = {"REMOVAL_GRACE_SECONDS": "0", "DNS_RECORD_MODE": mode}
    estate = await Estate(settings=settings).open()
    if mode == "union":  # the address goes alone then
        await connected(estate, "pe-2")
    endpoint = await estate.put_endpoint(tags={})  # an association would keep all of it waiting for longer
    await estate.settle(30)
    address = (await estate.connection(endpoint)).identity.address
    await estate.delete(endpoint)
    await estate.settle(60)
    assert address in (estate.zone().a_record("*") or [])
    await estate.settle(180)
    assert await removed_reason(estate, endpoint) in {"Removed", "LeftBehind"}
    assert [zone.name for zone in estate.arm.private_dns_zones() if address in (zone.a_record("*") or [])] == []


async def test_a_version_that_another_wrote_is_as_young_as_the_look_that_finds_it(estate: Estate) -> None:
    first, second = await two_of_one_network(estate)
    estate.events.settings.drop = True
    await estate.delete(first)
    estate.zone().record_sets["A", "*"].etag = "written-by-another"
    await estate.send(second)
    await work_for(estate, 90)
    assert holder_of(estate)[1] == ["pe-1"]
    await work_for(estate, 60)
    assert holder_of(estate)[1] == ["pe-2"]


async def test_a_holder_made_anew_with_its_old_address_writes_the_record_before_it_is_ready(estate: Estate) -> None:
    """So the version that another run has read, together with "gone", is no more the present one."""
    first = await connected(estate)
    before = estate.zone().record_sets["A", "*"].etag
    address = await address_of(estate, first)
    await estate.delete(first)
    await estate.put_endpoint("pe-1")
    await estate.clock.sleep(60)
    made = estate.arm.private_endpoint(first)
    assert made is not None
    made.address = address
    await estate.settle(AT_ONCE)
    record = estate.zone().record_sets["A", "*"]
    guid = (await estate.ready(first)).identity.guid
    assert record.etag != before
    assert any(guid in value for value in record.metadata.values())
    assert estate.zone().a_record("*") == [address]


async def test_a_holder_that_comes_back_while_the_record_is_taken_over_keeps_it(estate: Estate) -> None:
    """It writes the record between the look at it and the write: the write is refused."""
    first, second = await two_of_one_network(estate)
    estate.events.settings.drop = True
    await estate.delete(first)
    done: list[str] = []

    def comes_back(request: Any) -> None:
        if request.method == "PUT" and request.path.endswith("/A/*") and not done:
            done.append(request.path)
            record = estate.zone().record_sets["A", "*"]
            record.etag = "22222222-0000-4000-8000-000000000000"

    estate.arm.faults.append(comes_back)
    await estate.send(second)
    await estate.settle(20)
    assert done
    assert holder_of(estate)[1] == ["pe-1"]


async def test_a_foreign_record_is_never_handed_over(estate: Estate) -> None:
    first, second = await two_of_one_network(estate)
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    await estate.azure("PUT", f"{estate.zone().id}/A/*", body, api=DNS_API)
    await estate.delete(first)
    await estate.settle(2 * GRACE)
    assert await estate.reason(second, "RecordReady") == "RecordHeldByOthers"
    assert estate.zone().a_record("*") == ["10.9.9.9"]


# -- a fault at any call -------------------------------------------------------------------------------------------


async def handed_over(faults: Faults = no_faults) -> tuple[Estate, str, Wire]:
    """Create before destroy, by a worker that has `faults`; sweeps then run in a process of their own."""
    estate = await Estate().open()
    first, second = await two_of_one_network(estate)
    estate.worker = estate.new_worker(faults)
    wire = estate.worker.wire
    await estate.delete(first)
    await estate.settle(3 * GRACE)
    await estate.clock.sleep(3700)
    estate.worker = estate.new_worker()
    for _ in range(2):
        await estate.sweep()
        await estate.settle(2 * GRACE)
    return estate, second, wire


async def test_a_fault_at_any_call_of_a_hand_over_costs_only_time() -> None:
    reference, _, wire = await handed_over()
    good, seen, told, failed = everything(reference), Counter[str](), 0, []
    for call in wire.calls:
        seen[call.name] += 1
        for outcome in _outcomes(call):
            fault = At(call.name, seen[call.name], outcome)
            estate, second, _ = await handed_over(fault)
            told += fault.met
            address = await address_of(estate, second)
            wrong = everything(estate) != good or holder_of(estate) != ([address], ["pe-2"])
            wrong = wrong or (await estate.connection(second)).status.phase != "Ready"
            failed += [f"{outcome} at {call.name}: {everything(estate)} {holder_of(estate)}"] if wrong else []
    assert not failed, "\n".join(failed)
    assert told >= 12


def _outcomes(call: Call) -> list[Fault]:
    """At what is written: of the storage's other tables a worker's death shows nothing new, but where all is told."""
    writes = call.writes or call.what in {"put", "delete"}
    if EVERY_FAULT:
        return [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.LOSE_ANSWER]
    return [Fault.CRASH_AFTER, Fault.LOSE_ANSWER] if writes and call.service in {"arm", "elastic", "things"} else []
