"""The pages' commands for the local clouds, run as they are pasted: each block in a shell, line by line.

What a page asks for before (the story's endpoint) is made first; what its lines leave broken is mended after them.
Those of Azure CLI are in `test_azure_cli`, of the networks in `test_networks`, of `make run` in `test_story`.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from e2e_instance import READY_SECONDS, ROOT, Instance, put_endpoint, ready

from local.cli.client import LocalClient

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-commands")]
LOCAL = ".venv/bin/python -m local"


@dataclass(frozen=True)
class Block:
    """A block of a page: what begins its first line, what it needs, and the switches as they stood before."""

    page: str
    begins: str
    before: tuple[str, ...] = ()
    switches: Mapping[str, Any] = field(default_factory=dict)


BLOCKS = (
    Block("README.md", f"{LOCAL} status", (f"{LOCAL} connect eastus2 --name pe-story",)),
    Block("docs/local-states.md", "group="),
    Block("docs/local.md", "e() {"),
    Block(
        "docs/local.md",
        f"{LOCAL} switch ",
        switches={
            "elastic.outage": None,
            "elastic.create_lag_seconds": 0,
            "events.duplicate": False,
            "arm.not_found_after_create_seconds": 0,
        },
    ),
    Block("docs/local-serverless.md", f"{LOCAL} connect"),
    Block("docs/local.md", f"{LOCAL} vault set", switches={"vault.app_may_read": True}),
)


def shell_of(page: Path) -> list[str]:
    """The page's blocks of commands."""
    return re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def lines_of(block: Block) -> list[str]:
    """The lines of the one block of the page that begins so; a command that goes on is one line."""
    (found,) = [one for one in shell_of(ROOT / block.page) if one.startswith(block.begins)]
    return [line for line in found.replace("\\\n", " ").splitlines() if line.strip()]


def refused(line: str) -> bool:
    """Whether the page says that the line ends in a refusal."""
    return " connect " in line and "# refused" in line


@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: f"{one.page} {one.begins}")
async def test_a_block_of_a_page_does_what_it_says_line_by_line(
    instance: Instance, client: LocalClient, tmp_path: Path, block: Block
) -> None:
    (tmp_path / ".local").symlink_to(instance.endpoints["folder"])
    (tmp_path / ".venv").symlink_to(sys.prefix)
    lines = lines_of(block)
    script = "\n".join(f'{line}\necho "[[$?]]"' for line in (*block.before, *lines))
    program = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(program.communicate(), 2 * READY_SECONDS)
    if block.switches:
        await client.backstage("switches", **block.switches)
        await ready(client, await put_endpoint(client, "pe-after", "eastus2"))  # for who comes next
    ends = [int(one) for one in re.findall(r"^.*\[\[(\d+)\]\]$", output.decode(), re.MULTILINE)]
    expected = [0 for _ in block.before] + [int(refused(line)) for line in lines]
    assert ends == expected, output.decode()


def test_every_command_for_the_local_clouds_is_in_a_block_that_a_test_runs() -> None:
    tested = {(one.page, line) for one in BLOCKS for line in lines_of(one)}
    elsewhere = re.compile(
        r"az |export |make |" + re.escape(LOCAL) + r" (network|setting|connect australiaeast|status)"
    )
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("local*.md"))):
        name = page.relative_to(ROOT).as_posix()
        lines = (line for block in shell_of(page) for line in block.replace("\\\n", " ").splitlines())
        assert [line for line in lines if not elsewhere.match(line) and (name, line) not in tested and line] == []
