"""Every situation of the table is told by its own reason, with cause, next step and place."""

from __future__ import annotations

from typing import Any

import pytest
import situations_azure  # noqa: F401 - puts its rows into the table

from shared.core.diagnosis import Diagnosis, diagnosis_of
from shared.core.model.conditions import Explanation
from shared.core.model.record import ConnectionRecord
from shared.core.reasons import catalogue
from tests.harness.dns import APPS
from tests.harness.estate import Estate
from tests.reconciler.situations import (
    ADVICE,
    SITUATIONS,
    a_policy_by_hand,
    asks_elsewhere,
    made,
    ready,
    swept,
    the,
)
from tests.reconciler.situations_elastic import a_second_policy, no_ip_policy


@pytest.mark.parametrize("name", SITUATIONS)
async def test_each_situation_is_told_by_its_own_reason_with_cause_next_step_and_place(name: str) -> None:
    expected = SITUATIONS[name]
    estate = await Estate(settings=dict(expected.settings)).open()
    connection = await estate.connection(await expected.make(estate))
    found = diagnosis_of(connection)
    shown = "\n".join(found.evidence)
    assert told_as(found) == (expected.status, expected.reason, expected.hop), shown
    assert expected.cause in found.message
    assert expected.step in found.next_step
    assert_presentable(found, connection)


def told_as(found: Diagnosis) -> tuple[str, str, str]:
    return found.status, found.reason, str(found.hop or "none")


def assert_presentable(found: Diagnosis, connection: ConnectionRecord) -> None:
    assert found.message
    assert found.since is not None
    assert len(found.evidence) >= len(connection.status.conditions)
    needs_a_person = bool(catalogue()[found.reason].remedy) and not catalogue()[found.reason].remedy.startswith("Wait")
    if found.status in {"blocked", "unreachable"}:
        assert needs_a_person
        assert found.next_step


@pytest.mark.parametrize("name", ADVICE)
async def test_each_thing_worth_knowing_is_told_though_nothing_is_wrong(name: str) -> None:
    make, reason, message, step = ADVICE[name]
    estate = await Estate().open()
    endpoint = await make(estate)
    given = await advice_of(estate, endpoint)
    assert set(given) == {reason}
    assert message in given[reason].message
    assert step in given[reason].next_step
    before = len(estate.queue.messages)
    await estate.sweep()
    assert len(estate.queue.messages) == before, "told once, it is no reason to look again and again"


async def advice_of(estate: Estate, endpoint: str) -> dict[str, Explanation]:
    found = diagnosis_of(await estate.connection(endpoint))
    return {one.reason: one for one in found.advice}


async def test_the_policy_of_another_endpoint_of_the_same_name_is_nothing_to_speak_of() -> None:
    estate = await Estate().open()
    endpoint = await ready(estate)
    a_policy_by_hand(estate, endpoint, guid="11111111-2222-3333-4444-555555555555")
    await swept(estate, 1)
    assert await advice_of(estate, endpoint) == {}


async def test_advice_that_does_not_hold_any_more_is_taken_back() -> None:
    estate = await Estate().open()
    endpoint = await a_second_policy(estate)
    extra = next(policy for policy in estate.policies_of(endpoint) if policy.name == "by hand")
    estate.elastic.delete_policy(extra.id)
    await swept(estate, 1)
    assert await advice_of(estate, endpoint) == {}


@pytest.mark.parametrize("settings_absent", [False, True])
async def test_an_ip_policy_puts_the_console_right_and_what_is_not_known_changes_nothing(settings_absent: bool) -> None:
    estate = await Estate().open()
    endpoint = await no_ip_policy(estate)
    estate.elastic_settings.settings_absent = settings_absent
    for _ in range(2):
        assert (await estate.sweep()).enqueued == 0
    estate.elastic.add_policy("office", "eastus2", deployments=[the(estate, "search-eastus2").id])
    await estate.send(endpoint)
    await estate.settle()
    assert await advice_of(estate, endpoint) == {}


async def test_own_dns_servers_of_the_endpoints_network_are_told_by_the_next_sweep_though_the_app_sees_no_harm() -> (
    None
):
    estate = await Estate().open()
    endpoint = await ready(estate)
    asks_elsewhere(estate, APPS)
    await swept(estate, 1)
    await estate.ready(endpoint)
    (told,) = (await advice_of(estate, endpoint)).values()
    assert (told.reason, "10.99.0.53" in told.message) == ("CustomDnsServers", True)


@pytest.mark.parametrize(
    ("deployment", "answer", "reason"),
    [
        ("search-eastus2", 200, "Reachable"),
        ("search-eastus2", 403, "NotAssociated"),
        ("logs-eastus2", 200, "OnlyOtherPolicies"),
    ],
)
async def test_what_a_deployment_says_that_is_only_asked_for_is_found_out_and_counts_for_nothing(
    deployment: str, answer: Any, reason: str
) -> None:
    """Elastic's documents disagree on whether an open deployment lets in an endpoint whose policy is not associated."""
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": "search-eastus2"}).open()
    estate.elastic_settings.unassociated_unfiltered_answer = answer
    endpoint = await made(estate, tags={"elastic-deployments": deployment})
    connection = await estate.connection(endpoint)
    asked = {check.host: check.reason for check in await estate.hosts(endpoint) if not check.associated}
    assert asked == {the(estate, deployment).private_host("es"): reason}
    reachable = connection.condition("Reachable")
    assert reachable is not None
    assert (reachable.true, reachable.reason) == (True, "PathWorks")
    assert diagnosis_of(connection).hop == "target"
