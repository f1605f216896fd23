"""What is sent to the clouds and stored is as it was recorded; `python -m tests.recording compare`."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from tests.recording import files
from tests.recording.differences import differences
from tests.recording.listening import Line
from tests.recording.mapping import MAPPING
from tests.recording.rules import all_of_them, as_they_are
from tests.recording.scenarios import PLAIN, SCENARIOS, WALKS_OF_CLOUDS, played

WALKS_HERE = (WALKS_OF_CLOUDS[0], WALKS_OF_CLOUDS[4], WALKS_OF_CLOUDS[11])
"""In them: a pause, failing clouds, dying workers, another deployment of the app, two messages at once, removals."""

AS_RECORDED = replace(
    MAPPING,
    tables={},
    keys={},
    moved=(),
    values=(),
    dropped=(),
    new=(),
    gone_rows=(),
    new_rows=(),
    by_hand=as_they_are,
    comparable=all_of_them,
)
"""Maps nothing: for a recording that is compared with a changed copy of itself."""


@pytest.mark.parametrize("name", [*PLAIN, *WALKS_HERE])
def test_the_same_is_sent_and_stored_as_was_recorded(name: str) -> None:
    found = differences(files.read(files.DATA, name), played(name))
    assert not found, "\n".join(found[:10])


def test_all_scenarios_are_recorded_and_small() -> None:
    found = {path.name.removesuffix(".jsonl.gz"): path.stat().st_size for path in files.DATA.iterdir()}
    assert set(found) == set(SCENARIOS)
    assert sum(found.values()) < 3 * 2**20


@pytest.fixture
def recorded() -> list[Line]:
    return files.read(files.DATA, "happy_path")


def requests(lines: list[Line], service: str) -> list[Line]:
    return [line for line in lines if line["kind"] == "request" and line["service"] == service]


def put(lines: list[Line]) -> Line:
    """The first PUT."""
    return next(line for line in lines if line.get("method") == "PUT")


def row(lines: list[Line], table: str) -> Line:
    return next(line for line in lines if line["kind"] == "row" and line["table"] == table)


def _swapped(lines: list[Line]) -> None:
    places = [number for number, line in enumerate(lines) if line.get("service") == "elastic"]
    lines[places[0]], lines[places[1]] = lines[places[1]], lines[places[0]]


def _without(lines: list[Line]) -> None:
    lines.remove(requests(lines, "arm")[3])


def _of_another(lines: list[Line]) -> None:
    """The deployment's own policy is used where the endpoint's was."""
    line = requests(lines, "elastic")[-6]
    assert line["body"]["entity_type"] == "deployment"
    line["path"] = line["path"].replace("rulesets/", "rulesets/f")[:-1]


CHANGES: dict[str, Any] = {
    "two requests in another order": _swapped,
    "a request is missing": _without,
    "a header": lambda lines: put(lines)["headers"].clear(),
    "a body": lambda lines: put(lines)["body"]["tags"].popitem(),
    "a query": lambda lines: put(lines).update(path=put(lines)["path"] + "&force=true"),
    "a later moment": lambda lines: requests(lines, "elastic")[-1].update(at=9999.0),
    "a column": lambda lines: row(lines, "connections")["columns"].update(phase="Blocked"),
    "a field of the record": lambda lines: row(lines, "connections")["columns"]["document"]["policy"].update(owner="x"),
    "an entry of the journal is missing": lambda lines: lines.remove(row(lines, "journal")),
    "another cause in the journal": lambda lines: row(lines, "journal")["columns"].update(cause="timer"),
    "a row more": lambda lines: lines.append(row(lines, "control") | {"row": "more"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_is_noticed(recorded: list[Line], change: Any) -> None:
    now = copy.deepcopy(recorded)
    assert differences(recorded, now, AS_RECORDED) == []
    change(now)
    assert differences(recorded, now, AS_RECORDED)


def test_texts_and_milliseconds_are_left_out(recorded: list[Line]) -> None:
    now = copy.deepcopy(recorded)
    document = row(now, "connections")["columns"]["document"]
    document["conditions"][0] |= {"message": "other words", "next_step": "Do something else."}
    row(now, "journal")["columns"] |= {"message": "other words", "duration_ms": 4711}
    assert differences(recorded, now, AS_RECORDED) == []


def test_other_ids_are_the_same_but_not_an_id_in_anothers_place(recorded: list[Line]) -> None:
    text = files.text(recorded)
    policy = row(recorded, "connections")["columns"]["document"]["policy"]
    other, guid = "0123456789abcdef" * 2, policy["guid"]
    now = files.lines(text.replace(policy["id"], other))
    assert policy["id"] in text
    assert differences(recorded, now, AS_RECORDED) == []
    row(now, "connections")["columns"]["document"]["policy"]["id"] = guid
    (found,) = differences(recorded, now, AS_RECORDED)
    assert "document.policy.id" in found
