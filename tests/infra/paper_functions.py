"""The functions of Bicep that the templates call, for `paper_bicep`."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any


def union(*parts: Any) -> Any:
    """Of objects: the later wins. Of arrays: each value once, compared with regard to case."""
    if isinstance(parts[0], dict):
        return {name: value for part in parts for name, value in part.items()}
    return list(dict.fromkeys(value for part in parts for value in part))


def to_object(values: Iterable[Any], name: Callable[[Any], str], value: Callable[[Any], Any]) -> dict[str, Any]:
    """An object with one property for each value; Azure refuses a name that comes twice."""
    pairs = [(name(one), value(one)) for one in values]
    assert len({pair[0] for pair in pairs}) == len(pairs), pairs
    return dict(pairs)


def substring(text: str, start: int, length: int | None = None) -> str:
    """Azure refuses a start or an end behind the end of the text."""
    end = len(text) if length is None else start + length
    assert 0 <= start <= end <= len(text), (text, start, length)
    return text[start:end]


def cidr_subnet(network: str, prefix: int, number: int) -> str:
    """The subnet of this number in the network."""
    return str(list(ipaddress.ip_network(network).subnets(new_prefix=prefix))[number])


class Stopped(Exception):
    """A template that stopped its deployment by `fail()`, with what it said."""


def fail(message: str) -> None:
    """As Azure: nothing is deployed."""
    raise Stopped(message)


def group_by(values: Iterable[Any], key: Callable[[Any], str]) -> dict[str, list[Any]]:
    """An object with the values of each key."""
    found: dict[str, list[Any]] = {}
    for one in values:
        found.setdefault(key(one), []).append(one)
    return found


def contains(values: Any, one: Any) -> bool:
    """Of objects: the name of a property. Of texts and arrays: a part."""
    return one in values


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "cidrSubnet": cidr_subnet,
    "concat": lambda *parts: [value for part in parts for value in part],
    "contains": contains,
    "empty": lambda value: not value,
    "endsWith": lambda text, end: text.lower().endswith(end.lower()),
    "fail": fail,
    "filter": lambda values, keep: [one for one in values if keep(one)],
    "first": lambda values: values[0] if values else None,
    "flatten": lambda values: [value for part in values for value in part],
    "groupBy": group_by,
    "guid": lambda *parts: str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts))),
    "indexOf": lambda text, part: text.lower().find(part.lower()),
    "int": int,
    "items": lambda value: [{"key": name, "value": value[name]} for name in sorted(value)],
    "join": lambda values, between: between.join(values),
    "json": json.loads,
    "last": lambda values: values[-1] if values else None,
    "length": len,
    "map": lambda values, made: [made(one) for one in values],
    "max": max,
    "objectKeys": sorted,
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda text, old, new: text.replace(old, new),
    "skip": lambda values, number: values[number:],
    "split": lambda text, at: text.split(at),
    "startsWith": lambda text, start: text.lower().startswith(start.lower()),
    "string": str,
    "substring": substring,
    "toLower": str.lower,
    "toObject": to_object,
    "toUpper": str.upper,
    "trim": str.strip,
    "union": union,
    "uniqueString": lambda *parts: hashlib.sha256("|".join(parts).encode()).hexdigest()[:13],
}
"""By name. Those that ask where they are, which cloud it is, or for a file are in `paper_bicep`."""
