"""schemathesis: what the API's description allows and what it forbids is answered as the description says."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.functions.openapi.served_api import BASE, ServedApi, served_api
from tests.functions.trigger_parts import api_document

ALWAYS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


def strict(value: Any) -> Any:
    """The description with nothing beside what it describes: else a field that it forgets goes unnoticed."""
    if isinstance(value, list):
        return [strict(one) for one in value]
    if not isinstance(value, dict):
        return value
    closed = {name: strict(one) for name, one in value.items()}
    if closed.get("type") == "object" and "properties" in closed and "additionalProperties" not in closed:
        closed["additionalProperties"] = False
    return closed


def described(*ids: str) -> Any:
    """The description as schemathesis takes it; with `ids`, connections are asked for by these.

    Every request has a deciding key: what a caller without one is answered is in `test_permissions`.
    """
    whole = deepcopy(api_document())
    for operation in [one for path in whole["paths"].values() for one in path.values()]:
        operation.pop("security", None) if any("deciding" in one for one in operation.get("security", ())) else None
    schemas = whole["components"]["schemas"]
    answers = {name: schema for name, schema in schemas.items() if "app" in schema.get("properties", {})}
    schemas.update(strict(answers))
    if ids:
        whole["components"]["parameters"]["id"]["schema"] = {"enum": list(ids)}
    return schemathesis.openapi.from_dict(whole)


OPERATIONS = {one.ok().label: one.ok() for one in described().get_all_operations()}
REFUSING = sorted(label for label, one in OPERATIONS.items() if one.responses.find_by_status_code(400))


@pytest.fixture(scope="module")
def api() -> ServedApi:
    return served_api()


def ask(api: ServedApi, label: str, mode: GenerationMode, checks: list[Any], *ids: str) -> set[int]:
    """Generate requests of one operation, send them, hold the answers to the description; returns their statuses."""
    (operation,) = [one.ok() for one in described(*ids).get_all_operations() if one.ok().label == label]
    statuses: set[int] = set()

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers_as_described(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url=BASE)
        answer = api.request(**sent)
        case.validate_response(answer, checks=checks)
        statuses.add(answer.status_code)

    answers_as_described()
    return statuses


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_what_is_allowed_is_answered_as_described(api: ServedApi, label: str) -> None:
    ask(api, label, GenerationMode.POSITIVE, ALWAYS)


BY_ID = [label for label in sorted(OPERATIONS) if "{id}" in label and not label.endswith("/decisions")]
"""Those of a connection, but for decisions: what a generated one is about is not there."""


@pytest.mark.parametrize("label", BY_ID)
def test_connections_that_are_there_are_shown_as_described(api: ServedApi, label: str) -> None:
    statuses = ask(api, label, GenerationMode.POSITIVE, ALWAYS, *api.connections())
    assert statuses & {200, 202}


@pytest.mark.parametrize("label", REFUSING)
def test_what_is_not_allowed_is_refused_as_described(api: ServedApi, label: str) -> None:
    ask(api, label, GenerationMode.NEGATIVE, [*ALWAYS, negative_data_rejection], *api.connections())
