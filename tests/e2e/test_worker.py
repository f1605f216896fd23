"""Every trigger, invoked by Microsoft's own worker library: it answers as the small functions host does.

The library needs Python 3.13. WORKER_PYTHON names an interpreter that has it with the app's requirements, RUNTIME_CHECK
the folder of the `runtime.py` that drives it; `.ci/run` sets both where it can.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from e2e_instance import Instance, put_endpoint, ready

from local.client import LocalClient
from local.stack import APP_SETTINGS
from shared.core.arm_ids import connection_id

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-outside"),
    pytest.mark.skipif(
        not {"WORKER_PYTHON", "RUNTIME_CHECK"} <= set(os.environ),
        reason="needs Microsoft's worker library on Python 3.13: WORKER_PYTHON and RUNTIME_CHECK are not set",
    ),
]

HERE = Path(__file__).parent
EVENTS = HERE.parent / "events"
CORRELATION = "5f0c7a52-3d3b-4b5e-9f8e-0d6f1c2b3a49"
FUNCTIONS = {
    "endpoint_events": "eventGridTrigger",
    "reconcile": "queueTrigger",
    "check_health": "timerTrigger",
    "list_connections": "httpTrigger",
    "get_connection": "httpTrigger",
    "get_journal": "httpTrigger",
    "reconcile_connection": "httpTrigger",
    "reconcile_endpoint": "httpTrigger",
}
Call = dict[str, Any]
Answer = dict[str, Any]


def event(value: Any, *, kind: str = "json") -> Call:
    return {"function": "endpoint_events", "argument": "event", "kind": kind, "value": value}


def message(text: str) -> Call:
    return {"function": "reconcile", "argument": "message", "kind": "string", "value": text}


def tick(*, past_due: bool = False) -> Call:
    return {"function": "check_health", "argument": "timer", "kind": "timer", "value": past_due}


def http(function: str, *, body: str = "", connection: str = "", **query: str) -> Call:
    value = {
        "method": "POST" if function.startswith("reconcile") else "GET",
        "url": f"https://autopilot.azurewebsites.net/api/{function}",
        "headers": {"x-ms-client-request-id": CORRELATION},
        "query": query,
        "params": {"id": connection} if connection else {},
        "body": body,
    }
    return {"function": function, "argument": "req", "kind": "http", "value": value}


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def app_settings(endpoints: dict[str, Any]) -> dict[str, str]:
    """What the running instance gives its own app."""
    return APP_SETTINGS | {
        "AZURE_RESOURCE_MANAGER_URL": endpoints["arm"],
        "ELASTIC_API_URL": endpoints["elastic"],
        "ELASTIC_API_KEY": endpoints["elastic_api_key"],
        "PROBE_DNS_SERVER": f"{endpoints['dns']['host']}:{endpoints['dns']['port']}",
        "AzureWebJobsStorage": endpoints["azurite"],
        "IDENTITY_ENDPOINT": endpoints["identity"],
        "IDENTITY_HEADER": endpoints["identity_header"],
        "SSL_CERT_FILE": endpoints["ca_file"],
    }


async def ask(way: str, calls: list[Call], settings: dict[str, str], folder: Path) -> tuple[list[Any], list[Answer]]:
    """Make the calls in a process of their own: the functions found, and the answers."""
    answers = folder / f"{way}.json"
    program = await asyncio.create_subprocess_exec(
        os.environ["WORKER_PYTHON"] if way == "worker" else sys.executable,
        *(str(HERE / "worker_calls.py"), way, str(answers)),
        env={name: os.environ[name] for name in ("PATH", "HOME", "RUNTIME_CHECK") if name in os.environ} | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(program.communicate(json.dumps(calls).encode()), 90)
    assert program.returncode == 0, output.decode()
    functions, *rest = json.loads(answers.read_text(encoding="utf-8"))
    return functions, rest


async def ask_both(calls: list[Call], settings: dict[str, str], folder: Path) -> tuple[list[Answer], list[Answer]]:
    """The library's answers and the small host's; both must have found the same functions."""
    functions, by_worker = await ask("worker", calls, settings, folder)
    assert dict(functions) == FUNCTIONS
    for one in by_worker:
        if one["error"] is not None:  # the library puts the exception's type before its text
            one["error"] = one["error"].partition(": ")[2]
    functions, by_host = await ask("host", calls, settings, folder)
    assert dict(functions) == FUNCTIONS
    return by_worker, by_host


async def test_events_become_the_same_messages(tmp_path: Path) -> None:
    """It needs nothing that could be missing: no setting, no storage."""
    batch = sample("grid_batch")
    calls = [
        *(event(sample(name)[0]) for name in ("grid_write", "grid_delete", "grid_failure", "grid_other_type")),
        *(event(sample(name)) for name in ("cloud_write", "cloud_delete")),
        *(event(one) for one in batch),
        event(batch),
        *(event(garbage) for garbage in ({}, [], 7, "text", None, {"type": 7})),
    ]
    by_worker, by_host = await ask_both(calls, {}, tmp_path)
    for call, theirs, ours in zip(calls, by_worker, by_host, strict=True):
        for one in (*theirs["messages"], *ours["messages"]):
            if not str(call["value"]).count(one["correlationId"]):
                one["correlationId"] = "made up"
        assert theirs == ours, call
        assert theirs["ok"]
    causes = [[one["cause"] for one in found["messages"]] for found in by_worker]
    assert causes[:6] == [["event-write"], ["event-delete"], [], [], ["event-write"], ["event-delete"]]
    assert causes[6 : 6 + len(batch)] == [["event-write"]] * len(batch)
    assert causes[6 + len(batch)] == ["event-write"] * len(batch)
    assert causes[7 + len(batch) :] == [[]] * 6


async def test_what_cannot_be_read_even_as_json_is_dropped_by_the_worker(tmp_path: Path) -> None:
    _, answers = await ask("worker", [event("{", kind="string"), event("", kind="string")], {}, tmp_path)
    assert [(one["ok"], one["messages"]) for one in answers] == [(True, [])] * 2


async def test_without_settings_every_trigger_says_what_is_missing(tmp_path: Path) -> None:
    known = "0123456789abcdef"
    calls = [
        http("list_connections"),
        http("get_connection", connection=known),
        http("get_journal", connection=known),
        http("reconcile_connection", connection=known),
        http("reconcile_endpoint", body='{"endpoint": "/x"}'),
        tick(),
        message('{"v":1,"endpoint":"/x","cause":"timer"}'),
    ]
    by_worker, by_host = await ask_both(calls, {}, tmp_path)
    assert by_worker == by_host
    for found in by_worker[:5]:
        assert found["status"] == 503
        assert found["body"]["error"]["code"] == "InvalidSettings"
        assert found["body"]["error"]["correlationId"] == CORRELATION
    assert not by_worker[5]["ok"]
    assert "AZURE_SUBSCRIPTIONS: required, and not set" in by_worker[5]["error"]
    assert not by_worker[6]["ok"]


async def test_against_running_clouds_every_trigger_does_its_work(
    instance: Instance, client: LocalClient, tmp_path: Path
) -> None:
    endpoint = await put_endpoint(client, "pe-worker", "southeastasia")
    await ready(client, endpoint)
    known, unknown = connection_id(endpoint), "0123456789abcdef"
    calls = [
        message(json.dumps({"v": 1, "endpoint": endpoint, "cause": "manual", "correlationId": CORRELATION})),
        message("no message of ours"),
        tick(past_due=True),
        http("list_connections"),
        http("get_connection", connection=known),
        http("get_connection", connection=unknown),
        http("get_connection", connection="nonsense"),
        http("get_journal", connection=known, limit="3"),
        http("get_journal", connection=known, limit="none"),
        http("reconcile_connection", connection=known),
        http("reconcile_connection", connection=unknown),
        http("reconcile_endpoint", body=json.dumps({"endpoint": endpoint})),
        http("reconcile_endpoint", body="{"),
        http("reconcile_endpoint", body="x" * 20_000),
    ]
    by_worker, by_host = await ask_both(calls, app_settings(instance.endpoints), tmp_path)
    seen = [(one["ok"], one["status"], code_of(one)) for one in by_worker]
    assert seen == [(one["ok"], one["status"], code_of(one)) for one in by_host]
    assert seen == [
        (True, None, ""),
        (False, None, ""),
        (True, None, ""),
        (True, 200, ""),
        (True, 200, ""),
        (True, 404, "ConnectionNotFound"),
        (True, 400, "InvalidConnectionId"),
        (True, 200, ""),
        (True, 400, "InvalidInput"),
        (True, 202, ""),
        (True, 404, "ConnectionNotFound"),
        (True, 202, ""),
        (True, 400, "InvalidInput"),
        (True, 413, "BodyTooLarge"),
    ]
    assert by_worker[1]["error"] == by_host[1]["error"]
    for theirs, ours in zip(by_worker, by_host, strict=True):
        if theirs["status"] not in (None, 200):  # what a 200 holds goes on while both ask
            assert theirs == ours
    assert known in {one["id"] for one in by_worker[3]["body"]["connections"]}
    assert (by_worker[4]["body"]["id"], by_worker[4]["body"]["phase"]) == (known, "Ready")
    assert len(by_worker[7]["body"]["entries"]) == 3
    assert by_worker[9]["headers"]["location"].endswith(f"/api/connections/{known}")


def code_of(found: Answer) -> str:
    return str((found["body"] or {}).get("error", {}).get("code", "")) if isinstance(found["body"], dict) else ""
