"""Private DNS zones: long-running writes, preconditions that fail in the operation, nested links."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError

from tests.local.arm.arm_client import DNS, SUB, ZONE, ZONE_NAME, Http, record_body

if TYPE_CHECKING:
    from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

    from local.arm import ArmCloud, ResourceEvent

BODY: dict[str, Any] = {"location": "global", "tags": {"by": "app"}}


async def test_a_put_answers_202_with_both_headers_and_is_polled_202_then_200(http: Http) -> None:
    accepted = await http("PUT", ZONE, BODY)
    assert (accepted.status_code, accepted.json()) == (202, {})
    assert "retry-after" not in accepted.headers
    status, result = accepted.headers["azure-asyncoperation"], accepted.headers["location"]
    identifier = urlsplit(status).path.rsplit("/", 1)[-1]
    assert base64.b64decode(identifier)
    assert urlsplit(status).path == f"{DNS}/privateDnsOperationStatuses/{identifier}"
    assert urlsplit(result).path == f"{DNS}/privateDnsOperationResults/{identifier}"
    running = await http("GET", status)
    assert (running.status_code, running.json()) == (202, {"status": "InProgress"})
    assert running.headers["azure-asyncoperation"] != status
    assert (await http("GET", result)).status_code == 202
    assert (await http("GET", ZONE)).status_code == 404
    assert await http.finished(running) == {"status": "Succeeded"}
    ended = await http("GET", status)
    assert (ended.status_code, "azure-asyncoperation" in ended.headers) == (200, False)
    assert (await http("GET", result)).json()["name"] == ZONE_NAME


async def test_a_zone_looks_as_the_live_service_answers_it(http: Http) -> None:
    await http.done("PUT", ZONE, BODY)
    answer = await http("GET", ZONE)
    body = answer.json()
    assert body == {
        "id": ZONE,
        "name": ZONE_NAME,
        "type": "Microsoft.Network/privateDnsZones",
        "etag": answer.headers["etag"],
        "location": "global",
        "tags": {"by": "app"},
        "properties": {
            "maxNumberOfRecordSets": 25000,
            "maxNumberOfVirtualNetworkLinks": 1000,
            "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
            "numberOfRecordSets": 1,
            "numberOfVirtualNetworkLinks": 0,
            "numberOfVirtualNetworkLinksWithRegistration": 0,
            "provisioningState": "Succeeded",
        },
    }
    assert '"' not in body["etag"]


async def test_a_missing_zone_is_the_front_ends_404(http: Http) -> None:
    missing = await http("GET", ZONE)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ResourceNotFound")
    below = await http("PUT", f"{ZONE}/A/*", record_body("10.1.0.4"))
    assert (below.status_code, below.json()["error"]["code"]) == (404, "ParentResourceNotFound")
    assert "'privateDnsZones/A'" in below.json()["error"]["message"]
    assert below.headers["x-ms-failure-cause"] == "gateway"


async def test_creating_only_if_absent_fails_in_the_operation_of_an_existing_zone(
    http: Http, dns: PrivateDnsManagementClient, events: list[ResourceEvent]
) -> None:
    await http.zone()
    poller = await dns.private_zones.begin_create_or_update(
        "rg-dns", ZONE_NAME, BODY, etag="*", match_condition=MatchConditions.IfMissing
    )
    with pytest.raises(HttpResponseError) as caught:
        await poller.result()
    assert caught.value.status_code == 200
    assert caught.value.error is not None
    assert caught.value.error.code == "PreconditionFailed"
    assert caught.value.error.message == f"The Zone {ZONE_NAME} exists already and hence cannot be created again."
    assert [(e.operation, e.status) for e in events] == [("write", "Succeeded"), ("write", "Failed")]


async def test_of_two_creations_at_once_only_if_absent_one_fails(http: Http) -> None:
    first = await http("PUT", ZONE, BODY, If_None_Match="*")
    second = await http("PUT", ZONE, BODY, If_None_Match="*")
    assert (await http.finished(first))["status"] == "Succeeded"
    assert (await http.finished(second))["error"]["code"] == "PreconditionFailed"


@pytest.mark.parametrize("quoted", [True, False])
async def test_if_match_takes_the_bare_etag_and_by_switch_the_quoted_one(
    cloud: ArmCloud, http: Http, quoted: bool
) -> None:
    cloud.settings.accept_quoted_etags = quoted
    await http.zone()
    etag = (await http("GET", ZONE)).json()["etag"]
    assert (await http.done("PUT", ZONE, BODY, If_Match=etag))["status"] == "Succeeded"
    stale = await http.done("PUT", ZONE, BODY, If_Match=etag)
    assert stale["error"]["message"] == f"The Zone {ZONE_NAME} has been modified (etag mismatch)."
    newest = (await http("GET", ZONE)).json()["etag"]
    assert ((await http.done("PUT", ZONE, BODY, If_Match=f'"{newest}"'))["status"] == "Succeeded") is quoted


async def test_the_dns_sdk_creates_updates_lists_and_deletes_zones(
    http: Http, dns: PrivateDnsManagementClient, events: list[ResourceEvent]
) -> None:
    zone = await (await dns.private_zones.begin_create_or_update("rg-dns", ZONE_NAME, BODY)).result()
    assert zone.provisioning_state == "Succeeded"
    changed = await (await dns.private_zones.begin_update("rg-dns", ZONE_NAME, {"tags": {"a": "b"}})).result()
    assert changed.tags == {"a": "b"}
    await http.zone(group="rg-other", name="example.internal")
    assert [z.name async for z in dns.private_zones.list()] == [ZONE_NAME, "example.internal"]
    assert [z.name async for z in dns.private_zones.list_by_resource_group("RG-DNS")] == [ZONE_NAME]
    await (await dns.private_zones.begin_delete("rg-dns", ZONE_NAME)).result()
    assert [z.name async for z in dns.private_zones.list()] == ["example.internal"]
    assert (await http("DELETE", ZONE)).status_code == 204
    assert [e.operation for e in events] == ["write", "write", "write", "delete"]


async def test_a_zone_with_links_cannot_be_deleted(http: Http) -> None:
    zone, vnet = await http.zone(), await http.network()
    await http.link(zone, vnet)
    refused = await http("DELETE", zone)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CannotDeleteResource")
    assert (await http("GET", zone)).json()["properties"]["numberOfVirtualNetworkLinks"] == 1


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (ZONE, {}, "LocationRequired"),
        (ZONE, {"location": "eastus2"}, "LocationNotAvailableForResourceType"),
        (f"{DNS}/privateDnsZones/no_dots", {"location": "global"}, "BadRequest"),
        (ZONE, {"location": "global", "tags": {"a": 1}}, "InvalidRequestContent"),
    ],
)
async def test_a_malformed_zone_is_refused(http: Http, path: str, body: dict[str, Any], code: str) -> None:
    answer = await http("PUT", path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_durations_are_settings_and_zero_is_done_at_once(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.zone_seconds = 0
    accepted = await http("PUT", ZONE, BODY)
    assert (await http("GET", accepted.headers["azure-asyncoperation"])).json() == {"status": "Succeeded"}


async def test_a_new_zone_is_404_for_a_while_if_switched_on(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.not_found_after_create_seconds = 60
    await http.zone()
    path = f"{SUB}/providers/Microsoft.Network/privateDnsZones"
    assert (await http("GET", ZONE)).json()["error"]["code"] == "ResourceNotFound"
    assert (await http("GET", path)).json()["value"] == []
    below = await http("PUT", f"{ZONE}/A/*", record_body("10.1.0.4"))
    assert below.json()["error"]["code"] == "ParentResourceNotFound"
    await cloud.clock.sleep(61)
    assert (await http("GET", ZONE)).status_code == 200
    assert len((await http("GET", path)).json()["value"]) == 1


async def test_lists_may_lag_behind_creation_and_deletion(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.stale_list_seconds = 30
    path = f"{SUB}/providers/Microsoft.Network/privateDnsZones"
    clock = cloud.clock
    await http.zone()
    assert (await http("GET", ZONE)).status_code == 200
    assert (await http("GET", path)).json()["value"] == []
    await clock.sleep(31)
    assert len((await http("GET", path)).json()["value"]) == 1
    await http.done("DELETE", ZONE)
    assert len((await http("GET", path)).json()["value"]) == 1
    await clock.sleep(31)
    assert (await http("GET", path)).json()["value"] == []
