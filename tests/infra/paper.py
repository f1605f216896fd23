"""Prints what a deployment makes of a set of choices, as JSON: `python -m tests.infra.paper [SET]`.

SET is a name of `paper_choices`, such as `default`, `function` or `none`; without one the names are printed. Nothing is
deployed: the templates are worked out on paper.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.infra.paper_azure import Azure
from tests.infra.paper_choices import CHOICES, deployed


def resources(azure: Azure) -> list[dict[str, Any]]:
    """Every resource that was made, by id, with what its template declares."""
    made = ((one, one.body) for one in azure.made.values() if one.body is not None)
    told = [{"id": one.id, "type": one.type, "apiVersion": one.api, "name": one.name, **body} for one, body in made]
    return sorted(told, key=lambda one: str(one["id"]).lower())


def main(words: list[str]) -> None:
    """Print the resources of the set that is named."""
    name = " ".join(words)
    if name not in CHOICES:
        listed = "\n  ".join(CHOICES)
        sys.exit(f"Usage: python -m tests.infra.paper SET\nThe sets of choices are:\n  {listed}")
    sys.stdout.write(json.dumps(resources(deployed(name)), indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
