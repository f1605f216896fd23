"""The committed description is the app's, and a change that breaks a client is told."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.functions.trigger_parts import api_document

ROOT = Path(__file__).resolve().parents[3]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("openapi_page", ROOT / "scripts" / "openapi_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = script()
LIST = ("paths", "/api/connections", "get")


def at(document: Any, *steps: str) -> Any:
    for step in steps:
        document = document[step]
    return document


def test_the_committed_description_is_that_of_the_routes() -> None:
    written = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert written == PAGE.made(), "run scripts/openapi_page.py"


def a_route_goes(new: Any) -> None:
    del new["paths"]["/api/plan"]


def a_parameter_goes(new: Any) -> None:
    at(new, *LIST)["parameters"].clear()


def a_parameter_is_needed(new: Any) -> None:
    at(new, *LIST)["parameters"].append({"name": "tenant", "in": "query", "required": True, "schema": {}})


def a_field_of_an_answer_goes(new: Any) -> None:
    del at(new, "components", "schemas", "Connection", "properties")["phase"]


def a_field_of_an_answer_may_miss(new: Any) -> None:
    at(new, "components", "schemas", "Connection", "required").remove("phase")


def a_field_of_a_body_is_needed(new: Any) -> None:
    at(new, "components", "schemas", "Pause").setdefault("required", []).append("reason")


def a_field_has_another_type(new: Any) -> None:
    at(new, "components", "schemas", "Connection", "properties")["generation"] = {"type": "string"}


@pytest.mark.parametrize(
    "change",
    [
        a_route_goes,
        a_parameter_goes,
        a_parameter_is_needed,
        a_field_of_an_answer_goes,
        a_field_of_an_answer_may_miss,
        a_field_of_a_body_is_needed,
        a_field_has_another_type,
    ],
)
def test_what_breaks_a_client_is_told_and_wants_a_new_major_version(
    change: Callable[[Any], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = deepcopy(api_document()), deepcopy(api_document())
    change(new)
    files = tmp_path / "old.json", tmp_path / "new.json"
    for file, document in zip(files, (old, new), strict=True):
        file.write_text(json.dumps(document), encoding="utf-8")
    assert PAGE.main(["breaks", *map(str, files)]) == 1
    assert capsys.readouterr().out.count("\n") >= 1
    new["info"]["version"] = "1000.0.0"
    files[1].write_text(json.dumps(new), encoding="utf-8")
    assert PAGE.main(["breaks", *map(str, files)]) == 0


def test_what_is_added_breaks_no_client() -> None:
    old, new = deepcopy(api_document()), deepcopy(api_document())
    new["paths"]["/api/news"] = new["paths"]["/api/pause"]
    schema = at(new, "components", "schemas", "Connection")
    schema["properties"]["colour"] = {"type": "string"}
    schema["required"].append("colour")
    at(new, *LIST)["parameters"].append({"name": "colour", "in": "query", "schema": {}})
    assert list(PAGE.breaks(old, new)) == []
