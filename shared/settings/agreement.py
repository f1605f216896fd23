"""What settings must hold together, besides each for itself. Used by `load`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Something that must be true of some fields of `Settings`; the setting that is told to change, and to what."""

    setting: str
    expected: str
    fields: tuple[str, ...]
    holds: Callable[..., bool]


_AGREEMENTS = (
    _Agreement(
        "LEASE_SECONDS",
        "at least 20 seconds more than RUN_SECONDS",
        ("lease_seconds", "run_seconds"),
        lambda lease, run: lease >= run + 20,
    ),
    _Agreement(
        "RUN_SECONDS",
        "at least ARM_OPERATION_SECONDS, PROBE_SECONDS and REQUEST_TIMEOUT_SECONDS together",
        ("run_seconds", "arm_wait", "probe_seconds", "request_timeout"),
        lambda run, *longest: run >= sum(longest),
    ),
    _Agreement(
        "POLICY_LAG_SECONDS",
        "at least twice REQUEST_TIMEOUT_SECONDS",
        ("policy_lag", "request_timeout"),
        lambda lag, timeout: lag >= 2 * timeout,
    ),
    _Agreement(
        "WAIT_MAX_SECONDS",
        "no less than WAIT_FIRST_SECONDS",
        ("wait_max", "wait_first"),
        lambda longest, first: longest >= first,
    ),
)


def contradictions(values: Mapping[str, Any]) -> list[str]:
    """The agreements that are broken, as far as their settings are right for themselves; `values` are by field."""
    return [
        f"{one.setting}: expected {one.expected}, not {values[one.fields[0]]:g}"
        for one in _AGREEMENTS
        if all(field in values for field in one.fields) and not one.holds(*(values[field] for field in one.fields))
    ]
