"""Public names on purpose: a field that a query, schema, page or script reads stands in the type that writes it.

The types: log lines in `core.model.log_lines`, notifications in `core.model.notices`, answers of the HTTP API as the
OpenAPI document describes them. The fields that are read are collected from the texts: a name that is changed in one
place only fails here.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

from functions.dashboard import files
from shared.core.model.log_lines import LINES, METRICS, Event, SweepCompleted
from shared.core.model.notices import AppData, ConnectionData, KeyData, Type
from tests.functions.field_names import events_of, fields_of, fields_of_query, metrics_of, names_read_by, property_names
from tests.functions.trigger_parts import ROOT, api_document
from tests.infra.queries import OF_LINES, OF_METRICS

SCHEMA = json.loads((ROOT / "docs" / "notifications.schema.json").read_text(encoding="utf-8"))
SCRIPTS = {name: file.content.decode() for name, file in files().items() if name.endswith(".js")}
WRITTEN_BY_THE_MEMORY_OF_SWEEPS = {"at", "previousAt"}

BROWSER = set(
    re.findall(
        r"\w+",
        """
        activeElement altKey axis button children class classList className clientWidth clientX clipboard
        closest ctrlKey data dataset dateTime defaultPrevented disabled firstChild firstElementChild hash
        headers height hidden hostname href isConnected key length meta metaKey nextSibling ok onpointerleave
        onpointermove open pathname right scrollRestoration scrollY search searchParams shiftKey size state tagName
        textContent top value width x y
        """,
    )
)
"""What scripts read of the browser's own objects."""
OWN = set(
    re.findall(
        r"\w+",
        """
        about ask chart d detail element facts fleet head interval journal keeps kept label last leftovers
        many mark one options output path plot refresh rows send server shown sort sorts strip tag text things
        time title told tone total types whole words work
        """,
    )
)
"""What scripts read of objects that they make themselves."""


def spelled(event: str) -> set[str]:
    return set(fields_of(LINES[Event(event)]))


def test_every_event_has_its_type_and_no_field_of_two_spellings() -> None:
    assert set(LINES) == set(Event)
    for event in Event:
        assert len(spelled(event)) == len(fields_of(LINES[event]))


def test_alerts_and_workbook_read_metrics_that_there_are() -> None:
    assert any("workbook" in name for name in OF_METRICS)
    assert any("workbook" not in name for name in OF_METRICS)
    for query in OF_METRICS.values():
        assert metrics_of(query) <= {one.name for one in METRICS}
        assert metrics_of(query)


@pytest.mark.parametrize("name", sorted(OF_LINES))
def test_every_field_that_a_query_reads_is_written_in_every_event_that_it_reads(name: str) -> None:
    events, fields = events_of(OF_LINES[name]), fields_of_query(OF_LINES[name])
    assert events, "a query that reads no event"
    # `throttled` alone reads two events at once, and a field of both.
    assert {event: fields - spelled(event) for event in events} == {event: set() for event in events}


def test_the_page_of_logs_lists_the_fields_of_every_event() -> None:
    page = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    rows = {
        event: set(re.findall(r"`(\w+)`", row)) for event, row in re.findall(r"^\| `(\w+)` \|(.*)$", page, re.MULTILINE)
    }
    listed = {event: fields for event, fields in rows.items() if event in set(Event)}
    assert listed == {str(event): spelled(event) - {"correlationId"} for event in Event}


def test_the_doctor_reads_of_the_last_sweep_only_what_its_line_says() -> None:
    tree = ast.parse((ROOT / "shared" / "core" / "reports" / "doctor" / "judge.py").read_text(encoding="utf-8"))
    (judge,) = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == "judge_sweep"]
    read = {
        word.value
        for word in ast.walk(judge)
        if isinstance(word, ast.Constant)
        and isinstance(word.value, str)
        and re.fullmatch(r"[a-z]+[A-Z]\w*", word.value)
    }
    assert read >= {"durationMs", "errorCount", "previousAt"}
    assert read - set(fields_of(SweepCompleted)) - WRITTEN_BY_THE_MEMORY_OF_SWEEPS == set()


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (SCHEMA["$defs"]["connection"], ConnectionData),
        (SCHEMA["$defs"]["keyEvent"]["properties"]["data"], KeyData),
        (SCHEMA["$defs"]["appEvent"]["properties"]["data"], AppData),
    ],
    ids=["connection", "key", "app"],
)
def test_the_schema_of_notifications_describes_what_is_sent_and_nothing_else(
    schema: dict[str, Any], kind: type[Any]
) -> None:
    assert list(schema["properties"]) == schema["required"] == list(fields_of(kind))
    assert schema["additionalProperties"] is False


def test_the_schema_of_notifications_knows_every_type_of_event_and_no_other() -> None:
    events = SCHEMA["$defs"]
    named = {
        *events["connectionEvent"]["properties"]["type"]["enum"],
        events["keyEvent"]["properties"]["type"]["const"],
        *events["appEvent"]["properties"]["type"]["enum"],
    }
    assert named == {str(one) for one in Type}


def test_the_page_of_notifications_names_every_type_and_only_fields_that_are_sent() -> None:
    page = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
    assert {str(one) for one in Type} - set(re.findall(r"ElasticPrivateLink\.\w+", page)) == set()
    read = set(re.findall(r"\bdata\.(\w+)", page))
    assert read
    assert read - set(fields_of(ConnectionData)) - set(fields_of(KeyData)) - set(fields_of(AppData)) == set()


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_field_that_a_script_of_the_dashboard_reads_is_in_an_answer_of_the_api(name: str) -> None:
    assert names_read_by(SCRIPTS[name]) - property_names(api_document()["components"]) - BROWSER - OWN == set()


def test_the_names_that_are_no_fields_of_answers_are_read_and_are_none() -> None:
    read = set().union(*map(names_read_by, SCRIPTS.values()))
    answers = property_names(api_document()["components"])
    assert (BROWSER | OWN) - read == set(), "no script reads it any more"
    assert (BROWSER | OWN) & answers == set(), "the API has a field of this name: then a script may mean that one"
    assert read >= {"nextStep", "correlationId", "endpointId", "standing", "code"}, "what this test is there for"


@pytest.mark.parametrize(
    ("script", "read"),
    [
        ("one.nextStep ?? one?.cause", {"nextStep", "cause"}),
        ("const { a, b: other, c = 1, ...rest } = answer;", {"a", "b", "c"}),
        ("for (const { service, url } of all) use(url);", {"service", "url"}),
        ("entries.map(({ at }) => at)", {"at"}),
        ("function tested({ status, stages }) {}", {"status", "stages"}),
        ("h(`https://${one.host}:443`); two.port", {"host", "port"}),
        ("`${`${a.inner}`} b.text ${c.outer}`", {"inner", "outer"}),
        ('"a.text" // b.comment\n/* c.comment */ d.name', {"name"}),
        ("x.replace(/y.expression/g, z.value)", {"value"}),
        ("a.call(b.argument)", {"argument"}),
    ],
)
def test_what_a_script_reads_is_found(script: str, read: set[str]) -> None:
    assert names_read_by(script) == read
