"""Core Tools are used where they are; the small host otherwise or on demand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from local.host.launch import host_command

if TYPE_CHECKING:
    from pathlib import Path


def with_func(folder: Path) -> dict[str, str]:
    program = folder / "func"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return {"PATH": str(folder)}


def test_core_tools_on_path_are_used(tmp_path: Path) -> None:
    command = host_command(tmp_path, 7071, environ=with_func(tmp_path))
    assert command.argv == (str(tmp_path / "func"), "start", "--port", "7071")
    assert command.cwd == tmp_path
    assert not command.has_keys
    assert command.environment["FUNCTIONS_WORKER_RUNTIME"] == "python"


def test_the_small_host_can_be_asked_for(tmp_path: Path) -> None:
    command = host_command(tmp_path, 0, environ={**with_func(tmp_path), "LOCAL_HOST": "small"})
    assert command.argv[:3] == (sys.executable, "-m", "local.host")
    assert command.has_keys


def test_without_core_tools_the_small_host_is_used_with_its_files(tmp_path: Path) -> None:
    ready, keys = tmp_path / "ready", tmp_path / "keys"
    command = host_command(
        tmp_path, 0, ready_file=ready, keys_file=keys, message_lease=5, https_port=9443, environ={"PATH": "/nowhere"}
    )
    assert command.argv[3:] == (
        *("--app-dir", str(tmp_path), "--port", "0"),
        *("--ready-file", str(ready), "--keys-file", str(keys), "--message-lease", "5"),
        *("--https-port", "9443"),
    )
