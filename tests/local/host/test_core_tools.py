"""The app under Core Tools, for which a program that answers as they do stands in: slow to start, and without keys."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from local.cli import function_app
from local.cli.function_app import FunctionApp
from local.network import CertificateAuthority

pytestmark = pytest.mark.real_time

FUNC = dedent('''\
    #!{python}
    """Writes down how it was started; says `Initialized` twice before it is what `{state}` says."""
    import http.server, json, os, sys
    with open("{record}", "w") as file:
        json.dump({{"arguments": sys.argv[1:], "cwd": os.getcwd(), "environment": dict(os.environ)}}, file)
    states = ["Initialized", "Initialized"]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            state = states.pop() if states else "{state}"
            errors = ["no extension bundle"] if state == "Error" else []
            body = json.dumps({{"state": state, "errors": errors}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            with open("{states}", "a") as file:
                file.write(state + "\\n")

    http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), Handler).serve_forever()
''')


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, state: str = "Running") -> Path:
    """Put the stand-in on PATH; returns where it writes down how it was started."""
    program, record = folder / "bin" / "func", folder / "record.json"
    program.parent.mkdir()
    program.write_text(
        FUNC.format(python=sys.executable, record=record, states=record.with_suffix(".states"), state=state)
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.delenv("LOCAL_HOST", raising=False)
    return record


def the_app(folder: Path) -> FunctionApp:
    authority = CertificateAuthority().write(folder / "ca.pem")
    return FunctionApp(folder, settings=lambda: {"AzureWebJobsStorage": "here", "SSL_CERT_FILE": str(authority)})


async def test_the_app_is_ready_when_core_tools_say_that_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = install(tmp_path, monkeypatch)
    app = the_app(tmp_path)
    await app.start()
    states = record.with_suffix(".states").read_text().split()
    await app.stop()
    assert states == ["Initialized", "Initialized", "Running"]


async def test_core_tools_get_the_apps_settings_and_any_key_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = install(tmp_path, monkeypatch)
    app = the_app(tmp_path)
    await app.start()
    await app.stop()
    started = json.loads(record.read_text())
    environment = started["environment"]
    assert started["arguments"] == ["start", "--port", app.url.rsplit(":", 1)[1]]
    assert started["cwd"] == str(function_app.APP)
    assert (environment["FUNCTIONS_WORKER_RUNTIME"], environment["AzureWebJobsStorage"]) == ("python", "here")
    assert app.function_key, "links with an empty key look broken"


async def test_core_tools_trust_the_local_clouds_and_the_internet_that_they_load_extensions_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CertificateAuthority().write(tmp_path / "system.pem")))
    record = install(tmp_path, monkeypatch)
    app = the_app(tmp_path)
    await app.start()
    await app.stop()
    trusted = ssl.create_default_context(cafile=json.loads(record.read_text())["environment"]["SSL_CERT_FILE"])
    assert trusted.cert_store_stats()["x509_ca"] == 2


async def test_a_host_that_does_not_get_there_is_reported_with_its_state_and_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_app, "READY_SECONDS", 2.0)
    install(tmp_path, monkeypatch, state="Error")
    app = the_app(tmp_path)
    with pytest.raises(RuntimeError, match=r"not ready.*Error.*no extension bundle"):
        await app.start()
    await app.stop()
