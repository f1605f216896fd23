"""A crash, a lost answer or a refusal at any single remote call: the same end, made once, by itself.

Each test first tells the story that goes well, and then tells it again once per remote call of it, with a fault at that
call. "By itself": by the queue's redelivery and the loop's own messages; no test here runs the sweep. Where a test says
`sampled`, EVERY_FAULT=1 tells the story with the fault at every call, the ordinary run at a sample of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import inf
from typing import Literal

import pytest

from shared.core.model.arm_ids import connection_id
from tests.harness.estate import Estate
from tests.harness.outcome import EVERY_FAULT, At, Story, as_it_is, in_ordinary_run, tell
from tests.harness.wire import Call, Fault, Outcome, Refusal

REDELIVERY = 600.0
"""Seconds until the queue gives a dead worker's message to another one: fixed by the platform."""
LEASE = 30.0
"""Seconds that a dead worker holds others up."""
RETRY = 30.0
"""Seconds until the queue delivers again what failed (`visibilityTimeout` in host.json)."""
SEARCH = 720.0
"""Seconds that a policy is looked for where its POST gave no answer: until then it may still land (a default)."""
CREATES_POLICY = "elastic POST /api/v1/deployments/traffic-filter/rulesets"
INTENT = {CREATES_POLICY, "connections replace"}
"""From the intent's write on nothing tells the next worker whether the POST was sent."""


async def policy_in_doubt(story: Story) -> bool:
    """Whether a run began to create a policy and did not live to note what came of it: the branches go on at once."""
    page = await story.estate.storage.journal.newest(connection_id(story.endpoint), 200)
    entries = [(one.run_id, one.outcome) for one in page.entries if one.step.startswith("create private connection")]
    begun = {run for run, outcome in entries if outcome == "begun"}
    return bool(begun - {run for run, outcome in entries if outcome != "begun"})


async def check(
    *outcomes: Outcome,
    within: float,
    ready_within: float = inf,
    at_least: int,
    only: Callable[[Call], bool] = lambda _: True,
    arrange: Callable[[Estate], None] = as_it_is,
    sampled: bool = False,
) -> None:
    """Tell the story with each outcome at each call; `within` are the seconds that it may take longer."""
    reference = await tell()
    await reference.estate.ready(reference.endpoint)
    failed, told, seen = [], 0, Counter[str]()
    for call in reference.estate.worker.wire.calls:
        seen[call.name] += 1
        for outcome in outcomes if only(call) else ():
            if sampled and not in_ordinary_run(call, outcome):
                continue
            fault = At(call.name, seen[call.name], outcome)
            story = await tell(fault, arrange)
            problems = await story.problems(reference)
            search = SEARCH + RETRY if call.name in INTENT or await policy_in_doubt(story) else 0
            late = story.seconds - reference.seconds > within + search
            if late or story.ready_after - reference.ready_after > ready_within + search:
                problems.append(f"took {story.seconds:.0f} s, was ready after {story.ready_after:.0f} s")
            told += fault.met
            failed += [f"{outcome} at {call.name} ({seen[call.name]}): {problem}" for problem in problems]
    assert not failed, "\n" + "\n".join(failed)
    at_least = at_least // 3 if sampled and not EVERY_FAULT else at_least
    assert told >= at_least, f"only {told} faults were where they should be"


async def test_a_crash_before_or_after_any_remote_call_costs_only_time() -> None:
    await check(Fault.CRASH_BEFORE, Fault.CRASH_AFTER, within=REDELIVERY + RETRY, at_least=78, sampled=True)


def with_a_second_message(estate: Estate) -> None:
    """Each event comes again while a crashed worker's lease still stands."""
    estate.events.settings.duplicate = True
    delays = iter([0.0, 40.0])
    estate.events.settings.delivery_delay = lambda _: next(delays, 40.0)


async def test_a_crashed_workers_lease_holds_no_worker_up_for_longer_than_it_lasts() -> None:
    """Who found it busy left a guard message, due just after its expiry: not only after the queue's ten minutes."""
    await check(
        Fault.CRASH_AFTER,
        within=REDELIVERY + RETRY,
        ready_within=LEASE + RETRY,
        at_least=38,
        arrange=with_a_second_message,
        sampled=True,
    )


async def test_a_lost_answer_of_any_write_makes_nothing_twice() -> None:
    """The write was applied; the connection broke before its answer."""
    await check(Fault.LOSE_ANSWER, within=LEASE + 2 * RETRY, at_least=16, only=lambda call: call.writes)


async def test_a_lost_answer_of_any_read_is_asked_for_again() -> None:
    await check(
        Fault.LOSE_ANSWER, within=LEASE + 2 * RETRY, at_least=18, only=lambda call: not call.writes, sampled=True
    )


async def test_a_table_write_that_the_sdk_repeats_by_itself_is_recognised_as_our_own() -> None:
    """The SDK sends a conditional write again when its answer was lost, and then reports a conflict with ourselves."""
    tables = {"insert", "replace"}
    await check(Fault.REPEAT, within=RETRY, at_least=8, only=lambda call: call.what in tables)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_failing_service_is_asked_again(status: int) -> None:
    await check(Refusal(status), within=LEASE + 2 * RETRY, at_least=38, sampled=True)


async def test_too_many_requests_without_a_time_to_wait_are_repeated_later() -> None:
    await check(
        Refusal(429),
        within=LEASE + 2 * RETRY,
        at_least=17,
        only=lambda call: call.service in {"arm", "elastic"},
        sampled=True,
    )


async def test_too_many_requests_are_repeated_when_the_service_says() -> None:
    wait = Refusal(429, {"Retry-After": "97"})
    await check(
        wait, within=LEASE + 97, at_least=17, only=lambda call: call.service in {"arm", "elastic"}, sampled=True
    )


async def test_a_run_that_fails_lets_go_of_its_lease() -> None:
    """The message's next delivery finds the endpoint free, without waiting for the lease's end."""
    sends = "queue send"
    await check(
        Refusal(503), within=2 * RETRY, ready_within=RETRY + 15, at_least=1, only=lambda call: call.name == sends
    )


# -- answers lost where reads lag behind writes --------------------------------------------------------------------


def slow_to_show(estate: Estate) -> None:
    """Elastic Cloud shows new policies and associations only after a while."""
    estate.elastic_settings.create_lag_seconds = 45
    estate.elastic_settings.association_lag_seconds = 45


@pytest.mark.parametrize("status", [403, 404])
async def test_a_policy_that_was_just_made_and_does_not_show_yet_is_waited_for(status: Literal[403, 404]) -> None:
    """Associating it is answered as if it did not exist, in one of two ways."""

    def arrange(estate: Estate) -> None:
        slow_to_show(estate)
        estate.elastic_settings.missing_ruleset_status = status

    story = await tell(arrange=arrange)
    assert await story.problems(await tell()) == []
    answers = [r.status for r in story.estate.elastic.requests if r.operation == "create association"]
    assert answers[0] == status, "it was tried too early"
    assert answers[-1] == 201


def slow_to_list(estate: Estate) -> None:
    """Elastic Cloud lists new associations only after a while; making one again is answered "there already"."""
    estate.elastic_settings.association_lag_seconds = 45


@pytest.mark.parametrize("arrange", [slow_to_show, slow_to_list])
@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
async def test_what_is_slow_to_show_is_neither_made_again_nor_taken_for_anothers(
    fault: Fault, arrange: Callable[[Estate], None]
) -> None:
    await check(
        fault,
        within=REDELIVERY + 2 * RETRY,
        at_least=2,
        only=lambda call: call.service == "elastic" and call.writes,
        arrange=arrange,
    )


async def test_the_intent_to_create_a_policy_outlives_the_worker_that_had_it() -> None:
    """The next worker comes before the new policy shows: it knows that there may be one, and looks again first."""

    def arrange(estate: Estate) -> None:
        with_a_second_message(estate)
        estate.elastic_settings.create_lag_seconds = 250

    fault = At(CREATES_POLICY, 1, Fault.CRASH_AFTER)
    story = await tell(fault, arrange)
    assert fault.met
    assert await story.problems(await tell()) == []
