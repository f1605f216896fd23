"""`REQUIRE=all`: a run in which a test is skipped fails, and names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.shipped import ROOT

pytestmark = pytest.mark.real_time
SKIPPED = """
import pytest

def test_that_runs():
    pass

@pytest.mark.skipif(True, reason="the gadget is not installed")
def test_that_is_skipped():
    pass
"""
MODULE = 'import pytest\n\npytest.skip("the widget is not installed", allow_module_level=True)\n'
LEAN = ["-p", "tests.tools.required", "-p", "xdist", "-p", "no:cacheprovider"]
NOT_HERE = "gadget is not\n widget is not\n"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_skip_fails_the_run_where_all_is_required(tmp_path: Path, workers: str) -> None:
    status, out = ran(tmp_path, workers, REQUIRE="all")
    assert status == 1
    told = out.partition("REQUIRE=all requires every test")[2]
    assert "test_one.py::test_that_is_skipped: " in told
    assert "the gadget is not installed" in told
    assert "the widget is not installed" in told


@pytest.mark.parametrize(
    ("status", "environment"),
    [
        (0, {}),
        (0, {"REQUIRE": "all", "MAY_SKIP": NOT_HERE}),
        (1, {"REQUIRE": "all", "MAY_SKIP": "gadget is not\n"}),
    ],
    ids=["not required", "accepted", "one accepted"],
)
def test_a_skip_that_is_accepted_fails_nothing(tmp_path: Path, status: int, environment: dict[str, str]) -> None:
    done, out = ran(tmp_path, "0", **environment)
    assert (done, "REQUIRE=all" in out) == (status, status == 1)


def test_our_own_tests_run_with_it(request: pytest.FixtureRequest) -> None:
    assert request.config.pluginmanager.has_plugin("tests.tools.required")


def ran(folder: Path, workers: str, **environment: str) -> tuple[int, str]:
    """The exit status and the text of a run with a test and a module that are skipped; other plugins stay out."""
    (folder / "test_one.py").write_text(SKIPPED, encoding="utf-8")
    (folder / "test_two.py").write_text(MODULE, encoding="utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-n", workers, *LEAN, "--rootdir", str(folder), str(folder)],
        env={**kept, **environment, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
