"""A policy seems a target's last one while the POST of another may still land: that is waited for, not Blocked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.errors import AutopilotError
from shared.core.model.messages import Cause, WorkMessage
from shared.reconciler.loop import reconcile
from tests.harness.estate import Estate
from tests.harness.wire import Call, Fault, Killed, Outcome, Refusal
from tests.reconciler.safety_parts import attached, the

TARGET = "search-eastus2"
"""A deployment without any policy of others."""
WISH = {"elastic-deployments": TARGET}


async def a_post_that_lands_late(estate: Estate, seconds: float) -> tuple[str, str]:
    """pe-1 is associated; the POST for pe-2 is answered 503 and applied later."""
    leaves = await estate.put_endpoint("pe-1", tags=WISH)
    await estate.settle()
    await estate.clock.sleep(3600)

    def late(method: str, path: str) -> tuple[int, Any] | None:
        if method != "POST" or not path.endswith("/associations"):
            return None
        policy = next(one for one in estate.elastic.rulesets() if one.id in path)
        estate.elastic_settings.faults.clear()
        estate.clock.call_later(seconds, lambda: _apply(estate, policy))
        return 503, "the gateway gave up"

    estate.elastic_settings.faults.append(late)
    comes = await estate.put_endpoint("pe-2", tags=WISH)
    await estate.settle(20)
    return leaves, comes


def _apply(estate: Estate, policy: Any) -> None:
    target = the(estate, TARGET).id
    if (policy.id, target) not in estate.elastic.associations():
        estate.elastic.associate(policy, target)


NOTIFIED = {"NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events", "NOTIFY_AFTER_SECONDS": "0"}


@pytest.mark.parametrize("removal", [True, False])
async def test_it_waits_with_an_end_and_goes_then(*, removal: bool) -> None:
    settings = {"ELASTIC_FIRST_POLICY_ALLOWED": TARGET, "REMOVAL_GRACE_SECONDS": "0", **NOTIFIED}
    estate = await Estate(settings=settings).open()
    leaves, comes = await a_post_that_lands_late(estate, 500)
    estate.worker = estate.new_worker(ELASTIC_DEPLOYMENTS_ALLOWED="")  # nothing is sent for pe-2 meanwhile
    if removal:
        await estate.delete(leaves)
    else:
        found = estate.arm.private_endpoint(leaves)
        assert found is not None
        found.tags.pop("elastic-deployments")
        await estate.send(leaves)
    await estate.settle(30)
    condition = "Removed" if removal else "Associated"
    assert await estate.reason(leaves, condition) == "AwaitingEarlierRequest"
    assert (await estate.connection(leaves)).status.phase != "Blocked"
    assert attached(estate, the(estate, TARGET)) == ["pe-1"]
    await estate.sweep()
    told = [event for event in estate.topic.events if event["subject"] == leaves]
    assert [event["data"]["phase"] for event in told] == ["Ready"], "it ends by itself: no one is told"
    await estate.settle(1800)
    assert attached(estate, the(estate, TARGET)) == ["pe-2"]
    del comes


def at_a_delete(call: Call) -> Fault | None:
    return Fault.CRASH_AFTER if call.service == "elastic" and call.what.startswith("DELETE") else None


async def test_a_worker_that_is_killed_after_a_note_holds_up_that_target_only() -> None:
    """It left one deployment; the other worker waits there, leaves the next deployment at once, and tells no one."""
    both = f"{TARGET}, audit"
    settings = {"ELASTIC_FIRST_POLICY_ALLOWED": both, "NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events"}
    estate = await Estate(settings=settings).open()
    estate.elastic.add_deployment("audit", "eastus2")
    tags = {"elastic-deployments": both}
    first = await estate.put_endpoint("pe-1", tags=tags)
    second = await estate.put_endpoint("pe-2", tags=tags, location="westeurope", group="rg-second")
    await estate.settle()
    for endpoint in (first, second):
        await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    estate.events.settings.drop = True
    for endpoint in (first, second):
        found = estate.arm.private_endpoint(endpoint)
        assert found is not None
        found.tags.clear()
    doomed = estate.new_worker(at_a_delete)
    with pytest.raises(Killed):
        await reconcile(doomed.context, WorkMessage(parse_endpoint_id(first), Cause.TIMER, "test"))
    (left,) = [name for name in (TARGET, "audit") if attached(estate, the(estate, name)) == ["pe-2"]]
    (other,) = {TARGET, "audit"} - {left}
    told = len(estate.topic.events)
    with suppress(AutopilotError):
        await reconcile(estate.worker.context, WorkMessage(parse_endpoint_id(second), Cause.TIMER, "test"))
    assert attached(estate, the(estate, left)) == ["pe-2"], "else it would be open to the internet"
    assert attached(estate, the(estate, other)) == ["pe-1"]
    assert await estate.reason(second, "Associated") in {"AwaitingEarlierRequest", "WouldReopenPublicAccess"}
    assert len(estate.topic.events) == told


# -- refusals that prove that nothing was done -----------------------------------------------------------------------


def refused_at(what: str, status: int) -> Callable[[Call], Outcome]:
    """The first call to Elastic Cloud that begins so is refused."""
    refused: list[int] = []

    def fault(call: Call) -> Outcome:
        if refused or call.service != "elastic" or not call.what.startswith(what) or "_search" in call.what:
            return None
        refused.append(call.number)
        return Refusal(status)

    return fault


PROVING, ANY = {401: ["pe-1"], 429: ["pe-1"]}, ["pe-1", "pe-2"]


@pytest.mark.parametrize("status", [*PROVING, 403, 409, 500, 502, 503])
async def test_only_a_refusal_that_proves_that_nothing_was_done_lets_another_connection_go(status: int) -> None:
    """pe-1 was to leave, was refused and stays after all: pe-2 leaves where pe-1's policy is in force for certain."""
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": TARGET}).open()
    stays = await estate.put_endpoint("pe-1", tags=WISH)
    leaves = await estate.put_endpoint("pe-2", tags=WISH, location="westeurope", group="rg-second")
    await estate.settle()
    await estate.clock.sleep(3600)
    estate.events.settings.drop = True
    for endpoint in (stays, leaves):
        found = estate.arm.private_endpoint(endpoint)
        assert found is not None
        found.tags.clear()
    refused = estate.new_worker(refused_at("DELETE", status))
    with suppress(AutopilotError):
        await reconcile(refused.context, WorkMessage(parse_endpoint_id(stays), Cause.TIMER, "test"))
    assert attached(estate, the(estate, TARGET)) == ["pe-1", "pe-2"]
    with suppress(AutopilotError):
        await reconcile(estate.worker.context, WorkMessage(parse_endpoint_id(leaves), Cause.TIMER, "test"))
    assert attached(estate, the(estate, TARGET)) == PROVING.get(status, ANY)


@pytest.mark.parametrize("status", [401, 429])
async def test_a_refused_creation_of_a_policy_is_repeated_without_a_search(status: int) -> None:
    estate = await Estate().open()
    estate.worker = estate.new_worker(refused_at("POST", status))
    endpoint = await estate.put_endpoint()
    await estate.settle(30)
    estate.worker = estate.new_worker()  # which has the key anew
    await estate.send(endpoint)
    await estate.settle(120)
    await estate.ready(endpoint)
