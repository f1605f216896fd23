"""How `test_words` reads the repository: tracked texts, names by the syntax tree, and next steps in the code."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AVOIDED = re.compile("(?i)(?<![a-z])(no" + "body|some" + "body|who" + "ever|what" + "ever|le" + "st)(?![a-z])")
"""The words without an actor; put together here, so that this file holds none. A `_` ends a word, as a space does."""
NEXT_STEP = frozenset({"next_step", "remedy"})
"""Names of the fields and parameters that hold what a person does next."""


def tracked(*patterns: str) -> list[Path]:
    """The files that git keeps and that are here."""
    git = ["git", "ls-files", "-z", *patterns]
    named = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - written here
    return [ROOT / name for name in named.stdout.split("\0") if name and (ROOT / name).is_file()]


def avoided_in(text: str) -> list[tuple[int, str]]:
    """Each avoided word with its line."""
    return [(number, one[0]) for number, line in enumerate(text.split("\n"), 1) for one in AVOIDED.finditer(line)]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"))


# -- names ---------------------------------------------------------------------------------------------------------


def names_in(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Each class, function or method, and annotated field of a class: its kind, name and line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield "function", node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            yield "class", node.name, node.lineno
            for one in node.body:
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                    yield "field", one.target.id, one.lineno


# -- next steps ----------------------------------------------------------------------------------------------------


def positions(trees: Iterable[ast.Module]) -> dict[str, set[int]]:
    """At which places calls take a next step, by the name of the class or function that is called."""
    found: dict[str, set[int]] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.ClassDef):
            names = [
                one.target.id
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            ]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [one.arg for one in node.args.args if one.arg != "self"]
        else:
            continue
        found.setdefault(node.name, set()).update(place for place, name in enumerate(names) if name in NEXT_STEP)
    return found


def steps_in(tree: ast.Module, places: dict[str, set[int]]) -> Iterator[tuple[int, str]]:
    """Each next step that stands literally in a file: its line and how it begins; a name is followed to its texts."""
    texts = _assigned(tree)
    for node in ast.walk(tree):
        given: list[ast.expr | None] = []
        if isinstance(node, ast.Call):
            if ast.unparse(node.func).startswith("log."):
                continue  # its `warning` is not the doctor's
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given += [one.value for one in node.keywords if one.arg in NEXT_STEP]
            given += [node.args[place] for place in places.get(called, ()) if place < len(node.args)]
        elif isinstance(node, ast.FunctionDef) and node.name in NEXT_STEP:
            given += [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
        for expression in given:
            yield from _beginnings(expression, texts, frozenset())


def _assigned(tree: ast.Module) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    found.setdefault(name.id, []).append(value)
    return found


def _beginnings(
    given: ast.expr | None, texts: dict[str, list[ast.expr]], seen: frozenset[str]
) -> Iterator[tuple[int, str]]:
    inner: list[ast.expr] = []
    if isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value:
        yield given.lineno, given.value
    elif isinstance(given, ast.JoinedStr):
        first = given.values[0]
        inner = [first.value if isinstance(first, ast.FormattedValue) else first]
    elif isinstance(given, ast.IfExp):
        inner = [given.body, given.orelse]
    elif isinstance(given, ast.BoolOp):
        inner = given.values
    elif isinstance(given, ast.BinOp):
        inner = [given.left]
    elif isinstance(given, ast.Name) and given.id not in seen:
        inner, seen = texts.get(given.id, []), seen | {given.id}
    for one in inner:
        yield from _beginnings(one, texts, seen)
