"""A remedy that is no line to paste works, too.

Its reason is provoked, a person does what the next step says, and the connection gets to where it should.
"""

from __future__ import annotations

import pytest

from shared.core.diagnosis import diagnosis_of
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.settings.services import shipped_services
from tests.harness.estate import Estate
from tests.reconciler.remedies_by_hand import HANDS


@pytest.mark.parametrize("reason", HANDS)
async def test_what_the_next_step_of_a_reason_says_helps(reason: Reason) -> None:
    hand = HANDS[reason]
    known = shipped_services() if hand.services else None
    estate = await Estate(
        settings=hand.settings,
        second_scope=hand.second_scope,
        family=hand.family,
        services=hand.services,
        known=known,
    ).open()
    endpoint = await hand.make(estate)
    told = told_in(await estate.connection(endpoint))
    assert reason in told, told
    assert hand.step in told[reason]
    await hand.act(estate, endpoint)
    for _ in range(4):
        await estate.settle(1200)
        record = await estate.connection(endpoint)
        if (record.status.phase, reason in told_in(record)) == (hand.phase, False):
            return
        await estate.clock.sleep(hand.later)
        await estate.sweep()
    raise AssertionError((record.status.phase, told_in(record)))


def told_in(record: ConnectionRecord) -> dict[Reason, str]:
    """Every reason that the connection shows, with its next step."""
    verdict = diagnosis_of(record)
    return {one.reason: one.next_step for one in (*record.status.conditions, *verdict.advice, verdict)}
