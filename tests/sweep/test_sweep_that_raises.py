"""A sweep that breaks off anywhere, by a bug or by storage, holds up neither the next one nor anything else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.estate import Estate
from tests.harness.leaving import DNS_API, connected
from tests.harness.outcome import EVERY_FAULT
from tests.harness.wire import Call, Killed, Outcome, Refusal

STRIDE = 1 if EVERY_FAULT else 8
LEASE_ENDS = 25.0
"""Seconds after which a sweep whose lease could not be given back is followed."""


class Bug(Exception):
    """Nothing in the product expects it."""


class Breaking:
    """The call of this number breaks."""

    def __init__(self, number: int, how: Outcome) -> None:
        self._number, self._how = number, how
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> Outcome:
        self.calls.append(call)
        if call.number != self._number:
            return None
        if self._how is None:
            raise Bug(call.name)
        return self._how


async def drifted() -> tuple[Estate, str]:
    """Two connections; of one the record was taken away."""
    estate = await Estate().open()
    endpoint = await connected(estate)
    await connected(estate, "pe-2", region="westeurope", tags={"elastic-deployments": "logs-westeurope"})
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)
    return estate, endpoint


async def broken_sweep(estate: Estate, number: int, how: Outcome) -> tuple[list[Call], bool]:
    """A sweep with a call that breaks; whether it raised."""
    breaking = Breaking(number, how)
    try:
        await estate.sweep(estate.new_worker(breaking))
    except (Killed, Exception):  # noqa: BLE001 - what the platform sees as a failed function
        return breaking.calls, True
    return breaking.calls, False


@pytest.mark.parametrize("how", [None, Refusal(500)], ids=["a bug", "500"])
async def test_the_next_sweep_finds_what_one_that_broke_off_did_not(how: Outcome) -> None:
    estate, _ = await drifted()
    calls, _ = await broken_sweep(estate, 10**6, None)
    failed: list[Any] = []
    raised = 0
    for number in range(0, len(calls), STRIDE):
        estate, endpoint = await drifted()
        _, broke = await broken_sweep(estate, number, how)
        raised += broke
        found = await estate.sweep()
        if found.skipped:  # its lease is what could not be given back
            await estate.clock.sleep(LEASE_ENDS)
            found = await estate.sweep()
        await estate.settle(300)
        if found.skipped or found.stopped or (await estate.connection(endpoint)).status.phase != "Ready":
            failed.append((number, calls[number].name, found))
        if estate.zone().a_record("*") is None:
            failed.append((number, calls[number].name, "the record is still away"))
    assert not failed, "\n".join(map(str, failed))
    assert raised, "not one of them broke off"


async def test_a_sweep_that_raised_has_given_its_lease_back(estate: Estate) -> None:
    await connected(estate)

    def no_pause(call: Call) -> Outcome:
        if call.service == "connections" and call.what == "list":
            raise Bug
        return None

    with pytest.raises(Bug):
        await estate.sweep(estate.new_worker(no_pause))
    assert not (await estate.sweep()).skipped
