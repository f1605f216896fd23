"""Schedules: what the Functions host would refuse is refused before it costs the app its timer."""

from __future__ import annotations

import pytest

from shared.settings.schedule import is_schedule


@pytest.mark.parametrize(
    "text",
    [
        "0 */5 * * * *",
        "*/20 * * * * *",
        "0 0 9-17 * * 1-5",
        "0 30 9 1,15 jan,JUL mon-fri",
        "0 0 0 1 1 0",
        "5/15 * * * * *",
    ],
)
def test_what_the_host_understands_is_a_schedule(text: str) -> None:
    assert is_schedule(text)


@pytest.mark.parametrize(
    "text",
    ["", "* * * * *", "a b c d e f", "60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 0 0 1 13 *",
     "0 0 0 1 1 7", "0 */0 * * * *", "0 0 0 mon * *", "0 0 0 * * jan", "* * * * * * *",
     "1- * * * * *", "*,, * * * * *", "-1 * * * * *"],
)  # fmt: skip
def test_what_the_host_would_refuse_is_none(text: str) -> None:
    assert not is_schedule(text)
