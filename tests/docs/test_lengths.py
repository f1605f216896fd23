"""Pages and modules are short enough to be read, and the page for an incident begins with the alerts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.words_parts import tracked

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {"architecture.md", "settings.md", "troubleshooting.md"}
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md") if path.name not in GENERATED)


def test_no_module_has_more_than_400_lines() -> None:
    lengths = {str(one.relative_to(ROOT)): len(one.read_text("utf-8").splitlines()) for one in tracked("*.py")}
    assert {one: lines for one, lines in lengths.items() if lines > 400} == {}


def words(page: str) -> int:
    return len((ROOT / page).read_text(encoding="utf-8").split())


def test_the_readme_has_at_most_1200_words() -> None:
    assert words("README.md") <= 1200


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_at_most_2500_words(page: str) -> None:
    assert words(f"docs/{page}") <= 2500


def test_who_takes_the_defaults_reads_three_commands_then_links() -> None:
    """Half of 4,184 words, which the page had, would be 2,092; what comes after the commands has a page of its own."""
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert words("docs/deploy.md") <= 420
    (block,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [line.split()[0] for line in block.splitlines()] == ["az", "azd", "azd"]
    after = page.split("## Then\n")[1].strip().splitlines()
    assert all(line.startswith("|") for line in after)
    assert all("](" in line for line in after[2:])


def test_operations_begins_with_what_an_alert_asks_for() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE)[0] == "Alerts"
