# ruff: noqa: INP001 - a script, not a package
"""Writes the table of docs/settings.md from `shared.settings`: run it when a setting changes. A test compares."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "settings.md"
HEAD = ["| setting | default | what it is |", "|---|---|---|"]


def table() -> list[str]:
    """The table as it must stand in the page."""
    sys.path.insert(0, str(ROOT))
    from shared.settings import descriptions  # noqa: PLC0415 - found only with the path above

    rows = []
    for one in descriptions():
        default = "**required**" if one.default is None else f"`{one.default}`" if one.default else "empty"
        rows.append(f"| `{one.name}` | {default} | {one.about} |")
    return HEAD + rows


def write() -> None:
    """Put the table where the old one is."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index(HEAD[0])
    end = next(at for at in range(start, len(lines)) if not lines[at].startswith("|"))
    PAGE.write_text("\n".join([*lines[:start], *table(), *lines[end:]]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
