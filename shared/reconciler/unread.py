"""A branch that cannot read: what stands meanwhile, and how long the service is left alone. Used by `branches`."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.core.model.errors import Throttled
from shared.core.planning.stale import is_passing
from shared.reconciler.run_state import Failures, Run


def certain(run: Run, unread: Failures) -> Failures:
    """What failed reads tell for certain; of the others, what was known before stands for a while (`core.unread`)."""
    passing = {name: error for name, error in unread.items() if is_passing(error) and not run.changed}
    run.unread |= passing
    return {name: error for name, error in unread.items() if name not in passing}


def left_alone(run: Run, service: str, until: datetime | None) -> Throttled | None:
    """The error of a service that asked not to be called yet; the run comes back when it may be. None: now it may."""
    if until is None or (left := (until - run.context.clock.now()).total_seconds()) <= 0:
        return None
    return Throttled(f"{service} asked not to be called before {until:%Y-%m-%d %H:%M:%S} UTC.", after=left)


def dns_failed(run: Run, failures: Failures) -> Failures:
    """Remember how long Azure asked that private DNS be left alone: its budget is small, and many share it."""
    run.connection = run.connection.with_dns(not_before=_asked_until(run, failures))
    return failures


def elastic_failed(run: Run, failures: Failures) -> Failures:
    """Remember how long Elastic Cloud asked to be left alone, so that looking at DNS does not disturb it."""
    run.connection = run.connection.with_elastic(not_before=_asked_until(run, failures))
    return failures


def _asked_until(run: Run, failures: Failures) -> datetime | None:
    waits = [error.after for error in failures.values() if isinstance(error, Throttled)]
    return run.context.clock.now() + timedelta(seconds=max(waits)) if waits else None
