"""The real ARM and Elastic Cloud simulators with a network between them, driven over ARM's own HTTP."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import httpx
import pytest

from local.arm import ArmCloud, ArmSettings
from local.clock import LoopClock
from local.elastic import ElasticCloud, ElasticSettings
from local.network import CertificateAuthority, Network
from tests.local.network.network_parts import ALIASES, PROJECTS, Clouds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(scope="session")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture
def prefix() -> str:
    return "127.77.0.0/16"


@pytest.fixture
async def clouds(ca: CertificateAuthority, prefix: str) -> AsyncIterator[Clouds]:
    clock = LoopClock()
    quick = ArmSettings(
        zone_seconds=0, link_seconds=0, endpoint_seconds=0, endpoint_delete_seconds=0, nic_address_seconds=0
    )
    arm = ArmCloud(clock, settings=quick, random=Random(1))
    quick_approval = ElasticSettings(approval_seconds=0)
    elastic = ElasticCloud(clock, endpoints=arm, regions=ALIASES, settings=quick_approval, random=Random(2))
    zones = [PROJECTS, *(f"privatelink.{region}.azure.elastic-cloud.com" for region in ALIASES)]
    network = Network(clock, arm=arm, elastic=elastic, ca=ca, zones=zones, loopback_prefix=prefix)
    transport = httpx.ASGITransport(arm.app)
    headers = {"Authorization": "Bearer test"}
    async with httpx.AsyncClient(transport=transport, base_url="https://arm.local", headers=headers) as client:
        yield Clouds(arm, elastic, network, client)
