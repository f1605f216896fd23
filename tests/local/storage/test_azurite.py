"""Azurite starts ready, stores, and leaves nothing behind; the same for any child process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from azure.storage.queue import QueueServiceClient

from local.process import ports
from local.process.child import Child
from local.process.ports import free_ports
from local.storage import azurite
from local.storage.azurite import Azurite, AzuriteError

needs_azurite = pytest.mark.skipif(azurite.find_executable() is None, reason="Azurite is not installed: make setup")


def gone(pid: int) -> bool:
    """Whether the process ended; a zombie that only waits for its parent counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return gone(pid)


@pytest.mark.azurite
@needs_azurite
def test_azurite_is_ready_when_started_and_gone_when_stopped() -> None:
    running = Azurite.start()
    try:
        with QueueServiceClient.from_connection_string(running.connection_string) as service:
            service.create_queue("work").send_message("hello")
            assert [one.name for one in service.list_queues()] == ["work"]
    finally:
        running.stop()
    assert gone(running.child.pid)


@pytest.mark.azurite
@needs_azurite
def test_data_survives_a_restart_when_it_has_a_location(tmp_path: Path) -> None:
    for round_number in range(2):
        running = Azurite.start(location=tmp_path)
        try:
            with QueueServiceClient.from_connection_string(running.connection_string) as service:
                if round_number == 0:
                    service.create_queue("kept")
                assert [one.name for one in service.list_queues()] == ["kept"]
        finally:
            running.stop()


@pytest.mark.real_time
def test_an_azurite_that_cannot_start_says_why() -> None:
    with pytest.raises(AzuriteError, match="ended with status 1"):
        Azurite.start(executable=Path("/bin/false"))


def test_a_machine_without_npm_is_told_so_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AZURITE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert azurite.main() == 1
    assert "npm is not on PATH" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_python_that_is_too_old_is_told_so_before_anything_is_installed(tmp_path: Path) -> None:
    old = tmp_path / "python"
    # As Python 3.10 would run what the Makefile gives it.
    code = "import sys; sys.version_info = (3, 10, 0); exec(sys.argv[1])"
    old.write_text(f'#!/bin/sh\nshift\nexec "{sys.executable}" -c "{code}" "$@"\n', encoding="utf-8")
    old.chmod(0o755)
    ran = subprocess.run(  # noqa: S603 - the project's own Makefile
        ["make", "setup", f"PYTHON={old}", f"VENV={tmp_path}/venv"],  # noqa: S607 - the user's make
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert f"Python 3.11 or later is needed, {old} is 3.10" in ran.stderr
    assert not (tmp_path / "venv").exists()


def test_the_variable_azurite_names_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AZURITE", str(tmp_path / "absent"))
    assert azurite.find_executable() is None
    (tmp_path / "absent").touch()
    assert azurite.find_executable() == (tmp_path / "absent").resolve()


@pytest.mark.real_time
def test_a_child_that_ignores_the_request_to_end_is_made_to() -> None:
    stubborn = (
        "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    )
    child = Child([sys.executable, "-c", stubborn])
    while "on" not in child.output():
        time.sleep(0.01)
    assert child.stop(grace=0.2) == -signal.SIGKILL


@pytest.mark.real_time
def test_stopping_a_child_ends_what_it_started() -> None:
    code = "import subprocess,time; p=subprocess.Popen(['sleep','60']); print(p.pid, flush=True); time.sleep(60)"
    child = Child([sys.executable, "-c", code])
    while not child.output().strip():
        time.sleep(0.01)
    grandchild = int(child.output())
    child.stop()
    assert wait_until_gone(grandchild)


@pytest.mark.real_time
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children of a killed parent")
def test_a_child_dies_with_a_parent_that_was_killed() -> None:
    run = "import time; print(Child(['sleep', '60']).pid, flush=True); time.sleep(60)"
    code = f"from local.process.child import Child; {run}"
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    assert wait_until_gone(pid)


@pytest.mark.azurite
@needs_azurite
def test_a_port_that_another_process_takes_first_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as quicker:
        taken, others = quicker.getsockname()[1], free_ports(5)
        offered = iter([[others[0], others[1], taken], others[2:]])
        monkeypatch.setattr(azurite, "free_ports", lambda _: next(offered))
        running = azurite.Azurite.start()
        running.stop()
    assert running.ports == tuple(others[2:])


def test_free_ports_are_different() -> None:
    assert len(set(free_ports(20))) == 20


@pytest.mark.real_time
def test_a_port_with_a_listener_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "RANGE", range(port, port + 1))
        with pytest.raises(OSError, match="no 1 free ports"):
            free_ports(1)


@pytest.mark.real_time
def test_no_outgoing_connection_of_anybody_takes_a_port_before_it_is_used() -> None:
    with socket.socket() as outgoing:
        outgoing.bind(("127.0.0.1", 0))
        assert max(free_ports(50)) < outgoing.getsockname()[1]
