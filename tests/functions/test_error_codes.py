"""The error codes of the HTTP API: one for every class of error, the same as ever, and listed in the description."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from http import HTTPStatus

import pytest

import functions
import shared
from functions.errors import CODES, ErrorCode, code_of
from shared.core.model.conditions import Explanation
from shared.core.model.errors import AutopilotError, Blocked, Forbidden, InvalidInput
from shared.core.model.reasons import Reason
from tests.functions.trigger_parts import api_document


def classes(root: type[AutopilotError] = AutopilotError) -> Iterator[type[AutopilotError]]:
    """Every class of error that the product has, in whichever module."""
    for package in (shared, functions):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    yield from _below(root)


def _below(root: type[AutopilotError]) -> Iterator[type[AutopilotError]]:
    if root.__module__.startswith(("shared.", "functions.")):  # tests have some of their own
        yield root
    for kind in root.__subclasses__():
        yield from _below(kind)


def test_every_class_of_error_has_one_code_and_every_code_stands_for_one_class() -> None:
    coded = {kind for kind in classes() if not issubclass(kind, Blocked)}
    assert set(CODES) == coded, "a new class of error needs a code in functions/errors.py"
    assert sorted([*CODES.values(), ErrorCode.INTERNAL_ERROR]) == sorted(ErrorCode)


def test_codes_are_what_scripts_compare() -> None:
    """A change here breaks the scripts of every user: it belongs into the changelog."""
    assert {str(code): int(code.status) for code in ErrorCode} == {
        "InvalidInput": 400,
        "InvalidConnectionId": 400,
        "InvalidPause": 400,
        "EndpointOutOfScope": 400,
        "DecisionNotPermitted": 403,
        "BodyTooLarge": 413,
        "NotFound": 404,
        "EndpointNotFound": 404,
        "TooManyUnknownEndpoints": 429,
        "ConnectionNotFound": 404,
        "RowNotFound": 404,
        "StopNotFound": 404,
        "RecoveredListNotFound": 404,
        "OperationNotFound": 404,
        "FileNotServed": 404,
        "InvalidSettings": 503,
        "RetryLater": 503,
        "Throttled": 503,
        "NoReadsLeft": 503,
        "NotVisibleYet": 503,
        "LostRace": 503,
        "LeaseLost": 503,
        "UnusableAnswer": 503,
        "TargetUnseen": 503,
        "AnswerLost": 503,
        "ChangeUnseen": 503,
        "AwaitingEarlierRequest": 503,
        "NewerRecord": 503,
        "NewerRow": 503,
        "WatchedUnknown": 503,
        "UnreadableRecord": 500,
        "DamagedRow": 500,
        "Waiting": 500,
        "Permanent": 500,
        "AutopilotError": 500,
        "InternalError": 500,
    }


@pytest.mark.parametrize(("kind", "status"), [(Blocked, HTTPStatus.CONFLICT), (Forbidden, HTTPStatus.BAD_GATEWAY)])
def test_what_a_person_must_act_on_has_its_reason_as_code(kind: type[Blocked], status: HTTPStatus) -> None:
    error = kind(Explanation(Reason.ELASTIC_RIGHTS_MISSING, "No."))
    assert code_of(error) == ("ElasticRightsMissing", status)


def test_a_class_without_a_code_has_the_nearest_one_above_and_never_its_own_name() -> None:
    class Unheard(InvalidInput):
        pass

    assert code_of(Unheard("No.")) == ("InvalidInput", HTTPStatus.BAD_REQUEST)


def test_the_description_lists_every_code() -> None:
    code = api_document()["components"]["schemas"]["ErrorCode"]
    assert code["anyOf"][0]["enum"] == [str(one) for one in ErrorCode]


def test_every_status_of_a_code_is_described() -> None:
    """What a route may answer with stands in the description: by the routes that can meet such an error."""
    described = {
        int(status)
        for path in api_document()["paths"].values()
        for operation in path.values()
        for status in operation["responses"]
    }
    assert {int(code.status) for code in ErrorCode} | {502} <= described
