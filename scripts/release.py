# ruff: noqa: INP001 - a script, not a package
"""What a release needs beside its package: the README's button, and what the branch `releases` serves for a version.

    python scripts/release.py button [--repository OWNER/NAME]      before the tag: writes the README's button
    python scripts/release.py check --repository OWNER/NAME         whether it is this version's, of that repository
    python scripts/release.py files --repository OWNER/NAME         needs dist/main.json, the compiled infra/main.bicep

Without `--repository` it is the one on GitHub that git's remote `origin` names. The template of a release deploys that
release's package, so that the button, or `az deployment sub create --template-uri`, needs no clone and no second step.
The release workflow runs `check`, which refuses a tag whose button leads elsewhere, and `files`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
VERSION = (ROOT / "version.txt").read_text(encoding="utf-8").strip()
FORM = "createUiDefinition.json"
TEMPLATE = "azuredeploy.json"
BUTTON = re.compile(r"^\[!\[Deploy to Azure\]\S+ ?\S*$", re.MULTILINE)
ON_GITHUB = re.compile(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


def package_url(repository: str) -> str:
    """Where the package of this version is: a file of the release."""
    return f"https://github.com/{repository}/releases/download/v{VERSION}/autopilot.zip"


def raw_url(repository: str, file: str) -> str:
    """Where the portal's page in the browser may read a file of this version."""
    return f"https://raw.githubusercontent.com/{repository}/releases/v{VERSION}/{file}"


def button(repository: str) -> str:
    """The line that shows the button and leads to the portal's form."""
    template, form = (quote(raw_url(repository, file), safe="") for file in (TEMPLATE, FORM))
    portal = f"https://portal.azure.com/#create/Microsoft.Template/uri/{template}/createUIDefinitionUri/{form}"
    return f"[![Deploy to Azure](https://aka.ms/deploytoazurebutton)]({portal})"


def with_button(readme: str, repository: str) -> str:
    """The README with the button of this version and that repository."""
    return BUTTON.sub(lambda _: button(repository), readme)


def page(repository: str) -> str:
    """What GitHub shows above the files of this version."""
    return f"""# Private Link Autopilot {VERSION}

{button(repository)}

Or with Azure CLI, without a clone:

```sh
az deployment sub create --name autopilot-production --location eastus2 \\
  --template-uri {raw_url(repository, TEMPLATE)} \\
  --parameters environmentName=production location=eastus2
```

[What comes before and after](https://github.com/{repository}/blob/v{VERSION}/docs/deploy-by-hand.md#from-a-release-without-a-clone)
· [package, checksums, bill of materials](https://github.com/{repository}/releases/tag/v{VERSION})
"""


def template(compiled: dict[str, Any], repository: str) -> dict[str, Any]:
    """The compiled template, which deploys the package of this version unless told otherwise."""
    given = compiled["parameters"]["packageUrl"]
    return compiled | {
        "parameters": compiled["parameters"] | {"packageUrl": given | {"defaultValue": package_url(repository)}}
    }


def write_files(repository: str, compiled: Path, output: Path) -> None:
    """The folder of this version on the branch `releases`."""
    folder = output / f"v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    made = template(json.loads(compiled.read_text(encoding="utf-8")), repository)
    (folder / TEMPLATE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    (folder / FORM).write_bytes((ROOT / "infra" / FORM).read_bytes())
    (folder / "README.md").write_text(page(repository), encoding="utf-8")


def origin(folder: Path = ROOT) -> str:
    """OWNER/NAME of the repository that this clone came from."""
    command = ["git", "-C", str(folder), "remote", "get-url", "origin"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - a fixed git command
    found = ON_GITHUB.search(answer.stdout.strip())
    if found is None:
        told = answer.stdout.strip() or answer.stderr.strip()
        sys.exit(f"git's remote origin is no repository of GitHub ({told}): name it with --repository OWNER/NAME.")
    return found[1]


def main() -> None:
    """Write or compare the button, or write the folder of this version."""
    parser = argparse.ArgumentParser(description="The README's button, and what the branch `releases` serves.")
    parser.add_argument("what", choices=["button", "check", "files"])
    parser.add_argument("--repository", default="", help="OWNER/NAME")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    parser.add_argument("--compiled", type=Path, default=ROOT / "dist" / "main.json")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "releases")
    asked = parser.parse_args()
    repository = asked.repository or origin()
    if asked.what == "files":
        write_files(repository, asked.compiled, asked.output)
        return
    readme = asked.readme.read_text(encoding="utf-8")
    wanted = with_button(readme, repository)
    if asked.what == "button":
        asked.readme.write_text(wanted, encoding="utf-8")
    elif readme != wanted or not BUTTON.search(readme):
        sys.exit(f"The README's button is not that of v{VERSION} of {repository}: scripts/release.py button writes it.")


if __name__ == "__main__":
    main()
