"""Compares what Microsoft's evaluator makes of the templates with the deployment on paper, for every set of choices.

`python -m tests.infra.snapshots` needs the Bicep CLI on the path, and asks no Azure. What only a deployment knows is an
expression in brackets there, and is not compared; names that are hashes differ, and count as equal.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.infra.paper import resources
from tests.infra.paper_choices import CHOICES, HOME, deployed, deployments
from tests.infra.shipped import INFRA

BICEP = shutil.which("bicep")
COMPARED = ("location", "kind", "sku", "identity", "tags", "properties")
HASHES = re.compile(
    r"(?!00000000-)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"  # by guid()
    r"|\b(?:st)?(?=[a-z0-9]*\d)[a-z0-9]{13}\b",  # by uniqueString()
    re.IGNORECASE,
)
"""Names that are hashes; the ids that the tests make up are none."""


def parameter_file(template: Path, values: Mapping[str, Any], folder: Path) -> str:
    """The text of a parameter file in this folder that gives a template these values."""
    given = "".join(f"param {name} = {_literal(value)}\n" for name, value in values.items())
    return f"using '{Path(os.path.relpath(template, folder)).as_posix()}'\n\n{given}"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
        return f"'{escaped}'"
    if isinstance(value, dict):
        return "{\n" + "".join(f"  {name}: {_literal(one)}\n" for name, one in value.items()) + "}"
    return json.dumps(value)


def snapshot(template: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the Bicep CLI predicts of a deployment to the subscription of the app."""
    assert BICEP is not None
    with tempfile.TemporaryDirectory() as made:
        # Not behind a link, as a temporary folder may be: the template is named by the way from here.
        folder = Path(made).resolve()
        file = folder / "main.bicepparam"
        file.write_text(parameter_file(INFRA / template, values, folder), encoding="utf-8")
        asked = ("--mode", "overwrite", "--subscription-id", HOME, "--location", "eastus2")
        answer = subprocess.run(  # noqa: S603 - the Bicep CLI
            [BICEP, "snapshot", str(file), *asked], check=False, capture_output=True, text=True
        )
        assert answer.returncode == 0, answer.stderr
        told = json.loads(file.with_suffix(".snapshot.json").read_text(encoding="utf-8"))
        assert not [one for one in told["diagnostics"] if " Error " in one], told["diagnostics"]
        return [one for one in told["predictedResources"] if one["type"] != "Microsoft.Resources/deployments"]


def compare(choice: str) -> list[str]:
    """In what Microsoft's evaluator and the deployment on paper differ, of a set of choices."""
    predicted = [one for template, values in deployments(choice) for one in snapshot(template, values)]
    return differences(predicted, resources(deployed(choice)))


def differences(predicted: list[dict[str, Any]], paper: list[dict[str, Any]]) -> list[str]:
    """In what two lists of resources differ: how many of each kind, their ids, and what is written in each."""
    theirs, ours = (Counter(f"{one['type']}@{one['apiVersion']}" for one in made) for made in (predicted, paper))
    found = [f"{kind}: {theirs[kind]} by Bicep, {ours[kind]} on paper" for kind in sorted(theirs | ours)]
    found = [line for line in found if not re.search(r": (\d+) by Bicep, \1 on", line)]
    known = Counter(masked(one["id"]) for one in paper)
    by_id = {masked(one["id"]): one for one in paper if known[masked(one["id"])] == 1}
    for one in (one for one in predicted if not _is_expression(one["id"])):
        id_ = masked(one["id"])
        if id_ not in known:
            found.append(f"not on paper: {one['id']}")
        elif id_ in by_id:
            wanted = {name: by_id[id_].get(name) for name in COMPARED}
            found += _unequal({name: one.get(name) for name in COMPARED}, wanted, id_)
    return found


def _unequal(theirs: Any, ours: Any, at: str) -> Iterator[str]:
    """Each place below `at` where both are written out, and not the same."""
    if _is_expression(theirs):
        return
    if isinstance(theirs, dict) and isinstance(ours, dict):
        left, right = ({masked(name): one for name, one in side.items() if one is not None} for side in (theirs, ours))
        if any(_is_expression(name) for name in theirs):
            return
        for name in sorted(left | right):
            yield from _unequal(left.get(name), right.get(name), f"{at} {name}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for number, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from _unequal(one, other, f"{at} {number}")
    elif masked(json.dumps(theirs)) != masked(json.dumps(ours)):
        yield f"{at}: {theirs!r} by Bicep, {ours!r} on paper"


def masked(text: str) -> str:
    """A text in lower case, its hashes alike."""
    return HASHES.sub("<hash>", text).lower()


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("[") and value.endswith("]") and not value.startswith("[[")


def main() -> None:
    """Compare every set of choices."""
    if BICEP is None:
        sys.exit("The Bicep CLI is not on the path: `az bicep install`, then add ~/.azure/bin.")
    found = {choice: compare(choice) for choice in CHOICES}
    for choice, lines in found.items():
        sys.stdout.write(f"{choice}: {'the same' if not lines else ''}\n" + "".join(f"  {line}\n" for line in lines))
    sys.exit(any(found.values()))


if __name__ == "__main__":
    main()
