"""One running instance for all end-to-end tests that only need some instance."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from e2e_instance import Instance
from e2e_networks import ThreeNetworks

from local.cli.client import LocalClient


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    # Straight to the app: here the timer runs every few seconds, and would come before the next look at the queue.
    options = ("--approval-seconds", "2", "--delivery", "function")
    started = Instance(tmp_path_factory.mktemp("instance") / "local", *options)
    try:
        yield started.wait_for("\nready\n")
    finally:
        started.stop()


@pytest.fixture(scope="session")
def three_networks(instance: Instance) -> ThreeNetworks:
    return ThreeNetworks(instance)


@pytest.fixture
async def client(instance: Instance) -> AsyncIterator[LocalClient]:
    async with instance.client() as talking:
        yield talking
