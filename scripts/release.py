# ruff: noqa: INP001 - a script, not a package
"""Writes what the branch `releases` serves for a version: the compiled template, and the portal's form for it.

    python scripts/release.py --repository OWNER/NAME      needs dist/main.json, the compiled infra/main.bicep

The template of a release deploys that release's package, so that the button, or `az deployment sub create
--template-uri`, needs no clone and no second step. The release workflow runs this.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VERSION = (ROOT / "version.txt").read_text(encoding="utf-8").strip()
FORM = "createUiDefinition.json"
TEMPLATE = "azuredeploy.json"


def package_url(repository: str) -> str:
    """Where the package of this version is: a file of the release."""
    return f"https://github.com/{repository}/releases/download/v{VERSION}/autopilot.zip"


def raw_url(repository: str, file: str) -> str:
    """Where the portal's page in the browser may read a file of this version."""
    return f"https://raw.githubusercontent.com/{repository}/releases/v{VERSION}/{file}"


def template(compiled: dict[str, Any], repository: str) -> dict[str, Any]:
    """The compiled template, which deploys the package of this version unless told otherwise."""
    given = compiled["parameters"]["packageUrl"]
    return compiled | {
        "parameters": compiled["parameters"] | {"packageUrl": given | {"defaultValue": package_url(repository)}}
    }


def main() -> None:
    """Write the folder of this version."""
    parser = argparse.ArgumentParser(description="Write what the branch `releases` serves.")
    parser.add_argument("--repository", required=True, help="OWNER/NAME")
    parser.add_argument("--compiled", type=Path, default=ROOT / "dist" / "main.json")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "releases")
    asked = parser.parse_args()
    folder = asked.output / f"v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    compiled = json.loads(asked.compiled.read_text(encoding="utf-8"))
    made = json.dumps(template(compiled, asked.repository), indent=2) + "\n"
    (folder / TEMPLATE).write_text(made, encoding="utf-8")
    (folder / FORM).write_bytes((ROOT / "infra" / FORM).read_bytes())


if __name__ == "__main__":
    main()
