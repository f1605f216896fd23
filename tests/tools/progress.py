"""What a run of all tests says before its first result, and how long it takes; a plugin that `tests/conftest.py` names.

Workers read thousands of tests before the first one runs. The time of the last whole run on this machine is kept in
pytest's cache; runs of some tests say nothing of this.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

KEPT = "autopilot/whole_run_seconds"
USUAL = 600.0
"""Seconds on two cores that have nothing else to do, where this machine has not run all tests yet."""


class Progress:
    """Of the process that people look at."""

    def __init__(self, config: pytest.Config) -> None:
        self._config, self._began, self._read = config, time.monotonic(), 0

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say how long it may take."""
        del session
        last = self._config.cache.get(KEPT, None) if self._config.cache is not None else None
        self._say(announcement(last))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """A worker has read the tests."""
        del node
        self._read += 1
        self._say(f"{time.monotonic() - self._began:4.0f} s: worker {self._read} has read {len(ids)} tests")

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Keep how long a run to the end took."""
        if exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} and self._config.cache is not None:
            self._config.cache.set(KEPT, time.monotonic() - self._began)

    def _say(self, line: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(line)
            reporter.flush()


def announcement(last: float | None) -> str:
    """The first line."""
    minutes = max(1, round((USUAL if last is None else last) / 60))
    known = "two idle cores need about" if last is None else "the last whole run here took"
    unit = "minute" if minutes == 1 else "minutes"
    return f"All tests: {known} {minutes} {unit}; the first results come once the workers have read the tests."


def pytest_configure(config: pytest.Config) -> None:
    """Only where all tests run, and not in the workers."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if whole and not hasattr(config, "workerinput") and not config.option.collectonly:
        config.pluginmanager.register(Progress(config))
