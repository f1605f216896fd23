"""A connection shows the decisions that its next steps ask for, with what each does; they can be sent as they stand."""

from __future__ import annotations

import pytest

from shared.api.offered import offered
from shared.core.guards.unseen_targets import _FORGET
from shared.core.model import conditions as c
from shared.core.model.decisions import ConnectionDecision
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from tests.functions.trigger_parts import ENDPOINT_ID

MOVE = 'Send POST /api/connections/<id>/decisions {"decision": "move-organization", "organization": "second"}.'
GONE = 'Send POST /api/connections/1/decisions {"decision": "remove", "endpoint": "pe-1"} to have it taken away.'


def asked(*next_steps: str) -> ConnectionRecord:
    stand = tuple(c.blocked(c.POLICY_READY, Reason.DEPLOYMENT_GONE, "It is gone.", one) for one in next_steps)
    return ConnectionRecord(ENDPOINT_ID).with_status(conditions=stand)


@pytest.mark.parametrize(
    ("next_step", "found"),
    [
        ("Correct the tag.", []),
        (_FORGET.format("d1", "deployment"), [("forget-target", "target", "d1")]),
        (MOVE, [("move-organization", "organization", "second")]),
        (GONE, [("remove", "endpoint", "pe-1"), ("hand-over", "endpoint", "pe-1")]),
        ('Send {"decision": "of-later", "x": "y"}.', []),
    ],
)
def test_what_a_next_step_asks_for_is_offered(next_step: str, found: list[tuple[str, str, str]]) -> None:
    shown = offered(asked(next_step, next_step))
    assert [(one.decision, one.field, one.subject) for one in shown] == found
    assert all(one.does == ConnectionDecision(one.decision).does for one in shown)
