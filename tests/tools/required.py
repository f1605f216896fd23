"""`make test REQUIRE=all`: a run in which a test is skipped fails; a plugin of pytest, which `tests/conftest.py` names.

`MAY_SKIP` has parts of reasons that are accepted all the same, a line for each: what a machine is known not to have.
"""

from __future__ import annotations

import os

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """With `REQUIRE=all` name the tests that were skipped."""
    if missed := skipped_although_required(terminalreporter):
        terminalreporter.section("skipped, and REQUIRE=all requires every test", red=True, bold=True)
        for one in missed:
            terminalreporter.line(one)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With `REQUIRE=all` fail the run in which a test was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == pytest.ExitCode.OK and skipped_although_required(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def skipped_although_required(reporter: pytest.TerminalReporter) -> list[str]:
    """Tests that were skipped, with their reasons; where not all are required, none."""
    if os.environ.get("REQUIRE", "") != "all":
        return []
    accepted = [line.strip() for line in os.environ.get("MAY_SKIP", "").splitlines() if line.strip()]
    told = [f"{one.nodeid}: {one.longrepr[2]}" for one in reporter.stats.get("skipped", [])]
    return [one for one in told if not any(part in one for part in accepted)]
