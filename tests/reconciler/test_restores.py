"""What others change or delete of the app's own: put right a bounded number of times, counted, and told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from shared.api.queries import list_connections
from shared.core.model.record import ConnectionRecord
from tests.harness.estate import Estate

pytestmark = pytest.mark.both_families(at_length=True)

DNS_API = "2024-06-01"
DAY = 86_400


async def connected(estate: Estate) -> str:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint


async def swept(estate: Estate, seconds: float = 300) -> None:
    await estate.sweep()
    await estate.settle(seconds)


async def delete_record(estate: Estate, endpoint: str) -> None:
    del endpoint
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)


async def delete_link(estate: Estate, endpoint: str) -> None:
    del endpoint
    await estate.azure("DELETE", min(one.id for one in estate.links_of(estate.zone())), api=DNS_API)
    await estate.clock.sleep(5)


async def delete_policy(estate: Estate, endpoint: str) -> None:
    (policy,) = estate.policies_of(endpoint)
    for association in list(policy.associations):
        estate.elastic.disassociate(policy.id, association)
    estate.elastic.delete_policy(policy.id)


async def change_record(estate: Estate, endpoint: str) -> None:
    """Another writer that keeps the metadata, as Terraform does."""
    del endpoint
    zone = estate.zone()
    body = {
        "properties": {
            "ttl": 300,
            "aRecords": [{"ipv4Address": "10.9.9.9"}],
            "metadata": zone.record_sets["A", "*"].metadata,
        }
    }
    await estate.azure("PUT", f"{zone.id}/A/*", body, api=DNS_API)


async def change_rule(estate: Estate, endpoint: str) -> None:
    (policy,) = estate.policies_of(endpoint)
    for rule in policy.rules:
        rule["azure_endpoint_name"] = "another"


def advice_of(record: ConnectionRecord) -> str:
    return " ".join(one.message for one in record.advice if one.reason == "RestoredAgain")


Change = Callable[[Estate, str], Awaitable[None]]


@pytest.mark.parametrize(
    ("delete", "condition", "things"),
    [(delete_record, "RecordReady", "the * record"), (delete_link, "Linked", "the link")],
)
async def test_what_is_deleted_is_made_again_at_once_and_each_later_time_after_twice_as_long(
    estate: Estate, delete: Change, condition: str, things: str
) -> None:
    endpoint = await connected(estate)
    waited = []
    for _ in range(9):
        await delete(estate, endpoint)
        begun = estate.clock.now()
        await estate.send(endpoint, "event-write")
        await estate.settle(0)
        found = (await estate.connection(endpoint)).condition(condition)
        assert found is not None
        if not found.true:
            assert (found.reason, str(found.needs)) == ("RestoreDelayed", "time")
            assert "It makes it again at" in found.message
        await estate.settle(2 * 3600)
        made = (await estate.ready(endpoint)).status.repaired[-1]
        waited.append(round((made - begun).total_seconds()))
        await estate.clock.sleep(1)
    assert waited[0] < 10
    first, *later = [one for one in waited if one >= 10]
    assert 30 <= first <= 70
    assert max(later) <= 3630
    assert things in advice_of(await estate.connection(endpoint))
    assert "9 times in 7 days" in advice_of(await estate.connection(endpoint))


@pytest.mark.both_families
@pytest.mark.parametrize(("change", "condition"), [(change_record, "RecordReady"), (change_rule, "PolicyReady")])
async def test_another_value_that_comes_back_is_put_right_three_times_and_then_left_to_a_person(
    estate: Estate, change: Change, condition: str
) -> None:
    endpoint = await connected(estate)
    for count in (1, 2, 3):
        await change(estate, endpoint)
        await swept(estate)
        record = await estate.ready(endpoint)
        assert f"restored it {count} of 3 times in 7 days" in advice_of(record)
    writes = len(estate.changes), len(estate.elastic.history)
    await change(estate, endpoint)
    writes = len(estate.changes), len(estate.elastic.history)
    for _ in range(3):
        await swept(estate)
        await estate.clock.sleep(3600)
    record = await estate.connection(endpoint)
    found = record.condition(condition)
    assert found is not None
    assert (record.status.phase, found.reason) == ("Blocked", "RestoreContested")
    assert "3 of 3 times" in found.message
    assert found.next_step
    assert (len(estate.changes), len(estate.elastic.history)) == writes
    await estate.send(endpoint)
    await estate.settle()
    await estate.ready(endpoint)


async def test_after_seven_days_the_count_begins_anew(estate: Estate) -> None:
    endpoint = await connected(estate)
    for _ in range(3):
        await change_record(estate, endpoint)
        await swept(estate)
    await estate.clock.sleep(7 * DAY)
    await change_record(estate, endpoint)
    await swept(estate)
    assert "1 of 3 times" in advice_of(await estate.ready(endpoint))


async def test_a_repair_leaves_a_trace_with_before_and_after_and_a_count_on_the_overview(estate: Estate) -> None:
    endpoint = await connected(estate)
    for change in (change_record, delete_link):
        await change(estate, endpoint)
        await swept(estate)
    record = await estate.ready(endpoint)
    entries = (await estate.storage.journal.newest(record.id, 500)).entries
    repaired = [entry for entry in entries if entry.message.startswith("Others ")]
    address = record.identity.address
    assert [(entry.before, entry.after) for entry in repaired] == [("not there", "there"), ("10.9.9.9", address)]
    assert f"to 10.9.9.9; the app has put it right: {address}." in repaired[1].message
    assert [entry for entry in entries if not entry.message] == [], "every entry says something"
    (row,) = (await list_connections(estate.worker.context))["items"]
    assert row["repairedToday"] == 2
    await estate.clock.sleep(DAY)
    (row,) = (await list_connections(estate.worker.context))["items"]
    assert row["repairedToday"] == 0


async def test_what_is_made_for_the_first_time_or_follows_the_endpoint_is_no_repair(estate: Estate) -> None:
    endpoint = await connected(estate)
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await swept(estate, 1800)
    record = await estate.ready(endpoint)
    assert (record.status.restored, record.status.repaired) == ((), ())
