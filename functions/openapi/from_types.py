"""JSON schemas (2020-12) of dataclasses, as the HTTP API spells their values. Used by `bodies`; pure."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from shared.core.model.conditions import Phase
from shared.core.model.json_names import camel
from shared.core.model.reasons import Reason

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    type(None): {"type": "null"},
    Any: {},
}
_OPEN = {Phase: "Phase", Reason: "Reason"}
"""Words that a newer version may add to: named schemas, which list the known ones and take others."""
_OPEN_FIELDS = {"phase": "Phase", "reason": "Reason"}
"""The same where the product keeps the word as a text, which another version may have written."""


def open_words() -> dict[str, Schema]:
    """The named schemas of words that a newer version may add to."""
    return {
        name: {
            "anyOf": [{"type": "string", "enum": [str(one.value) for one in kind]}, {"type": "string"}],
            "description": f"A {name.lower()} that this version knows, or one of a newer version.",
        }
        for kind, name in _OPEN.items()
    }


def word(name: str) -> Schema:
    """A reference to one of them, or to another schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


_parts: dict[str, Schema] = {}


def named(name: str, schema: Schema) -> Schema:
    """A reference to a part of answers or bodies, which the document has under this name from now on."""
    if _parts.setdefault(name, schema) != schema:
        raise ValueError(f"two schemas of the document are named {name}")
    return word(name)


def parts() -> dict[str, Schema]:
    """All of these, by name."""
    return dict(sorted(_parts.items()))


_NAMES = {"datetime": datetime, "Mapping": Mapping}
"""What modules import for the type checker only."""


def schema_of(kind: Any, **instead: Schema) -> Schema:
    """The schema of a value of this type; `instead` gives fields of the outermost dataclass another one.

    Dataclasses and enumerations below the outermost one are parts that have their class's name.
    """
    if dataclasses.is_dataclass(kind):
        return _of_dataclass(kind, instead)
    return _of_part(kind)


def _of_part(kind: Any) -> Schema:
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if dataclasses.is_dataclass(kind):
        return named(_name_of(kind), _of_dataclass(kind, {}))
    if kind in _OPEN:
        return word(_OPEN[kind])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return named(_name_of(kind), {"type": "string", "enum": [str(member.value) for member in kind]})
    return _of_generic(kind, typing.get_origin(kind), typing.get_args(kind))


def _name_of(kind: Any) -> str:
    return str(kind.__name__).removesuffix("View")


def _of_dataclass(kind: Any, instead: Mapping[str, Schema]) -> Schema:
    hints = typing.get_type_hints(kind, localns=_NAMES)
    fields = {f.name: instead.get(f.name) or _of_field(f.name, hints[f.name]) for f in dataclasses.fields(kind)}
    properties = {camel(name): schema for name, schema in fields.items()}
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _of_field(name: str, kind: Any) -> Schema:
    if name in _OPEN_FIELDS and kind is str:
        return word(_OPEN_FIELDS[name])
    if name in _OPEN_FIELDS and kind == str | None:
        return {"anyOf": [word(_OPEN_FIELDS[name]), {"type": "null"}]}
    return _of_part(kind)


def _of_generic(kind: Any, origin: Any, arguments: tuple[Any, ...]) -> Schema:
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_of_part(one) for one in arguments]}
    if origin is tuple:
        return _of_tuple(arguments)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _of_part(arguments[1])}
    raise TypeError(f"there is no schema of {kind!r} yet")


def _of_tuple(arguments: tuple[Any, ...]) -> Schema:
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        return {"type": "array", "items": _of_part(arguments[0])}
    parts = [_of_part(one) for one in arguments]
    return {"type": "array", "prefixItems": parts, "minItems": len(parts), "maxItems": len(parts)}
