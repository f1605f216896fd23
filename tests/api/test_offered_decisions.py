"""A connection shows the decisions that its next steps ask for, with what each does; they can be sent as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.api.offered import offered
from shared.core.guards.unseen_targets import _forget
from shared.core.model import conditions as c
from shared.core.model.decisions import ConnectionDecision, Decided, asked_in
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from tests.functions.trigger_parts import ENDPOINT_ID

ROOT = Path(__file__).resolve().parents[2]
MOVE = f"Send {Decided(ConnectionDecision.MOVE_ORGANIZATION, 'second').request}."
GONE = f"Send {Decided(ConnectionDecision.REMOVE, 'pe-1').request.replace('<id>', '1')} to have it taken away."


def asked(*next_steps: str) -> ConnectionRecord:
    stand = tuple(c.blocked(c.POLICY_READY, Reason.DEPLOYMENT_GONE, "It is gone.", one) for one in next_steps)
    return ConnectionRecord(ENDPOINT_ID).with_status(conditions=stand)


@pytest.mark.parametrize(
    ("next_step", "found"),
    [
        ("Correct the tag.", []),
        (_forget("d1", "deployment"), [("forget-target", "target", "d1")]),
        (MOVE, [("move-organization", "organization", "second")]),
        (GONE, [("remove", "endpoint", "pe-1"), ("hand-over", "endpoint", "pe-1")]),
        ('Send POST /api/connections/1/decisions {"decision": "of-later", "x": "y"}.', []),
    ],
)
def test_what_a_next_step_asks_for_is_offered(next_step: str, found: list[tuple[str, str, str]]) -> None:
    shown = offered(asked(next_step, next_step))
    assert [(one.decision, one.field, one.subject) for one in shown] == found
    assert all(one.does == ConnectionDecision(one.decision).does for one in shown)


@pytest.mark.parametrize("decision", ConnectionDecision)
def test_what_a_next_step_asks_for_is_read_as_it_was_written(decision: ConnectionDecision) -> None:
    wanted = Decided(decision, "a-1")
    assert tuple(asked_in(f"Tag it back, or send {wanted.request}: it is gone then.")) == (wanted,)
    assert f'"{decision.field}": "a-1"' in wanted.request


def test_no_next_step_spells_a_decision_on_a_connection_by_itself() -> None:
    """A button would be missing where one is spelled in another way."""
    spelled = re.compile(r'"decision": "(?:' + "|".join(ConnectionDecision) + ")")
    sources = [*(ROOT / "shared").rglob("*.py")]
    assert [one.name for one in sources if spelled.search(one.read_text(encoding="utf-8"))] == []
