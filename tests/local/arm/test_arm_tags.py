"""Tags written on their own, as the portal and `az tag` do: the resource changes, but only the tags are reported."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import ArmCloud, ResourceEvent, RoleAssignment
from tests.local.arm.arm_client import PE, VNET, Http, endpoint_body

TAGS = f"{PE}/providers/Microsoft.Resources/tags/default"
VERSION = "?api-version=2021-04-01"


def body(operation: str, **tags: str) -> dict[str, Any]:
    return {"operation": operation, "properties": {"tags": tags}}


async def tags_of(http: Http, resource: str = PE) -> dict[str, str]:
    return (await http("GET", resource)).json()["tags"]


async def tagged(http: Http) -> None:
    """Make an endpoint with the tag `elastic-deployments: logs`; in the test, whose time is virtual."""
    await http.network()
    await http.done("PUT", PE, endpoint_body())


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (body("Merge", team="net"), {"elastic-deployments": "logs", "team": "net"}),
        (body("Merge", **{"Elastic-Deployments": "search"}), {"elastic-deployments": "search"}),
        (body("Replace", team="net"), {"team": "net"}),
        (body("Delete", **{"elastic-deployments": "logs"}), {}),
        (body("Delete", **{"elastic-deployments": ""}), {}),
        (body("Delete", **{"elastic-deployments": "other"}), {"elastic-deployments": "logs"}),
    ],
)
async def test_tags_are_merged_replaced_or_deleted(http: Http, change: Any, left: dict[str, str]) -> None:
    await tagged(http)
    answer = await http("PATCH", TAGS + VERSION, change)
    assert answer.status_code == 200
    assert answer.json() == {
        "id": TAGS,
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": left},
    }
    assert await tags_of(http) == left
    assert (await http("GET", TAGS + VERSION)).json() == answer.json()


async def test_all_tags_are_written_or_removed_at_once(http: Http) -> None:
    await tagged(http)
    assert (await http("PUT", TAGS + VERSION, {"properties": {"tags": {"a": "b"}}})).status_code == 200
    assert await tags_of(http) == {"a": "b"}
    assert (await http("DELETE", TAGS + VERSION)).status_code == 200
    assert await tags_of(http) == {}


async def test_the_resource_changes_and_the_event_is_about_its_tags_alone(
    http: Http, events: list[ResourceEvent]
) -> None:
    await tagged(http)
    etag, before = (await http("GET", PE)).json()["etag"], len(events)
    await http("PATCH", TAGS + VERSION, body("Merge", team="net"))
    after = (await http("GET", PE)).json()["etag"]
    assert after != etag
    assert after.startswith('W/"')
    (event,) = events[before:]
    assert (event.operation, event.resource_type, event.resource_id) == ("write", "Microsoft.Resources/tags", TAGS)


async def test_networks_and_zones_have_tags_of_their_own_too(http: Http) -> None:
    for resource in (await http.network(), await http.zone()):
        answer = await http(
            "PATCH", f"{resource}/providers/Microsoft.Resources/tags/default{VERSION}", body("Merge", a="b")
        )
        assert answer.status_code == 200
        assert await tags_of(http, resource) == {"a": "b"}


async def test_what_is_not_there_or_makes_no_sense_is_refused(http: Http) -> None:
    await tagged(http)
    gone = f"{VNET}-2/providers/Microsoft.Resources/tags/default{VERSION}"
    assert (await http("GET", gone)).json()["error"]["code"] == "ResourceNotFound"
    assert (await http("PATCH", gone, body("Merge"))).json()["error"]["code"] == "ResourceNotFound"
    for nonsense in (
        body("Rename", a="b"),
        {"operation": "Merge"},
        {"operation": "Merge", "properties": {"tags": {"a": 1}}},
    ):
        assert (await http("PATCH", TAGS + VERSION, nonsense)).status_code == 400
    assert (await http("GET", f"{TAGS}?api-version=2024-05-01")).json()["error"]["code"] == "NoRegisteredProviderFound"
    assert (await http("GET", f"{TAGS}/providers/Microsoft.Resources/tags/default{VERSION}")).status_code == 404


async def test_writing_tags_is_a_right_of_its_own(cloud: ArmCloud, http: Http) -> None:
    await tagged(http)
    owner = {"Authorization": "Bearer app"}
    cloud.settings.role_assignments["app"] = [RoleAssignment(PE, ("Microsoft.Network/privateEndpoints/write",))]
    assert (await http("PATCH", TAGS + VERSION, body("Merge", a="b"), **owner)).status_code == 403
    cloud.settings.role_assignments["app"] = [RoleAssignment(PE, ("Microsoft.Resources/tags/write",))]
    assert (await http("PATCH", TAGS + VERSION, body("Merge", a="b"), **owner)).status_code == 200
