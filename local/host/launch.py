"""Which host runs the app: Azure Functions Core Tools where it is installed, else the small host of this package.

Called by `local.cli.function_app`. `LOCAL_HOST=small` (or `core-tools`) decides by hand. Under Core Tools the
keys are off, as Microsoft made it for local work: any key, or none, is accepted; there is no ready file, so readiness
is that `/admin/host/status` answers with state Running. Core Tools needs `FUNCTIONS_WORKER_RUNTIME=python`, and takes
the Python it finds first on PATH.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class HostCommand:
    """How to start the host: a command, the folder to start it in, what to add to its environment."""

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    core_tools: bool

    @property
    def has_keys(self) -> bool:
        """Whether a wrong key is refused."""
        return not self.core_tools


def host_command(
    app_dir: Path,
    port: int,
    *,
    ready_file: Path | None = None,
    keys_file: Path | None = None,
    timers_file: Path | None = None,
    message_lease: float | None = None,
    longest_poll: float | None = None,
    refuse_deliveries: float = 0.0,
    https_port: int | None = None,
    environ: Mapping[str, str] | None = None,
) -> HostCommand:
    """Return the command that serves the app in `app_dir` on `port` of 127.0.0.1 (0: a free one, small host only)."""
    environ = os.environ if environ is None else environ
    chosen = environ.get("LOCAL_HOST", "")
    func = shutil.which("func", path=environ.get("PATH"))
    if chosen != "small" and (func or chosen == "core-tools"):
        path = os.pathsep.join(filter(None, (str(Path(sys.executable).parent), environ.get("PATH"))))
        start = (func or "func", "start", "--port", str(port))
        return HostCommand(start, app_dir, {"FUNCTIONS_WORKER_RUNTIME": "python", "PATH": path}, core_tools=True)
    argv: tuple[str, ...] = (
        sys.executable,
        "-m",
        "local.host",
        "--app-dir",
        str(app_dir.resolve()),
        "--port",
        str(port),
    )
    options = {"--ready-file": ready_file, "--keys-file": keys_file, "--timers-file": timers_file}
    for option, file in options.items():
        argv += () if file is None else (option, str(file.resolve()))
    argv += () if message_lease is None else ("--message-lease", str(message_lease))
    argv += () if longest_poll is None else ("--longest-poll", str(longest_poll))
    argv += ("--refuse-deliveries", str(refuse_deliveries)) if refuse_deliveries else ()
    argv += () if https_port is None else ("--https-port", str(https_port))
    project = Path(__file__).resolve().parents[2]
    python_path = os.pathsep.join(filter(None, (str(project), environ.get("PYTHONPATH"))))
    return HostCommand(argv, app_dir, {"PYTHONPATH": python_path}, core_tools=False)
