"""The API's description describes every route that is registered, and none that is not; it is served as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
import schemathesis

import function_app
from functions.routing import GET, route
from tests.functions.openapi.served_api import served_api
from tests.functions.trigger_parts import api_document, routes

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"


def registered() -> dict[str, tuple[str, str, bool]]:
    """Method, path, and whether it asks for a key, by the function's name."""
    function_app.app.functions_bindings = None  # the library would call a second indexing a duplicate
    triggers = {str(one.get_function_name()): one.get_trigger() for one in function_app.app.get_functions()}
    return {
        name: (trigger.methods[0].value, trigger.route, trigger.auth_level is func.AuthLevel.FUNCTION)
        for name, trigger in triggers.items()
        if trigger.type == "httpTrigger"
    }


def test_every_route_is_described_and_nothing_else() -> None:
    told = {row.function: (str(row.method), row.path, row.keyed) for row in routes()}
    assert told == registered(), "Declare every route with functions.routing.route, and with nothing else."


def test_a_second_route_of_the_same_name_is_refused_because_it_would_hide_the_first() -> None:
    async def doctor(req: func.HttpRequest) -> func.HttpResponse:
        raise AssertionError(req)

    before = routes()
    with pytest.raises(ValueError, match="doctor"):
        route(func.Blueprint(), GET, "doctor/again", "Another.", answers="Doctor")(doctor)
    assert routes() == before


def test_routes_stand_in_the_order_of_their_paths_whichever_module_is_loaded_first() -> None:
    assert list(api_document()["paths"]) == sorted(api_document()["paths"])
    assert list(api_document()["paths"]["/api/pause"]) == ["get", "post", "delete"]


def test_every_call_for_people_stands_in_the_page() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## Calls")[1].split("## Phases")[0]
    listed = set(re.findall(r"`[A-Z]+ (/api/[\w./{}]+)", table))
    assert {f"/api/{row.path}" for row in routes() if "dashboard" not in row.function} - listed == set()


def test_the_description_is_a_valid_openapi_api_document() -> None:
    schema = schemathesis.openapi.from_dict(api_document())
    schema.validate()
    assert [one.err() for one in schema.get_all_operations() if not hasattr(one, "ok")] == []


def test_every_name_that_is_referred_to_is_there_and_every_one_that_is_there_is_referred_to() -> None:
    def references(value: Any) -> set[str]:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        here = {value["$ref"]} if isinstance(value, dict) and isinstance(value.get("$ref"), str) else set()
        return here.union(*(references(part) for part in parts))

    whole = api_document()
    there = {f"#/components/{kind}/{name}" for kind, named in whole["components"].items() for name in named}
    assert {name for name in there if "securitySchemes" not in name} == references(whole)


def test_every_object_and_every_list_of_words_has_a_name_so_that_a_generated_client_has_no_made_up_ones() -> None:
    def inline(value: Any, at: str) -> set[str]:
        if isinstance(value, list):
            return set().union(*(inline(part, f"{at}[]") for part in value))
        if not isinstance(value, dict):
            return set()
        here = {at} if value.get("properties") or len(value.get("enum", ())) > 1 else set[str]()
        return here.union(*(inline(part, f"{at}.{name}") for name, part in value.items()))

    found = set[str]()
    for name, schema in api_document()["components"]["schemas"].items():
        found |= inline(schema.get("properties", {}), name) | inline(schema.get("items", {}), name)
    assert found <= {"Connections.phases", "Connections.families", "TakeOverRow.table", "Verdict.status"}, found


def test_it_is_served_to_anybody_as_it_is() -> None:
    answer = served_api().request("GET", "/api/openapi.json", key="")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == api_document()
    assert served_api().request("GET", "/api/connections", key="").status_code == 401
