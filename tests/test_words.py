"""The words of the project: plain English with an actor, the field's names, and next steps that begin with a verb.

A word, name or beginning that stands here is one that a reader of messages, pages or code had to guess at.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.words_parts import ROOT, avoided_in, names_in, parsed, positions, steps_in, tracked

HERE = Path(__file__).resolve()

OLD = {
    "module": """
        aside moving unread missing asking things rules turned branches conclude intake reconcile reconciling operations
        sweeping look known contest plan_dns plan_elastic plan_policy plan_claim plan_associations plan_removal
        connection
        catalogue elastic_errors elastic_json private_dns_json
    """,
    "class": """
        Connection Known Look World Sweep Stance Standing StandingVerdict ArmQuestions Notices Rules Problem Choice Kind
    """,
    "function": """
        is_aside is_stranger aside aside_for newly_aside moved changed refuse holds turned truce put_back still certain
        left_alone miss told good settle asking answered met found reborn using last_policy things_of conclude unserved
        made_but_unseen telling ended hear
    """,
    "field": "aside wanting former unserved left reached unread stance",
}
"""What once had these names, by kind, and has better ones now."""

NEW_MEANING = {
    ("module", "shared/core/model/things.py"): "a thing of the design: a row of table `things`",
    ("module", "shared/installation/things.py"): "the rows of table `things`",
    ("module", "functions/reconcile.py"): "the trigger of the queue, named for its function",
    ("module", "local/arm/operations.py"): "Azure's long-running operations",
    ("module", "shared/core/model/operations.py"): "an operation of the design: what a person asked for",
    ("module", "shared/installation/operations.py"): "the rows of operations",
    ("module", "shared/api/operations.py"): "operations over HTTP",
    ("module", "local/elastic/operations.py"): "what the simulated Elastic Cloud does later",
    ("class", "shared/probe/model.py:Connection"): "a TCP connection",
    ("class", "local/arm/model.py:Connection"): "ARM's privateLinkServiceConnection",
    ("class", "local/simulators.py:World"): "the local world: both clouds, network and host on one machine",
    ("field", "local/arm/throttle.py:left"): "what a bucket has left",
    ("function", "local/arm/context.py:changed"): "an event: a resource changed",
    ("function", "local/eventgrid/grid.py:_answered"): "whether a subscriber answered a validation",
    ("function", "local/elastic/approval.py:_settle"): "an approval settles",
    ("field", "shared/api/views.py:former"): "a name of the HTTP API",
    ("field", "shared/api/views.py:left"): "a name of the HTTP API",
    ("field", "shared/api/views.py:reached"): "a name of the HTTP API",
}
"""Where an old name means something else, and what."""

VERBS = """
    Add Allow Ask Assign Associate Change Check Compare Correct Create Delete Deploy Enable Exempt Find
    Forward Give Leave Let Look Name Peer Point Put Read Register Remove Repair Restart See Send Set Start Store Tag
    Take Use Wait
"""


def places() -> list[tuple[str, str, str]]:
    """Kind, place and name of everything that is named in the product and its simulators."""
    found = []
    for path in tracked("shared/*.py", "functions/*.py", "local/*.py"):
        file = path.relative_to(ROOT).as_posix()
        found.append(("module", file, path.stem))
        found += [(kind, f"{file}:{name}", name) for kind, name, _ in names_in(parsed(path))]
    return found


def test_every_sentence_names_its_actor() -> None:
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        found += [(name, 0, word) for _, word in avoided_in(name)]
        if path != HERE:
            text = path.read_bytes().decode("utf-8", errors="ignore")
            found += [] if "\0" in text else [(name, *one) for one in avoided_in(text)]
    assert not found


@pytest.mark.parametrize(
    "text",
    ["No" + "body knows.", "def test_what_some" + "body_took()", "WHO" + "EVER", "(what" + "ever)", "le" + "st it"],
)
def test_an_avoided_word_is_found_in_texts_and_names(text: str) -> None:
    assert len(avoided_in(text)) == 1
    assert not avoided_in("a lesson, the least, bodies, what everyone sees")


def test_what_is_counted_is_one_or_many_and_never_both() -> None:
    files = tracked("shared/*.py", "functions/*", "local/cli/*.py", "local/__main__.py", "docs/*.md", "README.md")
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    assert len(texts) > 300
    assert [name for name, text in texts.items() if re.search(r"[a-z]\(s\)", text)] == []


def test_nothing_has_an_old_name() -> None:
    old = {kind: set(names.split()) for kind, names in OLD.items()}
    found = [(kind, place) for kind, place, name in places() if name.strip("_") in old[kind]]
    assert not set(found) - set(NEW_MEANING)


def test_every_exception_is_still_needed() -> None:
    assert not set(NEW_MEANING) - {(kind, place) for kind, place, _ in places()}


def test_every_next_step_begins_with_a_verb() -> None:
    files = tracked("shared/*.py", "functions/*.py")
    taken = positions(parsed(path) for path in files)
    found = [(path, line, text) for path in files for line, text in steps_in(parsed(path), taken)]
    assert len(found) > 150, "the steps are not found any more"
    assert not [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path, line, text in found
        if re.split(r"[^A-Za-z]", text)[0] not in VERBS.split()
    ]
