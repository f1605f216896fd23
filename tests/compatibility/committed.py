"""The files of each version: `files/<version>/forms.json` and `state.json`. Read by tests, written by `__main__`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.version import VERSION
from tests.compatibility.samples import plain

FILES = Path(__file__).parent / "files"
AGAIN = "python -m tests.compatibility"


def versions() -> list[str]:
    """Every version that has files."""
    return sorted(path.name for path in FILES.iterdir() if path.is_dir())


def read(version: str, name: str) -> Any:
    """A file of a version."""
    return json.loads((FILES / version / f"{name}.json").read_text(encoding="utf-8"))


def write(name: str, value: Any) -> None:
    """A file of this version."""
    folder = FILES / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=1, sort_keys=True, default=plain)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
