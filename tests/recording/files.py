"""Recordings as files: one compressed file of JSON lines per scenario, the same bytes for the same lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

from tests.recording.listening import Line

DATA = Path(__file__).parent / "data"


def path_of(folder: Path, name: str) -> Path:
    """Where a scenario's recording is."""
    return folder / f"{name}.jsonl.gz"


def write(folder: Path, name: str, recorded: Iterable[Line]) -> None:
    """Keep a recording."""
    folder.mkdir(parents=True, exist_ok=True)
    path_of(folder, name).write_bytes(gzip.compress(text(recorded).encode(), compresslevel=9, mtime=0))


def read(folder: Path, name: str) -> list[Line]:
    """A recording as it was kept."""
    return lines(gzip.decompress(path_of(folder, name).read_bytes()).decode())


def text(recorded: Iterable[Line]) -> str:
    """Its lines as a file holds them."""
    return "".join(json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n" for line in recorded)


def lines(kept: str) -> list[Line]:
    """The lines of a text."""
    return [json.loads(line) for line in kept.splitlines()]
