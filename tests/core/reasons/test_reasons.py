"""Reasons: each has one entry in the catalogue, the product gives each, and a misspelled one is a type error."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.troubleshooting_page import BEGIN, PAGE, SERVED, entries, served
from shared.core.guards import consent, first_and_last_policy, scope
from shared.core.model import conditions as c
from shared.core.model.reasons import Hop, Reason
from shared.core.planning import desired
from shared.core.reasons import SECTIONS, ReasonDoc, catalogue, hop_of
from shared.settings import descriptions

ROOT = Path(__file__).resolve().parents[3]
TAGS = [
    value
    for module in (desired, first_and_last_policy, scope, consent)
    for name, value in vars(module).items()
    if name.endswith("_TAG") and isinstance(value, str)
]


def test_every_reason_has_exactly_one_entry_in_the_catalogue() -> None:
    entered = [entry.reason for section in SECTIONS.values() for entry in section]
    assert sorted(entered) == sorted(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_the_word_that_people_search_for(reason: Reason) -> None:
    assert re.fullmatch(r"([A-Z][a-z0-9]+)+", reason)
    assert reason.name == re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", reason).upper()


def test_every_reason_is_given_somewhere_in_the_product() -> None:
    modules = [path for path in (ROOT / "shared").rglob("*.py") if path.parent != ROOT / "shared/core/reasons"]
    source = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    assert set(Reason.__members__) - set(re.findall(r"\bReason\.([A-Z_]+)\b", source)) == set()


def test_a_reason_that_is_misspelled_or_a_bare_text_is_a_type_error(tmp_path: Path) -> None:
    lines = {
        "known": 'satisfied(LINKED, Reason.MISSING, "It is.")',
        "misspelled": 'satisfied(LINKED, Reason.MISING, "It is.")',
    }
    opening = "from shared.core.model.conditions import LINKED, satisfied\n"
    opening += "from shared.core.model.reasons import Reason\n\n"
    module = tmp_path / "gives_reasons.py"
    module.write_text(opening + "\n".join(f"{name} = {line}" for name, line in lines.items()) + "\n")
    errors = _mypy(module)
    assert len(errors) == 1
    assert '"type[Reason]" has no attribute "MISING"' in errors[0]
    module.write_text(opening + 'bare = satisfied(LINKED, "Missing", "It is.")\n')
    errors = _mypy(module)
    assert len(errors) == 1
    assert 'incompatible type "str"; expected "Reason"' in errors[0]


def _mypy(module: Path) -> list[str]:
    """The errors that the type checker finds in one module; what it imports is followed and not reported."""
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent"]
    command += [f"--cache-dir={module.parent / 'cache'}", "--no-error-summary", "--hide-error-context", str(module)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_reason_of_a_newer_version_stays_readable() -> None:
    word = Reason("ReasonOfTheFuture")
    assert word == "ReasonOfTheFuture"
    assert f"{word}" == word.value == "ReasonOfTheFuture"
    assert word not in catalogue()
    assert word not in list(Reason)
    assert Reason("Missing") is Reason.MISSING
    with pytest.raises(ValueError, match="3"):
        Reason(3)


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.reason)
def test_every_entry_says_what_is_seen_why_and_what_to_do(entry: ReasonDoc) -> None:
    for text in (entry.symptom, entry.cause, entry.remedy or "Wait."):
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".")
        assert len(text) < 220


def test_the_page_for_operators_has_every_entry_of_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith("\n".join([BEGIN, *entries()]) + "\n"), (
        "run scripts/troubleshooting_page.py"
    )


def test_the_dashboard_serves_the_same_entries_each_under_the_anchor_that_it_links() -> None:
    page = SERVED.read_text(encoding="utf-8")
    assert page == served(), "run scripts/troubleshooting_page.py"
    assert set(re.findall(r'id="([a-z]+)"', page)) == {one.lower() for one in catalogue()}


def test_every_reason_has_a_heading_of_its_own_that_no_other_heading_hides() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = [re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert len(anchors) == len(set(anchors))
    assert {reason.lower() for reason in Reason} <= set(anchors)


def test_every_setting_tag_and_reason_that_the_page_names_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    settings = {one.name for one in descriptions()}
    named = set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", page))
    assert named - settings == set()
    assert set(re.findall(r"\belastic-(?:deployments|privatelink[a-z-]*)\b", page)) - set(TAGS) == set()
    opening = page.split(BEGIN)[0]
    words = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", opening))
    assert words - set(catalogue()) == set()


@pytest.mark.parametrize(
    ("type_", "reason", "hop"),
    [
        (c.ZONE_READY, Reason.MISSING, Hop.DNS),
        (c.LINKED, Reason.MISSING, Hop.NETWORK),
        (c.POLICY_READY, Reason.MISSING, Hop.POLICY),
        (c.LINKED, Reason.RECORD_HELD_BY_OTHERS, Hop.DNS),
        (c.ASSOCIATED, Reason.AWAITING_APPROVAL, Hop.APPROVAL),
        (c.REACHABLE, Reason.CERTIFICATE_MISMATCH, Hop.DNS),
        (c.REACHABLE, Reason.FORBIDDEN_BY_POLICY, Hop.POLICY),
        (c.REACHABLE, Reason("ReasonOfTheFuture"), Hop.TARGET),
        (c.ZONE_READY, Reason.AZURE_RIGHTS_MISSING, Hop.DNS),
        (c.REACHABLE, Reason.NO_ROUTE_FROM_APP, Hop.APP),
        ("a type of the future", Reason("ReasonOfTheFuture"), Hop.APP),
    ],
)
def test_a_reason_knows_where_on_the_path_it_is_or_its_condition_does(type_: str, reason: Reason, hop: Hop) -> None:
    assert hop_of(type_, reason) is hop
