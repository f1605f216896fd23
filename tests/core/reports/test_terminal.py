"""What a person reads in a terminal is print: no tag, name or answer of others moves the cursor or makes a line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.core.model import conditions as c
from shared.core.reports.doctor.findings import Report, problem
from shared.core.reports.doctor.text import as_text
from shared.core.reports.plan_text import Preview, preview_text

HOSTILE = {
    "clears the screen": "\x1b[2J\x1b[32mall is well\x1b[0m",
    "makes a line": "a\r\n\nPlan: 0 to create",
    "makes a line, in Unicode": "a\u2028Plan: 0 to create",
    "turns the direction": "logs-\u202edoog",
    "an 8-bit escape": "\x9b2J",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_plan_as_text_shows_what_is_not_print_by_its_number(text: str) -> None:
    blocked = c.blocked("Associated", "DeploymentNotFound", f"No deployment {text}.", f"Correct {text}.")
    preview = Preview("id", text, text, "enforce", conditions=(blocked,), leftovers=(text,), note=text)
    plain = Preview("id", "n", "e", "enforce", conditions=(blocked,), leftovers=("l",), note="n")
    lines = preview_text([preview], [text]).splitlines()
    assert [line for line in lines if not line.isprintable()] == []
    assert len(lines) == len(preview_text([plain], ["e"]).splitlines())
    assert f"  ! Associated DeploymentNotFound: No deployment {ascii(text)[1:-1]}." in lines


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_doctors_report_as_text_is_print_only(text: str) -> None:
    report = Report(datetime(2026, 1, 5, tzinfo=UTC), 1, (problem("azure", text, text),))
    assert [line for line in as_text(report).split("\n") if not line.isprintable()] == []


def test_letters_of_any_language_stay_as_they_are() -> None:
    assert "Nächste 日本 é" in preview_text([Preview("i", "n", "e", "m", note="Nächste 日本 é")])
