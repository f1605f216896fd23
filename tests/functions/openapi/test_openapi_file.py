"""The committed description is the app's, and a change that breaks a client is told."""

from __future__ import annotations

import importlib.util
import json
import subprocess
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


def a_field_may_be_null(new: Any) -> None:
    fields = at(new, "components", "schemas", "Connection", "properties")
    fields["generation"] = {"anyOf": [fields["generation"], {"type": "null"}]}


def a_field_goes_of_what_may_be_null(new: Any) -> None:
    del at(new, "components", "schemas", "PresentPause", "properties")["since"]


def a_closed_list_of_an_answer_has_one_more(new: Any) -> None:
    at(new, "components", "schemas", "OperationStatus")["enum"].append("Lost")


def a_filter_takes_one_word_less(new: Any) -> None:
    at(new, "components", "parameters", "sort", "schema")["enum"].remove("since")


def a_parameter_that_was_free_is_needed(new: Any) -> None:
    at(new, "components", "parameters", "sort")["required"] = True


def a_decision_goes(new: Any) -> None:
    (place,) = _places_of(new, "HandOver")
    place[:] = [one for one in place if not one["$ref"].endswith("/HandOver")]


def a_table_for_spreadsheets_goes(new: Any) -> None:
    del at(new, *LIST, "responses", "200", "content")["text/csv"]


def _places_of(part: Any, schema: str) -> list[list[Any]]:
    """The lists of choices that have it."""
    inner = [*part.values()] if isinstance(part, dict) else part if isinstance(part, list) else []
    found = [place for one in inner for place in _places_of(one, schema)]
    here = isinstance(part, list) and any(str(one).endswith(f"/{schema}'}}") for one in part)
    return [part, *found] if here else found


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
        a_field_may_be_null,
        a_field_goes_of_what_may_be_null,
        a_closed_list_of_an_answer_has_one_more,
        a_filter_takes_one_word_less,
        a_parameter_that_was_free_is_needed,
        a_decision_goes,
        a_table_for_spreadsheets_goes,
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
    at(new, "components", "schemas", "Reason", "anyOf")[0]["enum"].append("NewsOfToday")
    at(new, "components", "parameters", "sort", "schema")["enum"].append("colour")
    (decisions,) = _places_of(new, "HandOver")
    new["components"]["schemas"]["Paint"] = {"type": "object", "required": ["colour"]}
    decisions.insert(0, {"$ref": "#/components/schemas/Paint"})
    assert list(PAGE.breaks(old, new)) == []


def test_the_public_ci_compares_with_the_release_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    file, new = tmp_path / "docs" / "openapi.json", deepcopy(api_document())

    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "tag.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)  # noqa: S603, S607

    git("init", "--quiet")
    file.write_text(json.dumps(new), encoding="utf-8")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    assert PAGE.main(["breaks"], tmp_path) == 0, "nothing is released"
    git("tag", "v0.1.0")
    git("commit", "--quiet", "--allow-empty", "-m", "two")
    assert PAGE.main(["breaks"], tmp_path) == 0
    a_route_goes(new)
    file.write_text(json.dumps(new), encoding="utf-8")
    assert PAGE.main(["breaks"], tmp_path) == 1
    assert "GET /api/plan is gone." in capsys.readouterr().out
    for name in ("ci", "release"):
        workflow = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
        assert "scripts/openapi_page.py breaks\n" in workflow
        assert "fetch-depth: 0" in workflow
