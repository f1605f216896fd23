"""Every shipped query is right by Microsoft's own language service: names, types, functions, against Azure's tables."""

from __future__ import annotations

from functools import cache

import pytest

from tests.infra.language_service import Judgement, judge, missing
from tests.infra.queries import ALERTS, PAGES, QUERIES, rules

pytestmark = [
    pytest.mark.xdist_group("kusto"),  # one process judges all, and takes seconds to start
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
WRONG = {
    "AppTrace | take 1": "KS204",  # no such table
    "AppTraces | where Mesage startswith 'x'": "KS142",  # no such column
    "AppTraces | where TimeGenerated - TimeGenerated > 90": "KS106",  # a timespan is no number
    "AppTraces | extend e = parse_json(Message) | summarize count() by e.phase": "KS",  # dynamic values are no groups
    "AppTraces | project strlength(Message)": "KS211",  # no such function
    "AppTraces | were true": "KS",
}


@cache
def judged() -> dict[str, Judgement]:
    """The service's word on all of them."""
    return judge(QUERIES | PAGES | {text: text for text in WRONG})


def test_no_shipped_query_has_an_error_or_a_warning() -> None:
    assert PAGES, "the pages show queries"
    said = {name: judged()[name].diagnostics for name in (*QUERIES, *PAGES)}
    assert {name: diagnostics for name, diagnostics in said.items() if diagnostics} == {}


@pytest.mark.parametrize("text", WRONG)
def test_the_service_finds_what_is_wrong(text: str) -> None:
    assert any(WRONG[text] in one for one in judged()[text].diagnostics), judged()[text]


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_what_an_alert_is_told_apart_by_is_a_column_of_text_of_its_query(name: str) -> None:
    columns = judged()[name].columns
    assert {column: columns.get(column) for column in rules()[name].dimensions} == dict.fromkeys(
        rules()[name].dimensions, "string"
    )
