"""The page's table of the guide's steps: each row names the module in which that step really is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
DOES = {
    "look up the service alias and zone name of the region": ["recognise"],
    "find the endpoint's private address": ["address_of"],
    "create the private DNS zone": ["plan_dns", "create_zone"],
    "link it to the virtual network": ["plan_dns", "create_link"],
    "add the `*` A record": ["plan_dns", "put_record"],
    "copy the endpoint's name and resource GUID": ["endpoint_of"],
    "create the private connection policy": ["plan_policy", "create_policy"],
    "wait for the approval": ["approved", "next_delay"],
    "associate the policy with the deployment or project": ["choose_targets", "_associate"],
    "edit the policy when the endpoint changes": ["plan_policy"],
    "disassociate the policy": ["plan_disassociation", "disassociate"],
    "claim the endpoint (optional)": ["plan_claim", "unclaim"],
    "delete it all, in the right order": ["plan_removal", "endpoint_missing", "apply_removal"],
    "test the connection with curl": ["probe", "diagnose"],
}
"""What is defined where a step is done: the page says in which module."""


def named_modules() -> dict[str, list[Path]]:
    """The Python modules, in the order of the table, that each row of it names; a folder stands for all in it."""
    table = PAGE.read_text(encoding="utf-8").split("| step of the guide |")[1].split("\n\n")[0]
    rows: dict[str, list[Path]] = {}
    above: list[Path] = []
    for step, code in re.findall(r"^\| ([^|]+) \|[^|]*\| ([^|]+) \|$", table, re.MULTILINE):
        linked = [PAGE.parent / target for target in re.findall(r"\]\(([^)]+)\)", code)]
        found = [module for path in linked for module in ([*path.rglob("*.py")] if path.is_dir() else [path])]
        above = rows[step] = found or above  # "the same two"
    return rows


def test_each_step_of_the_guide_is_done_in_the_modules_that_the_page_names() -> None:
    rows = named_modules()
    assert list(rows) == list(DOES)
    missing = {
        step: name
        for step, names in DOES.items()
        for name in names
        if not any(re.search(rf"\bdef {name}\(", module.read_text(encoding="utf-8")) for module in rows[step])
    }
    assert missing == {}
