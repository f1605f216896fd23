"""Finds resources of the templates whose API version is not the newest stable one that is at least 90 days old.

`python -m tests.infra.api_versions TYPES.JSON` needs Azure's type data, which lies outside of this repository;
`.ci/run` runs it where that is there. The public CI asks the compiler, whose rule `use-recent-api-versions` knows
only of two years.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.infra.shipped import INFRA

LEAST_AGE = timedelta(days=90)
EXCEPT = {"Microsoft.Insights/diagnosticSettings": "2021-05-01-preview"}
"""Its stable versions end in 2016, and know no groups of categories."""
USED = re.compile(r"'(Microsoft\.[\w./]+)@([\w-]+)'")


def used() -> dict[str, set[str]]:
    """The API versions that the templates name, by type."""
    found: dict[str, set[str]] = {}
    for path in sorted(INFRA.rglob("*.bicep")):
        for kind, version in USED.findall(path.read_text(encoding="utf-8")):
            found.setdefault(kind, set()).add(version)
    return found


def newest(versions: Mapping[str, Any], latest: str) -> str:
    """The newest stable one of a type's versions that is no later than this."""
    stable = [one for one in versions if re.fullmatch(r"\d{4}-\d{2}-\d{2}", one) and one <= latest]
    return max(stable, default="")


def outdated(types: Mapping[str, Mapping[str, Any]], latest: str) -> list[str]:
    """Each type that is used in another version, with the one to use."""
    known = {kind.lower(): versions for kind, versions in types.items()}
    wanted = {kind: EXCEPT.get(kind) or newest(known.get(kind.lower(), {}), latest) for kind in used()}
    return [
        f"{kind}: {', '.join(sorted(versions))} is used, {wanted[kind]} is the newest stable version"
        for kind, versions in used().items()
        if versions != {wanted[kind]}
    ]


def main(types: str) -> None:
    """Compare with the type data."""
    latest = (datetime.now(UTC) - LEAST_AGE).date().isoformat()
    found = outdated(json.loads(Path(types).read_text(encoding="utf-8"))["resources"], latest)
    sys.stdout.write(
        "".join(f"{line}\n" for line in found) or f"{len(used())} types, each in its newest stable version\n"
    )
    sys.exit(bool(found))


if __name__ == "__main__":
    main(sys.argv[1])
