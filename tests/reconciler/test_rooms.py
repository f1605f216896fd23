"""The loop stands on one screen."""

from __future__ import annotations

import inspect

from shared.reconciler.loop import reconcile_once

SCREEN = 40


def test_one_run_stands_on_one_screen() -> None:
    assert len(inspect.getsource(reconcile_once).splitlines()) <= SCREEN
