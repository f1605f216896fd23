"""The switches of the running clouds, by name: what `python -m local switch` and `up --switch` change.

Every field of the simulators' settings that plain JSON can say is one, e.g. `elastic.create_lag_seconds`; the settings
modules say what each does and what is known of the live services. Hooks for tests (callables) are not. Called by
`local.cli.backstage` and `local.cli.stack`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from local.arm.model import VirtualNetwork
from local.arm.roles import RoleAssignment

# What the settings modules import for the type checker only.
_NAMES = {
    "Callable": Callable,
    "RoleAssignment": RoleAssignment,
    "VirtualNetwork": VirtualNetwork,
    "datetime": datetime,
}
_SEQUENCES: dict[Any, Callable[[list[Any]], Any]] = {list: list, set: set, tuple: tuple}


class SwitchError(ValueError):
    """There is no such switch, or it does not take such a value; the message says what is expected."""


@dataclass(frozen=True)
class Switches:
    """The settings of each simulator, by the simulator's name."""

    settings: Mapping[str, Any]

    def values(self) -> dict[str, Any]:
        """Every switch and how it stands, in JSON's terms."""
        return {
            f"{part}.{name}": _shown(getattr(settings, name))
            for part, settings in self.settings.items()
            for name, hint in _hints(settings).items()
            if _plain(hint)
        }

    def words(self, name: str) -> list[Any]:
        """The positions that a switch has by name: words, yes and no, nothing; not the numbers and texts it takes."""
        part, _, field = name.partition(".")
        return [word for one in _parts(_hints(self.settings[part])[field]) for word in _words(one)]

    def set(self, name: str, value: Any) -> None:
        """Turn one; raises SwitchError."""
        part, _, field = name.partition(".")
        settings = self.settings.get(part)
        hint = _hints(settings).get(field) if settings is not None else None
        if hint is None or not _plain(hint):
            raise SwitchError(f"there is no switch {name!r}; `python -m local switch` lists them")
        try:
            setattr(settings, field, _read(value, hint))
        except ValueError:
            raise SwitchError(f"{name} is {value!r}; expected {_said(hint)}") from None


def _hints(settings: Any) -> dict[str, Any]:
    return get_type_hints(type(settings), localns=_NAMES)


def _parts(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union, without those that JSON cannot say."""
    every = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return tuple(one for one in every if get_origin(one) is not Callable and one is not Callable)


def _words(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    return {bool: (True, False), type(None): (None,)}.get(hint, ())


def _plain(hint: Any) -> bool:
    """Whether JSON can say something of this type that is more than nothing."""
    return any(_plain_part(one) for one in _parts(hint) if one is not type(None))


def _plain_part(hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in _SEQUENCES or origin is dict:
        return all(_plain(one) for one in arguments if one is not Ellipsis)
    return origin is Literal or hint in (bool, int, float, str, datetime)


def _read(value: Any, hint: Any) -> Any:
    """The JSON value as one of the hint's types."""
    for part in _parts(hint):
        try:
            return _read_part(value, part)
        except ValueError:
            continue
    raise ValueError(value)


def _read_part(value: Any, hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal and value in arguments and type(value) in {type(one) for one in arguments}:
        return value
    if hint is datetime and isinstance(value, str):
        return _moment(value)
    if hint is float and type(value) in (int, float):
        return float(value)
    if hint in (bool, int, str, type(None)) and type(value) is hint:
        return value
    if origin in _SEQUENCES and isinstance(value, list):
        return _SEQUENCES[origin]([_read(one, kind) for one, kind in _paired(value, origin, arguments)])
    if origin is dict and isinstance(value, dict):
        return {_read(key, arguments[0]): _read(one, arguments[1]) for key, one in value.items()}
    raise ValueError(value)


def _paired(values: list[Any], origin: Any, arguments: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """Each item with its type: all of one type, but for a tuple that gives one for each."""
    if origin is tuple and Ellipsis not in arguments:
        return list(zip(values, arguments, strict=True))
    return [(one, arguments[0]) for one in values]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | list | tuple):
        items = [_shown(one) for one in value]
        return sorted(items, key=str) if isinstance(value, set) else items
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    return "(set by code)" if callable(value) else value


def _said(hint: Any) -> str:
    """A type in words."""
    names = {type(None): "null", bool: "true or false", float: "a number", int: "a whole number", str: "a text"}
    names[datetime] = "a time with its zone, as 2026-01-31T12:00:00Z"
    return " or ".join(
        " or ".join(f'"{one}"' if isinstance(one, str) else str(one) for one in get_args(part))
        if get_origin(part) is Literal
        else names.get(part, "JSON as it is shown")
        for part in _parts(hint)
    )
