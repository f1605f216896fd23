"""An Elastic Cloud under virtual time, with a few lines of Azure beside it, and an HTTP client for its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.asgi import AsgiTransport
from local.clock import LoopClock
from local.elastic import ElasticCloud, ElasticSettings
from tests.local.elastic.elastic_parts import GUID, KEY, Azure, RulesetBody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def azure() -> Azure:
    return Azure()


@pytest.fixture
def settings() -> ElasticSettings:
    return ElasticSettings()


@pytest.fixture
def elastic(azure: Azure, settings: ElasticSettings) -> ElasticCloud:
    regions = {"eastus2", "uksouth", "westeurope"}
    return ElasticCloud(LoopClock(), endpoints=azure, regions=regions, settings=settings, api_key=KEY)


@pytest.fixture
async def api(elastic: ElasticCloud) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=AsgiTransport(elastic.app),
        base_url="https://api.elastic.local/api/v1/deployments",
        headers={"Authorization": f"ApiKey {KEY}"},
    ) as client:
        yield client


@pytest.fixture
def ruleset() -> RulesetBody:
    """Bodies for "create ruleset"."""

    def body(name: str = "pe-1", guid: str = GUID, region: str = "azure-eastus2", **other: Any) -> dict[str, Any]:
        rules = [{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": guid}]
        kind = {"type": "azure_private_endpoint", "include_by_default": False}
        return {"name": name, "region": region, "rules": rules, **kind, **other}

    return body
