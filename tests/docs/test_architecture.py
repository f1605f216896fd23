"""docs/architecture.md names every module, and walks one event and one sweep as they really go."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.architecture_page import PAGE, written

ROOT = Path(__file__).resolve().parents[2]


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_page_lists_every_module_as_it_is_now() -> None:
    assert written(text()) == text(), "run scripts/architecture_page.py"


@pytest.mark.parametrize("folder", ["shared", "functions", "local"])
def test_no_module_is_missing(folder: str) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py")}
    named = set(re.findall(r"\]\(\.\./([\w/]+\.py)\)", text()))
    assert {one for one in modules if not one.endswith("__init__.py")} - named == set()


@pytest.mark.parametrize(("heading", "way"), [("One event", "event"), ("One sweep", "sweep")])
def test_a_walk_goes_as_the_code_does(heading: str, way: str) -> None:
    """In a process of its own: a profile would slow every other test, and asks what nothing else has loaded."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, str(ROOT / "benchmarks" / "rooms.py"), way, "walk"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    entered = done.stdout.split()
    told = re.findall(r"\]\(\.\./(shared/[\w/]+\.py)\)", text().split(f"## {heading}\n")[1].split("\n## ")[0])
    first = list(dict.fromkeys(told))
    assert len(first) > 10
    assert [one for one in first if one not in entered] == []
    assert first == sorted(first, key=entered.index)
