"""One endpoint with very many targets: tested in turns, shown with a bound, and told before anything is made."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.api.queries import get_checks, get_connection
from shared.core.guards.consent import CONNECT_TAG
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import to_document
from shared.core.model.record_elastic import AssociationMemory, TargetMemory
from shared.core.model.services import PrivateUrl
from shared.state import codec
from shared.state.rows import ConnectionRow
from tests.harness.by_hand import policy_by_hand
from tests.harness.estate import Estate
from tests.harness.wire import Call, Outcome, Refusal, Stall

HOURLY = 3600.0


def add_targets(estate: Estate, number: int, *, asking: bool = True, off: frozenset[str] = frozenset()) -> list[str]:
    """Deployments that ask for every endpoint of the region; `off`: products that are switched off. Their names."""
    estate.elastic_settings.max_rulesets = 10_000
    tags = {CONNECT_TAG: "*"} if asking else {}
    made = [estate.elastic.add_deployment(f"t{one}", "eastus2", ip_policy=asking, tags=tags) for one in range(number)]
    for one in made:
        one.switched_off |= off
    return [one.name for one in made]


async def swept(estate: Estate, seconds: float = 600.0) -> Any:
    await estate.clock.sleep(HOURLY)
    found = await estate.sweep()
    if seconds:
        await estate.settle(seconds)
    return found


async def test_a_thousand_targets_with_two_hosts_each_are_ready_tested_shown_and_plotted() -> None:
    estate = await Estate(settings={"VERDICT_CHANGES_AFTER": "1"}).open()
    estate.events.settings.drop = True
    names = add_targets(estate, 1000, asking=False, off=frozenset({"apm"}))
    endpoint = await estate.put_endpoint(tags={})
    await estate.clock.sleep(60)
    policy_by_hand(estate, endpoint, "eastus2", *names)
    await estate.send(endpoint)
    await estate.settle()
    record = await estate.ready(endpoint)
    assert (len(record.elastic.targets), record.health.summary.hosts) == (1000, 2000)
    assert record.health.summary.tested == 200, "a run tests as many as there are sockets"
    texts = [one.message for one in (*record.status.conditions, *record.status.advice)]
    assert max(map(len, texts)) < 1000, "texts name twenty of many"
    assert (await swept(estate, 1)).errors == []
    known = len(estate.storage.hosts.stored[record.id])
    assert 1100 <= known <= 1300
    detail = await get_connection(estate.worker.context, record.id)
    assert (len(detail["targets"]), len(detail["checks"])) == (1000, known)
    checks = (await get_checks(estate.worker.context, record.id, 10, None))["items"]
    assert (checks[0]["tested"], checks[0]["failed"], len(checks[0]["hosts"])) == (1100, 0, 100)

    estate.storage.hosts.requests.clear()
    estate.network.broken.add(record.identity.address)
    assert (await swept(estate, 0)).enqueued == 1
    assert estate.storage.hosts.requests == {"list": math.ceil(known / codec.PAGE), "write": 1100 / codec.BATCH}
    await estate.settle(1)
    record = await estate.connection(endpoint)
    assert record.status.phase == "Degraded", "an outage of all of them is noticed"
    assert "more." in next(one.message for one in record.status.conditions if one.type == "Reachable")


OF_DNS = ("ZoneReady", "Linked", "RecordReady")
STANDING = {"Exists", "Linked", "PointsToEndpoint"}


def changes(estate: Estate) -> list[str]:
    """What the app sent to change either cloud."""
    sent = (call for call in estate.worker.wire.calls if call.writes and call.service in {"arm", "elastic"})
    return [call.name for call in sent]


@pytest.mark.parametrize("slow", ["", "arm", "elastic"], ids=["as usual", "slow Azure", "slow Elastic Cloud"])
async def test_over_the_bound_a_condition_says_so_before_anything_is_made_in_either_cloud(slow: str) -> None:
    estate = await Estate(settings={"TARGETS_MAX": "5"}).open()
    estate.worker = estate.new_worker(lambda call: Stall(5.0) if call.service == slow else None)
    add_targets(estate, 6)
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    record = await estate.connection(endpoint)
    assert record.status.phase == "Blocked"
    blocked = (*OF_DNS, "PolicyReady", "Associated", "Ready")
    assert {await estate.reason(endpoint, one) for one in blocked} == {"TooManyTargets"}
    assert "6 deployments; TARGETS_MAX allows 5" in next(
        one.message for one in record.status.conditions if one.type == "Associated"
    )
    assert changes(estate) == []
    assert (estate.policies_of(endpoint), estate.arm.private_dns_zones()) == ([], [])
    assert (await swept(estate)).enqueued == 0, "it waits for a person"
    assert changes(estate) == []
    estate.elastic.deployments()[-1].tags.clear()
    await swept(estate)
    assert len((await estate.ready(endpoint)).elastic.associations) == 5


async def test_dns_goes_on_where_elastic_cloud_shows_no_targets_and_stays_when_they_are_too_many() -> None:
    estate = await Estate(settings={"TARGETS_MAX": "5"}).open()
    lost: list[bool] = [True]
    estate.worker = estate.new_worker(lambda call: Refusal(503) if lost and call.service == "elastic" else None)
    add_targets(estate, 6)
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle(120)
    assert {await estate.reason(endpoint, one) for one in OF_DNS} <= STANDING
    lost.clear()
    before = len(changes(estate))
    await swept(estate)
    assert await estate.reason(endpoint, "PolicyReady") == "TooManyTargets"
    assert {await estate.reason(endpoint, one) for one in OF_DNS} <= STANDING
    assert changes(estate)[before:] == []


async def test_dns_waits_no_longer_for_elastic_cloud_than_half_of_a_run() -> None:
    estate = await Estate(settings={"RUN_SECONDS": "60"}).open()
    estate.worker = estate.new_worker(lambda call: Stall(10**6) if call.service == "elastic" else None)
    endpoint = await estate.put_endpoint()
    await estate.settle(300)
    assert (await estate.connection(endpoint)).dns.record is not None


async def test_what_is_connected_stays_when_more_ask_for_the_endpoint_than_the_bound_allows() -> None:
    estate = await Estate(settings={"TARGETS_MAX": "5"}).open()
    add_targets(estate, 5)
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    (policy,) = estate.policies_of(endpoint)
    late = estate.elastic.add_deployment("late", "eastus2", ip_policy=True, tags={CONNECT_TAG: "*"})
    await swept(estate)
    record = await estate.connection(endpoint)
    assert (record.status.phase, len(record.elastic.associations)) == ("Blocked", 5)
    assert policy.id not in {one.id for one in estate.elastic.attached(late.id)}


async def test_other_services_than_the_main_one_are_tested_in_turn_and_what_failed_sooner() -> None:
    estate = await Estate(settings={"HOSTS_PER_CHECK": "10"}).open()
    add_targets(estate, 10)
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    record = await estate.ready(endpoint)
    assert (record.health.summary.hosts, record.health.summary.tested) == (40, 20)
    for _ in range(2):
        await swept(estate)
    assert len(await estate.hosts(endpoint)) == 40
    bad = estate.elastic.deployments()[-1]
    bad.unwell.add("kb")
    told = [(await swept(estate), (await estate.connection(endpoint)).health.summary)[1] for _ in range(4)]
    assert all(one.tested == 20 for one in told)
    assert told[-1].failed == 1, "in its turn, and then in each until it counts"
    assert bad.private_host("kb") in {one.host for one in await estate.hosts(endpoint) if one.status != "healthy"}


async def test_a_run_ends_in_time_however_many_targets_there_are_to_connect() -> None:
    def slow(call: Call) -> Outcome:
        return Stall(1.0) if call.service == "elastic" and call.what.startswith("POST") else None

    estate = await Estate(settings={"RUN_SECONDS": "60"}).open()
    estate.worker = estate.new_worker(slow)
    add_targets(estate, 40)
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    assert len((await estate.ready(endpoint)).elastic.associations) == 40
    runs = [call for call in estate.worker.wire.calls if call.what == "list" and call.service == "hosts"]
    assert len(runs) > 1, "forty seconds of requests are more than half of one run"
    assert not estate.queue.poison


class Counting:
    """A network whose connections take a second, and that counts how many are open at once."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.open, self.most = inner, 0, 0

    async def resolve(self, host: str) -> tuple[str, ...]:
        return tuple(await self.inner.resolve(host))

    async def connect(self, address: str, port: int) -> Any:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await asyncio.sleep(1)
            return await self.inner.connect(address, port)
        finally:
            self.open -= 1


@pytest.mark.parametrize("connections", [1, 3])
async def test_sockets_are_bounded_and_not_connections(connections: int) -> None:
    estate = await Estate(settings={"SOCKETS_AT_ONCE": "10", "DNS_RECORD_MODE": "union"}).open()
    add_targets(estate, 8)
    for number in range(connections):
        await estate.put_endpoint(f"pe-{number}", tags={})
    await estate.settle()
    network = Counting(estate.worker.context.network)
    estate.worker = replace(estate.worker, context=replace(estate.worker.context, network=network))
    await estate.clock.sleep(HOURLY)
    assert (await estate.sweep()).probed == connections
    assert network.most == 10


async def test_a_sweep_reads_the_hosts_of_those_connections_alone_that_it_tests() -> None:
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    endpoints = [await estate.put_endpoint(f"pe-{number}") for number in range(3)]
    await estate.settle()
    await estate.delete(endpoints[0])
    await estate.settle(60)
    estate.storage.hosts.requests.clear()
    await estate.clock.sleep(HOURLY)
    found = await estate.sweep()
    assert found.probed == estate.storage.hosts.requests["list"] == 2


async def test_an_endpoint_that_was_made_anew_begins_without_what_was_seen_of_the_former_one() -> None:
    estate = await Estate().open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    before = (await estate.ready(endpoint)).identity.guid
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.settle()
    record = await estate.ready(endpoint)
    assert record.identity.guid != before
    assert all(one.recent == ("healthy Reachable",) for one in await estate.hosts(endpoint))


async def test_hosts_that_cannot_be_read_are_no_alarm_and_what_stood_stands() -> None:
    refused: list[bool] = []

    def refuse(call: Call) -> Outcome:
        return Refusal(503) if refused and call.service == "hosts" else None

    estate = await Estate(settings={"VERDICT_CHANGES_AFTER": "2"}).open()
    estate.worker = estate.new_worker(refuse)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    refused.append(True)
    estate.network.broken.add((await estate.ready(endpoint)).identity.address)
    for _ in range(3):
        await swept(estate)
    assert (await estate.connection(endpoint)).status.phase == "Ready"
    refused.clear()
    for _ in range(2):
        await swept(estate)
    assert (await estate.connection(endpoint)).status.phase == "Degraded"


async def test_the_record_of_a_thousand_targets_with_the_longest_names_can_be_stored() -> None:
    rng = random.Random(1)

    def target() -> TargetMemory:
        alias, ending = rng.randbytes(26).hex(), "privatelink.southcentralus.azure.elastic-cloud.com"
        urls = tuple(
            PrivateUrl(one, f"{alias}.{one}.{ending}", 9243, f"{rng.randbytes(16).hex()}.{one}.{ending}")
            for one in ("elasticsearch", "kibana", "apm", "fleet", "enterprise_search")
        )
        return TargetMemory(rng.randbytes(16).hex(), rng.randbytes(64).hex(), urls, "reconfiguring")

    targets = tuple(target() for _ in range(1000))
    memories = tuple(AssociationMemory(one.id, None, one.name, datetime(2026, 1, 2, tzinfo=UTC)) for one in targets)
    record = ConnectionRecord("/subscriptions/s/resourceGroups/g/providers/p/privateEndpoints/pe").with_elastic(
        targets=targets, associations=memories
    )
    entity = codec.connection_entity(codec.holding(ConnectionRow(record.id), record))
    row = codec.connection_row(entity, "1")
    assert codec.record_in(row) == record
    assert len(str(to_document(record))) > 1_000_000
