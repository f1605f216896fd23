"""A sample of the fault search: `make faults` plays all of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def play(*arguments: str) -> tuple[int, str]:
    """Play plans in processes of their own, as they fork."""
    command = [sys.executable, "-m", "tests.faults", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - this project
    return done.returncode, done.stdout


def test_a_sample_of_plans_with_a_fault_does_no_harm_and_comes_to_the_same_end() -> None:
    code, told = play("--share", "0.01", "--jobs", "1", "--life", "deleted|leave one")
    assert code == 0, told
    played = re.search(r"^(\d+) plans, 0 failed", told, re.MULTILINE)
    assert played, told
    assert int(played[1]) >= 20, told
