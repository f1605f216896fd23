# ruff: noqa: INP001 - a script, not a package
"""Writes the lists of modules in docs/architecture.md from the modules' own openings. Run it after adding a module.

    python scripts/architecture_page.py

`tests/docs/test_architecture.py` fails while the page is stale.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- modules: made by scripts/architecture_page.py -->", "<!-- end of modules -->"
CODE = ("shared", "functions", "local")
WORD = re.compile(r"(?<=[.!?]) +(?=[A-Z`*])")


def opening(module: Path) -> str:
    """The first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    return WORD.split(paragraph)[0].rstrip(".:")


def folders(top: str) -> Iterator[Path]:
    """Every folder of code below one of the top folders, itself first."""
    yield from sorted({path.parent for path in (ROOT / top).rglob("*.py")})


def tables() -> str:
    """One table for each folder of the code, and one for the folders of the tests."""
    parts = []
    for top in CODE:
        for folder in folders(top):
            name = folder.relative_to(ROOT).as_posix()
            modules = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
            package = folder / "__init__.py"
            said = f"{opening(package)}.\n\n" if package.exists() and opening(package) else ""
            rows = [f"| [`{path.name}`](../{name}/{path.name}) | {cell(opening(path))} |" for path in modules]
            table = "| module | what it is |\n|---|---|\n" + "\n".join(rows) + "\n\n" if rows else ""
            parts.append(f"### `{name}/`\n\n{said}{table}")
    tests = sorted({path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")})
    parts.append("### `tests/`\n\n" + ", ".join(f"`{name}/`" for name in tests) + "\n\n")
    return "".join(parts)


def cell(text: str) -> str:
    """Text that stands in a cell of a table."""
    return text.replace("|", "\\|")


def written(page: str) -> str:
    """The page with its lists of modules as they are now."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
