"""The switches for tests in `shared.app`: a context in place of the environment's, and the environment read again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.app import forget, provide, start, storage_alone, work_queue
from shared.core.model.errors import InvalidSettings
from tests.functions.trigger_parts import ENVIRONMENT, app_in_memory, wrong_settings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    forget()
    yield monkeypatch
    forget()


def test_an_inner_context_goes_before_an_outer_one_until_its_block_ends() -> None:
    outer, inner = app_in_memory(), app_in_memory()
    with provide(outer.context):
        with provide(inner.context):
            assert start() is inner.context
        assert start() is outer.context
        assert work_queue() is outer.queue


def test_an_error_is_raised_and_the_storage_beside_it_still_answers() -> None:
    app = app_in_memory()
    with provide(wrong_settings(), app.storage):
        assert storage_alone() is app.storage
        assert work_queue() is app.queue
        with pytest.raises(InvalidSettings):
            start()


def test_a_block_that_fails_is_over(environment: pytest.MonkeyPatch) -> None:
    app = app_in_memory()
    with pytest.raises(KeyError), provide(app.context):
        raise KeyError
    with pytest.raises(InvalidSettings):
        start()


def test_the_environment_is_read_once_and_again_after_forget(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings):
        start()
    assert storage_alone() is None
    for name, value in ENVIRONMENT.items():
        environment.setenv(name, value)
    with pytest.raises(InvalidSettings):
        start()
    assert storage_alone() is None
    forget()
    assert start() is start()
    assert storage_alone() is not None
