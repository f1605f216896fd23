"""Every way in which one value of a JSON document, or one header, can be wrong. Used by the searches of this folder."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

BY_CHANCE = re.compile(r"[0-9a-f]{12,}")
"""Ids of connections, policies and targets."""
MISSING = "missing"
"""The place is taken away."""

WRONG: Mapping[str, Any] = {
    "null": None,
    "a truth": True,
    "zero": 0,
    "a number": 7.5,
    "a negative number": -1,
    "an empty text": "",
    "a text": "x",
    "a text of lines": "a\r\nb\x1b[2J\x00",
    "a text with half a letter": "\ud800",
    "the year 9999": "9999-12-31T23:59:59.9999999Z",
    "an empty list": [],
    "a list of null": [None],
    "an empty object": {},
    "an object": {"id": None, "x": [{}]},
    "lists in lists": [[[[[]]]]],
}
"""What stands in the place of a value."""

HUGE: Mapping[str, str] = {
    "a huge text": json.dumps("x" * 70_000),
    "a huge number": "9" * 5_000,
    "an endless number": "1e999",
    "no number": "NaN",
    "very deep lists": "[" * 100_000 + "]" * 100_000,
}
"""The same, as JSON text: some cannot be written by a library."""

DOCUMENTS: Mapping[str, bytes] = {
    "nothing": b"",
    "no JSON": b"<html>busy</html>",
    "half of it": b'{"value": [{"id": "',
    "no UTF-8": b'{"value": "\xff\xfe"}',
    "null alone": b"null",
    "a list alone": b"[]",
    "a text alone": b'"x"',
    "a number alone": b"7",
    "an empty object alone": b"{}",
}
"""In place of the whole."""

HEADERS: Mapping[str, str | None] = {
    MISSING: None,
    "empty": "",
    "a text": "x",
    "a huge year": "Fri, 31 Dec 99999 23:59:59 GMT",
    "the year 9999": "Fri, 31 Dec 9999 23:59:59 GMT",
    "the year 9999 in ISO": "9999-12-31T23:59:59.999Z",
    "zero": "0",
    "below zero": "-1",
    "a huge number": "9" * 5_000,
    "an endless number": "inf",
    "no number": "nan",
    "a huge text": "x" * 70_000,
    "letters beyond ASCII": "\xff\xfe",
    "another address": "https://attacker.example/steal",
}
"""In place of a header's value."""


@dataclass(frozen=True)
class Mutation:
    """One wrong value at one place."""

    place: Path
    name: str

    def __str__(self) -> str:
        return f"{self.name} at {'/'.join(map(str, self.place)) or 'the top'}"

    @property
    def kind(self) -> tuple[str, ...]:
        """What is wrong, and where: the same for every entry of a list, and for every id that is a key."""
        return (self.name, *("*" if isinstance(step, int) else BY_CHANCE.sub("*", step) for step in self.place))

    def of(self, document: Any) -> bytes:
        """The document's JSON with the wrong value in it."""
        if not self.place:
            return DOCUMENTS[self.name]
        mark = "-the-place-of-the-wrong-value-"
        changed = copy.deepcopy(document)
        *way, last = self.place
        inner = changed
        for step in way:
            inner = inner[step]
        if self.name == MISSING:
            del inner[last]
            return json.dumps(changed).encode()
        inner[last] = WRONG.get(self.name, mark)
        text = json.dumps(changed)
        return text.replace(json.dumps(mark), HUGE.get(self.name, "")).encode() if self.name in HUGE else text.encode()


def places(document: Any, path: Path = ()) -> Iterator[Path]:
    """Every value in a document but the whole."""
    items: Any = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def mutations(document: Any) -> Iterator[Mutation]:
    """Every wrong value at every place, and every wrong document."""
    for name in DOCUMENTS:
        yield Mutation((), name)
    for place in places(document):
        for name in (MISSING, *WRONG, *HUGE):
            yield Mutation(place, name)
