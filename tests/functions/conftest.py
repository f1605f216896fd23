"""The app of the tests of triggers, on storage in memory; and a way to give the triggers another context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from shared.app import provide
from tests.functions.trigger_parts import App, app_in_memory

Provide = Callable[..., None]


@pytest.fixture
def provided() -> Iterator[Provide]:
    """`shared.app.provide` until the test ends."""
    with ExitStack() as stack:
        yield lambda context, storage=None: stack.enter_context(provide(context, storage))


@pytest.fixture
def app() -> Iterator[App]:
    app = app_in_memory()
    with provide(app.context):
        yield app
