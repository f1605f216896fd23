"""Virtual time for every test, except those that say they need real sockets or processes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair: beside other work a limit in milliseconds fails by chance.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

pytest_plugins = ["tests.tools.required", "tests.tools.progress", "tests.tools.second_try"]

TESTS = Path(__file__).parent
EVERY_PYTHON = tuple(
    TESTS / place
    for place in (
        "clouds",
        "core/model",
        "functions/test_app_loading.py",
        "functions/test_http_api.py",
        "probe",
        "reconciler/test_answering_networks.py",
        "reconciler/test_happy_path.py",
        "reconciler/test_removal.py",
        "runtime/test_triggers_without_settings.py",  # the other has the worker's own Python do the work
        "settings",
        "sweep/test_sweep.py",
    )
)
"""Tests that `.ci/run` has on each Python that is here: the main ways through the product.

The others search for faults of logic, or judge files: one version is enough there. The public CI has all on each.
"""


@pytest.fixture(scope="session", autouse=True)
def loop_of_the_main_thread() -> Iterator[None]:
    """Give the main thread a loop that is closed.

    pytest-asyncio asks for the present one to restore it later; on Python 3.11 asking makes one that is never closed.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Keep the virtual-time plugin away from synchronous tests, for which it would make loops that are never closed."""
    if pyfuncitem.get_closest_marker("asyncio") is None:
        pyfuncitem.funcargs.pop("event_loop_policy", None)
    return (yield)


def pytest_collection_finish() -> None:
    """Leave what collecting has loaded out of every later garbage collection: it stays anyway, and there is much of it.

    Measured on the reconcile tests: an eighth of their time.
    """
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Switch virtual time off for tests that talk to real sockets; begin with those that mostly wait for processes.

    Their waiting then goes by while other workers use the cores. Those that share an instance share an `xdist_group`.
    """
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)
    for item in items:
        if any(item.path.is_relative_to(place) for place in EVERY_PYTHON):
            item.add_marker("every_python")
        if any(item.get_closest_marker(name) for name in ("real_time", "e2e", "azurite")):
            item.add_marker(pytest.mark.looptime(False))
