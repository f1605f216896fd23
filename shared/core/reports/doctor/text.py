"""A report as a person reads it in a terminal: what is bad first, each with what to do. Pure."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.core.model.conditions import count
from shared.core.reports.terminal import printable

if TYPE_CHECKING:
    from shared.core.reports.doctor.findings import Finding, Report

WIDTH = 110
_MARKS = {"problem": "PROBLEM", "warning": "WARNING", "ok": "ok"}
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def as_text(report: Report) -> str:
    """The whole report, ending in a line break."""
    worst_first = [finding for level in _MARKS for finding in report.findings if finding.level == level]
    lines = [_headline(report), "", *(line for finding in worst_first for line in _lines(finding))]
    return "\n".join(lines) + "\n"


def span(time: timedelta) -> str:
    """How long, in the largest unit that leaves two or more: `3 minutes`."""
    seconds = max(0, round(time.total_seconds()))
    unit, size = next((one for one in _UNITS if seconds >= 2 * one[1]), _UNITS[-1])
    return count(seconds // size, unit)


def _headline(report: Report) -> str:
    found = {level: sum(finding.level == level for finding in report.findings) for level in _MARKS}
    bad = [count(found[level], level) for level in ("problem", "warning") if found[level]]
    who = "".join(f"{one} " for one in (report.instance, report.version) if one)
    return f"{who}{report.at.isoformat(timespec='seconds')}: {', '.join(bad) or 'all is well'} ({report.took_ms} ms)"


def _lines(finding: Finding) -> list[str]:
    head = f"{_MARKS[finding.level]:<8} {finding.check:<15} "
    said = f"{finding.what} [{finding.on}]" if finding.on else finding.what
    lines = _wrapped(said, head)
    return lines + _wrapped(f"Next: {finding.next_step}", " " * len(head)) if finding.next_step else lines


def _wrapped(text: str, head: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
