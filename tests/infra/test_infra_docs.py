"""The pages for operators say what is shipped: every right with its reason, every parameter, every alert."""

from __future__ import annotations

import re

import pytest

from shared.core.model.log_lines import Event
from tests.infra.shipped import ROLES, ROOT, bicep, load, parameter_file

DEPLOY, INSTALLATION, CHOICES, SECURITY, OPERATIONS, LOGS = (
    (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    for page in ("deploy", "installation", "deploy-choices", "security", "operations", "logs")
)

PAGES = ["README.md", *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]


def test_every_right_is_listed_with_its_reason_and_no_other() -> None:
    listed = dict(
        re.findall(r"^\| `(Microsoft\.(?:Authorization|Network|EventGrid)/\S+)` \| (.+) \|$", SECURITY, re.MULTILINE)
    )
    roles = load("roles.json")
    assert listed == {action: why for role in ROLES for action, why in roles[role]["actions"].items()}


def test_every_built_in_role_of_the_templates_is_listed_and_no_other() -> None:
    listed = set(re.findall(r"^\| ([A-Z][\w ]+) \| (?:app|topics), ", SECURITY, re.MULTILINE))
    assert {one["title"] for one in load("built-in-roles.json").values()} == listed


def test_every_parameter_is_listed_with_its_azd_name_and_default() -> None:
    rows = re.findall(r"^\| (?:`([A-Z_]+)`)? ?\| `(\w+)` \| (.+?) \|", CHOICES, re.MULTILINE)
    listed = {parameter: (name, default) for name, parameter, default in rows}
    declared = re.findall(r"^param (\w+) \w+(?: = (.+))?$", bicep("main.bicep"), re.MULTILINE)
    assert set(listed) == {name for name, _ in declared}
    given = parameter_file()
    for name, default in declared:
        azd, shown = listed[name]
        if name not in {"appSettings", "packageUrl"}:
            assert f"readEnvironmentVariable('{azd}'" in given[name]
        if shown.startswith("`"):
            assert shown.strip("`") == default.strip("'")
            assert f" ? '{shown.strip('`')}' : " in given[name]


def test_every_alert_is_explained() -> None:
    titles = re.findall(r"^    title: '(.+)'$", bicep("app/alerts.bicep"), re.MULTILINE)
    explained = re.findall(r"^\| (.+?) \|", OPERATIONS.split("## Alerts")[1].split("\n## ")[0], re.MULTILINE)
    assert [title for title in titles if title not in explained] == []
    assert [str(event) for event in Event if f"`{event}`" not in LOGS] == []


def test_reasons_that_the_page_of_symptoms_names_are_the_apps() -> None:
    symptoms = OPERATIONS.split("## Misconfigured")[1].split("\n## ")[0]
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`", symptoms))
    assert len(named) > 5
    assert [reason for reason in named if f'"{reason}"' not in source] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", text):
        file, _, heading = target.partition("#")
        linked = (ROOT / page).parent / file if file else ROOT / page
        assert linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}, target


@pytest.mark.parametrize("name", ["workQueue", "poisonQueue", "deadLetterContainer", "elasticKeySecret"])
def test_what_a_person_may_have_to_look_for_is_called_as_the_templates_make_it(name: str) -> None:
    assert f"`{load('names.json')[name]}`" in DEPLOY + INSTALLATION + CHOICES + SECURITY + OPERATIONS


def test_every_output_that_the_pages_use_exists() -> None:
    outputs = set(re.findall(r"^output (\w+)", bicep("main.bicep"), re.MULTILINE))
    assert set(re.findall(r"\b(?:AUTOPILOT_\w+)", DEPLOY + INSTALLATION + CHOICES + OPERATIONS)) <= outputs


@pytest.mark.parametrize("page", PAGES)
def test_every_row_of_a_table_has_as_many_cells_as_its_heading(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = table.splitlines()
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {rows[1].count("|")}, rows[0]
