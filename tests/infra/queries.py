"""Every query that is shipped: of the alerts, of the workbook, and those that the pages for operators show."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from operator import gt, lt

from tests.infra.log_analytics import Workspace
from tests.infra.shipped import INFRA, ROOT, bicep, load

ALERTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((INFRA / "queries").glob("*.kql"))}
WORKBOOK = {item["name"]: item["content"]["query"] for item in load("workbook.json")["items"] if item["type"] == 3}
QUERIES = ALERTS | {f"workbook {name}": query for name, query in WORKBOOK.items()}
OF_METRICS = {name: query for name, query in QUERIES.items() if query.startswith("AppMetrics")}
OF_LINES = {name: query for name, query in QUERIES.items() if name not in OF_METRICS}
PAGES = {
    f"{page.name} {number}": line
    for page in sorted((ROOT / "docs").glob("*.md"))
    for block in re.findall(r"^```kusto\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    for number, line in enumerate(block.splitlines())
}


@dataclass(frozen=True)
class Rule:
    """An alert rule as alerts.bicep has it: rows of a query in a window, counted against a threshold."""

    name: str
    operator: str
    threshold: int
    window: timedelta
    frequency: timedelta
    dimensions: tuple[str, ...]
    """Columns by which the rows are told apart; each combination of their values rings by itself."""

    def ringing(self, workspace: Workspace, now: datetime) -> set[tuple[str, ...]]:
        """What rings when Azure Monitor evaluates the rule now: values of the dimensions; `()` where it has none."""
        rows = workspace.rows(ALERTS[self.name], now - self.window, now)
        counts = Counter(tuple(str(row[name]) for name in self.dimensions) for row in rows)
        if not self.dimensions:
            counts.setdefault((), 0)  # no rows are a count, too
        met = {"GreaterThan": gt, "LessThan": lt}[self.operator]
        return {one for one, count in counts.items() if met(count, self.threshold)}


@cache
def rules() -> dict[str, Rule]:
    """The rules by name."""
    (text,) = re.findall(r"^var rules = \[\n(.*?)^\]", bicep("app/alerts.bicep"), re.DOTALL | re.MULTILINE)
    (sweep_window,) = re.findall(r"^param sweepWindow string = '(\w+)'", bicep("main.bicep"), re.MULTILINE)
    found = {}
    for block in re.findall(r"^  \{\n(.*?)^  \}", text, re.DOTALL | re.MULTILINE):
        field = dict(re.findall(r"^    (\w+): (.+)$", block, re.MULTILINE))
        name = field["name"].strip("'")
        assert field["query"] == f"loadTextContent('../queries/{name}.kql')"
        window = sweep_window if field["window"] == "sweepWindow" else field["window"]
        found[name] = Rule(
            name,
            field["operator"].strip("'"),
            int(field["threshold"]),
            duration(window),
            duration(field["frequency"]),
            tuple(re.findall(r"'(\w+)'", field["dimensions"])),
        )
    return found


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of hours or minutes."""
    match = re.fullmatch(r"'?PT(\d+)([HM])'?", text)
    assert match is not None, text
    return timedelta(**{"hours" if match[2] == "H" else "minutes": int(match[1])})
