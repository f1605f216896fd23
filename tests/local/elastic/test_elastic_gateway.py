"""Keys, limits, faults and the record of requests at the front of the API."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from local.elastic import ElasticCloud, ElasticSettings
    from tests.local.elastic.elastic_parts import RulesetBody

R = "/traffic-filter/rulesets"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "root.unauthorized"),
        ("Bearer test-key", "root.unauthorized"),
        ("ApiKey", "root.unauthorized"),
        ("ApiKey wrong", "root.unauthenticated"),
    ],
)
async def test_without_the_right_key_the_answer_is_401_and_nothing_happens(
    api: httpx.AsyncClient, elastic: ElasticCloud, ruleset: RulesetBody, header: Any, expected: Any
) -> None:
    response = await api.post(R, json=ruleset(), headers={"Authorization": header})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (401, expected)
    assert "X-Elastic-Api-Key-Expiration" not in response.headers
    assert elastic.rulesets() == []


async def test_each_authenticated_answer_says_when_the_key_expires_and_then_it_does(
    api: httpx.AsyncClient, settings: ElasticSettings
) -> None:
    settings.api_key_expires_at = datetime.now(UTC) + timedelta(days=1)
    expected = settings.api_key_expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for response in (await api.get(R), await api.get(f"{R}/{'0' * 32}")):
        assert response.headers["X-Elastic-Api-Key-Expiration"] == expected
    await asyncio.sleep(2 * 86400)
    assert (await api.get(R)).status_code == 401


async def test_a_key_lives_three_months_unless_told_otherwise(api: httpx.AsyncClient) -> None:
    assert (await api.get(R)).status_code == 200
    await asyncio.sleep(89 * 86400)
    assert (await api.get(R)).status_code == 200
    await asyncio.sleep(86400)
    assert (await api.get(R)).status_code == 401


async def test_a_renewed_key_is_the_only_one_and_begins_a_life_of_its_own(
    api: httpx.AsyncClient, elastic: ElasticCloud, settings: ElasticSettings
) -> None:
    settings.api_key_expires_at = datetime.now(UTC) - timedelta(seconds=1)
    elastic.renew_key("another")
    assert (await api.get(R)).status_code == 401, "the old one is gone"
    assert elastic.api_key == "another"
    api.headers["Authorization"] = "ApiKey another"
    assert (await api.get(R)).status_code == 200
    await asyncio.sleep(90 * 86400)
    assert (await api.get(R)).status_code == 401


@pytest.mark.parametrize("retry_after", [None, 7])
async def test_past_the_budget_the_answer_is_429_until_the_interval_is_over(
    api: httpx.AsyncClient, settings: ElasticSettings, retry_after: Any
) -> None:
    settings.rate_limit, settings.retry_after_seconds = 2, retry_after
    answers = [await api.get(R) for _ in range(3)]
    assert [(a.status_code, a.headers["x-ratelimit-remaining"]) for a in answers] == [
        (200, "1"),
        (200, "0"),
        (429, "0"),
    ]
    assert answers[2].headers.get("Retry-After") == (None if retry_after is None else "7")
    await asyncio.sleep(60)
    assert (await api.get(R)).status_code == 200


async def test_a_fault_before_changes_nothing_and_a_fault_after_only_loses_the_answer(
    api: httpx.AsyncClient, settings: ElasticSettings, elastic: ElasticCloud, ruleset: RulesetBody
) -> None:
    def fault(method: Any, path: Any) -> Any:
        return (503, {"errors": [{"code": "x", "message": "y"}]}) if method == "POST" else None

    settings.faults.append(fault)
    assert (await api.post(R, json=ruleset())).status_code == 503
    assert len(elastic.rulesets()) == 0
    settings.faults.clear()
    settings.faults_after.append(lambda method, path: (504, "<html>gateway</html>") if method == "POST" else None)
    lost = await api.post(R, json=ruleset())
    assert (lost.status_code, lost.headers["content-type"]) == (504, "text/html; charset=utf-8")
    assert len(elastic.rulesets()) == 1


async def test_errors_are_html_when_the_switch_says_so(api: httpx.AsyncClient, settings: ElasticSettings) -> None:
    settings.html_errors = True
    response = await api.get(f"{R}/{'0' * 32}")
    assert response.status_code == 404
    with pytest.raises(ValueError, match="Expecting value"):
        response.json()


async def test_in_an_outage_a_gateway_answers_and_nothing_changes(
    api: httpx.AsyncClient, settings: ElasticSettings, elastic: ElasticCloud, ruleset: RulesetBody
) -> None:
    settings.outage = 502
    refused = await api.post(R, json=ruleset())
    assert (refused.status_code, refused.headers["content-type"].split(";")[0]) == (502, "text/html")
    assert elastic.rulesets() == []


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/traffic-filter/nothing", 404),
        ("DELETE", R, 405),
        ("GET", f"{R}?include_associations=True", 400),
        ("GET", f"{R}?associations=true", 400),
        ("GET", f"{R}?region=a&region=b", 400),
    ],
)
async def test_a_call_outside_the_reference_is_refused(
    api: httpx.AsyncClient, method: Any, url: Any, status: Any
) -> None:
    assert (await api.request(method, url)).status_code == status


async def test_a_body_that_is_no_json_is_refused(api: httpx.AsyncClient) -> None:
    for content in (b"{", b'{"rules": [{"egress_rule": {"ports": [NaN]}}]}'):
        broken = await api.post(R, content=content, headers={"Content-Type": "application/json"})
        assert (broken.status_code, broken.json()["errors"][0]["code"]) == (400, "root.invalid_json_request")
    assert (await api.post(R, content=b"{}")).status_code == 415


async def test_requests_are_recorded_by_operation(
    api: httpx.AsyncClient, elastic: ElasticCloud, ruleset: RulesetBody
) -> None:
    await api.get(R)
    await api.post(R, json=ruleset())
    await api.post("/_search", json={})
    await api.get("/traffic-filter/nothing")
    assert [(r.operation, r.status) for r in elastic.requests] == [
        ("list rulesets", 200),
        ("create ruleset", 201),
        ("search deployments", 200),
        ("unknown", 404),
    ]


async def test_latency_lets_a_request_take_effect_before_its_answer_arrives(
    api: httpx.AsyncClient, settings: ElasticSettings, elastic: ElasticCloud, ruleset: RulesetBody
) -> None:
    settings.latency_seconds = 10
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(7):
            await api.post(R, json=ruleset())
    assert len(elastic.rulesets()) == 1


async def test_paths_outside_the_api_prefix_are_404(api: httpx.AsyncClient) -> None:
    assert isinstance(api, httpx.AsyncClient)
    assert (await api.get("https://api.elastic.local/deployments")).status_code == 404
