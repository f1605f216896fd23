"""The folder of one running instance: `.local`, or `.local/2`, `.local/3` while those are taken.."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import IO, Any

DEFAULT = Path(".local")
_MOST = 50


class InstanceFolder:
    """A folder that no other running instance writes to; the lock goes with the process."""

    def __init__(self, base: Path = DEFAULT) -> None:
        for number in range(1, _MOST):
            path = base if number == 1 else base / str(number)
            path.mkdir(parents=True, exist_ok=True)
            lock = _locked(path / "lock")
            if lock is not None:
                self.path = path.resolve()
                self._lock = lock
                return
        raise OSError(f"all {_MOST} folders below {base} are in use")

    def close(self) -> None:
        """Let the next instance have it."""
        self._lock.close()


def fresh(path: Path) -> Path:
    """The path, with nothing left of an earlier run."""
    path.unlink(missing_ok=True)
    return path


def add_line(path: Path, value: Any) -> None:
    """Add a line of JSON to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(value, ensure_ascii=False) + "\n")


def _locked(path: Path) -> IO[str] | None:
    file = path.open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    file.write(str(os.getpid()))
    file.flush()
    return file


def folder_option(folder: Path) -> str:
    """What makes a command meet this instance, where another one has the default folder."""
    here = Path.cwd()
    if folder == here / DEFAULT:
        return ""
    return f" --folder {folder.relative_to(here) if folder.is_relative_to(here) else folder}"
