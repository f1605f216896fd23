"""Writes a parameter file for every set of choices: `python -m tests.infra.parameter_files FOLDER`; for `.ci/run`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.infra.paper_choices import AT_GROUP, CHOICES, deployments
from tests.infra.shipped import INFRA
from tests.infra.snapshots import parameter_file


def write(folder: Path) -> list[Path]:
    """The files, one for each template that a set of choices deploys."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for choice in CHOICES:
        for template, given in deployments(choice):
            name = re.sub(r"\W+", "-", choice)
            file = folder / f"{name}.{template}param"
            file.write_text(parameter_file(INFRA / template, given, folder), encoding="utf-8")
            made.append(file)
    at_group = folder / "at-a-management-group.bicepparam"
    at_group.write_text(parameter_file(INFRA / "management-group.bicep", AT_GROUP, folder), encoding="utf-8")
    return [*made, at_group]


if __name__ == "__main__":
    write(Path(sys.argv[1]).resolve())
