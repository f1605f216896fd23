"""docs/ownership.md says what the plans do: every bold word of its table, every marker, reason and opt-in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.core.guards import consent, first_and_last_policy, scope
from shared.core.model import conditions as c
from shared.core.model import markers
from shared.core.planning import desired
from shared.core.reasons import catalogue
from shared.settings import descriptions
from tests.core.planning.ownership_cells import CELLS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "ownership.md").read_text(encoding="utf-8")
THINGS = {
    "private DNS zone": "zone",
    "link to a network": "link",
    "`*` record": "record",
    "policy": "policy",
    "association": "association",
    "claim, where asked for": "claim",
}
Key = tuple[str, str]


def rows(heading: str) -> list[list[str]]:
    """The cells of every table row below a heading, without the tables' heads."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    rules = [number for number, row in enumerate(found) if set("".join(row)) == {"-"}]
    return [row for number, row in enumerate(found) if not {number, number + 1} & set(rules)]


def told() -> dict[Key, list[list[str]]]:
    """By thing and state, the bold words of each cell, each with the reason behind it."""
    found, thing = {}, ""
    for name, state, *cells in rows("The table"):
        thing = THINGS.get(name, thing)
        words = [re.findall(r"\*\*(\w+)\*\*(?: `(\w+)`)?", cell) for cell in cells]
        found[thing, state.split(":")[0]] = [[f"{word} {reason}".strip() for word, reason in cell] for cell in words]
    return found


def test_the_page_has_a_row_for_each_thing_in_each_state_and_no_other() -> None:
    assert list(told()) == list(CELLS)
    for thing in THINGS.values():
        assert {state for one, state in CELLS if one == thing} >= {"absent", "ours", "adopted", "in the way"}


@pytest.mark.parametrize("key", CELLS, ids=" ".join)
def test_a_row_says_what_the_plans_do(key: Key) -> None:
    assert told()[key] == [[situation() for situation in cell] for cell in CELLS[key]]


def test_every_word_of_the_page_that_is_code_is_a_reason_a_condition_a_setting_or_a_tag() -> None:
    tags = {
        value
        for module in (desired, consent, first_and_last_policy, scope)
        for name, value in vars(module).items()
        if name.endswith("_TAG")
    }
    holders = {f"{markers.HOLDER}<connection id>", f"{markers.HOLDERS}<n>"}
    named = {markers.INSTANCE, markers.CONNECTION, markers.ENDPOINT, *holders}
    settings = {setting.name for setting in descriptions()}
    words = set(re.findall(r"`([A-Za-z][\w<> -]*)(?:[=:] ?\w+)?`", PAGE))
    reasons = {word for word in words if re.fullmatch(r"([A-Z][a-z]+)+", word)}
    assert reasons - set(c.ORDER) <= set(catalogue())
    assert {word for word in words if word.startswith("elastic-")} <= tags | named
    assert named <= words
    assert not {word for word in words if re.fullmatch(r"[A-Z]+(_[A-Z]+)+|MODE", word)} - settings


def test_the_marker_of_a_policy_stands_in_the_page_as_it_is_written() -> None:
    written = markers.Marker("one", "0123456789abcdef", "/subscriptions/x").description()
    (shown,) = re.findall(r"`(\[elastic-privatelink .*?\])`", PAGE)
    assert re.search(re.escape(shown).replace(r"\.\.\.", r"[\w-]+"), written)


def test_every_safety_rule_has_its_line() -> None:
    lines = rows("Safety rules")
    assert [line[0] for line in lines] == [f"S{number}" for number in range(1, 10)]
    assert all(cell for line in lines for cell in line)
