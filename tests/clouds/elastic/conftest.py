"""One organization with a project, and the client of its Serverless API."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from local.clock import LoopClock
from local.elastic import ElasticCloud
from local.elastic.serverless import Project, ServerlessRegion, ServerlessSettings
from shared.clouds.elastic.serverless.client import ServerlessConnections
from shared.clouds.elastic.transport import ElasticOptions, FixedKey
from shared.core.model.organizations import DEFAULT
from tests.clouds.elastic.project_parts import ALIAS, ZONE, Interrupting
from tests.local.elastic.elastic_parts import KEY, Azure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def settings() -> ServerlessSettings:
    return ServerlessSettings()


@pytest.fixture
def elastic(settings: ServerlessSettings) -> ElasticCloud:
    regions = [ServerlessRegion("eastus2", ALIAS, ZONE)]
    return ElasticCloud(
        LoopClock(),
        endpoints=Azure(),
        regions={"eastus2"},
        api_key=KEY,
        serverless=settings,
        serverless_regions=regions,
    )


@pytest.fixture
def wire(elastic: ElasticCloud) -> Interrupting:
    return Interrupting(elastic)


@pytest.fixture
async def api(wire: Interrupting) -> AsyncIterator[ServerlessConnections]:
    client = ServerlessConnections(ElasticOptions("https://elastic.local"), FixedKey(KEY, DEFAULT), wire)
    async with aclosing(client):
        yield client


@pytest.fixture
async def project(elastic: ElasticCloud) -> Project:
    return elastic.serverless.add_project("orders", "observability", "eastus2", ip_filter=True)
