"""Observe, ignore and enforce over the whole life: what is written on the wire, and what the record says."""

from __future__ import annotations

import pytest

from shared.api.connection_decisions import decide
from shared.core.model.callers import Asked
from tests.harness.estate import Estate
from tests.harness.outcome import snapshot
from tests.harness.wire import Call, Outcome, Refusal
from tests.harness.worker import Worker

pytestmark = pytest.mark.both_families

DNS_API = "2024-06-01"
WISH = {"elastic-deployments": "logs-eastus2"}


def written(worker: Worker) -> list[str]:
    """What a worker wrote in Azure and Elastic Cloud."""
    return [call.name for call in worker.wire.calls if call.writes and call.service in {"arm", "elastic"}]


async def estate_under(mode: str) -> Estate:
    """An estate under this setting MODE, with nothing in it."""
    return await Estate(settings={"MODE": mode}).open()


async def a_ready_connection(estate: Estate) -> str:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    return endpoint


def tagged(value: str) -> dict[str, str]:
    return WISH | {"elastic-privatelink": value}


async def quiet_sweeps(estate: Estate, times: int = 3) -> None:
    """Sweeps that find nothing new, and a queue in which nothing waits."""
    for _ in range(times):
        await estate.clock.sleep(300)
        assert (await estate.sweep()).enqueued == 0
    assert not estate.queue.messages


# -- observe -------------------------------------------------------------------------------------------------------


async def test_observe_mode_changes_nothing_and_says_what_would_be_done() -> None:
    estate = await estate_under("observe")
    before = snapshot(estate)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    record = await estate.connection(endpoint)
    first_words = [step.split(" ")[0] for step in record.status.planned]
    assert first_words == ["create", "create", "link", "link", "create", "associate"]
    assert "create private connection policy pe-1 in azure-eastus2" in record.status.planned
    assert record.status.planned[-1].endswith(", after Elastic has approved the endpoint")
    approved = record.condition("Approved")
    assert approved is not None
    assert "no policy names the endpoint yet" in approved.message
    assert "by itself" not in approved.message
    for name in ("ZoneReady", "Linked", "RecordReady", "PolicyReady"):
        condition = record.condition(name)
        assert condition is not None
        assert condition.reason == "ObserveMode"
        assert condition.message.startswith("Not done, because the setting MODE is observe: ")
        assert "MODE=enforce" in condition.next_step
    assert (record.status.phase, record.schedule.wake_at) == ("Provisioning", None)
    await quiet_sweeps(estate)
    assert written(estate.worker) == []
    assert snapshot(estate) == before


async def test_observe_mode_reports_what_a_connection_has_lost_once_and_that_people_mended_it() -> None:
    estate = await estate_under("enforce")
    endpoint = await a_ready_connection(estate)
    estate.worker = estate.new_worker(MODE="observe")
    await quiet_sweeps(estate)
    zone = estate.zone()
    address, metadata = zone.a_record("*")[0], zone.record_sets["A", "*"].metadata
    await estate.azure("DELETE", f"{zone.id}/A/*", api=DNS_API)
    drifted = snapshot(estate)
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    record = await estate.connection(endpoint)
    assert (record.status.phase, record.status.planned) == (
        "Degraded",
        (f"create * A record {address} in {zone.name}",),
    )
    assert await estate.reason(endpoint, "RecordReady") == "ObserveMode"
    for _ in range(2):  # its test fails as well, which counts after two in a row
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle()
    await quiet_sweeps(estate)
    assert snapshot(estate) == drifted
    body = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": address}], "metadata": metadata}}
    await estate.azure("PUT", f"{zone.id}/A/*", body, api=DNS_API)
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    assert (await estate.ready(endpoint)).status.planned == ()
    assert written(estate.worker) == []


async def test_observe_mode_goes_on_testing_a_connection_that_failed_its_test() -> None:
    estate = await estate_under("enforce")
    endpoint = await a_ready_connection(estate)
    estate.worker = estate.new_worker(MODE="observe")
    estate.network.broken.add((await estate.connection(endpoint)).identity.address)
    assert [(await estate.sweep()).enqueued for _ in range(2)] == [0, 1], "once is no news"
    await estate.settle()
    assert await estate.reason(endpoint, "Reachable") == "NoRouteAlthoughApproved"
    await quiet_sweeps(estate)
    assert (await estate.sweep()).unhealthy == 1
    estate.network.broken.clear()
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    await estate.ready(endpoint)


async def test_in_observe_mode_nothing_wakes_itself_even_while_azure_and_elastic_take_their_time() -> None:
    estate = await estate_under("enforce")
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(100)
    assert (await estate.connection(endpoint)).status.phase == "AwaitingApproval"
    estate.worker = estate.new_worker(MODE="observe")
    await estate.settle(300)
    record = await estate.connection(endpoint)
    assert (record.status.phase, record.schedule.wake_at) == ("AwaitingApproval", None)
    calls = len(estate.worker.wire.calls)
    await estate.settle(3000)
    assert len(estate.worker.wire.calls) == calls
    assert written(estate.worker) == []


def no_policies(call: Call) -> Outcome:
    """Elastic Cloud answers nothing about policies."""
    return Refusal(503) if call.service == "elastic" and "traffic-filter" in call.what else None


async def test_a_failed_look_in_observe_mode_is_made_good_by_the_sweep() -> None:
    estate = await estate_under("observe")
    estate.worker = estate.new_worker(no_policies)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert await estate.reason(endpoint, "PolicyReady") == "AnswerLost"
    assert not estate.queue.messages
    estate.worker = estate.new_worker()
    await estate.clock.sleep(300)
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    assert await estate.reason(endpoint, "PolicyReady") == "ObserveMode"
    await quiet_sweeps(estate, 1)


async def test_an_unreadable_listing_is_no_reason_to_look_again() -> None:
    estate = await estate_under("observe")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    planned = (await estate.connection(endpoint)).status.planned
    blind = await estate.sweep(estate.new_worker(no_policies))
    assert blind.errors
    assert blind.enqueued == 0
    assert (await estate.connection(endpoint)).status.planned == planned


# -- changing the mode ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [False, True], ids=["event", "event lost"])
@pytest.mark.parametrize("how", ["setting", "tag"])
async def test_back_to_enforce_the_work_is_taken_up_within_one_sweep(how: str, lost: bool) -> None:
    estate = await estate_under("observe")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert (await estate.connection(endpoint)).status.planned
    estate.events.settings.drop = lost
    if how == "setting":
        estate.worker = estate.new_worker(MODE="enforce")
    else:
        await estate.put_endpoint(tags=tagged("enforce"))
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    record = await estate.ready(endpoint)
    assert record.status.planned == ()
    await quiet_sweeps(estate, 1)


@pytest.mark.parametrize(
    ("setting", "tag", "acts"),
    [
        ("enforce", "observe", False),
        ("enforce", "Observe", False),
        ("enforce", "enforce", True),
        ("enforce", "off", False),
        ("enforce", "", False),
        ("observe", "enforce", True),
        ("observe", "observe", False),
        ("observe", "yes please", False),
    ],
)
@pytest.mark.parametrize("event", [True, False], ids=["by event", "by sweep"])
async def test_the_tag_beats_the_setting_and_what_is_no_mode_changes_nothing(
    setting: str, tag: str, acts: bool, event: bool
) -> None:
    estate = await estate_under(setting)
    estate.events.settings.drop = not event
    endpoint = await estate.put_endpoint(tags=tagged(tag))
    for _ in range(2):
        await estate.settle()
        await estate.clock.sleep(60)  # where nothing waits, no time passes: the endpoint is being made meanwhile
        await estate.sweep()
    await estate.settle()
    record = await estate.connection(endpoint)
    assert record.identity.mode == ("enforce" if acts else "observe")
    assert bool(written(estate.worker)) is acts
    assert (record.status.phase == "Ready") is acts
    recognised = record.condition("Recognised")
    assert recognised is not None
    assert recognised.true
    if tag.strip().lower() in {"observe", "enforce"}:
        assert f"asks for the mode {tag.lower()}" in recognised.message
    else:
        assert f"{tag!r}, which is none of enforce, observe, ignore" in recognised.message
    await quiet_sweeps(estate)


# -- ignore --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["enforce", "observe"])
@pytest.mark.parametrize("event", [True, False], ids=["by event", "by sweep"])
async def test_an_ignored_endpoint_is_not_handled_and_its_record_says_why(setting: str, event: bool) -> None:
    estate = await estate_under(setting)
    estate.events.settings.drop = not event
    endpoint = await estate.put_endpoint(tags=tagged("ignore"))
    await estate.settle()
    if not event:  # the sweep reads everything, for what markers tell of endpoints that are gone
        await estate.sweep()
        await estate.settle()
    record = await estate.connection(endpoint)
    assert (record.status.phase, record.identity.mode, record.schedule.wake_at) == ("Ignored", "ignore", None)
    assert await estate.reason(endpoint, "Recognised") == "IgnoredByTag"
    if event:
        assert [call.what for call in estate.worker.wire.calls if call.service == "elastic"] == []
    await quiet_sweeps(estate)
    assert written(estate.worker) == []


@pytest.mark.parametrize("lost", [False, True], ids=["event", "event lost"])
async def test_a_connection_that_becomes_ignored_keeps_everything_and_is_repaired_no_more(lost: bool) -> None:
    estate = await estate_under("enforce")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    before = await estate.ready(endpoint)
    estate.events.settings.drop = lost
    await estate.put_endpoint(tags=tagged("ignore"))
    await estate.sweep()
    await estate.settle()
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)
    left = snapshot(estate)
    await quiet_sweeps(estate)
    await estate.send(endpoint)
    await estate.settle()
    record = await estate.connection(endpoint)
    assert (record.status.phase, record.identity.mode) == ("Ignored", "ignore")
    assert (record.dns.zone, record.dns.record, record.elastic.policy) == (
        before.dns.zone,
        before.dns.record,
        before.elastic.policy,
    )
    assert snapshot(estate) == left
    # The tag taken off again: handled like before.
    await estate.put_endpoint(tags=WISH)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


@pytest.mark.parametrize(
    ("value", "told"), [("ignore", ("Removed", "Retained")), ("observe", ("Blocked", "RemovalUndecided"))]
)
async def test_the_deletion_of_an_endpoint_that_is_not_enforced_removes_nothing(
    value: str, told: tuple[str, str]
) -> None:
    estate = await estate_under("enforce")
    endpoint = await a_ready_connection(estate)
    await estate.put_endpoint(tags=tagged(value))
    await estate.settle()
    before = snapshot(estate)
    await estate.delete(endpoint)
    for _ in range(4):
        await estate.settle()
        await estate.clock.sleep(1200)
        await estate.sweep()
    record = await estate.connection(endpoint)
    assert record.identity.mode == value
    assert (record.status.phase, await estate.reason(endpoint, "Removed")) == told
    assert snapshot(estate) == before


@pytest.mark.parametrize(
    ("decision", "reason", "left"), [("remove", "Removed", False), ("hand-over", "Retained", True)]
)
@pytest.mark.parametrize("after", ["observe", "retain"])
async def test_a_persons_word_ends_what_the_tag_of_a_deleted_endpoint_left_open(
    after: str, decision: str, reason: str, left: bool
) -> None:
    estate = await estate_under("enforce")
    endpoint = await a_ready_connection(estate)
    tags = {"observe": tagged("observe"), "retain": WISH | {"elastic-privatelink-on-delete": "retain"}}
    await estate.put_endpoint(tags=tags[after])
    await estate.settle()
    before = snapshot(estate)
    await estate.delete(endpoint)
    for _ in range(3):
        await estate.settle()
        await estate.clock.sleep(1200)
        await estate.sweep()
    record = await estate.connection(endpoint)
    if after == "observe":
        assert (
            f'/api/connections/{record.id}/decisions {{"decision": "remove", "endpoint": "pe-1"}}'
            in (record.condition("Removed") or record.status.conditions[0]).next_step
        )
    _, does = await decide(
        estate.worker.context,
        record.id,
        {"decision": decision, "endpoint": "pe-1"},
        Asked("key ops", "the-persons-word"),
    )
    assert does
    await estate.settle()
    for _ in range(3):
        await estate.clock.sleep(1200)
        await estate.sweep()
        await estate.settle()
    record = await estate.connection(endpoint)
    assert (record.status.phase, await estate.reason(endpoint, "Removed")) == ("Removed", reason)
    assert (snapshot(estate) == before) is left
    journal = (await estate.storage.journal.newest(record.id, 500)).entries
    assert any(entry.step == f"decision: {decision}" and entry.message for entry in journal)
