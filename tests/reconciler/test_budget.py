"""What the happy path costs: requests to Azure and Elastic Cloud, counted on the wire and by the clouds themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.elastic.history import HistoryEvent
from tests.harness.estate import Estate
from tests.harness.wire import Call

ARM_BUDGET = 13
"""With zone and link absent, and one further network to link; polls of long-running operations do not count."""
ELASTIC_BUDGET = 7
"""One more than it takes: the deployments are read before the approval too, to tell what will come of it."""


OPERATIONS = Path(__file__).resolve().parents[2].joinpath("docs", "production.md").read_text(encoding="utf-8")


def of(estate: Estate, service: str) -> list[Call]:
    return [call for call in estate.worker.wire.calls if call.service == service and not call.polls]


async def test_the_happy_path_stays_within_its_budget(estate: Estate) -> None:
    azure_before, elastic_before = len(estate.arm.requests), len(estate.elastic.requests)
    endpoint = await estate.put_endpoint()
    of_the_user = len(estate.arm.requests) - azure_before
    await estate.settle()
    await estate.ready(endpoint)
    azure, elastic = of(estate, "arm"), of(estate, "elastic")
    assert len(azure) <= ARM_BUDGET, "\n".join(call.name for call in azure)
    assert len(elastic) <= ELASTIC_BUDGET, "\n".join(call.name for call in elastic)
    counted = [r.operation for r in estate.arm.requests[azure_before + of_the_user :] if r.operation != "GET operation"]
    assert len(counted) == len(azure), counted
    assert len(estate.elastic.requests) - elastic_before == len(elastic)


async def test_a_second_endpoint_of_another_network_that_shares_nothing_costs_no_more(estate: Estate) -> None:
    await estate.put_endpoint()
    await estate.settle()
    estate.worker = estate.new_worker()
    endpoint = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle()
    await estate.ready(endpoint)
    assert len(of(estate, "arm")) <= ARM_BUDGET
    assert len(of(estate, "elastic")) <= ELASTIC_BUDGET


async def test_a_look_at_the_approval_is_one_request(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(100)
    assert (await estate.connection(endpoint)).status.phase == "AwaitingApproval"
    estate.worker = estate.new_worker()
    await estate.settle(70)
    looks = [call for call in estate.worker.wire.calls if (call.service, call.what) == ("queue", "send")]
    assert len(looks) >= 1
    assert len(of(estate, "arm")) == len(looks)
    assert of(estate, "elastic") == []


@pytest.mark.parametrize(
    "right", [f"Microsoft.Network/{what}" for what in ("privateDnsZones/write", "privateDnsZones/A/write")]
)
async def test_what_a_person_must_mend_is_left_to_the_sweep(estate: Estate, right: str) -> None:
    """Of a hundred endpoints without a right, one look a minute each would take all private DNS reads there are.

    One more look is taken: a role that was just assigned is not known everywhere at once.
    """
    estate.arm_settings.denied_actions.add(right)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Blocked"
    assert (await estate.connection(endpoint)).schedule.wake_at is None
    assert len(of(estate, "arm")) <= 2 * ARM_BUDGET
    estate.arm_settings.denied_actions.clear()
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_run_over_a_ready_connection_changes_nothing(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    history: list[HistoryEvent] = list(estate.elastic.history)
    changes = list(estate.changes)
    for cause in ("manual", "timer", "event-write"):
        estate.worker = estate.new_worker()
        await estate.send(endpoint, cause)
        await estate.settle()
        written = [call.name for call in estate.worker.wire.calls if call.writes and call.service in {"arm", "elastic"}]
        assert written == []
        assert len(of(estate, "arm")) <= 4, "endpoint, network, links, records"
        assert len(of(estate, "elastic")) <= 2, "policies, deployments"
    assert estate.elastic.history == history
    assert estate.changes == changes
    assert not estate.queue.messages


async def test_a_tables_row_is_written_a_bounded_number_of_times(estate: Estate) -> None:
    """Each write of the record is a transaction that the storage account charges for."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    written = [call for call in estate.worker.wire.calls if call.service == "connections" and call.writes]
    assert len(written) <= 20


async def test_the_reads_of_a_first_connection_are_those_that_operators_are_told(estate: Estate) -> None:
    estate.arm_settings.zone_seconds, estate.arm_settings.link_seconds = 30, 10
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    every = [call for call in estate.worker.wire.calls if call.service == "arm" and "privateDns" in call.what]
    reads = [call for call in every if not call.writes]
    polls = [call for call in reads if call.polls]
    assert f"{len(reads)} private DNS reads, {len(polls)} of them asking" in OPERATIONS


async def test_the_reads_of_a_sweep_and_of_a_run_are_those_that_operators_are_told(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    estate.worker = estate.new_worker()
    await estate.sweep()
    assert (len(of(estate, "arm")), len(of(estate, "elastic"))) == (3 + 1 + 2, 1 + 1)
    assert "3 lists (endpoints, interfaces, networks) + 1 list of zones + 2 per zone" in OPERATIONS
    assert "1 list of policies + 1 search" in OPERATIONS
    estate.worker = estate.new_worker()
    await estate.send(endpoint)
    await estate.settle()
    assert (len(of(estate, "arm")), len(of(estate, "elastic"))) == (1 + 1 + 2, 2)
    assert "| 1 endpoint + 1 network + 2 DNS + 2 Elastic Cloud |" in OPERATIONS


async def test_a_new_process_need_not_find_out_how_long_azure_takes(estate: Estate) -> None:
    estate.arm_settings.zone_seconds, estate.arm_settings.link_seconds = 30, 10
    for number, region in enumerate(("eastus2", "westeurope", "uksouth")):
        estate.worker = estate.new_worker()
        await estate.put_endpoint(f"pe-{number}", region=region)
        await estate.settle()
    reads = [call for call in of(estate, "arm") if "privateDns" in call.what and not call.writes]
    polls = [call for call in estate.worker.wire.calls if call.polls]
    assert f"of a process that is started later {len(polls) + len(reads)}" in OPERATIONS
