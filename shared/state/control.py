"""Documents of the whole installation in table `control`: read, and changed by `update`.

Used by every module that keeps one there, and by `state.lease`. Every write is conditional on the row's ETag. What a
lost race means is the caller's word: try again, raise, or skip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.model.errors import LostRace, Permanent, RetryLater
from shared.state.rows import ControlRow

if TYPE_CHECKING:
    from shared.clock import Clock
    from shared.state.ports import ControlTable

Document = Mapping[str, Any]
T = TypeVar("T")

TRIES = 8
"""Lost races in a row before the caller is told to come back later."""
PAUSE = 0.05
"""Seconds between two of them."""


class DamagedRow(Permanent):
    """A document that cannot be understood; only what needs it stops."""


class OnLostRace(Enum):
    """What it means that another worker was quicker."""

    AGAIN = auto()
    """Read, change and write again; raises RetryLater when that never ends."""
    RAISE = auto()
    """Raise LostRace."""
    SKIP = auto()
    """Leave it as the other one wrote it."""


async def read(table: ControlTable, name: str, parse: Callable[[Document], T], default: T) -> T:
    """What a document says; `default` where there is none. Raises DamagedRow."""
    row = await table.get(name)
    return default if row is None else understood(row, parse)


async def update(
    table: ControlTable,
    clock: Clock,
    name: str,
    change: Callable[[Document | None], Document | None],
    *,
    lost: OnLostRace = OnLostRace.AGAIN,
    mend: bool = False,
) -> None:
    """Store what `change` makes of the document; None, in and out, stands for no row. No write where it is the same.

    `mend`: a row that is damaged counts as none and is written over; else it raises DamagedRow.
    """
    for _ in range(TRIES):
        row = await table.get(name)
        after = change(None) if row is None else _result_of(row, change, mend=mend)
        if (row is None and after is None) or (row is not None and after is not None and after == row.document):
            return
        try:
            if after is not None:
                await table.put(ControlRow(name, after, row.etag if row else None))
            elif row is not None:
                await table.delete(row)
        except LostRace:
            if lost is OnLostRace.RAISE:
                raise
            if lost is OnLostRace.SKIP:
                return
            await clock.sleep(PAUSE)
        else:
            return
    raise RetryLater("Others keep changing this document.", on=name, after=5.0)


def understood(row: ControlRow, parse: Callable[[Document], T]) -> T:
    """What a row's document says; raises DamagedRow, which names the row and how to mend it."""
    try:
        if not isinstance(row.document, Mapping):
            raise TypeError  # noqa: TRY301 - one place makes the error
        return parse(row.document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRow(
            f"The row cannot be understood ({type(error).__name__}).",
            on=f"table control, {row.name}",
            next_step='Send POST /api/decisions {"decision": "take-over-row", "table": "control", '
            f'"row": "{row.name}"}}: what it says is made anew.',
        ) from error


def _result_of(row: ControlRow, change: Callable[[Document | None], Document | None], *, mend: bool) -> Document | None:
    try:
        return understood(row, change)
    except DamagedRow:
        if not mend:
            raise
        return change(None)
