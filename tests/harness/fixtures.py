"""Fixtures that the `conftest` of several folders of tests take in.

A story with the marker `both_families` is told of hosted deployments and of Serverless projects; with
`both_families(at_length=True)` it is told of projects by `make families` alone, which takes minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from shared.core.model.services import Family
from tests.harness.estate import Estate
from tests.harness.projects import CHOSEN

AT_LENGTH = bool(os.environ.get("EVERY_FAMILY"))
"""EVERY_FAMILY=1: every story that can be told of both families is told of both."""


@pytest.fixture
async def estate() -> Estate:
    """One estate per test."""
    return await Estate().open()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test of both families run once for each."""
    marked = metafunc.definition.get_closest_marker
    both = marked("both_families")
    if both is not None and not marked("of_deployments") and (AT_LENGTH or not both.kwargs.get("at_length")):
        metafunc.parametrize("family", list(Family), ids=str, indirect=True)


@pytest.fixture(autouse=True)
def family(request: pytest.FixtureRequest) -> Iterator[Family]:
    """That of the test's estates."""
    CHOSEN["family"] = getattr(request, "param", Family.HOSTED)
    yield CHOSEN["family"]
    CHOSEN["family"] = Family.HOSTED
