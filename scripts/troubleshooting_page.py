# ruff: noqa: INP001 - a script, not a package
"""Writes the tables of docs/troubleshooting.md from `shared.core.reasons`; run it when a reason changes."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "troubleshooting.md"
BEGIN = "<!-- Written by scripts/troubleshooting_page.py from shared/core/reasons: change it there. -->"


def tables() -> list[str]:
    """The lines after the mark, as they must stand in the page: one table for each section of the catalogue."""
    sys.path.insert(0, str(ROOT))
    from shared.core.reasons import SECTIONS  # noqa: PLC0415 - found only with the path above

    lines = []
    for title, reasons in SECTIONS.items():
        lines += ["", f"## {title}", "", "| reason | symptom | cause | what to do |", "|---|---|---|---|"]
        lines += [
            f"| `{one.name}` | {one.symptom} | {one.cause} | {one.fix or 'Nothing: all is well.'} |" for one in reasons
        ]
    return lines


def write() -> None:
    """Put the tables in place of the old ones."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    PAGE.write_text("\n".join([*lines[: lines.index(BEGIN) + 1], *tables()]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
