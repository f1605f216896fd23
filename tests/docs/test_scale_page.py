"""docs/scale.md tells every bound as it is in the code, and reasons that exist."""

from __future__ import annotations

import importlib
import re
from operator import attrgetter
from pathlib import Path

import pytest

from shared.core.model.reasons import Reason
from shared.settings import descriptions

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
SETTINGS = {one.name: one for one in descriptions()}
OF_THE_APP = {"RemovalsStopped"}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    part = PAGE.split(f"### {heading}\n")[1].split("\n#")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@pytest.mark.parametrize("row", rows("Settings"), ids=lambda row: row[0])
def test_a_setting_has_the_default_that_the_page_tells(row: list[str]) -> None:
    name = row[0].strip("`")
    assert (SETTINGS[name].default or "") == row[1].strip("`")
    assert row[2], "a bound has a unit"
    assert row[3], "what is shown when it is met"


@pytest.mark.parametrize("row", rows("In the code"), ids=lambda row: row[0])
def test_a_constant_has_the_value_that_the_page_tells(row: list[str]) -> None:
    found = re.fullmatch(r"`(\S+)\.py` `([\w.]+)`", row[0])
    assert found is not None, row[0]
    module = importlib.import_module(found[1].replace("/", "."))
    assert attrgetter(found[2])(module) == float(row[1])
    _, _, unit, met, why = row
    assert unit, "a bound has a unit"
    assert met, "what is shown when it is met"
    assert why, "why it is no setting"


def test_each_reason_that_the_page_names_exists() -> None:
    known = {str(one) for one in Reason} | OF_THE_APP
    table = [cell for part in ("Settings", "In the code") for row in rows(part) for cell in row[2:]]
    named = {name for cell in table for name in re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", cell)}
    assert named
    assert named <= known


def test_every_setting_that_says_at_most_or_ends_in_max_has_a_row() -> None:
    bounds = {
        name
        for name in SETTINGS
        if name.endswith(("_MAX", "_LIMIT", "_AT_ONCE", "_RESTORES", "_PER_SWEEP", "_PER_CHECK"))
    }
    told = {row[0].strip("`") for row in rows("Settings")}
    assert bounds - told <= {"LOG_DAILY_LIMIT_GB"}
