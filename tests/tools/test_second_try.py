"""A test of real processes gets a second try, and the run says so; no other test gets one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.shipped import ROOT

pytestmark = pytest.mark.real_time
BY_CHANCE = """
import pathlib
import pytest

def second_time(name):
    seen = pathlib.Path(__file__).with_name(name)
    if seen.exists():
        return True
    seen.touch()
    return False

@pytest.mark.e2e
def test_of_processes():
    assert second_time("processes"), "the port was taken"
"""
OTHERS = """
def test_of_logic():
    assert second_time("logic"), "a wrong sum"
"""
ALWAYS = """
@pytest.mark.e2e
def test_that_is_broken():
    assert False, "never right"
"""
LEAN = ["-p", "tests.tools.second_try", "-p", "xdist", "-p", "rerunfailures", "-p", "no:cacheprovider"]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_test_of_processes_that_fails_by_chance_is_named_and_fails_nothing(tmp_path: Path, workers: str) -> None:
    status, out = ran(tmp_path, workers, BY_CHANCE)
    assert status == 0, out
    told = out.partition("were run once more")[2]
    assert "test_it.py::test_of_processes: " in told
    assert "the port was taken" in told


@pytest.mark.parametrize(("more", "wrong"), [(OTHERS, "a wrong sum"), (ALWAYS, "never right")])
def test_what_fails_otherwise_fails_the_run(tmp_path: Path, more: str, wrong: str) -> None:
    status, out = ran(tmp_path, "0", BY_CHANCE + more)
    assert (status, wrong in out) == (1, True), out
    assert "1 failed, 1 passed" in out


def test_our_own_tests_run_with_it(request: pytest.FixtureRequest) -> None:
    assert request.config.pluginmanager.has_plugin("tests.tools.second_try")


def ran(folder: Path, workers: str, module: str) -> tuple[int, str]:
    """The exit status and the text of a run of this module; other plugins stay out."""
    (folder / "test_it.py").write_text(module, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  e2e: real processes\n", encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-n", workers, *LEAN, "--rootdir", str(folder), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
