"""One estate per test; and a real storage account's emulator, for what the double in memory cannot refuse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.storage.azurite import Azurite
from tests.harness.fixtures import estate, family, pytest_generate_tests

__all__ = ["azurite", "estate", "family", "pytest_generate_tests"]


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    server = Azurite.start()
    yield server
    server.stop()
