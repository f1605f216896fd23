"""A verdict changes only when it is seen again: one lost packet is no news. Pure; called by `shared.health`, per name.

Three rules. The first verdict counts at once, so that nothing is called Ready untested. A good one counts at once too:
a whole request was answered, which no accident imitates. Anything else counts after `needed` results in a row unlike
what stands, the latest of them; results that taught nothing (`unknown`) and real failures are counted apart, so that
neither is mistaken for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from shared.core.diagnosis.evidence import Verdict

HISTORY = 10
"""Results of each name that are kept: twice the most that the setting can ask for."""


def outcome(verdict: Verdict) -> str:
    """A result in short, as it is kept."""
    return f"{verdict.status} {verdict.reason}"


def history(before: Sequence[str], latest: Verdict) -> tuple[str, ...]:
    """The results to keep, newest first."""
    return (outcome(latest), *before)[:HISTORY]


def settle(standing: Verdict | None, recent: Sequence[str], needed: int) -> bool:
    """Whether the newest of `recent` counts now, in place of `standing`; None: nothing stood before."""
    if standing is None:
        return True
    newest, stood = recent[0], outcome(standing)
    if newest == stood or newest.startswith("healthy "):
        return True
    unlike = takewhile(lambda result: result != stood, recent)
    return sum(_taught(result) == _taught(newest) for result in unlike) >= needed


def _taught(result: str) -> bool:
    return not result.startswith("unknown ")
