"""Azure's limits by both of Microsoft's pages, and the three shapes of a 429, as the real SDK hands them to the app."""

from __future__ import annotations

import asyncio

import pytest

from local.arm import ArmCloud
from shared.clouds.azure.clients import arm_errors
from shared.core.model.errors import Throttled
from tests.local.arm.arm_client import DNS, SUB, ZONE, ZONE_NAME, Http, dns_client, link_body, record_body

REMAINING = "x-ms-ratelimit-remaining-subscription-resource-requests"


@pytest.fixture(autouse=True)
def newer(cloud: ArmCloud) -> None:
    cloud.settings.private_dns_limits, cloud.settings.arm_bucket = "newer", None


async def statuses(http: Http, method: str, path: str, number: int, body: object = None) -> list[int]:
    return [(await http(method, path, body)).status_code for _ in range(number)]


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (ZONE, 200),
        (f"{DNS}/privateDnsZones", 100),
        (f"{SUB}/providers/Microsoft.Network/privateDnsZones", 60),
        (f"{ZONE}/A/*", 200),
        (f"{ZONE}/ALL", 100),
        (f"{ZONE}/virtualNetworkLinks/one", 100),
        (f"{ZONE}/virtualNetworkLinks", 100),
    ],
)
async def test_reads_have_a_figure_for_each_zone_and_minute(cloud: ArmCloud, http: Http, path: str, most: int) -> None:
    await http.zone()
    found = await statuses(http, "GET", path, most + 1)
    assert 429 not in found[:-1]
    assert found[-1] == 429
    assert REMAINING not in (await http("GET", path)).headers
    other = path.replace(ZONE_NAME, f"other.{ZONE_NAME}").replace("rg-dns", "rg-other")
    if other != path:
        assert (await http("GET", other)).status_code != 429, "each zone has its own"
    await asyncio.sleep(60)
    assert (await http("GET", path)).status_code != 429


async def test_a_subscription_has_40_changes_of_zones_and_a_zone_60_of_its_records(cloud: ArmCloud, http: Http) -> None:
    zone = await http.zone()
    assert await statuses(http, "PUT", f"{zone}/A/*", 61, record_body("10.1.0.4")) == [201, *[200] * 59, 429]
    for number in range(39):
        made = await http("PUT", ZONE.replace(ZONE_NAME, f"z{number}.{ZONE_NAME}"), {"location": "global"})
        assert made.status_code == 202
    refused = await http("PUT", ZONE.replace(ZONE_NAME, f"one-more.{ZONE_NAME}"), {"location": "global"})
    assert refused.status_code == 429
    link = await http("PUT", f"{zone}/virtualNetworkLinks/one", link_body(f"{SUB}/none"))
    assert link.status_code != 429, "links are not zones"


async def test_polls_of_operations_are_in_no_newer_limit(cloud: ArmCloud, http: Http) -> None:
    accepted = await http("PUT", ZONE, {"location": "global"})
    assert 429 not in await statuses(http, "GET", accepted.headers["azure-asyncoperation"], 510)


@pytest.mark.parametrize(
    ("shape", "said", "after"),
    [
        ("arm", "Azure answered SubscriptionRequestsThrottled", 60.0),
        ("rule", "Azure answered ResourceRequestsThrottled", 60.0),
        ("private DNS", "Azure answered", 10.0),
    ],
)
async def test_each_shape_of_a_refusal_is_throttling(cloud: ArmCloud, shape: str, said: str, after: float) -> None:
    cloud.settings.private_dns_limits, cloud.settings.private_dns_reads_per_5_minutes = "older", 0
    cloud.settings.throttle_shape = shape  # type: ignore[assignment] # one of its words
    if after != 10.0:
        cloud.settings.throttle_retry_after = 60
    async with dns_client(cloud) as client:
        with pytest.raises(Throttled, match=said) as caught, arm_errors("read the zone", ZONE):
            await client.private_zones.get("rg-dns", ZONE_NAME, retry_total=0)
    assert caught.value.after == after


async def test_private_dns_says_itself_in_a_text_of_json(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.private_dns_limits, cloud.settings.private_dns_reads_per_5_minutes = "older", 0
    cloud.settings.throttle_shape = "private DNS"
    refused = await http("GET", ZONE)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert refused.json() == (
        '{"code":"Throttled","message":"Too many operations are requested. Current operation is throttled."}'
    )
