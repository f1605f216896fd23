"""A pause that begins in the middle of a run: at any moment, no request is sent after the one that was on its way."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

from shared.installation.pause import DOCUMENT, lift_pause, pause
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE, connected, everything
from tests.harness.outcome import EVERY_FAULT, end_state
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Call, Outcome

STRIDE = 1 if EVERY_FAULT else 8
"""Of the moments of a life, each eighth is tried; EVERY_FAULT=1: each."""
ONE = {"elastic-deployments": "logs-eastus2"}


def at_once(work: Coroutine[Any, Any, Any]) -> None:
    """A person's request, answered between two calls of the run."""
    with suppress(StopIteration):
        while True:
            work.send(None)


class Pausing:
    """A pause is set just before, or just after, a worker's call of this number is sent."""

    def __init__(self, estate: Estate, number: int) -> None:
        self._estate, self._number = estate, number
        self.after: list[Call] = []
        """What the worker has written in the clouds since; the call that was on its way is none of these."""
        self.looks = 0
        self.calls = 0

    def __call__(self, call: Call) -> Outcome:
        self.calls += 1
        if call.number == self._number:
            at_once(pause(self._estate.person.context, {"minutes": 60 * 24}, "test"))
        elif call.number > self._number and call.service in {"arm", "elastic"} and call.writes:
            self.after.append(call)
        return None


class WithPerson(Estate):
    """An estate with a process that serves the HTTP API."""

    def __init__(self) -> None:
        super().__init__()
        self.person = self.new_worker()


async def make(estate: Estate) -> str:
    endpoint = await estate.put_endpoint(tags=ONE)
    await estate.settle(900)
    return endpoint


async def remove(estate: Estate) -> str:
    endpoint = next(one.id for one in estate.arm.private_endpoints())
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE + 1800)
    return endpoint


async def before_removal(estate: Estate) -> None:
    await connected(estate, tags=ONE)


async def nothing(_: Estate) -> None:
    pass


LIVES = {"made": (nothing, make), "removed": (before_removal, remove)}
"""What comes before, and the part that a pause meets."""


async def played(life: str, number: int) -> tuple[WithPerson, str, Pausing]:
    """A part of a life, with a pause at a call; without one where there are not so many."""
    estate = WithPerson()
    await estate.open()
    before, part = LIVES[life]
    await before(estate)
    pausing = Pausing(estate, number)
    estate.worker = estate.new_worker(pausing)
    return estate, await part(estate), pausing


@pytest.mark.parametrize("life", LIVES)
async def test_whenever_a_pause_begins_at_most_the_request_on_its_way_is_sent_and_the_rest_later(life: str) -> None:
    reference, endpoint, pausing = await played(life, 10**6)
    wanted = everything(reference), (end_state(reference, endpoint) if life == "made" else None)
    failed = []
    for number in range(0, pausing.calls, STRIDE):
        estate, endpoint, paused = await played(life, number)
        name = estate.worker.wire.calls[number].name
        for service in ("arm", "elastic"):  # the branches go on side by side
            sent = [call.name for call in paused.after if call.service == service]
            if len(sent) > 1:
                failed.append(f"{number} {name}: {sent}")
        assert not estate.queue.poison
        await lift_pause(estate.person.context, ASKED)
        for _ in range(3):
            await estate.sweep()
            await estate.settle(2 * GRACE)
        ended = everything(estate), (end_state(estate, endpoint) if life == "made" else None)
        if ended != wanted:
            failed.append(f"{number} {name}: {ended}")
    assert not failed, "\n".join(failed)


async def test_what_a_pause_holds_up_in_the_middle_of_a_removal_is_told(estate: Estate) -> None:
    endpoint = await connected(estate)
    person = estate.new_worker()

    def before_the_policy_goes(call: Call) -> Outcome:
        if call.name.startswith("elastic DELETE") and "associations" in call.name:
            at_once(pause(person.context, {"minutes": 60, "reason": "freeze"}, "test"))
        return None

    estate.worker = estate.new_worker(before_the_policy_goes)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE + 1800)
    record = await estate.connection(endpoint)
    removed = record.condition("Removed")
    assert removed is not None
    assert (record.status.phase, removed.reason) == ("Removing", "ObserveMode")
    assert "the app is paused until" in removed.message
    assert [one for one in record.status.planned if "policy" in one]
    assert "policy" in " ".join(everything(estate))
    assert estate.worker.wire.control_rows.count(DOCUMENT) > 1
