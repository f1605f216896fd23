# ruff: noqa: INP001 - a script, not a package
"""Writes the files that list the settings, from the table in `shared.settings`: run it when a setting changes.

One function for each file gives its text anew; a test compares. Only these functions know the form of their file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.settings.description import Description

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ["| setting | default | parameter | what it is |", "|---|---|---|---|"]
CHOICES = ["| choice | default | parameter | what it is |", "|---|---|---|---|"]
FIRST_PARAMETER = "// -- of the environment\n\n"
FIRST_CHOICE = (
    "      # Every choice, so that none falls back to its default. A variable that is not set counts as not chosen.\n"
)
NEEDED = {"AZURE_ENV_NAME", "AZURE_LOCATION"}
BY_OTHERS = {
    "PRIVATE_ACCESS": "(readEnvironmentVariable('EVENT_DELIVERY', '') == 'none' ? 'true' : 'false')",
    "PRIVATE_ACCESS_ZONES": "(empty(readEnvironmentVariable('APP_SUBNET_ID', '')) ? 'true' : 'false')",
}
"""Choices that depend on another one where they are not made, as in the template."""
BY_HAND = {"EC_API_KEY", *NEEDED}
"""The key is in the vault; the workflow sets the other two beside its sign-in."""


def rows() -> tuple[Description, ...]:
    """The table of names."""
    sys.path.insert(0, str(ROOT))
    from shared.settings import table  # noqa: PLC0415 - found only with the path above

    return table()


def page(text: str) -> str:
    """`docs/settings.md`, with both of its tables made anew."""
    text = _with_table(text, SETTINGS, [one for one in rows() if one.group])
    return _with_table(text, CHOICES, [one for one in rows() if not one.group])


def _with_table(text: str, head: list[str], listed: list[Description]) -> str:
    lines = text.splitlines()
    start = lines.index(head[0])
    end = next(at for at in range(start, len(lines)) if not lines[at].startswith("|"))
    return "\n".join([*lines[:start], *head, *map(_row, listed), *lines[end:]]) + "\n"


def _row(one: Description) -> str:
    default = "**required**" if one.default is None else f"`{one.default}`" if one.default else "empty"
    return f"| `{one.name}` | {default} | {f'`{one.parameter}`' if one.deployed else ''} | {one.about} |"


def parameters(text: str) -> str:
    """`infra/main.bicepparam`: each parameter has the value of the variable of its name, or its default."""
    template = (ROOT / "infra" / "main.bicep").read_text(encoding="utf-8")
    types = dict(re.findall(r"^param (\w+) (\w+)", template, re.MULTILINE))
    given = "".join(_parameter(one, types[one.parameter]) for one in rows() if one.deployed)
    return text.partition(FIRST_PARAMETER)[0] + FIRST_PARAMETER + given


def _parameter(one: Description, kind: str) -> str:
    """One line of it. A variable that is set to nothing counts as not chosen: a workflow hands on all there are."""
    read = f"readEnvironmentVariable('{one.name}', '')"
    if one.name in NEEDED:
        read = f"readEnvironmentVariable('{one.name}')"
    elif one.default or one.name in BY_OTHERS:
        default = BY_OTHERS.get(one.name, f"'{one.default}'")
        read = f"empty({read}) ? {default} : {read}"
    # The compiler takes no int() for a parameter that allows certain numbers only, but what json() makes of a text.
    read = {"int": f"json({read})", "object": f"json({read})", "bool": f"bool({read})"}.get(kind, read)
    return f"param {one.parameter} = {read}\n"


def workflow(text: str) -> str:
    """`.github/workflows/deploy.yml`, with the list of the variables that it hands to azd made anew."""
    head, _, rest = text.partition(FIRST_CHOICE)
    names = [one.name for one in rows() if one.deployed and one.name not in BY_HAND]
    listed = "".join(f"      {name}: ${{{{ vars.{name} }}}}\n" for name in names)
    return head + FIRST_CHOICE + listed + rest[rest.index("    steps:\n") :]


FILES: dict[str, Callable[[str], str]] = {
    "docs/settings.md": page,
    "infra/main.bicepparam": parameters,
    ".github/workflows/deploy.yml": workflow,
}


def write() -> None:
    """Make every file anew."""
    for name, made in FILES.items():
        path = ROOT / name
        path.write_text(made(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
