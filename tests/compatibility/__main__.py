"""`python -m tests.compatibility`: write the files of this version anew, which every later version must read.

Until the first release they are made anew with each change of a form. The files of a version that has a tag are left as
they are: from then on files are only added, with the next version's number in version.txt.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import looptime

from shared.version import VERSION
from tests.compatibility.committed import write
from tests.compatibility.samples import forms
from tests.compatibility.state import left_behind, without_chance
from tests.walk.story import AtOnce

ROOT = Path(__file__).resolve().parents[2]


def is_released(version: str) -> bool:
    """Whether there is a tag of it."""
    listed = ["git", "tag", "--list", f"v{version}", version]
    return bool(subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip())  # noqa: S603 - our own command, no shell


def main() -> int:
    """Write them; 1 where they belong to a release."""
    if is_released(VERSION):
        sys.stderr.write(
            f"{VERSION} is released: its files stay. Give version.txt the next number; if what changed would be "
            "misread by that release, raise SCHEMA (record) or VERSION (message) too.\n"
        )
        return 1
    write("forms", forms())
    with asyncio.Runner(loop_factory=_virtual_loop) as runner:
        write("state", without_chance(runner.run(left_behind())))
    return 0


def _virtual_loop() -> asyncio.AbstractEventLoop:
    random.seed(0)  # the product spreads retries by it
    loop = looptime.new_event_loop(start=0)
    loop.set_default_executor(AtOnce())
    return loop


if __name__ == "__main__":
    sys.exit(main())
