"""A fresh simulated Azure for each test, with plain HTTP and the genuine SDKs to reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.arm import ArmCloud, ResourceEvent
from local.clock import LoopClock
from tests.local.arm.arm_client import Http, dns_client, network_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from azure.mgmt.network.aio import NetworkManagementClient
    from azure.mgmt.privatedns.aio import PrivateDnsManagementClient


@pytest.fixture
def cloud() -> ArmCloud:
    return ArmCloud(LoopClock())


@pytest.fixture
def http(cloud: ArmCloud) -> Http:
    return Http(cloud)


@pytest.fixture
def events(cloud: ArmCloud) -> list[ResourceEvent]:
    """The resource events so far."""
    seen: list[ResourceEvent] = []
    cloud.listeners.append(seen.append)
    return seen


@pytest.fixture
async def networks(cloud: ArmCloud) -> AsyncIterator[NetworkManagementClient]:
    async with network_client(cloud) as client:
        yield client


@pytest.fixture
async def dns(cloud: ArmCloud) -> AsyncIterator[PrivateDnsManagementClient]:
    async with dns_client(cloud) as client:
        yield client
