"""Behind the clouds' APIs: what Elastic's side, a firewall, a key's end and the portal do, on a server of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from local.cli.backstage import Backstage
from local.cli.function_app import FunctionApp
from local.cli.switches import Switches
from tests.harness.estate import Estate


class App:
    """The function app, as far as this goes."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def start(self) -> None:
        self.told.append("start")

    async def stop(self) -> None:
        self.told.append("stop")


@pytest.fixture
async def estate() -> Estate:
    return await Estate().open()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def backstage(estate: Estate, app: App) -> AsyncIterator[httpx.AsyncClient]:
    switches = Switches({"elastic": estate.elastic.settings})

    def change(changes: dict[str, str]) -> None:
        if "SETTING" not in changes:
            raise ValueError("the app has no such setting")
        app.told.append(f"set {changes}")

    served = Backstage(
        estate.world, cast("FunctionApp", app), switches, lambda: app.told.append("announced"), change, estate.vault
    ).app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://backstage") as client:
        yield client


async def test_an_approval_is_taken_back(estate: Estate, backstage: httpx.AsyncClient) -> None:
    endpoint = await estate.put_endpoint("pe-1")
    answer = await backstage.post("/approval", json={"endpoint": endpoint.upper(), "state": "Rejected"})
    assert answer.is_success, answer.text
    found = await estate.azure("GET", endpoint)
    state = found["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
    assert state["privateLinkServiceConnectionState"]["status"] == "Rejected"


@pytest.mark.parametrize("word", ["Approved", "Timeout", ""])
async def test_a_connection_is_put_into_any_state(estate: Estate, backstage: httpx.AsyncClient, word: str) -> None:
    endpoint = await estate.put_endpoint("pe-1")
    answer = await backstage.post("/approval", json={"endpoint": endpoint, "state": word})
    assert answer.is_success, answer.text
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    assert found.status == word


async def test_a_deployment_goes_through_states_changes_its_products_aliases_and_is_deleted(
    estate: Estate, backstage: httpx.AsyncClient
) -> None:
    made = estate.elastic.add_deployment("mine", "eastus2", ip_policy=True)
    asked = {"deployment": "mine", "status": "reconfiguring", "productAliases": {"fleet": ""}}
    answer = await backstage.post("/deployment", json=asked)
    assert answer.is_success, answer.text
    assert (made.status, made.alias_of("fleet"), made.alias_of("es")) == ("reconfiguring", None, made.alias)
    before = len(estate.elastic.associations())
    asked = {"deployment": made.id, "deleted": True, "staysAssociated": True}
    assert (await backstage.post("/deployment", json=asked)).is_success
    assert estate.elastic.deployment(made.id) is None
    assert len(estate.elastic.associations()) == before


@pytest.mark.parametrize(
    "asked",
    [
        {"deployment": "nothing-of-this-name"},
        {"deployment": "logs-eastus2", "status": "asleep"},
        {"deployment": "logs-eastus2", "productAliases": {"logstash": "x"}},
    ],
)
async def test_a_deployment_that_is_not_understood_is_refused(
    backstage: httpx.AsyncClient, asked: dict[str, object]
) -> None:
    assert (await backstage.post("/deployment", json=asked)).status_code == 400


async def test_a_way_is_closed_and_opened_again(estate: Estate, backstage: httpx.AsyncClient) -> None:
    endpoint = await estate.put_endpoint("pe-1")
    await estate.settle()
    address = (await estate.ready(endpoint)).identity.address
    for is_open in (False, True):
        answer = await backstage.post("/route", json={"endpoint": endpoint, "open": is_open})
        assert answer.is_success, answer.text
        assert (estate.network.dial(address, 9243) is not None) == is_open


async def test_a_key_ends_and_another_one_is_stored_in_the_vault_without_a_restart(
    estate: Estate, app: App, backstage: httpx.AsyncClient
) -> None:
    old = estate.elastic.api_key
    rulesets = "/api/v1/deployments/traffic-filter/rulesets"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(estate.elastic.app), base_url="https://elastic.local"
    ) as api:

        async def answered_with(key: str) -> int:
            return (await api.get(rulesets, headers={"Authorization": f"ApiKey {key}"})).status_code

        assert await answered_with(old) == 200
        await backstage.post("/key", json={"state": "ended"})
        assert await answered_with(old) == 401
        await backstage.post("/key", json={"state": "renewed"})
        assert await answered_with(old) == 401
        assert await answered_with(estate.elastic.api_key) == 200
    assert estate.vault.secrets() == {"elastic-api-key": estate.elastic.api_key}
    assert app.told == ["announced"]


async def test_the_app_is_stopped_and_started(app: App, backstage: httpx.AsyncClient) -> None:
    await backstage.post("/app", json={"state": "stopped"})
    await backstage.post("/app", json={"state": "started"})
    assert [word for word in app.told if word != "announced"] == ["stop", "start"]


async def test_a_changed_setting_restarts_the_app_and_one_that_it_would_refuse_does_not(
    app: App, backstage: httpx.AsyncClient
) -> None:
    await backstage.post("/settings", json={"SETTING": "value"})
    assert app.told == ["set {'SETTING': 'value'}", "stop", "start", "announced"]


async def test_a_switch_is_turned_and_seen_and_what_waits_is_looked_at_again(
    estate: Estate, app: App, backstage: httpx.AsyncClient
) -> None:
    endpoint = await estate.put_endpoint("pe-1")
    rule = {"azure_endpoint_name": "pe-1", "azure_endpoint_guid": "00000000-0000-0000-0000-00000000dead"}
    deployment = estate.elastic.deployments()[0]
    estate.elastic.add_endpoint_policy("wrong", "eastus2", [rule], deployment.id)
    assert (await backstage.get("/switches")).json()["elastic.wrong_guid"] == "pending"
    answer = await backstage.post("/switches", json={"elastic.wrong_guid": "rejected", "elastic.approval_seconds": 0})
    assert answer.is_success, answer.text
    assert (await backstage.get("/switches")).json()["elastic.wrong_guid"] == "rejected"
    await estate.clock.sleep(1)
    found = await estate.azure("GET", endpoint)
    state = found["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
    assert state["privateLinkServiceConnectionState"]["status"] == "Rejected"


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/nothing", {}, 404, "approval, deployment, project, route, key, app, settings, switches"),
        ("/switches", {"elastic.nulls": "no"}, 400, "elastic.nulls is 'no'; expected true or false"),
        ("/approval", {"endpoint": "/subscriptions/x", "state": "Rejected"}, 400, "no endpoint"),
        ("/key", {}, 400, "state"),
        ("/settings", {"SETTINGS": "value"}, 400, "no such setting"),
        ("/app", [], 400, "not understood"),
    ],
)
async def test_what_it_does_not_understand_it_says(
    backstage: httpx.AsyncClient, app: App, path: str, body: Any, status: int, word: str
) -> None:
    answer = await backstage.post(path, json=body)
    assert (answer.status_code, word in answer.json()["error"]) == (status, True), answer.text
    assert app.told == []


async def test_a_page_in_somebodys_browser_cannot_use_it(backstage: httpx.AsyncClient, app: App) -> None:
    answer = await backstage.post("/app", content='{"state": "stopped"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert app.told == []


@pytest.mark.parametrize("action", ["approval", "route", "key", "app"])
async def test_the_simulated_clouds_have_no_such_paths(estate: Estate, action: str) -> None:
    for cloud in (estate.arm.app, estate.elastic.app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(cloud), base_url="https://cloud.local") as client:
            headers = {"Authorization": f"ApiKey {estate.elastic.api_key}"}
            assert (await client.post(f"/{action}", json={"state": "ended"}, headers=headers)).status_code >= 400
    assert estate.elastic.settings.api_key_expires_at is None
