# ruff: noqa: INP001 - a script, not a package
"""Writes the entries of docs/troubleshooting.md, and the dashboard's page of them, from `shared.core.reasons`.

Run it when a reason changes.
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.core.reasons import ReasonDoc

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "troubleshooting.md"
SERVED = ROOT / "functions" / "dashboard_files" / "reasons.html"
BEGIN = "<!-- Written by scripts/troubleshooting_page.py from shared/core/reasons: change it there. -->"
NOTHING = "Nothing: all is well."


def _sections() -> list[tuple[str, tuple[ReasonDoc, ...]]]:
    sys.path.insert(0, str(ROOT))
    from shared.core.reasons import SECTIONS  # noqa: PLC0415 - found only with the path above

    return list(SECTIONS.items())


def entries() -> list[str]:
    """The lines after the mark, as they must stand in the page: a part for each section, a heading for each reason.

    A reason's heading is the reason, so that a link to it is the page with `#` and the reason in lower case.
    """
    lines = []
    for title, reasons in _sections():
        lines += ["", f"## {title}"]
        for one in reasons:
            lines += ["", f"### {one.reason}", "", f"{one.symptom} {one.cause}"]
            lines += ["", f"**What to do:** {one.remedy or NOTHING}"]
            lines += ["", "```console", *one.commands, "```"] if one.commands else []
            if one.project_commands and one.project_commands != one.commands:
                lines += ["", "Where it is a Serverless project:", "", "```console", *one.project_commands, "```"]
            lines += ["", f"Only in Azure: <{one.only_in_azure}>"] if one.only_in_azure else []
    return lines


def served() -> str:
    """The page that the dashboard links each reason to: the same entries, each under its reason in lower case."""
    head = [
        "<!doctype html>",
        '<html lang="en">',
        "  <head>",
        '    <meta charset="utf-8">',
        "    <title>Reasons, Private Link Autopilot</title>",
        '    <meta name="viewport" content="width=device-width, initial-scale=1">',
        '    <meta name="color-scheme" content="light dark">',
        '    <link rel="icon" href="icon.svg" type="image/svg+xml">',
        '    <link rel="stylesheet" href="base.css">',
        "  </head>",
        "  <body>",
        '    <main class="reasons">',
        "      <h1>Reasons</h1>",
    ]
    body = [line for title, reasons in _sections() for line in _section(title, reasons)]
    return "\n".join([*head, *body, "    </main>", "  </body>", "</html>"]) + "\n"


def _section(title: str, reasons: tuple[ReasonDoc, ...]) -> list[str]:
    lines = [f"      <h2>{escape(title)}</h2>"]
    for one in reasons:
        lines += [
            f'      <h3 id="{one.reason.lower()}">{one.reason}</h3>',
            f"      <p>{escape(f'{one.symptom} {one.cause}', quote=False)}</p>",
            f"      <p><b>What to do:</b> {escape(one.remedy or NOTHING, quote=False)}</p>",
        ]
        commands = "\n".join(escape(line, quote=False) for line in one.commands)
        lines += [f"      <pre><code>{commands}</code></pre>"] if commands else []
        if one.project_commands and one.project_commands != one.commands:
            others = "\n".join(escape(line, quote=False) for line in one.project_commands)
            lines += ["      <p>Where it is a Serverless project:</p>", f"      <pre><code>{others}</code></pre>"]
        link = f'<a href="{one.only_in_azure}" rel="noreferrer">{one.only_in_azure}</a>'
        lines += [f"      <p>Only in Azure: {link}</p>"] if one.only_in_azure else []
    return lines


def write() -> None:
    """Put the entries in place of the old ones."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    PAGE.write_text("\n".join([*lines[: lines.index(BEGIN) + 1], *entries()]) + "\n", encoding="utf-8")
    SERVED.write_text(served(), encoding="utf-8")


if __name__ == "__main__":
    write()
