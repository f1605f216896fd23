"""How a name of ours is spelled in JSON: in answers of the HTTP API, in log lines and in notifications. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def camel(name: str) -> str:
    """`next_step` -> `nextStep`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def named(value: Any) -> Mapping[str, Any]:
    """A dataclass's own values by their JSON names; what is inside them is left as it is."""
    return {camel(field.name): getattr(value, field.name) for field in dataclasses.fields(value)}
