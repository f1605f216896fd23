"""Pause over HTTP: begun, seen on every answer, prolonged, lifted; bad input; and what an unreadable one looks like."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.storage.memory import MemoryStorage
from shared.core.model.conditions import Explanation
from shared.core.model.errors import Forbidden, LostRace, RetryLater
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import Identity
from shared.core.reports.doctor.findings import Report
from shared.state.rows import ControlRow
from shared.version import VERSION
from tests.functions.conftest import Provide
from tests.functions.trigger_parts import START, App, app_in_memory, call, keyed, wrong_settings

PATH = "/api/pause"
UNKNOWN = "0123456789abcdef"
HOUR = timedelta(hours=1)


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch, provided: Provide) -> AsyncIterator[App]:
    app = app_in_memory()
    provided(app.context)

    async def nothing_asked(_: object) -> Report:  # the doctor asks the clouds, and there are none here
        return Report(START, 0, ())

    monkeypatch.setattr("shared.api.doctor.examine", nothing_asked)
    yield app
    # A plan asks them too, in vain: what it opened for that is closed.
    await app.context.dns.clients.aclose()
    await app.context.elastic.aclose()


async def pause(body: Any = None) -> Any:
    return await call("set_pause", PATH, body=body, method="POST")


def until(answer: Any) -> datetime:
    return datetime.fromisoformat(answer.body["paused"]["until"])


# -- begin, prolong, lift ------------------------------------------------------------------------------------------


async def test_nothing_is_paused_at_first_and_lifting_no_pause_is_no_error(app: App) -> None:
    for name, method in (("get_pause", "GET"), ("lift_pause", "DELETE")):
        answer = await call(name, PATH, method=method)
        assert (answer.status, answer.body) == (200, {"paused": None})
        assert answer.app == {"version": VERSION, "mode": "enforce", "paused": None, "problems": []}
        assert answer.headers["x-privatelink-mode"] == "enforce"
        assert "x-privatelink-paused-until" not in answer.headers


@pytest.mark.parametrize(
    ("body", "lasts", "reason"),
    [
        (None, HOUR, ""),
        ({}, HOUR, ""),
        ({"reason": " change freeze "}, HOUR, "change freeze"),
        ({"minutes": 5}, timedelta(minutes=5), ""),
        ({"minutes": 0.5}, timedelta(seconds=30), ""),
        ({"minutes": 7 * 24 * 60}, timedelta(days=7), ""),
        ({"until": (START + 2 * HOUR).isoformat()}, 2 * HOUR, ""),
        ({"until": "2026-05-06T11:08:09+02:00", "reason": "r" * 200}, 2 * HOUR, "r" * 200),
        ({"until": "2026-05-06T09:08:09Z"}, 2 * HOUR, ""),
    ],
)
async def test_a_pause_has_an_end_and_every_answer_tells_it(app: App, body: Any, lasts: timedelta, reason: str) -> None:
    before = app.context.clock.now()
    answer = await pause(body)
    assert answer.status == 200
    assert abs(until(answer) - before - lasts) < timedelta(seconds=20), "a slow machine takes its time"
    shown = {"since": answer.body["paused"]["since"], "until": answer.body["paused"]["until"], "reason": reason}
    assert answer.body == {"paused": shown}
    assert answer.app == {"version": VERSION, "mode": "enforce", "paused": shown, "problems": []}, (
        "told by the very answer that began it"
    )
    for name, connection in (("get_pause", None), ("get_connection", UNKNOWN)):
        later = await call(name, connection=connection)
        assert later.app["paused"] == shown
        assert later.headers["x-privatelink-paused-until"] == shown["until"]
    lifted = await call("lift_pause", PATH, method="DELETE")
    assert (lifted.body, lifted.app["paused"]) == ({"paused": None}, None)
    assert (await call("get_pause", PATH)).body == {"paused": None}


async def test_a_pause_expires_by_itself(app: App) -> None:
    await pause({"minutes": 1})
    await app.context.clock.sleep(59)
    assert (await call("get_pause", PATH)).app["paused"]
    await app.context.clock.sleep(1)
    answer = await call("get_pause", PATH)
    assert (answer.body, answer.app["paused"]) == ({"paused": None}, None)


async def test_a_second_request_gives_the_pause_another_end_and_keeps_its_beginning(app: App) -> None:
    first = await pause({"minutes": 60, "reason": "release"})
    await app.context.clock.sleep(600)
    second = await pause({"minutes": 5})
    assert until(second) < until(first)
    assert second.body["paused"]["since"] == first.body["paused"]["since"]
    assert second.body["paused"]["reason"] == ""
    await app.context.clock.sleep(3600)
    third = await pause({})
    assert third.body["paused"]["since"] > second.body["paused"]["until"], "the one before was over"


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"minutes": 0},
        {"minutes": -1},
        {"minutes": 7 * 24 * 60 + 1},
        {"minutes": 1e300},
        {"minutes": "60"},
        {"minutes": True},
        {"minutes": None},
        {"minutes": [60]},
        {"minute": 60},
        {"minutes": 60, "until": (START + HOUR).isoformat()},
        {"until": (START - HOUR).isoformat()},
        {"until": (START + timedelta(days=8)).isoformat()},
        {"until": "2026-05-06T09:08:09"},
        {"until": "tomorrow"},
        {"until": 1800000000},
        {"until": "0001-01-01T00:00:00+14:00"},
        {"until": None},
        {"reason": "r" * 201},
        {"reason": "two\nlines"},
        {"reason": 7},
        {"reason": None},
    ],
    ids=json.dumps,
)
async def test_what_is_no_pause_is_refused_says_what_to_send_and_pauses_nothing(app: App, body: Any) -> None:
    answer = await pause(body)
    assert (answer.status, answer.error["code"]) == (400, "InvalidPause")
    assert '{"minutes": 60' in answer.error["nextStep"]
    assert answer.app == {"version": VERSION, "mode": "enforce", "paused": None, "problems": []}
    assert await app.storage.control.get("pause") is None


@pytest.mark.parametrize("body", [b"{", b'{"minutes": NaN}', b'{"minutes": Infinity}', b"[]", b"60"])
async def test_a_body_that_is_no_json_object_is_refused(app: App, body: bytes) -> None:
    answer = await call("set_pause", PATH, body=body, method="POST")
    assert (answer.status, answer.error["code"]) in {(400, "InvalidInput"), (400, "InvalidPause")}
    assert '{"minutes": 60' in answer.error["nextStep"]


async def test_a_request_that_is_refused_leaves_the_present_pause_as_it_is(app: App) -> None:
    first = await pause({"minutes": 60})
    await pause({"minutes": 0})
    assert (await call("get_pause", PATH)).body == first.body


# -- several people, and a record that cannot be read --------------------------------------------------------------


async def test_of_two_people_at_once_both_are_answered_and_one_end_holds(app: App) -> None:
    answers = await asyncio.gather(*(pause({"minutes": minutes}) for minutes in (10, 20, 30)))
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert (await call("get_pause", PATH)).body["paused"]["until"] in {
        answer.body["paused"]["until"] for answer in answers
    }
    lifted = await asyncio.gather(*(call("lift_pause", PATH, method="DELETE") for _ in range(3)))
    assert [answer.body for answer in lifted] == [{"paused": None}] * 3


@pytest.mark.parametrize("document", [{}, {"since": "x", "until": "y"}, {"until": "2026-05-06T07:00:00"}])
async def test_a_damaged_record_counts_as_paused_until_a_person_lifts_it(app: App, document: dict[str, str]) -> None:
    await app.storage.control.put(ControlRow("pause", document))
    answer = await call("get_pause", PATH)
    assert "DELETE /api/pause" in answer.body["paused"]["reason"]
    assert answer.app["paused"] == answer.body["paused"]
    assert (await call("lift_pause", PATH, method="DELETE")).app["paused"] is None


async def test_a_damaged_record_is_mended_by_a_new_pause(app: App) -> None:
    await app.storage.control.put(ControlRow("pause", {}))
    answer = await pause({"minutes": 1})
    assert answer.status == 200
    await app.context.clock.sleep(61)
    assert (await call("get_pause", PATH)).body == {"paused": None}


# -- on every answer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "method"), keyed(), ids=str)
@pytest.mark.parametrize("how", ["asked well", "asked badly"])
async def test_every_route_that_takes_a_key_tells_mode_and_pause_with_any_answer(
    app: App, name: str, method: str, how: str
) -> None:
    paused = (await pause({"minutes": 60, "reason": "freeze"})).body["paused"]
    known = await app.keep(ConnectionRecord(f"/subscriptions/{UNKNOWN}"))
    body = None if method == "GET" else {"minutes": 60, "reason": "freeze"} if how == "asked well" else b"no JSON"
    if name == "lift_pause":
        return  # lifts it: told by a test of its own
    answer = await call(name, body=body, method=method, connection=known if how == "asked well" else "x")
    shown = answer.app["paused"]
    assert (answer.app["mode"], shown["until"], shown["reason"]) == ("enforce", paused["until"], "freeze")
    assert answer.headers["x-privatelink-mode"] == "enforce"
    assert answer.headers["x-privatelink-paused-until"] == paused["until"]


async def test_the_setting_shows_as_the_mode(provided: Provide) -> None:
    app = app_in_memory(MODE="observe")
    provided(app.context)
    answer = await call("list_connections")
    assert answer.app == {"version": VERSION, "mode": "observe", "paused": None, "problems": []}
    assert answer.headers["x-privatelink-mode"] == "observe"


@pytest.mark.parametrize(
    ("asked", "paused", "mode"),
    [
        ("", False, "enforce"),
        ("observe", False, "observe"),
        ("ignore", False, "ignore"),
        ("enforce", True, "observe"),
        ("ignore", True, "ignore"),
        ("of another version", False, "observe"),
    ],
)
async def test_list_and_detail_show_the_mode_that_holds_for_each_connection_now(
    app: App, asked: str, paused: bool, mode: str
) -> None:
    known = await app.keep(ConnectionRecord(f"/subscriptions/{UNKNOWN}", identity=Identity(mode=asked)))
    if paused:
        await pause()
    assert (await call("get_connection", connection=known)).body["mode"] == mode
    assert (await call("list_connections")).body["items"][0]["mode"] == mode


class Unreadable(MemoryStorage):
    """Storage whose table `control` cannot be read."""

    def __init__(self, failing: Callable[[], Any]) -> None:
        super().__init__(app_in_memory().context.clock)
        self.control = self  # type: ignore[assignment]  # it is that port too
        self.failing = failing

    async def get(self, name: str) -> None:
        del name
        await self.failing()

    async def list(self, beginning: str) -> AsyncIterator[ControlRow]:
        del beginning
        await self.failing()
        yield ControlRow("never")


def raising(error: Exception) -> Callable[[], Any]:
    async def fail() -> None:
        raise error

    return fail


async def for_ever() -> None:
    await asyncio.sleep(3600)


@pytest.mark.parametrize(
    "failing",
    [
        raising(RetryLater("busy")),
        raising(LostRace("busy")),
        raising(Forbidden(Explanation(Reason.STORAGE_ACCESS_DENIED, "no"))),
        raising(KeyError("a bug")),
        for_ever,
    ],
    ids=["busy", "race", "forbidden", "bug", "hangs"],
)
async def test_where_it_cannot_be_read_the_answer_says_so_and_is_otherwise_the_same(
    provided: Provide, failing: Callable[[], Any]
) -> None:
    app = app_in_memory(Unreadable(failing))
    provided(app.context)
    answer = await call("replay_poison", body={}, method="POST")
    assert (answer.status, answer.body["replayed"]) == (200, 0)
    assert answer.app == {"version": VERSION, "mode": "enforce", "paused": None, "problems": None}
    assert answer.headers["x-privatelink-paused-until"] == "unknown"


async def test_with_wrong_settings_neither_is_known(provided: Provide) -> None:
    provided(wrong_settings())
    for name, method in keyed():
        answer = await call(name, method=method, connection=UNKNOWN, body={})
        (wrong,) = answer.app.pop("problems")
        assert wrong["code"] == "SettingsWrong"
        assert answer.app == {"version": VERSION, "mode": None, "paused": None}
        assert answer.headers["x-privatelink-mode"] == answer.headers["x-privatelink-paused-until"] == "unknown"
