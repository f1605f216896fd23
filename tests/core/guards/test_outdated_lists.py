"""A target's row remembers a list's version that its service no longer lets be changed: for as long as lists lag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core.guards.first_and_last_policy import (
    LIST_LAGS,
    OutdatedList,
    PolicyNote,
    TargetReading,
    document_of,
    notes_in,
    outdated_in,
)

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOTES = {"p-1": PolicyNote(delete_until=NOW)}


def reading(at: datetime) -> TargetReading:
    return TargetReading(at, timedelta(seconds=720), NOTES, OutdatedList('"v-1"', NOW))


def test_that_version_is_outdated_while_lists_may_lag_and_no_other_is() -> None:
    last = NOW + LIST_LAGS - SECOND
    assert reading(NOW).is_outdated('"v-1"')
    assert reading(last).is_outdated('"v-1"')
    assert not reading(last + SECOND).is_outdated('"v-1"'), "an ETag of the content alone comes back with the content"
    assert not reading(NOW).is_outdated('"v-2"')
    assert not TargetReading(NOW, SECOND).is_outdated("")


def test_the_row_tells_it_to_every_worker_beside_the_notes() -> None:
    document = document_of(reading(NOW), {})
    assert notes_in(document, NOW) == NOTES
    assert outdated_in(document, NOW) == OutdatedList('"v-1"', NOW)
    assert outdated_in(document_of(reading(NOW + LIST_LAGS), document), NOW) is None
    assert outdated_in({}, NOW) is None


@pytest.mark.parametrize(
    "entry",
    [
        {"version": "v"},
        {"since": NOW.isoformat()},
        {"version": "v", "since": "soon"},
        {"version": "v", "since": "9999-01-01T00:00:00+00:00"},
        "v",
        [1],
    ],
)
def test_a_damaged_one_is_an_error_and_not_an_eternity(entry: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        outdated_in({"outdated": entry}, NOW)
