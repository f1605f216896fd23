"""A child process that cannot outlive us: Azurite, the functions host, the clouds.

Called by `local.storage.azurite` and by the modules of `local.cli` that start processes. Each child leads its own
process group, so that Ctrl-C in the terminal reaches only the parent, which then stops its children in an order of its
choice; on Linux the kernel also ends a child whose parent was killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_PR_SET_PDEATHSIG = 1
_TAIL_BYTES = 4000


def _die_with_parent() -> Callable[[], None] | None:
    """Return what a forked child runs before it becomes the program, or None where the kernel has no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork: afterwards only plain calls are safe
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent was gone before the kernel was asked
            os._exit(1)

    return ask_kernel


class Child:
    """A running program, its output in `log` (a temporary file if none is given)."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        log: Path | None = None,
    ) -> None:
        self.command = list(command)
        # Open as long as the child may write; `stop` closes it.
        self._log: IO[bytes] = tempfile.TemporaryFile() if log is None else log.open("ab+")  # noqa: SIM115 - see above
        self._process = subprocess.Popen(  # noqa: S603 - the command comes from our own code, no shell
            self.command,
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - it makes one system call and takes no lock
        )

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises `subprocess.TimeoutExpired`."""
        return self._process.wait(timeout)

    def output(self) -> str:
        """The last of what it wrote, for the message that says why it failed."""
        if self._log.closed:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES)).decode(errors="replace")

    def kill(self) -> None:
        """End the whole group at once, as a crash would."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def stop(self, grace: float = 5.0) -> int:
        """Ask it to end, after `grace` seconds make it; its own children end too. Return its exit status."""
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self._signal(signal.SIGKILL)
        status = self._process.wait()
        self._log.close()
        return status

    def _signal(self, number: signal.Signals) -> None:
        # The leader may have ended and left others in its group, so the group is asked even then.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
