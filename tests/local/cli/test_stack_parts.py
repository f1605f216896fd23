"""The parts of the running instance: its folder, its servers, its client, its commands, its log of exchanges."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.__main__ import main
from local.cli.client import LocalClient
from local.cli.folder import InstanceFolder
from local.exchanges import ExchangeLog
from local.network import CertificateAuthority
from local.process.serving import Serving


async def body(request: Request) -> Response:
    return JSONResponse({"length": len(await request.body())})


APP = Starlette(routes=[Route("/body", body, methods=["POST"])])


def test_each_instance_has_a_folder_of_its_own_and_gives_it_back(tmp_path: Path) -> None:
    base = tmp_path / "local"
    first, second = InstanceFolder(base), InstanceFolder(base)
    third = InstanceFolder(base)
    assert [one.path for one in (first, second, third)] == [base, base / "2", base / "3"]
    second.close()
    again = InstanceFolder(base)
    assert again.path == base / "2"
    for one in (first, third, again):
        one.close()


@pytest.mark.real_time
async def test_an_app_is_served_over_tls_until_it_is_stopped(tmp_path: Path) -> None:
    authority = CertificateAuthority()
    issued = authority.issue(["localhost"], ["127.0.0.1"]).write(tmp_path, "clouds")
    serving = Serving(APP, certificate=issued)
    await serving.start()
    endpoints = {"ca_file": str(authority.write(tmp_path / "ca.pem")), "elastic": serving.url, "elastic_api_key": "k"}
    async with LocalClient(endpoints) as client:
        assert serving.url.startswith("https://127.0.0.1:")
        with pytest.raises(RuntimeError, match="404"):  # /api/v1/body is not served: the client says what came
            await client.elastic("POST", "/body")
    async with httpx.AsyncClient() as stranger:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.post(f"{serving.url}/body")
    await serving.stop()
    with pytest.raises(OSError, match=r"Connect call failed|refused"):
        await asyncio.open_connection("127.0.0.1", int(serving.url.rsplit(":", 1)[1]))


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} of 127.0.0.1: Address already in use"):
            Serving(APP, port=port)


async def test_an_exchange_whose_caller_hung_up_has_no_answer() -> None:
    """What the framework says on its own is no answer of the service."""
    log = ExchangeLog()
    came: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"ha", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return came.pop(0)

    async def send(_message: Any) -> None:
        return None

    scope = {
        "type": "http", "method": "POST", "path": "/body", "raw_path": b"/body", "query_string": b"", "scheme": "https",
        "server": ("127.0.0.1", 443), "headers": [(b"host", b"127.0.0.1")],
    }  # fmt: skip
    with pytest.raises(ClientDisconnect):
        await log.record(APP, "elastic")(scope, receive, send)  # type: ignore[arg-type]  # plain dicts are messages
    (line,) = log.exchanges
    assert (line["status"], line["response_body"], line["request_body"]) == (None, None, "ha")


@pytest.mark.parametrize(
    "command",
    [["status"], ["connect", "uksouth"], ["rest", "GET", "/x"], ["break", "key"], ["app", "stop"]],
)
def test_a_command_for_an_instance_that_does_not_run_says_how_to_start_it(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(tmp_path / "none"), *command]) == 2
    assert "python -m local up" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["rest", "GET", "/x"], ["connect", "uksouth"]])
def test_a_command_for_an_instance_that_was_killed_says_who_does_not_answer(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ca, silent = CertificateAuthority().write(tmp_path / "ca.pem"), "http://127.0.0.1:1"
    endpoints = {"arm": silent, "functions": silent, "identity": f"{silent}/msi/token", "identity_header": "x"}
    endpoints |= {"ca_file": str(ca), "function_key": "k", "subscription_id": "s"}
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints), encoding="utf-8")
    assert main(["--folder", str(tmp_path), *command]) == 1
    assert f"{silent} does not answer" in capsys.readouterr().err


def test_what_cannot_be_understood_is_refused_by_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ([], ["rest", "BREW", "/x"], ["rest", "PUT", "/x", "{"], ["up", "--arm-port", "many"]):
        with pytest.raises(SystemExit):
            main(wrong)
    assert "invalid loads value" in capsys.readouterr().err
