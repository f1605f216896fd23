"""One estate per test; a suite with the marker `both_families` tells its stories of deployments and of projects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.core.model.services import Family
from tests.harness.fixtures import estate
from tests.harness.projects import CHOSEN

__all__ = ["estate"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test of both families run once for each."""
    marked = metafunc.definition.get_closest_marker
    if marked("both_families") and not marked("of_deployments"):
        metafunc.parametrize("family", list(Family), ids=str, indirect=True)


@pytest.fixture(autouse=True)
def family(request: pytest.FixtureRequest) -> Iterator[Family]:
    """That of the test's estates."""
    CHOSEN["family"] = getattr(request, "param", Family.HOSTED)
    yield CHOSEN["family"]
    CHOSEN["family"] = Family.HOSTED
