"""The command `tag`: what it keeps, sets and takes off, of a deployment and of an endpoint."""

from __future__ import annotations

from typing import Any, cast

import pytest

from local.__main__ import parse
from local.cli.client import LocalClient
from local.cli.tag_command import change_tags
from shared.api.queries import get_connection, list_connections
from tests.harness.estate import Estate
from tests.harness.fixtures import estate
from tests.reconciler.situations import the

__all__ = ["estate"]
ENTRY = "elastic-privatelink-endpoints"


class Client:
    """The three requests that the command makes, on an estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    async def elastic(self, method: str, path: str, body: Any = None) -> Any:
        deployment = the(self._estate)
        if path == "/deployments":
            return {"deployments": [{"id": one.id, "name": one.name} for one in self._estate.elastic.deployments()]}
        assert path == f"/deployments/{deployment.id}/tags"
        if method == "PUT":
            deployment.tags = {tag["key"]: tag["value"] for tag in body["tags"]}
        return {"tags": [{"key": key, "value": value} for key, value in deployment.tags.items()]}

    async def azure(self, method: str, path: str, body: Any = None) -> Any:
        return await self._estate.azure(method, path, body, api="2021-04-01")

    async def app(self, method: str, path: str) -> Any:
        assert method == "GET"
        context = self._estate.worker.context
        wanted = path.removeprefix("/connections").partition("?")[0].strip("/")
        return Answer(await (get_connection(context, wanted) if wanted else list_connections(context)))


class Answer:
    def __init__(self, body: Any) -> None:
        self.status_code, self.content, self._body, self.is_success = 200, b"{}", body, True

    def json(self) -> Any:
        return self._body


async def tag(estate: Estate, *words: str) -> None:
    await change_tags(cast("LocalClient", Client(estate)), parse(["tag", *words]))


async def test_a_deployment_keeps_the_tags_that_it_has(estate: Estate) -> None:
    the(estate).tags = {"team": "search"}
    await tag(estate, "logs-eastus2", f"{ENTRY}=*")
    assert the(estate).tags == {"team": "search", ENTRY: "*"}
    await tag(estate, the(estate).id, f"{ENTRY}=")
    assert the(estate).tags == {"team": "search"}


async def test_an_endpoint_is_tagged_by_its_name(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await tag(estate, "pe-1", "elastic-privatelink=observe", "elastic-deployments=")
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    assert found.tags == {"elastic-privatelink": "observe"}


def test_what_is_no_pair_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["tag", "pe-1", "observe"])
    assert "is not KEY=VALUE" in capsys.readouterr().err
