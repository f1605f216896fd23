"""Ids that chance gives, replaced by the order in which they first appear. Used by `differences`; pure.

Two recordings in which the same thing happens to things of other ids are then the same, and it still shows when one
thing stands where another stood. Ids that are made from names (of connections, links, notifications) stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_IDS = re.compile(
    r"(?<=OperationStatuses/)[^\"\s]+"  # Azure's address of a long-running operation: an id, a time, a signature
    r"|\b(?!00000000-0000-)[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
    r"|\b[0-9a-f]{32}\b"  # deployments and policies of Elastic Cloud
    r"|\bc0ffee[0-9a-f]{6,}\b"  # `chance`: runs and lease tokens
)


def blanked(text: str) -> str:
    """The text without any id: to order things whose ids are not numbered yet."""
    return _IDS.sub("<id>", text)


class Numbers:
    """The ids of one recording."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        """A JSON value with numbered ids."""
        match value:
            case str():
                return _IDS.sub(self._number, value)
            case dict():
                return {self(name): self(part) for name, part in sorted(value.items())}
            case list() | tuple():
                return type(value)(self(part) for part in value)
            case _:
                return value

    def _number(self, found: re.Match[str]) -> str:
        return self._known.setdefault(found[0].lower(), f"<id-{len(self._known) + 1}>")


def ordered(lines: Iterable[Any], key: Any) -> list[Any]:
    """Lines in an order that ids have no part in."""
    return sorted(lines, key=lambda line: blanked(key(line)))
