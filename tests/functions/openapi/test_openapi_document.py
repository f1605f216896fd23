"""The API's description describes every route that is registered, and none that is not; it is served as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import azure.functions as func
import schemathesis

import function_app
from functions.openapi.document import document
from functions.openapi.routes import ROUTES
from tests.functions.openapi.served_api import served_api

README = Path(__file__).resolve().parents[3] / "README.md"
WHERE = "Every route needs a row in functions/openapi/routes.py, and none else has one: see the opening of that module."


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
    assert {route.function: (str(route.method), route.path, route.keyed) for route in ROUTES} == registered(), WHERE
    assert len({route.function for route in ROUTES}) == len(ROUTES)


def test_every_call_for_people_stands_in_the_readme() -> None:
    table = README.read_text(encoding="utf-8").split("## Operate")[1].split("## Configure")[0]
    listed = set(re.findall(r"`[A-Z]+ (/api/[\w./{}]+)", table))
    assert {f"/api/{route.path}" for route in ROUTES if "dashboard" not in route.function} - listed == set()


def test_the_description_is_a_valid_openapi_document() -> None:
    schema = schemathesis.openapi.from_dict(document())
    schema.validate()
    assert [one.err() for one in schema.get_all_operations() if not hasattr(one, "ok")] == []


def test_every_name_that_is_referred_to_is_there_and_every_one_that_is_there_is_referred_to() -> None:
    def references(value: Any) -> set[str]:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        here = {value["$ref"]} if isinstance(value, dict) and isinstance(value.get("$ref"), str) else set()
        return here.union(*(references(part) for part in parts))

    whole = document()
    there = {f"#/components/{kind}/{name}" for kind, named in whole["components"].items() for name in named}
    assert {name for name in there if "securitySchemes" not in name} == references(whole)


def test_it_is_served_to_anybody_as_it_is() -> None:
    answer = served_api().request("GET", "/api/openapi.json", key="")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == document()
    assert served_api().request("GET", "/api/connections", key="").status_code == 401
