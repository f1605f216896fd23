"""The loop stands on one screen, and an event on its way to Ready enters few modules."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

from shared.reconciler.loop import reconcile_once

ROOT = Path(__file__).resolve().parents[2]
SCREEN = 40
ROOMS = 50
"""A room more is a reason to look for two that are one concept, or for one that this way does not need."""


def test_one_run_stands_on_one_screen() -> None:
    assert len(inspect.getsource(reconcile_once).splitlines()) <= SCREEN


def test_an_event_that_the_queue_delivers_enters_few_modules_on_its_way_to_ready() -> None:
    """In a process of its own: a profile would slow every other test, and asks what nothing else has loaded."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, str(ROOT / "benchmarks" / "rooms.py")], capture_output=True, text=True, check=True, timeout=120
    )
    total = done.stdout.splitlines()[-1]
    assert int(total.split()[0]) <= ROOMS, done.stdout
