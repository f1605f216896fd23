"""One bad check is no alarm: a verdict changes when it is seen again, and a good one counts at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from local.world import vnet_id
from shared.core.model.record import ConnectionRecord
from shared.probe import ResolverFailed
from tests.harness.estate import Estate


async def a_ready_connection(estate: Estate) -> tuple[str, str]:
    """Its endpoint's id and address."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    return endpoint, (await estate.ready(endpoint)).identity.address


async def swept(estate: Estate, endpoint: str) -> ConnectionRecord:
    await estate.clock.sleep(300)
    await estate.sweep()
    await estate.settle(20)
    return await estate.connection(endpoint)


def turns(connection: ConnectionRecord) -> str:
    condition = connection.condition("Reachable")
    assert condition is not None
    return f"{connection.status.phase} {condition.status} {condition.reason}"


GOOD, BAD = "Ready True Reachable", "Degraded False NoRouteAlthoughApproved"


@pytest.mark.parametrize(
    ("needed", "network", "expected"),
    [
        ("2", "xoxoxoxo", [GOOD] * 8),
        ("2", "xxo", [GOOD, BAD, GOOD]),
        ("3", "xxoxxx", [GOOD, GOOD, GOOD, GOOD, GOOD, BAD]),
        ("1", "xox", [BAD, GOOD, BAD]),
    ],
)
async def test_only_as_many_bad_sweeps_in_a_row_as_the_setting_says_are_an_alarm(
    needed: str, network: str, expected: list[str]
) -> None:
    estate = await Estate(settings={"VERDICT_CHANGES_AFTER": needed}).open()
    endpoint, address = await a_ready_connection(estate)
    told = []
    for state in network:
        (estate.network.broken.add if state == "x" else estate.network.broken.discard)(address)
        told.append(turns(await swept(estate, endpoint)))
    assert told == expected
    assert not estate.queue.poison


async def test_what_the_last_check_saw_is_told_though_it_does_not_count_yet(estate: Estate) -> None:
    endpoint, address = await a_ready_connection(estate)
    since = (await estate.connection(endpoint)).status.conditions[-1].since
    estate.network.broken.add(address)
    connection = await swept(estate, endpoint)
    assert {check.reason for check in await estate.hosts(endpoint)} == {"NoRouteAlthoughApproved"}
    assert {check.effective.reason for check in await estate.hosts(endpoint) if check.effective} == {"Reachable"}
    assert connection.status.conditions[-1].since == since
    await estate.send(endpoint)
    estate.network.broken.clear()
    await estate.settle(5)
    connection = await estate.ready(endpoint)
    assert all(check.effective is None for check in await estate.hosts(endpoint))


async def test_a_person_who_asks_for_a_check_is_told_of_the_first_bad_one(estate: Estate) -> None:
    endpoint, address = await a_ready_connection(estate)
    estate.network.broken.add(address)
    await estate.send(endpoint)
    await estate.settle(5)
    connection = await estate.ready(endpoint)
    reachable = connection.condition("Reachable")
    assert reachable is not None
    assert "The last check was not good" in reachable.message
    assert "2 in a row" in reachable.message


async def test_the_first_verdict_counts_at_once_so_that_nothing_is_ready_untested(estate: Estate) -> None:
    """The deployment's Elasticsearch is down when its connection is made."""
    deployment = next(one for one in estate.elastic.deployments() if one.name == "logs-eastus2")
    deployment.unwell.add("es")
    endpoint = await estate.put_endpoint()
    await estate.settle(120)
    connection = await estate.connection(endpoint)
    assert turns(connection) == "Provisioning False ElasticsearchError"
    assert connection.status.ready_since is None
    deployment.unwell.clear()
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_name_server_that_is_down_teaches_nothing_and_is_no_alarm() -> None:
    estate = await Estate(app_vnet=vnet_id("eastus2")).open()
    endpoint, _ = await a_ready_connection(estate)
    context, network = estate.worker.context, estate.worker.context.network

    class Deaf:
        async def resolve(self, host: str) -> tuple[str, ...]:
            raise ResolverFailed

        async def connect(self, address: str, port: int) -> Any:
            return await network.connect(address, port)

    estate.worker = replace(estate.worker, context=replace(context, network=Deaf()))
    told = [turns(await swept(estate, endpoint)) for _ in range(3)]
    assert told == [GOOD, "Ready Unknown ResolverFailed", "Ready Unknown ResolverFailed"]
    ready = (await estate.connection(endpoint)).condition("Ready")
    assert ready is not None
    assert (ready.true, ready.reason) == (True, "SetUpNotTested")
    assert not estate.queue.messages
    estate.worker = replace(estate.worker, context=context)
    assert turns(await swept(estate, endpoint)) == GOOD


async def test_an_alias_that_was_changed_is_no_failure_at_all(estate: Estate) -> None:
    """The sweep sees the new name in the deployment's metadata before it tests the old one."""
    endpoint, _ = await a_ready_connection(estate)
    deployment = next(one for one in estate.elastic.deployments() if one.name == "logs-eastus2")
    estate.elastic.set_alias(deployment, "renamed")
    connection = await swept(estate, endpoint)
    assert turns(connection) == GOOD
    assert (await estate.hosts(endpoint))[0].host == deployment.private_host("es")
    assert [check.recent for check in await estate.hosts(endpoint)] == [("healthy Reachable",)] * 4
