"""CONTRIBUTING.md names folders, modules and commands that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:[\w.]+/)+(?:[\w.]+)?)`", PAGE) + re.findall(r"\]\((?!http)([^)#]+)\)", PAGE)))
FOLDERS = sorted(path.parent for path in (ROOT / "shared").rglob("__init__.py"))


@pytest.mark.parametrize("name", NAMED)
def test_what_it_names_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_it_names_every_folder_of_the_product_and_of_its_core() -> None:
    above = (ROOT / "shared", ROOT / "shared/core")
    folders = [path for path in FOLDERS if path.parent in above and path.name != "core"]
    assert folders
    assert [str(path) for path in folders if f"{path.relative_to(ROOT)}/" not in NAMED] == []


def test_its_commands_of_make_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z]+)", PAGE, re.MULTILINE))
    assert used
    assert used - targets == set()
