"""A person at the command line connects to Serverless projects, changes them and breaks what leads to them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from local.__main__ import CLIENT_COMMANDS, parse
from local.cli.backstage import Backstage
from local.cli.breaking import HOPS
from local.cli.client import LocalClient
from local.cli.connecting import endpoint_name
from local.cli.function_app import FunctionApp
from local.cli.story import StoryFailed, alias_of, alias_of_projects
from local.cli.switches import Switches
from local.clock import LoopClock
from local.elastic.serverless import Project, ServerlessSettings
from local.elastic.serverless.regions import ONLY_IN_METADATA
from local.simulators import World
from local.vault import KeyVault
from tests.harness.estate import authority

GUID = "4bbbd3b2-7e1e-4d6b-9e0b-0e2d8a7a6f11"


@pytest.fixture
async def world() -> World:
    made = World(LoopClock(), ca=authority())
    made.seed_deployments()
    return made


@pytest.fixture
async def client(world: World, tmp_path: Path) -> AsyncIterator[LocalClient]:
    """A person at the world's own Elastic Cloud and backstage, in-process."""
    switches = Switches({"serverless": world.elastic.serverless.settings})
    app, vault = cast("FunctionApp", None), KeyVault(world.clock)
    backstage = Backstage(world, app, switches, lambda: None, lambda _: None, vault).app
    endpoints = {
        "elastic": "https://elastic.local",
        "elastic_api_key": world.elastic.api_key,
        "backstage": "http://backstage.local",
        "folder": str(tmp_path),
    }
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints), encoding="utf-8")
    mounts = {
        "https://elastic.local": httpx.ASGITransport(world.elastic.app),
        "http://backstage.local": httpx.ASGITransport(backstage),
    }
    async with LocalClient(endpoints, httpx.AsyncClient(mounts=mounts)) as made:
        yield made


async def run(client: LocalClient, *arguments: str) -> None:
    parsed = parse(list(arguments))
    await CLIENT_COMMANDS[parsed.command](client, parsed)


def project(world: World, name: str) -> Project:
    return next(one for one in world.elastic.serverless.projects() if one.name == name)


async def connection_to(client: LocalClient, world: World, name: str) -> dict[str, Any]:
    """What the app shows of a connection whose policy a project has."""
    found = project(world, name)
    rule = {"azure_endpoint_name": "pe-1", "azure_endpoint_guid": GUID}
    body = {"name": "pe-1", "type": "private_endpoint", "region": f"azure-{found.region}", "rules": [rule]}
    policy = await client.elastic("POST", "/serverless/traffic-filters", body)
    world.elastic.serverless.write_list(found, [*found.filters, policy["id"]])
    return {"family": "serverless", "policy": {"id": policy["id"]}, "targets": [{"id": found.id}]}


async def test_the_alias_of_projects_is_the_metadatas_also_where_no_table_has_it(client: LocalClient) -> None:
    for region in ONLY_IN_METADATA:
        assert await alias_of_projects(client, region.region) == region.alias
    assert "privatelink-serverless" in await alias_of_projects(client, "eastus2")


async def test_a_region_without_the_family_is_refused_with_those_that_have_it(client: LocalClient) -> None:
    with pytest.raises(StoryFailed, match=r"no projects are in northeurope; there are in .*, eastus2, "):
        await alias_of_projects(client, "northeurope")
    with pytest.raises(StoryFailed, match=r"no deployments are in spaincentral; there are in .*, eastus2, "):
        alias_of("spaincentral")


def test_an_endpoint_to_a_project_has_a_name_beside_the_deployments() -> None:
    asked = parse(["connect", "eastus2", "--serverless", "--target", "security-eastus2"])
    assert (asked.serverless, asked.target) == (True, "security-eastus2")
    assert endpoint_name("eastus2", None, serverless=True) == "pe-eastus2-serverless"
    assert endpoint_name("eastus2", "vnet-one", serverless=True) == "pe-one-eastus2-serverless"


async def test_a_project_is_tagged_suspended_given_another_tier_and_shown(
    client: LocalClient, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = project(world, "observability-eastus2")
    consent = "elastic-privatelink-first-policy=allow"
    await run(client, "project", wanted.name, "--tag", consent, "--phase", "suspended", "--tier", "essentials")
    assert (wanted.tags, wanted.phase, wanted.complete_tier) == (
        {"elastic-privatelink-first-policy": "allow"},
        "suspended",
        False,
    )
    shown = capsys.readouterr().out
    assert all(text in shown for text in (wanted.id, "observability", "azure-eastus2", "suspended", consent))
    await run(client, "project", wanted.id, "--tag", "elastic-privatelink-first-policy=")
    assert wanted.tags == {}
    await run(client, "project", wanted.id, "--delete")
    assert wanted not in world.elastic.serverless.projects()


def test_every_switch_of_serverless_is_documented() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "local-serverless.md").read_text(encoding="utf-8")
    switches = Switches({"serverless": ServerlessSettings()}).values()
    assert [name for name in switches if f"`{name}`" not in page] == []


async def test_what_is_no_project_and_no_phase_is_said(client: LocalClient, world: World) -> None:
    with pytest.raises(RuntimeError, match="no project is called nowhere"):
        await run(client, "project", "nowhere")
    with pytest.raises(RuntimeError, match="expected initializing or initialized or"):
        await run(client, "project", "security-eastus2", "--phase", "asleep")


async def test_each_hop_of_elastics_side_is_broken_as_a_person_does_it(client: LocalClient, world: World) -> None:
    wanted = project(world, "observability-eastus2")
    office = wanted.filters
    connection = await connection_to(client, world, wanted.name)
    alias = wanted.alias
    await HOPS["alias"].do(client, connection)
    assert wanted.alias != alias
    await HOPS["target"].do(client, connection)
    assert wanted.phase == "suspended"
    undo = HOPS["target"].undo
    assert undo is not None
    await undo(client, connection)
    assert wanted.phase == "initialized"
    await HOPS["association"].do(client, connection)
    assert wanted.filters == office, "those of others stay"
    world.elastic.serverless.write_list(wanted, [*office, connection["policy"]["id"]])
    await HOPS["policy"].do(client, connection)
    assert wanted.filters == office
    assert [one for one in world.elastic.serverless.filters() if one.guids] == []
