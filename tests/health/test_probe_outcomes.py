"""The test of a connection told by what is really wrong in the clouds, each cause by its own reason."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from local.arm import Incoming
from local.elastic.deployments import PRODUCTS, Deployment
from local.world import vnet_id
from shared.core.model.conditions import Condition
from tests.harness.estate import Estate

DNS_API = "2024-06-01"


def the(estate: Estate, name: str = "logs-eastus2") -> Deployment:
    return next(deployment for deployment in estate.elastic.deployments() if deployment.name == name)


async def reachable(estate: Estate, endpoint: str) -> Condition:
    condition = (await estate.connection(endpoint)).condition("Reachable")
    assert condition is not None
    return condition


async def looked_at(estate: Estate, endpoint: str, times: int = 2) -> Condition:
    """What the loop says after so many looks; two that agree make a verdict."""
    for _ in range(times):
        await estate.send(endpoint)
        await estate.settle(5)
    return await reachable(estate, endpoint)


async def a_ready_connection(estate: Estate) -> str:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint


async def broken(estate: Estate, endpoint: str) -> str:
    """Nothing answers at the endpoint's address any more, as when the network between is broken."""
    address = (await estate.connection(endpoint)).identity.address
    estate.network.broken.add(address)
    return address


async def test_a_good_connection_is_tested_stage_by_stage_by_the_deployments_own_name(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    checks = await estate.hosts(endpoint)
    assert checks[0].host == the(estate).private_host("es")
    for check in checks:
        assert [name for name, _ in check.stages] == ["resolve", "connect", "tls", "http"]
        assert (check.status, check.reason) == ("healthy", "Reachable")


@pytest.mark.parametrize("port", ["9243", "443"])
@pytest.mark.parametrize("enterprise_search", [False, True])
async def test_every_service_of_the_deployment_is_tested_by_the_name_that_its_metadata_gives(
    port: str, enterprise_search: bool
) -> None:
    estate = await Estate(settings={"PROBE_PORT": port}).open()
    made = estate.elastic.add_deployment("all", "eastus2", ip_policy=True, enterprise_search=enterprise_search)
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": "all"})
    await estate.settle()
    await estate.ready(endpoint)
    last = [("ent", "enterprise_search")] if enterprise_search else []
    products = [("es", "elasticsearch"), ("kb", "kibana"), ("apm", "integrations_server"), ("fleet", "fleet"), *last]
    assert [(check.host, check.service) for check in await estate.hosts(endpoint)] == [
        (made.private_host(label), service) for label, service in products
    ]


@pytest.mark.parametrize(
    ("switches"),
    [
        {"kibana_answer": "login", "fleet_status": "HEALTHY"},
        {"kibana_answer": "unauthorized", "fleet_status": "DEGRADED"},
        {"kibana_answer": "forbidden", "enterprise_search_answer": "page"},
    ],
)
async def test_however_the_products_greet_a_stranger_they_are_well(switches: dict[str, Any]) -> None:
    estate = await Estate().open()
    for name, value in switches.items():
        setattr(estate.elastic_settings, name, value)
    estate.elastic.add_deployment("all", "eastus2", ip_policy=True, enterprise_search=True)
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": "all"})
    await estate.settle()
    assert {check.status for check in await estate.hosts(endpoint)} == {"healthy"}


@pytest.mark.parametrize(
    ("product", "status", "phase", "reason"),
    [
        ("kb", "degraded", "Degraded", "ServiceError"),
        ("fleet", "degraded", "Degraded", "ServiceError"),
        ("es", "degraded", "Degraded", "ElasticsearchError"),
    ],
)
async def test_one_service_that_is_down_degrades_the_connection_and_is_named(
    estate: Estate, product: str, status: str, phase: str, reason: str
) -> None:
    endpoint = await a_ready_connection(estate)
    the(estate).unwell.add(product)
    condition = await looked_at(estate, endpoint)
    connection = await estate.connection(endpoint)
    assert (condition.reason, str(connection.status.phase)) == (reason, phase)
    assert the(estate).private_host(product) in condition.message
    (bad,) = [check for check in await estate.hosts(endpoint) if check.status != "healthy"]
    assert (bad.host, bad.status) == (the(estate).private_host(product), status)
    the(estate).unwell.clear()
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_service_that_was_switched_off_is_not_missed(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    the(estate).switched_off.add("kb")
    await estate.send(endpoint)
    await estate.settle(5)
    await estate.ready(endpoint)
    assert "kibana" not in {check.service for check in await estate.hosts(endpoint)}


async def test_without_a_deployment_the_path_itself_is_tested(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    await estate.ready(endpoint)
    assert (await reachable(estate, endpoint)).reason == "PathWorks"


async def a_record_for(estate: Estate, label: str, address: str) -> None:
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": address}]}}
    await estate.azure("PUT", f"{estate.zone().id}/A/{label}", body, api=DNS_API)


@pytest.mark.parametrize(("address", "reason"), [("10.99.0.4", "WrongAddress"), ("20.1.2.3", "PublicAddress")])
async def test_another_address(estate: Estate, address: str, reason: str) -> None:
    """A record of its own hides the * record for the deployment's name; the zone and * are as they should be."""
    endpoint = await a_ready_connection(estate)
    label = the(estate).private_host("es").removesuffix(f".{estate.zone().name}")
    await a_record_for(estate, label, address)
    condition = await looked_at(estate, endpoint)
    assert condition.reason == reason
    assert address in condition.message
    assert (await estate.connection(endpoint)).identity.address in condition.message


async def test_a_certificate_for_other_names(estate: Estate) -> None:
    """Something else answers at the endpoint's address, with a certificate of its own."""
    endpoint = await a_ready_connection(estate)
    wrong = ["*.privatelink.westeurope.azure.elastic-cloud.com"]
    estate.network.intercepted[(await estate.connection(endpoint)).identity.address] = wrong
    condition = await looked_at(estate, endpoint)
    assert condition.reason == "CertificateMismatch"
    assert wrong[0] in condition.message


async def test_a_deployment_that_no_policy_opens_to_the_endpoint() -> None:
    """Elastic lists the association, its proxy does not have it: the test finds out."""
    estate = await Estate().open()
    endpoint = await a_ready_connection(estate)
    (policy,) = estate.policies_of(endpoint)
    estate.elastic_settings.proxy_missing_policies.add(policy.id)
    condition = await looked_at(estate, endpoint)
    assert condition.reason == "ForbiddenByPolicy"
    assert "Associate" in condition.next_step


async def test_a_name_that_elastic_does_not_know_any_more(estate: Estate) -> None:
    """The alias leads nowhere at the proxy, while the API still shows it."""
    endpoint = await a_ready_connection(estate)
    unknown = estate.elastic_settings.proxy_unknown_hosts
    unknown.update(the(estate).private_host(product) for product in PRODUCTS)
    condition = await looked_at(estate, endpoint)
    assert condition.reason == "AliasNotServed"
    assert "alias" in condition.next_step
    unknown.clear()
    await estate.settle()
    await estate.ready(endpoint)


async def test_an_alias_that_was_changed_is_followed(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    before = the(estate).private_host("es")
    estate.elastic.set_alias(the(estate), "renamed")
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    assert (await estate.hosts(endpoint))[0].host == the(estate).private_host("es") != before


async def two_deployments(estate: Estate) -> str:
    estate.elastic.add_deployment("more", "eastus2", ip_policy=True)
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2,more"})
    await estate.settle()
    await estate.ready(endpoint)
    return endpoint


async def test_one_bad_deployment_of_two_is_named(estate: Estate) -> None:
    endpoint = await two_deployments(estate)
    bad = the(estate, "more").private_host("es")
    estate.elastic_settings.proxy_unknown_hosts.add(bad)
    condition = await looked_at(estate, endpoint)
    assert condition.reason == "AliasNotServed"
    assert bad in condition.message
    checks = await estate.hosts(endpoint)
    reasons = [check.reason for check in checks if check.service == "elasticsearch"]
    assert reasons == ["Reachable", "AliasNotServed"]


async def test_a_record_for_one_name_hides_the_wildcard_from_its_neighbours_too(estate: Estate) -> None:
    """RFC 4592: below a name that exists, here `es`, the zone's `*` does not answer any more."""
    endpoint = await two_deployments(estate)
    label = the(estate, "more").private_host("es").removesuffix(f".{estate.zone().name}")
    await a_record_for(estate, label, "10.99.0.4")
    await looked_at(estate, endpoint)
    checks = await estate.hosts(endpoint)
    reasons = [check.reason for check in checks if check.service == "elasticsearch"]
    assert reasons == ["NameNotFound", "WrongAddress"]


async def test_a_withdrawn_approval_is_told_from_a_broken_network(estate: Estate) -> None:
    """Disconnected is no case for a test: the reason is in Azure already."""
    endpoint = await a_ready_connection(estate)
    estate.arm.set_connection(endpoint, "Disconnected")
    await estate.sweep()
    await estate.settle()
    connection = await estate.connection(endpoint)
    assert connection.status.phase == "Blocked"
    assert await estate.reason(endpoint, "Approved") == "Disconnected"
    ready = connection.condition("Ready")
    assert ready is not None
    assert ready.reason == "Disconnected"


# -- tests that fail again and again -------------------------------------------------------------------------------


async def test_a_test_that_fails_is_repeated_with_growing_delays_and_then_left_to_the_timer(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    await broken(estate, endpoint)
    await looked_at(estate, endpoint, 1)
    estate.worker = estate.new_worker()
    looks: list[float] = []
    began = estate.clock.now()

    def note(request: Incoming) -> None:
        if request.operation == "GET privateEndpoint":
            looks.append((estate.clock.now() - began).total_seconds())

    estate.arm.faults.append(note)
    await estate.send(endpoint)
    await estate.settle(7200)
    pauses = [round(later - earlier) for earlier, later in pairwise(looks)]
    assert [round(pause) for pause in pauses] == sorted(pauses)
    assert pauses[0] <= 25, "the test's own time included"
    assert pauses[-1] == 65
    assert 8 <= len(looks) <= 14
    assert not estate.queue.messages
    assert not estate.queue.poison
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, connection.schedule.wake_at) == ("Degraded", None)


async def test_a_connection_that_fails_is_no_reason_to_touch_anything(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    await broken(estate, endpoint)
    estate.worker = estate.new_worker()
    for _ in range(3):
        await estate.sweep()
        await estate.settle()
    assert (await reachable(estate, endpoint)).reason == "NoRouteAlthoughApproved"
    assert not [c.name for c in estate.worker.wire.calls if c.writes and c.service in {"arm", "elastic"}]
    assert vnet_id("eastus2") in {link.vnet.id for link in estate.links_of(estate.zone())}
