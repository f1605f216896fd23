"""Observe mode, the sweep, the doctor and the plans send nothing but reads, with any answer to each.

A sample; `make hostile` plays each at one call of every name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

import pytest
from starlette.responses import JSONResponse

from shared.api.doctor import examine
from shared.api.plans import plan_all, plan_connection
from shared.core.model.arm_ids import connection_id
from shared.core.model.errors import AutopilotError
from shared.core.model.services import Family
from tests.damaged.parts import EVERYTHING, one_of_each, part_of
from tests.harness.estate import Estate
from tests.harness.wire import Call, Outcome, Refusal

SAMPLE = 3
READING_POSTS = {"POST /api/v1/deployments/_search"}
"""The only requests besides GET that change nothing; all that observe mode may send."""


class NotRegistered(Refusal):
    """What Azure answers where a resource provider is not registered: the SDK would register it, and ask again."""

    def app(self, service: str) -> JSONResponse:
        del service
        message = "The subscription is not registered to use namespace 'Microsoft.Network'."
        return JSONResponse({"error": {"code": "MissingSubscriptionRegistration", "message": message}}, 409)


ANSWERS: dict[str, Outcome] = {
    "as it is": None,
    "not registered": NotRegistered(409),
    **{str(status): Refusal(status) for status in (401, 403, 404, 409, 412, 429, 500, 503)},
}


def sampled(calls: int) -> list[tuple[int, str]]:
    """Some calls with a provider that is not registered, and each other answer at one."""
    chance, all_calls = Random(3), range(calls)
    unregistered = chance.sample(all_calls, min(SAMPLE, calls))
    return [(number, "not registered") for number in unregistered] + [(chance.choice(all_calls), n) for n in ANSWERS]


Work = Callable[[Estate, str], Awaitable[object]]


async def _run(estate: Estate, endpoint: str) -> None:
    await estate.send(endpoint)
    await estate.settle(60)


WORKS: dict[str, Work] = {
    "a run": _run,
    "a sweep": lambda estate, _: estate.sweep(),
    "the doctor": lambda estate, _: examine(estate.worker.context),
    "all plans": lambda estate, _: plan_all(estate.worker.context),
    "a plan": lambda estate, endpoint: plan_connection(estate.worker.context, connection_id(endpoint)),
}


def writes(calls: list[Call]) -> list[str]:
    """What was sent to Azure and Elastic Cloud and is no read."""
    sent = [call.what for call in calls if call.service in {"arm", "elastic", "vault"}]
    return [what for what in sent if not what.startswith("GET ") and what.split("?")[0] not in READING_POSTS]


PLAYED = [(work, Family.HOSTED) for work in WORKS] + [(work, Family.SERVERLESS) for work in ("a run", "a sweep")]


@pytest.mark.parametrize(("work", "family"), PLAYED)
@pytest.mark.parametrize("stands", [False, True], ids=["nothing is made", "all is made"])
async def test_no_answer_makes_it_send_anything_but_reads(work: str, family: Family, stands: bool) -> None:
    estate = await Estate(settings={} if stands else {"MODE": "observe"}, family=family).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    if stands:  # something is to be mended
        await estate.azure("DELETE", f"{estate.zone().id}/A/*", api="2024-06-01")
    estate.worker = estate.new_worker(MODE="observe")
    await WORKS[work](estate, endpoint)
    calls = estate.worker.wire.calls
    plays = [(number, name) for number in range(len(calls)) for name in ANSWERS]
    plays = one_of_each(plays, lambda play: (calls[play[0]].name, play[1])) if EVERYTHING else sampled(len(calls))
    for number, name in part_of(plays):
        answer = ANSWERS[name]

        def faults(call: Call, number: int = number, answer: Outcome = answer) -> Outcome:
            return answer if call.number == number else None

        estate.worker = estate.new_worker(faults, MODE="observe")
        with suppress(AutopilotError):
            await WORKS[work](estate, endpoint)
        assert writes(estate.worker.wire.calls) == [], f"{name} at call {number}"
