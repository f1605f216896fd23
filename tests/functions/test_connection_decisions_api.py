"""Decisions on one connection over HTTP: checked, kept for the next run, in the journal, and sent to work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.ownership import Owner
from shared.core.model.record_elastic import AssociationMemory
from shared.installation import decided
from shared.state.rows import ControlRow
from tests.functions.http_parts import KNOWN, UNKNOWN
from tests.functions.trigger_parts import ENDPOINT_ID, App, call

ASSOCIATED = KNOWN.with_elastic(associations=(AssociationMemory("d1", Owner.OURS),))
FORGET_D1 = Decided(ConnectionDecision.FORGET_TARGET, "d1")
BODY = {"decision": "forget-target", "target": "d1"}


async def test_a_decision_waits_for_the_next_run_which_is_asked_for(app: App) -> None:
    one = await app.keep(ASSOCIATED)
    answer = await call("decide_on_connection", body=BODY, connection=one)
    assert (answer.status, answer.body["connections"]) == (202, [one])
    assert await decided.waiting(app.context, one) == (FORGET_D1,)
    assert [(message["endpoint"], message["cause"]) for message in app.messages] == [(ENDPOINT_ID, "manual")]


async def test_the_journal_says_whose_key_decided(app: App) -> None:
    one = await app.keep(ASSOCIATED)
    await call("decide_on_connection", body=BODY, connection=one)
    journal = await call("get_journal", connection=one)
    entries = [(entry["step"], entry["outcome"]) for entry in journal.body["items"]]
    assert entries == [("operator decided: forget-target d1", "decided")]


async def test_the_same_decision_twice_is_one(app: App) -> None:
    one = await app.keep(ASSOCIATED)
    for _ in range(2):
        await call("decide_on_connection", body=BODY, connection=one)
    assert await decided.waiting(app.context, one) == (FORGET_D1,)


async def test_a_decision_that_was_carried_out_waits_no_more(app: App) -> None:
    one = await app.keep(ASSOCIATED)
    move = Decided(ConnectionDecision.MOVE_ORGANIZATION, "default")
    await decided.leave(app.context, one, FORGET_D1)
    await decided.leave(app.context, one, move)
    await decided.carried_out(app.context, one, FORGET_D1)
    assert await decided.waiting(app.context, one) == (move,)
    await decided.carried_out(app.context, one, move)
    assert await app.storage.control.get(f"decided-{one}") is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "confirm-removals"},
        {"decision": 5},
        {"decision": "forget-target"},
        {"decision": "forget-target", "target": ["d1"]},
        {"decision": "forget-target", "target": "d2"},
        {"decision": "move-organization", "organization": "nowhere"},
        {"decision": "remove", "endpoint": "another"},
        {"decision": "hand-over"},
    ],
)
async def test_what_means_nothing_is_refused_and_leaves_nothing(app: App, body: object) -> None:
    one = await app.keep(ASSOCIATED)
    answer = await call("decide_on_connection", body=body, connection=one)
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    assert answer.error["nextStep"].startswith(("Send {", "Name "))
    assert (app.messages, await decided.waiting(app.context, one)) == ([], ())


async def test_a_damaged_row_says_nothing_and_a_decision_mends_it(app: App) -> None:
    one = await app.keep(ASSOCIATED)
    await app.storage.control.put(ControlRow(f"decided-{one}", {"decisions": [{"decision": "burn"}]}))
    assert await decided.waiting(app.context, one) == ()
    await call("decide_on_connection", body=BODY, connection=one)
    assert await decided.waiting(app.context, one) == (FORGET_D1,)


async def test_a_decision_counts_a_week_and_is_deleted_then(app: App) -> None:
    one = await app.keep(ASSOCIATED)
    await decided.leave(app.context, one, FORGET_D1)
    await app.context.clock.sleep(decided.KEPT.total_seconds() - 60)
    assert await decided.waiting(app.context, one) == (FORGET_D1,)
    await app.context.clock.sleep(120)
    assert await decided.waiting(app.context, one) == ()
    await decided.prune(app.context)
    assert await app.storage.control.get(f"decided-{one}") is None


async def test_a_removed_association_is_no_longer_decided_on(app: App) -> None:
    one = await app.keep(replace(ASSOCIATED, elastic=KNOWN.elastic))
    answer = await call("decide_on_connection", body=BODY, connection=one)
    assert answer.error["message"] == "The connection is associated with no such target."


@pytest.mark.parametrize(
    ("wanted", "status", "code"), [(UNKNOWN, 404, "ConnectionNotFound"), ("x", 400, "InvalidConnectionId")]
)
async def test_a_decision_on_an_unknown_connection_is_refused(app: App, wanted: str, status: int, code: str) -> None:
    answer = await call("decide_on_connection", body=BODY, connection=wanted)
    assert (answer.status, answer.error["code"]) == (status, code)
