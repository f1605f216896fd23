"""What the app sends to the Serverless API is as described; a request that is not is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from local.exchanges import ExchangeLog
from shared.core.model.services import Family
from shared.settings.services import shipped_services
from tests.descriptions.serverless_exchanges import BASE, DESCRIPTION, Judge, judge
from tests.harness.estate import Estate

Exchange = dict[str, Any]
EASTUS2 = shipped_services().of(Family.SERVERLESS, "eastus2")
ID, GUID = "a" * 32, "4bbbd3b2-7e1e-4d6b-9e0b-0e2d8a7a6f11"


async def life_of_a_connection() -> list[Exchange]:
    """Connected to a project, its name and its list changed by others, the endpoint made anew, and removed."""
    estate = Estate()
    log = ExchangeLog(clock=estate.clock)
    estate.world.front = log.record(estate.world.front, "elastic")  # type: ignore[assignment,arg-type]  # an ASGI app, too
    estate.worker = estate.new_worker()
    await estate.open()
    estate.serverless_settings.page_size = 3
    serverless = estate.elastic.serverless
    project = next(one for one in serverless.projects() if one.name == "observability-eastus2")
    assert EASTUS2 is not None
    wanted = {"alias": EASTUS2.alias, "tags": {"elastic-deployments": project.name}}
    endpoint = await estate.put_endpoint("pe-1", **wanted)
    await estate.settle()
    await estate.ready(endpoint)
    serverless.write_list(project, project.filters[:1])
    await estate.clock.sleep(900)
    await estate.sweep()
    await estate.settle()
    await estate.delete(endpoint)
    await estate.put_endpoint("pe-1", **wanted)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.delete(endpoint)
    await estate.settle()
    assert (len(project.filters), [one for one in serverless.filters() if one.guids]) == (1, [])
    return log.exchanges


async def test_all_that_is_exchanged_in_the_life_of_a_connection_is_as_described() -> None:
    exchanges = await life_of_a_connection()
    judging = Judge()
    assert [finding for one in exchanges for finding in judging.findings(one)] == []
    assert judging.judged > 30, "it looked at them"
    used = {(one["method"].lower(), _pattern(one["url"])) for one in exchanges if BASE in one["url"]}
    described = {(method, path) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    assert described - used <= {("get", "/traffic-filters/metadata")}, "each operation was seen"


def _pattern(url: str) -> str:
    path = url.partition("?")[0].split(BASE, 1)[1].split("/")[1:]
    names = {"projects": ("", "{type}", "{project_id}", ""), "traffic-filters": ("", "{filter_id}")}[path[0]]
    return "/" + "/".join(name or given for name, given in zip(names, path, strict=False))


# -- one exchange, and what may be wrong with it ---------------------------------------------------------------------


def sent(method: str, path: str, body: Any = None, status: int = 200, answer: Any = None, **headers: str) -> Exchange:
    content = {} if body is None else {"content-type": "application/json"}
    return {
        "service": "elastic",
        "method": method,
        "url": f"https://localhost:1{BASE}{path}",
        "request_headers": {"authorization": "ApiKey REDACTED", **content, **headers},
        "request_body": body,
        "status": status,
        "response_headers": {"content-type": "application/json"},
        "response_body": answer,
    }


def a_filter(**other: Any) -> dict[str, Any]:
    rule = {"azure_endpoint_name": "pe-1", "azure_endpoint_guid": GUID}
    return {"name": "pe-1", "type": "private_endpoint", "region": "azure-eastus2", "rules": [rule]} | other


def created(**other: Any) -> Exchange:
    answer = a_filter() | {"id": ID, "include_by_default": False}
    return sent("POST", "/traffic-filters", a_filter(**other), 201, answer)


PROJECT = f"/projects/observability/{ID}"


def project_with(*filters: str) -> dict[str, Any]:
    named = {"id": ID, "name": "p", "alias": "p-1", "region_id": "azure-eastus2", "type": "observability"}
    return named | {"traffic_filters": [{"id": one} for one in filters], "endpoints": {}, "metadata": {}}


def written(*filters: str, **headers: str) -> list[Exchange]:
    """A project is read with two filters, and its list written."""
    read = sent("GET", PROJECT, answer=project_with("b" * 32, "c" * 32))
    read["response_headers"]["etag"] = '"one"'
    body = {"traffic_filters": [{"id": one} for one in filters]}
    return [read, sent("PATCH", PROJECT, body, answer=project_with(*filters), **headers)]


def test_what_is_as_described_is_no_finding() -> None:
    listed = sent("GET", "/traffic-filters?include_by_default=true&region=azure-eastus2", answer={"items": []})
    asked = sent("PATCH", PROJECT, {}, 412, {"errors": [{"message": "m"}]}, **{"if-match": '"no-version-of-it"'})
    good = [created(), listed, asked, *written("b" * 32, "c" * 32, ID, **{"if-match": '"one"'})]
    by_hand = written("b" * 32, **{"user-agent": "local-user/1"})
    assert (judge(good), judge(by_hand)) == ([], [])


@pytest.mark.parametrize(
    ("exchange", "finding"),
    [
        (created(name="p"), "body $.name: 'p' is too short"),
        (created(name="p" * 81), "is too long"),
        (created(rules=[{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": GUID.upper()}]), "does not match"),
        (created(rules=[{"azure_endpoint_guid": GUID}]), "'azure_endpoint_name' is a required property"),
        (created(rules=[]), "body $.rules: []"),
        (created(rules=[a_filter()["rules"][0] | {"source": "10.0.0.0/8"}]), "False schema does not allow"),
        (created(rules=[a_filter()["rules"][0] | {"id": ID}]), "Additional properties are not allowed ('id'"),
        (created(region="eastus2"), "body $.region: 'eastus2' does not match"),
        (created(type="azure_private_endpoint"), "is not one of"),
        (created(associations=[]), "('associations' was unexpected)"),
        (sent("PUT", f"/traffic-filters/{ID}", a_filter()), "there is no such operation"),
        (sent("GET", "/traffic-filters/ABC", answer=a_filter()), "path parameter filter_id"),
        (sent("PATCH", f"/traffic-filters/{ID}", {"region": "azure-eastus2"}, answer={}), "'region' was unexpected"),
        (sent("DELETE", f"/traffic-filters/{ID}?force=true", status=204), "query parameter force is none"),
        (sent("DELETE", f"/traffic-filters/{ID}", {}, 204), "a body that the operation does not take"),
        (sent("DELETE", f"/traffic-filters/{ID}", status=418), "status 418 is not declared"),
        (sent("GET", "/traffic-filters?include_by_default=True", answer={"items": []}), "'True' is not one of"),
        (sent("GET", "/traffic-filters?region=azure-a&region=azure-b", answer={"items": []}), "given twice"),
        (sent("GET", "/traffic-filters", answer={"items": [{}]}), "answer 200 $.items[0]"),
        (
            sent("GET", "/traffic-filters", answer={"items": []}, **{"x-elastic-next-page": "2"}),
            "the page '2' was never answered",
        ),
        (sent("GET", "/projects/workplaceai", answer={"items": []}), "path parameter type"),
        (sent("GET", "/projects/security?page=2", answer={"items": []}), "query parameter page is none"),
        (sent("GET", PROJECT, answer=project_with() | {"id": "d" * 32}), "the answer is about d"),
        (sent("PATCH", PROJECT, {"deployments": []}, answer=project_with()), "'deployments' was unexpected"),
        (sent("PATCH", PROJECT, answer=project_with()), "no body"),
        (sent("PATCH", PROJECT, {"metadata": {"tags": {"a": "A"}}}, answer=project_with()), "does not match"),
        (
            sent("PATCH", PROJECT, {"name": "x"}, answer=project_with(), **{"if-match": '"no-version-of-it"'}),
            "an ETag that no project has, with a change",
        ),
        (sent("PATCH", f"/traffic-filters/{ID}", {}, answer={}, **{"if-match": '"one"'}), "if-match is none of this"),
    ],
)
def test_what_is_not_as_described_is_found(exchange: Exchange, finding: str) -> None:
    found = judge([exchange])
    assert any(finding in one for one in found), found


def test_a_list_is_written_with_an_etag_that_was_read_and_loses_one_entry_at_most() -> None:
    kept = ("b" * 32, "c" * 32)
    assert judge(written(*kept, ID)) == [f"PATCH {BASE}{PROJECT}: the list of filters is written without If-Match"]
    (other,) = judge(written(*kept, ID, **{"if-match": '"two"'}))
    assert 'the ETag "two" was never answered' in other
    assert judge(written(kept[0], **{"if-match": '"one"'})) == []
    (lost,) = judge(written(ID, **{"if-match": '"one"'}))
    assert f"the list leaves out {', '.join(kept)}" in lost


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda one: one["request_headers"].pop("authorization"), "no ApiKey"),
        (lambda one: one["request_headers"].update({"content-type": "text/plain"}), "not sent as JSON"),
        (lambda one: one.update(response_body=None), "answer 201"),
    ],
)
def test_headers_and_empty_answers_are_looked_at(change: Callable[[Exchange], Any], finding: str) -> None:
    exchange = copy.deepcopy(created())
    change(exchange)
    (found,) = judge([exchange])
    assert finding in found


def test_other_services_and_operations_are_not_judged() -> None:
    hosted = sent("GET", "/x") | {"url": "https://localhost:1/api/v1/deployments"}
    assert judge([hosted, created() | {"service": "arm"}]) == []
