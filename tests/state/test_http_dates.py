"""A `Date` header is an instant or nothing; no text in its place raises an error."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.clock import http_date


def test_a_date_is_an_instant() -> None:
    assert http_date("Wed, 04 Mar 2026 05:06:07 GMT") == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "Wed, 04 Mar 99999 05:06:07 GMT",
        "Wed, 04 Mar 99999999999999999999999 05:06:07 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Wed, 04 Mar 2026 05:06:07",
        "Wed, 04 Mar 2026 05:06:07 +99999999999",
        "2026-03-04T05:06:07Z",
        "\x00",
        "1" * 5000,
    ],
)
def test_what_is_no_sensible_date_is_none_and_raises_nothing(text: str | None) -> None:
    assert http_date(text) is None
