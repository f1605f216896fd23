"""The list of connections as a table for spreadsheets. Called by the HTTP trigger of the list; pure.

A cell that begins as a formula does is text: names and messages hold what others wrote.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = (
    "name", "phase", "reason", "message", "nextStep", "since", "region", "family", "targets", "address", "vnetId",
    "subscription", "testedAt", "latencyMs", "repairedToday", "mode", "endpointId", "id",
)  # fmt: skip
"""As the list's own fields, the names of targets in one cell."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(items: Iterable[Mapping[str, Any]]) -> str:
    """Rows of the list under a row of names (RFC 4180)."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(COLUMNS)
    for item in items:
        shown = {**item, "targets": ", ".join(target["name"] or target["id"] for target in item["targets"])}
        writer.writerow([_cell(shown[name]) for name in COLUMNS])
    return page.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
