"""Holds every set of choices to the refusals by Azure Policy that are accepted: neither more nor fewer.

`python -m tests.infra.policies POLICY_CHECK.PY` needs the tool that evaluates the definitions, which lies outside of
this repository; `.ci/run` runs it where that is there.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

from tests.infra.paper import resources
from tests.infra.paper_choices import ALL_PRIVATE, CHOICES, deployed, deployed_at_group
from tests.infra.shipped import load_list

ACCEPTED = Path(__file__).parent / "accepted_refusals.txt"
AT_GROUP = "at a management group"
"""Roles and assignments alone, none of which a definition refuses."""
MOST = {"default": 18, ALL_PRIVATE: 7}
"""How many refusals a set of choices may have at most."""
NEVER_REFUSING = (
    *("Deny-PublicPaaSEndpoints", "Enforce-Guardrails-Storage", "Enforce-Guardrails-Network"),
    *("Enforce-Guardrails-KeyVault", "Enforce-Guardrails-AppServices", "Enforce-EncryptTransit"),
)
"""Initiatives of landing zones, none of which refuses a set without events; their names may end in a date."""
WITHOUT_EVENTS = ("none", ALL_PRIVATE)


def accepted() -> dict[str, set[str]]:
    """Ids of definitions, by when they refuse."""
    found: dict[str, set[str]] = {}
    for line in ACCEPTED.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            ids = found.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            ids.add(line.split()[0])
    return found


def whens(chosen: dict[str, Any]) -> set[str]:
    """Which headings of the file hold for a set of choices."""
    delivery = chosen.get("eventDelivery", "queue")
    private = chosen.get("privateAccess", delivery == "none")
    writes = delivery != "none" and chosen.get("topicIdentityEnabled", True)
    makes_zones = (
        chosen.get("privateAccessZones", "appSubnetId" not in chosen) and "privateAccessZoneGroup" not in chosen
    )
    hardening = dict.fromkeys(load_list("hardening.json"), True) | chosen.get("hardening", {})
    if "appSubnetId" in chosen:
        hardening["privateSubnets"] = True  # no subnet is made
    holds = {
        "always": True,
        "without privateLinkScopeId": "privateLinkScopeId" not in chosen,
        "without privateAccess": not private,
        "without privateAccess, or with delivery to the function": not private or delivery == "function",
        "without privateAccess, or with topics that write to storage": not private or writes,
        "with zones that are made for private endpoints": private and makes_zones,
        "without zoneRedundancy": not chosen.get("zoneRedundancy", False),
    }
    return {when for when, one in holds.items() if one} | {
        f"without {part}" for part, is_set in hardening.items() if not is_set
    }


def expected(chosen: dict[str, Any]) -> set[str]:
    """The definitions whose refusal of a set of choices is accepted."""
    by_when = accepted()
    return {one for when in whens(chosen) for one in by_when[when]}


def differences(choice: str, refused: set[str], sets: dict[str, list[str]]) -> list[str]:
    """In what the refusals of a set of choices differ from what is accepted and promised."""
    wanted = expected(CHOICES[choice]) if choice in CHOICES else set()
    found = [f"refused, and not accepted: {one}" for one in sorted(refused - wanted)]
    found += [f"accepted, and not refused: {one}" for one in sorted(wanted - refused)]
    if len(refused) > MOST.get(choice, len(refused)):
        found.append(f"{len(refused)} refusals, at most {MOST[choice]} are promised")
    if choice in WITHOUT_EVENTS:
        denied = [(one, of) for one in sorted(refused) for of in sets[one] if of.startswith(NEVER_REFUSING)]
        found += [f"refused by {of}: {one}" for one, of in denied]
    return found


def main(tool: str) -> None:
    """Evaluate every set of choices."""
    check = runpy.run_path(tool)
    definitions = json.loads(check["DEFINITIONS"].read_text(encoding="utf-8"))
    sets: dict[str, list[str]] = {one["id"]: one.get("deniedBy", []) for one in definitions}
    failed = False
    made = {choice: deployed(choice) for choice in CHOICES} | {AT_GROUP: deployed_at_group()[0]}
    for choice, azure in made.items():
        refused, _ = check["refusals"](resources(azure), definitions)
        lines = differences(choice, set(refused), sets)
        failed |= bool(lines)
        sys.stdout.write(f"{choice}: {len(refused)} of {len(sets)}\n" + "".join(f"  {line}\n" for line in lines))
    sys.exit(failed)


if __name__ == "__main__":
    main(sys.argv[1])
