"""The life of connections beyond the first: an estate that was there before the app; endpoints that go, and come back.

All at once in one instance. Other people's things are compared in full, before and after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from e2e_by_hand import RULESETS, connection_by_hand, deployment_id, everything_of, zone_id
from e2e_instance import Instance, eventually, policies_of, put_endpoint, ready
from e2e_stories import Outcomes, Told, at_once, condition, journal, until, writes_of_the_app

from local.cli.breaking import asked_for
from local.cli.breaking_elastic import find_project
from local.cli.client import LocalClient

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-life")]

GRACE_SECONDS = 10
PROJECTS_IN = "swedencentral"
"""A region that only Elastic's metadata knows."""
BY_HAND = {"pe-stays": "northeurope", "pe-leaves": "southcentralus"}
"""Connections that people made before there was an app: name and region."""


# -- switched on over an estate ------------------------------------------------------------------------------------


async def adopted(client: LocalClient, instance: Instance, endpoints: Mapping[str, str], before: Any) -> None:
    """All is used as it is, and nothing is written, at first and at every sweep."""
    for endpoint in endpoints.values():
        found = await ready(client, endpoint)
        things = [found["zone"], *found["links"], found["record"], found["policy"], *found["associations"]]
        assert {thing["owner"] for thing in things} == {"adopted"}
        assert (len(found["links"]), len(found["associations"])) == (1, 1)
        assert condition(found, "Reachable")["reason"] == "Reachable"
    swept = await last_sweep(client)
    await eventually(lambda: last_sweep(client), lambda latest: latest != swept)
    assert writes_of_the_app(instance) == []
    assert await by_hand_as_it_is(client) == before


async def last_sweep(client: LocalClient) -> str | None:
    """When it ended, as the doctor knows; None before the first."""
    doctor = (await client.app("GET", "/doctor")).json()
    return next(one["details"].get("at") for one in doctor["findings"] if one["check"] == "sweep")


async def by_hand_as_it_is(client: LocalClient) -> list[dict[str, Any]]:
    """Everything that people made."""
    return list(await asyncio.gather(*(everything_of(client, name, region) for name, region in BY_HAND.items())))


# -- endpoints that go ---------------------------------------------------------------------------------------------


async def goes(client: LocalClient, instance: Instance) -> None:
    """First everything stands for a while; then all of it goes, in the one order that does no harm."""
    endpoint = await put_endpoint(client, "pe-gone", "centralindia")
    before = await ready(client, endpoint)
    deployment = await deployment_id(client, "centralindia")
    zone, policy = before["zone"]["id"], before["policy"]["id"]
    await client.azure("DELETE", endpoint)
    waits = await until(client, endpoint, Removed="GracePeriod")
    assert waits["phase"] == "Removing"
    assert "unless the endpoint is made again" in condition(waits, "Removed")["message"]
    assert (await client.azure("GET", f"{zone}/A/*"))["properties"]["aRecords"], "all stands until the grace is over"
    assert policy in await policies_on(client, deployment)

    gone = await until(client, endpoint, phase="Removed", Removed="Removed")
    assert gone["left"] == []
    (link,) = (one["id"] for one in before["links"])
    taken = [write.removeprefix("DELETE ") for write in writes_of_the_app(instance) if write.startswith("DELETE ")]
    own = [path for path in taken if policy in path or path.lower().startswith(zone.lower())]
    ruleset = f"/api/v1{RULESETS}/{policy}"
    assert own == [f"{ruleset}/associations/deployment/{deployment}", ruleset, f"{zone}/A/*", link, zone]

    done = [entry["step"] for entry in await journal(client, gone) if entry["outcome"] == "done"][-5:]
    wanted = ["disassociate policy", "delete policy", "delete * A record", "delete the link",
              "delete private DNS zone"]  # fmt: skip
    assert all(step.startswith(start) for step, start in zip(done, wanted, strict=True)), done
    with pytest.raises(RuntimeError, match="ResourceNotFound"):
        await client.azure("GET", zone)
    kept = await policies_on(client, deployment)
    assert (len(kept), policy in kept) == (1, False), "its IP policy is still in force"


async def policies_on(client: LocalClient, deployment: str) -> list[str]:
    """The policies in force for a deployment."""
    path = f"/deployments/traffic-filter/associations/deployment/{deployment}/rulesets"
    return list((await client.elastic("GET", path))["rulesets"])


async def comes_back(client: LocalClient, instance: Instance) -> None:
    """Made again within the grace: policy, association, zone and links are kept; GUID and address follow."""
    endpoint = await put_endpoint(client, "pe-back", "australiaeast")
    before = await ready(client, endpoint)
    body = await asked_for(client, endpoint)
    await client.azure("DELETE", endpoint)
    await until(client, endpoint, Removed="GracePeriod")
    await client.azure("PUT", endpoint, body)
    after = await until(client, endpoint, phase="Ready", Reachable="Reachable")
    kept = ("zone", "links", "record")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["guid"] != before["guid"]
    (policy,) = await policies_of(client, endpoint)
    assert policy["id"] == after["policy"]["id"] == before["policy"]["id"]
    assert policy["id"] in await policies_on(client, after["targets"][0]["id"])
    record = await client.azure("GET", f"{after['zone']['id']}/A/*")
    assert record["properties"]["aRecords"] == [{"ipv4Address": after["address"]}]
    await asyncio.sleep(GRACE_SECONDS)
    zone = zone_id(client, "pe-back", "australiaeast")
    deleted = [write for write in writes_of_the_app(instance) if write.startswith("DELETE ")]
    assert not [write for write in deleted if policy["id"] in write or zone.lower() in write.lower()]
    assert (await ready(client, endpoint))["removingSince"] is None


async def guest_goes(client: LocalClient, endpoint: str, before: Any) -> None:
    """Of an endpoint whose things people made, nothing is taken away, and it is said what there is."""
    await client.azure("DELETE", endpoint)
    gone = await until(client, endpoint, phase="Removed", Removed="LeftBehind")
    for thing in ("policy", "* record", "link", "zone"):
        assert any(text.startswith(thing) and text.endswith("made by others") for text in gone["left"]), gone["left"]
    now = await by_hand_as_it_is(client)
    assert now == before


# -- a Serverless project ------------------------------------------------------------------------------------------


async def project_goes(client: LocalClient, instance: Instance) -> None:
    """Ready and tested on the one port; then all that was made goes, and nothing of others."""
    name = f"observability-{PROJECTS_IN}"
    endpoint = await put_endpoint(client, "pe-project", PROJECTS_IN, serverless=True)
    found, project = await ready(client, endpoint), await find_project(client, name)
    (target,), zone, policy = found["targets"], found["zone"]["id"], found["policy"]["id"]
    assert (found["family"], target["name"]) == ("serverless", name)
    assert zone.endswith(f"/private.{PROJECTS_IN}.azure.elastic.cloud")
    urls = {one["service"]: one["url"] for one in target["urls"]}
    assert urls == project["private_endpoints"], "as the API gives them: without a port"
    assert {(one["host"], one["reason"]) for one in found["checks"]} == {
        (urls[one].removeprefix("https://"), "Reachable") for one in ("elasticsearch", "kibana", "apm")
    }
    office = [one["id"] for one in project["traffic_filters"] if one["id"] != policy]
    assert [one["id"] for one in project["traffic_filters"]] == [*office, policy]

    await client.azure("DELETE", endpoint)
    gone = await until(client, endpoint, phase="Removed", Removed="Removed")
    assert gone["left"] == []
    assert [one["id"] for one in (await find_project(client, name))["traffic_filters"]] == office
    path = f"/api/v1/serverless/projects/observability/{project['id']}"
    taken = [one for one in writes_of_the_app(instance) if path in one or f"/traffic-filters/{policy}" in one]
    assert taken[-2:] == [f"PATCH {path}", f"DELETE /api/v1/serverless/traffic-filters/{policy}"]
    with pytest.raises(RuntimeError, match="ResourceNotFound"):
        await client.azure("GET", zone)


# -- all of them ---------------------------------------------------------------------------------------------------


async def all_stories(instance: Instance) -> Outcomes:
    async with instance.client() as client:
        await client.backstage("app", state="stopped")
        made = await asyncio.gather(*(connection_by_hand(client, name, region) for name, region in BY_HAND.items()))
        endpoints, before = dict(zip(BY_HAND, made, strict=True)), await by_hand_as_it_is(client)
        await client.backstage("app", state="started")
        ends = await at_once({"adopted": adopted(client, instance, endpoints, before)})
        lives = {
            "goes": goes(client, instance),
            "comes back": comes_back(client, instance),
            "project goes": project_goes(client, instance),
            "guest goes": guest_goes(client, endpoints["pe-leaves"], before),
        }
        return {**ends, **await at_once(lives)}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What became of each story."""
    grace = {"REMOVAL_GRACE_SECONDS": str(GRACE_SECONDS)}
    return Told(
        all_stories, lambda: Instance(tmp_path_factory.mktemp("life") / "local", "--approval-seconds", "1", **grace)
    )


def test_switched_on_over_an_estate_made_by_hand_it_writes_nothing_and_all_is_ready(outcomes: Told) -> None:
    outcomes.judge("adopted")


def test_an_endpoint_is_deleted_and_what_was_made_for_it_goes_in_order(outcomes: Told) -> None:
    outcomes.judge("goes")


def test_an_endpoint_to_a_project_is_ready_and_goes_and_takes_nothing_of_others_along(outcomes: Told) -> None:
    outcomes.judge("project goes")


def test_an_endpoint_made_again_within_the_grace_keeps_all_that_it_had(outcomes: Told) -> None:
    outcomes.judge("comes back")


def test_what_people_made_for_an_endpoint_outlives_it_unchanged(outcomes: Told) -> None:
    outcomes.judge("guest goes")
