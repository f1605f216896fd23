"""`make test` says at once how long it takes, and shows that it goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.infra.shipped import ROOT
from tests.tools.progress import announcement

CONFTEST = """
import sys
sys.path.insert(0, {root!r})
pytest_plugins = ["tests.tools.progress"]
"""
SETTINGS = '[pytest]\ntestpaths = "checks"\n'


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-c", "pytest.ini", "--rootdir=.", *arguments]
    asked = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return asked.stdout + asked.stderr


def test_a_whole_run_says_how_long_it_takes_and_that_the_tests_are_read(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "conftest.py").write_text(CONFTEST.format(root=str(ROOT)), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "checks" / "test_one.py").write_text("def test_one(): pass\n", encoding="utf-8")
    first = run(tmp_path, "-n", "1")
    assert first.index("two idle cores need about 10 minutes") < first.index("worker 1 has read 1 tests")
    assert "1 passed" in first
    assert "the last whole run here took 1 minute" in run(tmp_path)
    assert "All tests" not in run(tmp_path, "checks/test_one.py")


def test_the_time_of_the_last_run_is_told_in_minutes() -> None:
    assert "took 12 minutes" in announcement(710.0)


def test_make_says_something_before_it_installs_or_reads_anything() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\ntest: setup", 1)[1].splitlines()[1:]
    assert recipe[0].startswith("\t@echo ")
