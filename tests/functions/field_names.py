"""Which fields a query, a JSON Schema or a script of the dashboard reads: collected from its text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.core.model.json_names import camel


def events_of(query: str) -> set[str]:
    """The events that a query reads."""
    return set(re.findall(r"""startswith '\{"event":"(\w+)"'""", query))


def metrics_of(query: str) -> set[str]:
    """The metrics that a query reads."""
    return set(re.findall(r"Name == '([\w.]+)'", query)) if query.startswith("AppMetrics") else set()


def fields_of(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a dataclass in JSON's spelling, in their order."""
    return tuple(camel(field.name) for field in dataclasses.fields(kind))


def fields_of_query(query: str) -> set[str]:
    """The fields of a line that a query reads: `e` is the parsed line in all of them."""
    return set(re.findall(r"\be\.(\w+)", query))


def property_names(schema: Any) -> set[str]:
    """Every property that a JSON Schema names, at any depth."""
    if isinstance(schema, list):
        return {name for one in schema for name in property_names(one)}
    if not isinstance(schema, Mapping):
        return set()
    own = schema.get("properties")
    here = set(own) if isinstance(own, Mapping) else set()
    return here.union(*(property_names(value) for value in schema.values()))


_SKIPPED = re.compile(
    r"//[^\n]*|/\*.*?\*/"  # comments
    r'|"(?:\\.|[^"\\\n])*"'  # texts
    r"|(?<=[(,=:\[!&|? ])/(?![/* ])(?:\\.|\[[^\]\n]*\]|[^/\\\n])+/[a-z]*",  # regular expressions
    re.DOTALL,
)
_TEMPLATE_TEXT = re.compile(r"(?:\\.|\$(?!\{)|[^\\`$])*", re.DOTALL)
_PATTERNS = (
    r"(?:const|let)\s*\{([^{}]*)\}\s*=",  # const { a, b: c } = x
    r"(?:const|let)\s*\{([^{}]*)\}\s*of\b",
    r"\(\{([^{}]*)\}\)\s*=>",  # ({ a }) => x
    r"(?:function \w*|constructor)\([^(){}]*\{([^{}]*)\}",  # function f(x, { a })
    r"\[\w*,\s*\{([^{}]*)\}\]",  # ([name, { a }]) => x
)


def names_read_by(script: str) -> set[str]:
    """The properties that a script reads of any object, by `.name` or by taking it apart; calls are left out."""
    code = re.sub(r"^(?:import|export) \{[^}]*\}[^\n]*$", "", _code_of(script), flags=re.MULTILINE)
    read = set(re.findall(r"(?<!\.)\.\s*([A-Za-z_]\w*)\b(?!\s*\(|\w)", code))
    for pattern in _PATTERNS:
        for inside in re.findall(pattern, code):
            read |= set(_taken_apart(inside))
    return read


def _taken_apart(inside: str) -> Iterator[str]:
    for part in inside.split(","):
        name = re.match(r"\s*([A-Za-z_]\w*)", part)
        if name and not part.strip().startswith("..."):
            yield name[1]


def _code_of(script: str) -> str:
    """The script without comments, texts and regular expressions; what is inserted into a template's text is kept."""
    kept: list[str] = []
    open_braces: list[int] = []  # of each `${` that we are in
    at = 0
    while at < len(script):
        if skipped := _SKIPPED.match(script, at):
            kept.append('""')
            at = skipped.end()
        elif script[at] == "`" or (script[at] == "}" and open_braces and open_braces[-1] == 0):
            if script[at] == "}":
                open_braces.pop()
            text = _TEMPLATE_TEXT.match(script, at + 1)
            assert text is not None
            at = text.end()
            kept.append(" + ")
            if script.startswith("${", at):
                open_braces.append(0)
                at += 2
            else:
                at += 1
        else:
            if open_braces and script[at] in "{}":
                open_braces[-1] += 1 if script[at] == "{" else -1
            kept.append(script[at])
            at += 1
    assert not open_braces, "a template that does not end"
    return "".join(kept)
