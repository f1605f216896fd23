"""The HTTP API for operators: poisoned messages are sent again, so many and no more; decisions for all connections."""

from __future__ import annotations

import pytest

from shared.core.model.errors import AnswerLost
from shared.installation import things
from tests.functions.conftest import Provide
from tests.functions.http_parts import KNOWN
from tests.functions.trigger_parts import SUBSCRIPTION, App, call, wrong_settings


async def poison(app: App, messages: int) -> None:
    for number in range(messages):
        await app.queue.send(f'{{"message": {number}}}')
    app.queue.poison, app.queue.messages = app.queue.messages, []


async def test_a_replay_puts_the_poison_back_to_work_and_says_what_is_left(app: App) -> None:
    await poison(app, 3)
    answer = await call("replay_poison", "/api/poison/replay", body={}, query={"limit": "2"})
    assert (answer.status, answer.body["replayed"], answer.body["left"]) == (200, 2, 1)
    assert answer.body["correlationId"]
    assert app.messages == [{"message": 0}, {"message": 1}]
    assert len(app.queue.poison) == 1


async def test_a_replay_is_bounded_without_a_limit_in_the_request(app: App) -> None:
    await poison(app, 150)
    answer = await call("replay_poison", "/api/poison/replay", body={})
    assert (answer.body["replayed"], answer.body["left"]) == (100, 50)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "all", ""])
async def test_a_limit_out_of_range_is_refused_and_nothing_is_sent(app: App, limit: str) -> None:
    await poison(app, 1)
    answer = await call("replay_poison", "/api/poison/replay", body={}, query={"limit": limit})
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    assert app.messages == []


async def test_a_replay_that_storage_breaks_off_says_so_and_loses_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await poison(app, 2)

    async def lost(text: str, delay: float = 0.0) -> None:
        raise AnswerLost("Azure Storage took a request and gave no answer.", after=10.0)

    monkeypatch.setattr(app.queue, "send", lost)
    answer = await call("replay_poison", "/api/poison/replay", body={})
    assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (503, "AnswerLost", "10")
    assert len(app.queue.poison) == 2


async def test_wrong_settings_are_told(provided: Provide) -> None:
    provided(wrong_settings())
    answer = await call("replay_poison", "/api/poison/replay", body={})
    assert (answer.status, answer.error["code"]) == (503, "InvalidSettings")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", {}, {"decision": "confirm-removals", "stop": 5}, {"decision": 5}, {"stop": "x"}]
)
async def test_a_confirmation_that_names_no_stop_is_refused_and_shown_what_to_send(app: App, body: object) -> None:
    answer = await call("decide", "/api/decisions", body=body)
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    assert answer.error["nextStep"].startswith('Send {"decision": "confirm-removals", "stop": "<id>"}')
    assert app.messages == []


async def test_a_confirmation_of_an_unknown_stop_is_not_found(app: App) -> None:
    answer = await call("decide", "/api/decisions", body={"decision": "confirm-removals", "stop": "x" * 500})
    assert (answer.status, answer.error["code"]) == (404, "StopNotFound")
    assert "GET /api/removals" in answer.error["nextStep"]
    assert len(answer.text) < 1000


# -- what was recovered --------------------------------------------------------------------------------------------

ZONE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/z"


async def test_what_was_recovered_is_one_list_and_one_word_makes_it_the_apps(app: App) -> None:
    connection = await app.keep(KNOWN)
    for thing in (ZONE, f"{ZONE}/virtualNetworkLinks/spoke"):
        await things.recover(app.context, ZONE, thing, connection)
    shown = (await call("get_recovered", "/api/recovered")).body
    assert (shown["count"], [one["id"] for one in shown["entries"]]) == (2, [ZONE, f"{ZONE}/virtualNetworkLinks/spoke"])
    assert shown["entries"][0] == {"id": ZONE, "in": ZONE, "connections": [connection]}
    body = {"decision": "confirm-recovered", "list": shown["list"]}
    answer = await call("decide", "/api/decisions", body=body)
    assert (answer.status, answer.body["decision"], answer.body["recovered"]) == (200, "confirm-recovered", shown)
    assert (await call("get_recovered", "/api/recovered")).body == {"list": None, "count": 0, "entries": []}
    again = await call("decide", "/api/decisions", body=body)
    assert (again.status, again.error["code"]) == (404, "RecoveredListNotFound")
    journal = (await call("get_journal", connection=connection)).body["items"]
    assert [one["step"] for one in journal] == [f"operator decided: confirm recovered {shown['list']}"]


@pytest.mark.parametrize("list_id", [None, "", 5, ["x"]])
async def test_a_confirmation_that_names_no_list_is_refused(app: App, list_id: object) -> None:
    answer = await call("decide", "/api/decisions", body={"decision": "confirm-recovered", "list": list_id})
    assert (answer.status, answer.error["code"]) == (400, "InvalidInput")
    assert "GET /api/recovered" in answer.error["nextStep"]


async def test_a_confirmation_of_another_list_confirms_nothing(app: App) -> None:
    await things.recover(app.context, ZONE, ZONE, "0123456789abcdef")
    answer = await call("decide", "/api/decisions", body={"decision": "confirm-recovered", "list": "x" * 500})
    assert (answer.status, answer.error["code"]) == (404, "RecoveredListNotFound")
    assert len(answer.text) < 1000
    assert (await call("get_recovered", "/api/recovered")).body["count"] == 1
