"""In every way that the live services may behave without a document, a connection's whole life ends the same.

Every switch of the local clouds is turned, each to every position that it has: an endpoint is connected, loses its
record, asks for another deployment, is made again under its name, and goes; another one asks for deployments that it
must not have. A switch that is added later has to be told here, or why it is not.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from local.cli.switches import Switches
from local.elastic.history import most_policies_at_once
from tests.harness.estate import Estate
from tests.harness.outcome import end_state

NUMBERS: dict[str, list[Any]] = {
    # Azure
    "arm.zone_seconds": [45],
    "arm.link_seconds": [45],
    "arm.endpoint_seconds": [90],
    "arm.endpoint_delete_seconds": [60],
    "arm.nic_seconds": [60],
    "arm.nic_address_seconds": [90],
    "arm.network_seconds": [10],
    "arm.network_retry_after": [7],
    "arm.dns_retry_after": [7],
    "arm.not_found_after_create_seconds": [120],
    "arm.link_effect_seconds": [120],
    "arm.stale_list_seconds": [60],
    "arm.arm_bucket": [{"reads": [12, 1], "writes": [4, 0.5], "deletes": [2, 0.5]}],
    "arm.private_dns_reads_per_5_minutes": [15],
    "arm.private_dns_writes_per_hour": [20],
    "arm.network_reads_per_5_minutes": [10],
    "arm.page_size": [1],
    # Elastic Cloud
    "elastic.delete_with_associations": [400, 500],
    "elastic.limit_status": [409],
    "elastic.unwell_status": [504],
    "elastic.approval_seconds": [300],
    "elastic.create_lag_seconds": [45],
    "elastic.association_lag_seconds": [45],
    "elastic.disassociation_lag_seconds": [45],
    "elastic.association_effect_seconds": [45],
    "elastic.disassociation_effect_seconds": [45],
    "elastic.latency_seconds": [2],
    "elastic.hits_per_page": [1],
    "elastic.rate_limit": [10],
    "elastic.rate_limit_interval_seconds": [600],
    "elastic.retry_after_seconds": [3],
    # Event Grid
    "events.delivery_delay": [90],
    "events.reorder_within": [60],
    "events.probation_after": [1],
    "events.probation_seconds": [60],
}
ELSEWHERE = {
    "arm.subscriptions": "what there is, no behaviour",
    "arm.tenant_id": "what there is, no behaviour",
    "arm.client_ids": "what there is, no behaviour",
    "arm.assigned": "what there is, no behaviour",
    "arm.management_groups": "what there is, no behaviour",
    "arm.other_tenants": "a person's to mend: test_refusals",
    "arm.disabled_subscriptions": "a person's to mend: test_refusals",
    "arm.unregistered_subscriptions": "a person's to mend: test_refusals",
    "arm.registration_seconds": "how long a person waits",
    "arm.group_delete_seconds": "how long a person waits",
    "arm.move_seconds": "how long a person waits",
    "arm.missing_resource_groups": "a person's to mend: test_dns_rules",
    "arm.failing_endpoints": "such an endpoint never works: situations_azure",
    "arm.endpoints_without_subnet": "such an endpoint never works: test_never_addressed",
    "arm.denied_actions": "a person's to mend: test_safety, test_removal_leaves",
    "arm.outage": "nothing can be done meanwhile: test_doubtful_answers",
    "elastic.approves": "such an endpoint waits for ever: test_sweep_scale",
    "elastic.outage": "nothing can be done meanwhile: test_doubtful_answers",
    "elastic.invisible_deployments": "such a deployment is not there: test_whose_it_is",
    "elastic.editable_deployments": "a person's to mend: test_safety",
    "elastic.max_rulesets": "a limit, documented",
    "elastic.max_rules": "a limit, documented",
    "elastic.claimed_elsewhere": "a person's to mend: test_changed_deployments",
    "elastic.api_key_expires_at": "a person's to mend: notify/test_notify_keys",
    "elastic.proxy_unknown_hosts": "a name that the proxy does not know: situations_elastic, test_probe_outcomes",
    "elastic.proxy_missing_policies": "a policy that the proxy lacks: situations_elastic, test_probe_outcomes",
    "elastic.proxy_unknown_aliases": "a name that the proxy does not know: test_elastic_deployments",
    "elastic.served_states": "a deployment that is not well: test_elastic_deployments",
    "elastic.fleet_status": "a deployment that is not well: test_probe_outcomes",
    "events.retry_schedule": "documented",
    "events.retry_jitter": "documented",
    "events.answer_timeout": "documented",
    "events.time_scale": "for a person who does not want to wait",
    "events.max_delivery_attempts": "documented; how an event is lost is `drop`",
    "events.event_time_to_live_minutes": "documented; how an event is lost is `drop`",
    "events.dead_letter_delay": "documented",
}
SWEEPS = 12
"""An hour: longer than anything takes that a switch makes slow."""
TOGETHER: dict[str, dict[str, Any]] = {
    "arm.throttle_retry_after": {"arm.private_dns_reads_per_5_minutes": 15},
    "arm.throttle_shape": {"arm.private_dns_reads_per_5_minutes": 15},
    "elastic.rate_limit_interval_seconds": {"elastic.rate_limit": 10},
    "elastic.retry_after_seconds": {"elastic.rate_limit": 10},
    "events.probation_seconds": {"events.probation_after": 1},
}
"""What has to be turned too, so that the position can be met at all."""


def switches_of(estate: Estate) -> Switches:
    return Switches({"arm": estate.arm_settings, "elastic": estate.elastic_settings, "events": estate.events.settings})


@cache
def positions() -> list[tuple[str, Any]]:
    """Each switch with each position besides the one it is in: its words, and numbers as told above."""
    switches = switches_of(Estate())
    every = {
        name: [*switches.words(name), *NUMBERS.get(name, ())] for name in switches.values() if name not in ELSEWHERE
    }
    now = switches.values()
    return [(name, value) for name, listed in every.items() for value in listed if value != now[name]]


def test_every_switch_is_turned_here_or_said_why_not() -> None:
    told = {name for name, _ in positions()} | set(ELSEWHERE)
    assert set(switches_of(Estate()).values()) == told


LIVED: list[tuple[dict[str, Any], dict[str, Any]]] = []
"""How it ends where nothing was turned: found once."""


async def as_ever() -> tuple[dict[str, Any], dict[str, Any]]:
    if not LIVED:
        LIVED.append(await live(await Estate().open()))
    return LIVED[0]


async def live(estate: Estate) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole life; returns what is there while the connection is Ready, and at the end."""
    second = estate.elastic.add_deployment("second", "eastus2", ip_policy=True, alias="second")
    stopped = estate.elastic.add_deployment("stopped", "eastus2", ip_policy=True, alias="stopped")
    stopped.status = "stopped"
    unfit = {"elastic-deployments": f"stopped, logs-uksouth, {'0' * 32}"}
    await estate.clock.sleep(3600)
    refused = await estate.put_endpoint("pe-refused", region="westeurope", tags=unfit)
    endpoint = await estate.put_endpoint()
    await lasting(estate, endpoint)
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api="2024-06-01")
    await lasting(estate, endpoint)
    assert estate.zone().a_record("*"), "put back"
    await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2, second"})
    await lasting(estate, endpoint)
    assert len(estate.elastic.attached(second.id)) == 2
    await estate.azure("DELETE", endpoint)
    await estate.clock.sleep(90)
    await estate.put_endpoint(tags={"elastic-deployments": "second"})
    await lasting(estate, endpoint)
    there = end_state(estate, endpoint)
    ((*policy, (guid,)),) = there.pop("policies")  # its GUID is by chance
    assert most_policies_at_once(estate.elastic.history, guid) == 1
    assert (await estate.connection(refused)).status.phase == "Blocked"
    assert len(estate.elastic.attached(stopped.id)) == 1
    for one in (endpoint, refused):
        await estate.azure("DELETE", one)
    await estate.clock.sleep(90)
    for _ in range(6):
        await estate.clock.sleep(21600)
        await estate.sweep()
        await estate.settle()
        phases = [(await estate.connection(one)).status.phase for one in (endpoint, refused)]
        if phases == ["Removed", "Removed"]:
            break
    assert phases == ["Removed", "Removed"]
    assert not estate.queue.poison
    assert [ruleset.name for ruleset in estate.elastic.rulesets() if ruleset.guids] == []
    zones = {zone.id: sorted(zone.record_sets) for zone in estate.arm.private_dns_zones()}
    attached = {one.name: [r.name for r in estate.elastic.attached(one.id)] for one in estate.elastic.deployments()}
    return {**there, "policy": policy}, zones | attached


async def lasting(estate: Estate, endpoint: str) -> None:
    """What is to do is done by events, the queue and the timer; then it is Ready, and stays so."""
    await estate.settle(600)
    for _ in range(SWEEPS):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(300)
        if (await estate.connection(endpoint)).status.phase == "Ready" and not estate.queue.messages:
            break
    await estate.ready(endpoint)


@pytest.mark.parametrize(("name", "value"), positions(), ids=lambda value: str(value).replace(" ", ""))
async def test_a_connections_life_is_the_same_in_every_position(name: str, value: Any) -> None:
    estate = await Estate().open()
    for one, position in {**TOGETHER.get(name, {}), name: value}.items():
        switches_of(estate).set(one, position)
    assert await live(estate) == await as_ever()
