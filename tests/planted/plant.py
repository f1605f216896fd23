"""Planting a bug in a copy of the project, and running the tests that are expected to notice. Used by `__main__`.

The copy holds the tracked files as they are now, in a git repository of its own: tests of the package ask git. The tree
itself is never changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.planted.bug import Bug

ROOT = Path(__file__).resolve().parents[2]
BESIDE = (".venv", ".azurite", ".kusto")
"""What is installed beside the tracked files, and linked into each copy."""

LONGEST = 1800
"""Seconds for one run of tests: a bug may make a test wait for ever."""

FAST = ("-m", "not e2e and not azurite", "--ignore=tests/walk", "--ignore=tests/planted", "tests")
"""All fast tests, but those of this table: in a copy with a bug its old text is gone."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) ([^\s:]+\.py.*?)(?: - .*)?$", re.MULTILINE)
_COUNTS = re.compile(r"^\d+ [a-z]+(?:, \d+ [a-z]+)* in [\d.]+s.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of tests came to."""

    failed: str
    """The first test that failed; empty: none did."""
    counts: str
    """How many passed and were skipped, in pytest's words; or why that is not known."""


def run_planted(bug: Bug, *, everything: bool = False) -> Outcome:
    """Plant the bug in a copy, and run its tests there, or all fast ones."""
    with project_copy() as copy:
        planted = copy / bug.path
        planted.write_text(bug.planted_in(planted.read_text(encoding="utf-8")), encoding="utf-8")
        if bug.life and not everything:
            return run_plans(copy, bug.life, bug.call)
        return run_tests(copy, FAST if everything else bug.tests)


def run_clean(test: str) -> Outcome:
    """Run a test in a copy without a bug: one that fails there too has caught nothing.

    A plan is not played again: without the bug other plans have its number, and `make faults` shows that all pass.
    """
    if test.startswith(PLAN):
        return Outcome("", "")
    with project_copy() as copy:
        return run_tests(copy, (test,))


@contextmanager
def project_copy() -> Iterator[Path]:
    """A copy of the tracked files in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder)
        for name in _git(ROOT, "ls-files", "-z").split("\0"):
            if name and (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
        _git(copy, "init", "--quiet")
        _git(copy, "add", "--all")
        for name in BESIDE:
            if (ROOT / name).exists():
                (copy / name).symlink_to((ROOT / name).resolve(), target_is_directory=True)
        yield copy


PLAN = "plan "
"""Begins the name of a plan of faults, in the place of a test's."""
_PLAN = re.compile(rf"^{PLAN}-?\d+(?=: )", re.MULTILINE)
_PLAYED = re.compile(r"^\d+ plans, .*$", re.MULTILINE)


def run_plans(folder: Path, life: str, call: str) -> Outcome:
    """Play one life with every fault at these calls, up to the first plan that fails."""
    try:
        code, output = _run(
            folder, "-m", "tests.faults", "--first", "--every-follow", "--share", "1", "--life", life, "--call", call
        )
    except subprocess.TimeoutExpired:
        return Outcome("", f"no end within {LONGEST} s")
    found, counts = _PLAN.search(output), _PLAYED.findall(output)
    return Outcome(found[0] if found and code else "", counts[-1] if counts else output[-300:].strip())


def run_tests(folder: Path, tests: Sequence[str]) -> Outcome:
    """Run tests up to the first failure."""
    try:
        code, output = _run(folder, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests)
    except subprocess.TimeoutExpired:
        return Outcome("", f"no end within {LONGEST} s")
    return outcome_of(code, output)


def _run(folder: Path, *arguments: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(  # noqa: S603 - this interpreter, tests of this project
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def outcome_of(code: int, output: str) -> Outcome:
    """What pytest's exit code and output say."""
    found = _COUNTS.findall(output)
    counts = found[-1] if found else f"pytest ended with {code}: {output[-300:].strip()}"
    first = _FAILED.search(output) if code else None
    return Outcome(first[1] if first else "", counts)


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - a fixed git command
