# ruff: noqa: INP001 - a script, not a package
"""Writes the entries of docs/troubleshooting.md from `shared.core.reasons`; run it when a reason changes."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "troubleshooting.md"
BEGIN = "<!-- Written by scripts/troubleshooting_page.py from shared/core/reasons: change it there. -->"


def entries() -> list[str]:
    """The lines after the mark, as they must stand in the page: a part for each section, a heading for each reason.

    A reason's heading is the reason, so that a link to it is the page with `#` and the reason in lower case.
    """
    sys.path.insert(0, str(ROOT))
    from shared.core.reasons import SECTIONS  # noqa: PLC0415 - found only with the path above

    lines = []
    for title, reasons in SECTIONS.items():
        lines += ["", f"## {title}"]
        for one in reasons:
            todo = one.remedy or "Nothing: all is well."
            lines += ["", f"### {one.reason}", "", f"{one.symptom} {one.cause}", "", f"**What to do:** {todo}"]
    return lines


def write() -> None:
    """Put the entries in place of the old ones."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    PAGE.write_text("\n".join([*lines[: lines.index(BEGIN) + 1], *entries()]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
