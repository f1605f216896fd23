"""What the dashboard says with a colour: each phase, need and verdict has the tone that its meaning asks for."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from functions.dashboard import files
from shared.core.diagnosis.evidence import Status as Verdict
from shared.core.model import errors
from shared.core.model.conditions import Phase, WaitingFor
from shared.core.model.reasons import Reason
from shared.core.planning.requeue import condition_of
from shared.core.planning.stale import is_passing
from tests.state.state_backends import START

TEXTS = {name: file.content.decode() for name, file in files().items()}
WORDS, MARKS, STYLES = TEXTS["words.js"], TEXTS["marks.js"], TEXTS["base.css"]
ENTRY = re.compile(r'^  (\w+): \{ label: "([^"]+)", mark: "(\w+)", tone: "(\w+)"', re.MULTILINE)

PHASES = {
    Phase.READY: "good",
    Phase.BLOCKED: "bad",
    Phase.DEGRADED: "warn",
    Phase.AWAITING_APPROVAL: "wait",
    Phase.PROVISIONING: "wait",
    Phase.REMOVING: "quiet",
    Phase.REMOVED: "quiet",
    Phase.IGNORED: "quiet",
}
NEEDS = {WaitingFor.PERSON: "bad", WaitingFor.WORK: "warn", WaitingFor.TIME: "wait", WaitingFor.EVENT: "quiet"}
VERDICTS = {"healthy": "good", "degraded": "warn", "blocked": "bad", "unreachable": "bad", "unknown": "quiet"}


def table(name: str) -> dict[str, tuple[str, str, str]]:
    """The entries of one object of words.js: label, mark and tone by name."""
    found = re.search(rf"const {name} = \{{\n(.*?)^\}};", WORDS, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return {key: (label, mark, tone) for key, label, mark, tone in ENTRY.findall(found[1])}


@pytest.mark.parametrize(("name", "wanted"), [("PHASES", PHASES), ("NEEDS", NEEDS), ("VERDICTS", VERDICTS)])
def test_each_has_its_tone_and_no_other_is_left_over(name: str, wanted: dict[str, str]) -> None:
    assert {key: tone for key, (_, _, tone) in table(name).items()} == {str(key): one for key, one in wanted.items()}


def test_the_tables_here_know_all_that_the_app_says() -> None:
    assert set(PHASES) == set(Phase)
    assert set(NEEDS) == set(WaitingFor) - {WaitingFor.NONE}, "what waits for nothing is Not known"
    assert set(VERDICTS) == set(get_args(Verdict))


def test_what_asks_for_a_person_comes_first_and_only_what_works_is_good() -> None:
    order = list(table("PHASES"))
    assert order[:2] == ["Blocked", "Degraded"]
    assert [name for name, (_, _, tone) in table("PHASES").items() if tone == "good"] == ["Ready"]


def test_no_two_phases_look_the_same() -> None:
    looks = [(mark, tone) for _, mark, tone in table("PHASES").values()]
    assert len(set(looks)) == len(looks), "colour alone tells nothing to one who does not see it"


def test_every_mark_is_drawn_and_every_tone_has_a_colour() -> None:
    used = [entry for name in ("PHASES", "NEEDS", "VERDICTS") for entry in table(name).values()]
    assert not {mark for _, mark, _ in used if not re.search(rf"^  {mark}:", MARKS, re.MULTILINE)}
    assert not {tone for _, _, tone in used if f".tone-{tone} {{" not in STYLES}


def test_reasons_that_tell_nothing_of_the_connection_are_those_of_reads_that_pass() -> None:
    listed = re.search(r"const NOT_SEEN = new Set\(\[(.*?)\]\)", WORDS)
    assert listed is not None
    kinds = [errors.Throttled, errors.RetryLater, errors.AnswerLost]
    passing = {condition_of("X", kind("x"), None, START, 60.0).reason for kind in kinds if is_passing(kind("x"))}
    assert set(re.findall(r'"(\w+)"', listed[1])) == {str(one) for one in passing} | {Reason.CHANGED_MEANWHILE}
