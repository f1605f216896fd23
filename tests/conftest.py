"""Virtual time for every test, except those that say they need real sockets or processes."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Switch virtual time off for tests that talk to real sockets."""
    for item in items:
        if any(item.get_closest_marker(name) for name in ("real_time", "e2e", "azurite")):
            item.add_marker(pytest.mark.looptime(False))
