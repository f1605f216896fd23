"""NCRONTAB schedules of the Functions timer: is one valid? Pure; used by `settings` and where the timer is declared.

A schedule that the host refuses would leave the app without its timer, so it is judged here first. Reference:
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions.
"""

from __future__ import annotations

import re

FIELDS = "second minute hour day month day-of-week"
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"^(?:\*|(?P<low>[0-9a-z]{1,3})(?:-(?P<high>[0-9a-z]{1,3}))?)(?:/(?P<step>[1-9][0-9]?))?$")


def is_schedule(text: str) -> bool:
    """Whether `text` has six fields that the host understands."""
    fields = text.lower().split()
    return len(fields) == len(_RANGES) and all(
        _is_field(field, low, high, names)
        for field, (low, high), names in zip(fields, _RANGES, ((), (), (), (), _NAMES, _DAYS), strict=True)
    )


def _is_field(field: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    return all(_is_item(item, low, high, names) for item in field.split(","))


def _is_item(item: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    found = _ITEM.match(item)
    if found is None:
        return False
    values = [found[name] for name in ("low", "high") if found[name] is not None]
    return all(value in names or (value.isdigit() and low <= int(value) <= high) for value in values)
