"""A client that a generator makes of docs/openapi.json uses every operation, and reads words that it does not know.

Made by openapi-python-client, as a platform team would; its requests go to the app over the small host.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.functions.openapi.served_api import BASE, KEYS, ServedApi, served_api
from tests.functions.trigger_parts import api_document

FILE = Path(__file__).parents[3] / "docs" / "openapi.json"
NAME = "generated_autopilot_client"
FUNCTIONS = {one["operationId"] for path in api_document()["paths"].values() for one in path.values()}


class Through(httpx.BaseTransport):
    """Requests of the generated client, answered by the app in this process."""

    def __init__(self, api: ServedApi) -> None:
        self._api = api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name in {"content-type", "accept"}}
        answer = self._api.request(request.method, str(request.url), headers=headers, content=request.read())
        sent = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
        return httpx.Response(answer.status_code, headers=sent, content=answer.content, request=request)


class Generated:
    """The client, with its modules at hand."""

    def __init__(self, api: ServedApi) -> None:
        self.api = api
        made = importlib.import_module(f"{NAME}.client").AuthenticatedClient
        self.client = made(
            BASE, KEYS.function, prefix="", auth_header_name="x-functions-key", raise_on_unexpected_status=True,
            httpx_args={"transport": Through(api)},
        )  # fmt: skip

    @staticmethod
    def module(function: str) -> ModuleType:
        return importlib.import_module(f"{NAME}.api.default.{function}")

    @staticmethod
    def model(name: str) -> Any:
        return getattr(importlib.import_module(f"{NAME}.models"), name)

    def call(self, function: str, *path: str, **options: Any) -> Any:
        """Use an operation; answers what the client has read of a success."""
        answer = self.module(function).sync_detailed(*path, client=self.client, **options)
        assert 200 <= int(answer.status_code) < 300, (function, answer)
        return answer.parsed


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yml").write_text("post_hooks: []\n", encoding="utf-8")
    arguments = ["--path", str(FILE), "--output-path", str(folder / NAME), "--meta", "none"]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *arguments, "--fail-on-warning"]
    made = subprocess.run(  # noqa: S603 - fixed
        [*command, "--config", str(folder / "config.yml")], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield Generated(served_api())
    sys.path.remove(str(folder))


def test_every_operation_is_used(generated: Generated) -> None:
    call, model, used = generated.call, generated.model, set[str]()

    def use(function: str, *path: str, **options: Any) -> Any:
        used.add(function)
        return call(function, *path, **options)

    listed = use("list_connections", limit=1)
    (first,) = listed.items
    assert [one.id for one in use("list_connections", cursor=listed.next_).items] != [first.id]
    one = use("get_connection", first.id)
    assert (one.name, one.phase) == (first.name, first.phase)
    assert use("get_journal", first.id, limit=5).items
    assert {entry.name for entry in use("list_events").items} <= {one.name for one in use("list_connections").items}
    assert use("get_checks", first.id).items is not None
    assert use("get_connection_plan", first.id).connection == first.id
    assert use("get_plan").summary.blocked >= 0
    asked = use("reconcile_connection", first.id, body=model("Nothing")())
    assert use("get_operation", asked.operation).of == 1
    assert use("check_connection", first.id).connections == [first.id]
    many = use("reconcile_endpoint", body=model("ByFilter")(model("Filter")(region=first.region)))
    assert first.id in many.connections
    assert use("get_pause").paused is None
    assert use("set_pause", body=model("Pause")(minutes=5)).paused.until
    assert use("lift_pause").paused is None
    assert use("get_removals").stopped is None
    assert use("get_recovered").count == 0
    assert use("doctor").findings
    assert use("replay_poison", limit=1).replayed == 1
    assert use("openapi") is None, "any JSON"
    for page in (("dashboard",), ("dashboard_connection", first.id), ("dashboard_file", "x", "main.js")):
        use(*page)
    # A decision that means nothing is an error that the client can read.
    decision = model("ForgetTarget")("forget-target", "no-such-target")
    refused = generated.module("decide_on_connection").sync(first.id, client=generated.client, body=decision)
    assert refused.error.next_step.startswith("Name one of")
    stop = model("ConfirmRemovals")("confirm-removals", "no-such-stop")
    assert generated.module("decide").sync(client=generated.client, body=stop).error.code == "StopNotFound"
    assert used | {"decide", "decide_on_connection"} == FUNCTIONS


@pytest.mark.parametrize(
    ("function", "wanted", "begins"),
    [
        ("get_plan", "text", "pe-"),
        ("get_connection_plan", "text", "pe-"),
        ("doctor", "text", ""),
        ("list_connections", "csv", "name,"),
    ],
)
def test_what_is_to_be_read_is_asked_for_through_it_too(
    generated: Generated, function: str, wanted: str, begins: str
) -> None:
    module = generated.module(function)
    kind = next(value for name, value in vars(module).items() if name.endswith("Format"))
    path = [generated.api.connections()[-1]] if "connection_" in function else []
    request = module._get_kwargs(*path, format_=kind(wanted))  # noqa: SLF001 - it parses JSON only
    answer = generated.client.get_httpx_client().request(**request)
    assert (answer.status_code, answer.headers["content-type"].split("/")[0]) == (200, "text")
    assert answer.text.startswith(begins)


def test_a_phase_and_a_reason_of_a_newer_version_are_read(generated: Generated) -> None:
    one = generated.api.request("GET", f"/api/connections/{generated.api.connections()[0]}").json()
    one["phase"], one["conditions"][0]["reason"] = "OfALaterVersion", "ReasonOfALaterVersion"
    read = generated.model("Connection").from_dict(one)
    assert (read.phase, read.conditions[0].reason) == ("OfALaterVersion", "ReasonOfALaterVersion")
    assert read.to_dict()["phase"] == "OfALaterVersion"
