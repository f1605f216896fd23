"""What settings must hold together, besides each for itself. Used by `load`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Something that must be true of some settings; the first is the one to change, and `expected` says to what."""

    settings: tuple[str, ...]
    expected: str
    holds: Callable[..., bool]


LONGEST_LAG = 720
"""Seconds: a write may land 600 s after its client gave up, and lists and enforcement are up to 120 s behind."""


_AGREEMENTS = (
    _Agreement(
        ("RUN_SECONDS", "ARM_OPERATION_SECONDS", "PROBE_SECONDS", "REQUEST_TIMEOUT_SECONDS"),
        "at least ARM_OPERATION_SECONDS, PROBE_SECONDS and REQUEST_TIMEOUT_SECONDS together",
        lambda run, *longest: run >= sum(longest),
    ),
    _Agreement(
        ("LAG_SECONDS", "SHORT_LAG_ALLOWED"),
        f"at least {LONGEST_LAG}, which is how late a request may land and show, unless SHORT_LAG_ALLOWED is true",
        lambda lag, short: lag >= LONGEST_LAG or short,
    ),
    _Agreement(
        ("POLICY_SEARCH_SECONDS", "LAG_SECONDS"),
        "no less than LAG_SECONDS",
        lambda search, lag: search >= lag,
    ),
    _Agreement(
        ("WAIT_MAX_SECONDS", "WAIT_FIRST_SECONDS"),
        "no less than WAIT_FIRST_SECONDS",
        lambda longest, first: longest >= first,
    ),
)


def contradictions(values: Mapping[str, Any]) -> list[str]:
    """The agreements that are broken, as far as their settings are right for themselves; `values` are by setting."""
    return [
        f"{one.settings[0]}: expected {one.expected}, not {values[one.settings[0]]:g}"
        for one in _AGREEMENTS
        if all(name in values for name in one.settings) and not one.holds(*(values[name] for name in one.settings))
    ]
