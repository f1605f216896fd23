"""What ARM does before any resource provider: tokens, versions, rights, limits, faults; and resource groups."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from local.arm import ArmCloud, FaultResponse, Incoming, ResourceEvent
from local.clock import LoopClock
from tests.local.arm.arm_client import DNS, NET, PE, SUB, VNET, ZONE, Http, endpoint_body, link_body, record_body


@pytest.mark.parametrize("authorization", ["", "Basic abc", "Bearer ", "Bearer other"])
async def test_a_request_without_a_valid_token_is_401(authorization: str) -> None:
    http = Http(ArmCloud(LoopClock(), check_token=lambda token: token == "good"))
    refused = await http("GET", PE, Authorization=authorization)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer ")
    assert refused.json()["error"]["code"] in ("AuthenticationFailed", "InvalidAuthenticationToken")
    assert (await http("GET", PE, Authorization="Bearer good")).status_code == 404


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"{PE}?api-version=", "MissingApiVersionParameter"),
        (f"{PE}?api-version=2099-01-01", "NoRegisteredProviderFound"),
        (f"{ZONE}?api-version=2024-05-01", "NoRegisteredProviderFound"),
    ],
)
async def test_each_type_has_its_own_api_versions(http: Http, url: str, code: str) -> None:
    refused = await http("GET", url)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)


async def test_unknown_subscriptions_groups_types_and_paths_are_404(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.missing_resource_groups.add("RG-Gone")
    other = "/subscriptions/00000000-0000-0000-0000-000000000009"
    network = "providers/Microsoft.Network"
    expected = {
        f"{other}/{network}/privateEndpoints": "SubscriptionNotFound",
        f"{SUB}/resourceGroups/rg-gone/{network}/privateEndpoints": "ResourceGroupNotFound",
        f"{NET}/bastions/b": "InvalidResourceType",
        f"{SUB}/{network}/privateEndpoints/without-group": "InvalidResourceType",
        "/nothing": "InvalidResourceNamespace",
    }
    got = {url: (await http("GET", url)).json()["error"]["code"] for url in expected}
    assert got == expected


async def test_methods_a_type_lacks_are_405_and_bad_json_is_400(cloud: ArmCloud, http: Http) -> None:
    assert (await http("PUT", f"{NET}/networkInterfaces/n", {})).status_code == 405
    assert (await http("POST", PE)).status_code == 405
    url = f"https://arm.local{PE}?api-version=2024-05-01"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(cloud.app)) as client:
        bad = await client.put(url, content=b"{", headers={"Authorization": "Bearer x"})
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "InvalidRequestContent")
    assert (await http("PUT", PE, [])).json()["error"]["code"] == "InvalidRequestContent"


async def test_a_denied_action_is_403_and_names_action_and_scope(
    cloud: ArmCloud, http: Http, events: list[ResourceEvent]
) -> None:
    zone = await http.zone()
    await http("PUT", f"{zone}/A/*", record_body("10.1.0.4"))
    cloud.settings.denied_actions.add("microsoft.network/privateDnsZones/a/delete")
    cloud.settings.denied_actions.add(f"Microsoft.Network/privateDnsZones/read@{NET.split('/providers')[0]}")
    before = len(events)
    refused = await http("DELETE", f"{zone}/A/*")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
    message = refused.json()["error"]["message"]
    assert f"'Microsoft.Network/privateDnsZones/A/delete' over scope '{zone}/A/*'" in message
    assert (await http("GET", zone)).status_code == 200
    assert (await http("GET", f"{NET}/privateDnsZones")).status_code == 403
    assert len(events) == before


async def test_private_dns_reads_and_polls_share_500_in_5_minutes(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.arm_bucket = None
    first = await http("GET", ZONE)
    remaining = "x-ms-ratelimit-remaining-subscription-resource-requests"
    assert first.status_code == 404
    accepted = await http("PUT", ZONE, {"location": "global"})
    assert accepted.headers[remaining] == "11999"
    poll = await http("GET", accepted.headers["azure-asyncoperation"])
    assert poll.headers[remaining] == "498"
    for _ in range(498):
        await http("GET", f"{DNS}/privateDnsZones")
    await asyncio.sleep(100)
    throttled = await http("GET", ZONE)
    assert (throttled.status_code, throttled.json()["error"]["code"]) == (429, "SubscriptionRequestsThrottled")
    assert throttled.headers["retry-after"] == "200"
    assert (await http("GET", f"{NET}/privateEndpoints")).status_code == 200
    await asyncio.sleep(200)
    assert (await http("GET", ZONE)).status_code == 200


async def test_arms_token_bucket_empties_and_refills(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.arm_bucket = {"reads": (3, 1), "writes": (1, 1), "deletes": (1, 1)}
    list_url = f"{NET}/privateEndpoints"
    answers = [await http("GET", list_url) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["x-ms-ratelimit-remaining-subscription-reads"] for a in answers[:3]] == ["2", "1", "0"]
    assert answers[3].headers["retry-after"] == "1"
    other = await http("GET", list_url, Authorization="Bearer another")
    assert other.status_code == 200, "each principal has a bucket of its own"
    await asyncio.sleep(2)
    assert [(await http("GET", list_url)).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(("wish", "header"), [(7, "7"), (None, None)])
async def test_retry_after_of_a_429_is_a_setting(
    cloud: ArmCloud, http: Http, wish: int | None, header: str | None
) -> None:
    cloud.settings.network_reads_per_5_minutes = 0
    cloud.settings.throttle_retry_after = wish
    assert (await http("GET", f"{NET}/privateEndpoints")).headers.get("retry-after") == header


async def test_a_fault_is_answered_instead_of_the_service(cloud: ArmCloud, http: Http) -> None:
    seen: list[Incoming] = []

    def fault(request: Incoming) -> FaultResponse | None:
        seen.append(request)
        error = {"error": {"code": "ServiceUnavailable", "message": "later"}}
        return FaultResponse(503, error, {"Retry-After": "1"}) if request.operation == "PUT zone" else None

    cloud.faults.append(fault)
    refused = await http("PUT", ZONE, {"location": "global"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (await http("GET", ZONE)).status_code == 404
    assert seen[0] == Incoming("PUT", ZONE, "PUT zone")


async def test_in_an_outage_nothing_is_answered_and_nothing_changes(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.outage = 503
    refused = await http("PUT", ZONE, {"location": "global"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ServiceUnavailable")
    cloud.settings.outage = None
    assert (await http("GET", ZONE)).status_code == 404


async def test_requests_are_recorded_with_short_names(cloud: ArmCloud, http: Http) -> None:
    await http.network()
    zone = await http.zone()
    await http("PUT", f"{zone}/A/*", record_body("10.1.0.4"))
    await http("GET", f"{zone}/aLL")
    await http("PUT", PE, endpoint_body())
    await http("GET", f"{zone}/virtualNetworkLinks")
    names = [(r.operation, r.status) for r in cloud.requests if r.operation != "GET operation"]
    assert names == [
        ("PUT virtualNetwork", 201),
        ("PUT zone", 202),
        ("PUT record", 201),
        ("LIST record", 200),
        ("PUT privateEndpoint", 201),
        ("LIST link", 200),
    ]
    assert any(r.operation == "GET operation" for r in cloud.requests)


async def test_reads_and_polls_never_make_events(http: Http, events: list[ResourceEvent]) -> None:
    await http.network()
    created = await http("PUT", PE, endpoint_body())
    count = len(events)
    await http.finished(created)
    await http("GET", PE)
    await http("GET", f"{NET}/privateEndpoints")
    assert len(events) == count == 2


async def test_answers_point_at_the_host_the_request_came_to(cloud: ArmCloud, http: Http) -> None:
    await http.network()
    created = await http("PUT", f"https://localhost:8443{PE}", endpoint_body())
    assert created.headers["azure-asyncoperation"].startswith("https://localhost:8443/subscriptions/")
    cloud.settings.urls_with_port = True
    created = await http("PUT", PE, endpoint_body())
    assert created.headers["azure-asyncoperation"].startswith("https://arm.local:443/subscriptions/")
    assert (await http("GET", created.headers["azure-asyncoperation"])).status_code == 200


async def test_subscriptions_and_resource_groups_can_be_read_and_made(cloud: ArmCloud, http: Http) -> None:
    version = "?api-version=2021-04-01"
    await http.network()
    cloud.settings.missing_resource_groups.add("RG-New")
    group = f"{SUB}/resourceGroups/rg-new"
    assert (await http("GET", group + version)).status_code == 404
    assert (await http("PUT", group + version, {"location": "eastus", "tags": {"a": "b"}})).status_code == 201
    assert (await http("GET", group + version)).json()["tags"] == {"a": "b"}
    assert (await http("HEAD", group + version)).status_code == 204
    listed = (await http("GET", f"{SUB}/resourceGroups{version}")).json()["value"]
    assert [g["name"] for g in listed] == ["rg-net", "rg-new"]
    assert (await http("GET", SUB + version)).json()["subscriptionId"] == SUB.rsplit("/", 1)[-1]
    assert len((await http("GET", f"/subscriptions{version}")).json()["value"]) == 1
    registered = await http("POST", f"{SUB}/providers/Microsoft.Network/register{version}")
    assert registered.json()["registrationState"] == "Registered"


async def test_every_resource_is_found_in_any_case_and_answered_as_created(http: Http) -> None:
    """A second write in another spelling changes the first one's resource, and makes no other."""
    network = await http.network()
    peering = {"properties": {"remoteVirtualNetwork": {"id": network}}}
    writes: list[tuple[str, dict[str, object]]] = [
        (f"{VNET}/virtualNetworkPeerings/To-Hub", peering),
        (f"{VNET}/subnets/Second", {"properties": {"addressPrefix": "10.1.1.0/24"}}),
        (f"{NET}/privateEndpoints/Pe-Mixed", endpoint_body()),
        (ZONE, {"location": "global"}),
        (f"{ZONE}/virtualNetworkLinks/Link-Mixed", link_body(network)),
        (f"{ZONE}/A/www", record_body("10.1.0.9")),
    ]
    for url, body in writes:
        first = await http("PUT", url, body)
        if "azure-asyncoperation" in first.headers:
            await http.finished(first)
            operation = first.headers["azure-asyncoperation"]
            if "/locations/" in operation:
                path, _, query = operation.partition("?")
                assert (await http("GET", f"{path.upper().replace('HTTPS', 'https')}?{query}")).status_code == 200
        again = await http("PUT", url.upper(), body)
        assert again.status_code in (200, 202), url
        await asyncio.sleep(10)
        found = [(await http("GET", spelled)).json() for spelled in (url, url.upper(), url.lower())]
        assert found == [found[0]] * 3, url
        assert found[0]["id"] == url
        listed = (await http("GET", url.rpartition("/")[0])).json()["value"]
        assert [one["id"] for one in listed if one["id"].lower() == url.lower()] == [url]


async def test_an_operation_of_private_dns_is_not_found_in_another_case(http: Http) -> None:
    """Its id is base64: a client that folds the case of the URL would lose it in Azure."""
    accepted = await http("PUT", ZONE, {"location": "global"})
    for header in ("azure-asyncoperation", "location"):
        path, _, query = accepted.headers[header].partition("?")
        assert (await http("GET", f"{path}?{query}")).status_code == 202
        assert (await http("GET", f"{path.lower()}?{query}")).status_code == 404


async def test_an_unknown_operation_is_404(http: Http) -> None:
    unknown = await http("GET", f"{SUB}/providers/Microsoft.Network/locations/eastus2/operations/none")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "OperationNotFound")


async def test_the_network_is_there_for_the_other_simulators(cloud: ArmCloud, http: Http) -> None:
    await http.network()
    found = cloud.virtual_network(VNET.upper())
    assert found is not None
    assert (found.name, found.location, found.subnets[0].name) == ("vnet1", "eastus2", "pe")
    assert cloud.virtual_networks() == [found]
    with pytest.raises(KeyError):
        cloud.set_connection(PE, "Approved")
