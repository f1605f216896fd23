"""A test of real processes that fails is run once more, and named; a plugin that `tests/conftest.py` names.

Such tests (`e2e`) share the cores with five other workers, and their processes, sockets and browsers keep real time.
One that fails by chance would throw away a whole run; one that fails two times fails it. All others run on virtual time
or on none: for them there is no second try.
"""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them for pytest-rerunfailures."""
    for item in items:
        if item.get_closest_marker("e2e") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that needed it, with what went wrong at first: each is to be mended."""
    again = terminalreporter.stats.get("rerun", [])
    if again:
        terminalreporter.section("failed, and were run once more: find out why", yellow=True, bold=True)
    for one in again:
        terminalreporter.line(f"{one.nodeid}: {one.longreprtext[-2000:]}")
