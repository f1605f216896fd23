"""What a service says of a refusal holds no credential of ours, and is one line."""

from __future__ import annotations

import json

import pytest

from shared.clouds.azure.errors import classify
from shared.clouds.azure.refusals import read_refusal
from shared.clouds.elastic.errors import elastic_error
from shared.clouds.refusal_text import LONGEST, refusal_text

KEY = "essu_WlVoT01rSXlSa1o2TkdGQ1NYZHNhbEE6ZEZOdldGOXFVbmM9AAAA=="


@pytest.mark.parametrize(
    "told",
    [
        f"no such route for ApiKey {KEY}",
        f"bad request: authorization: ApiKey {KEY[:20]}",
        f"upstream said {KEY} is unknown",
        f'{{"headers": {{"authorization": "{KEY}"}}}}',
        "x" * 290 + KEY,
        f"part: {KEY[10:40]}",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "https://host/x?sig=abcdefgh%3D&se=1",
    ],
)
def test_no_key_and_no_part_of_one_comes_through(told: str) -> None:
    shown = refusal_text(told, KEY)
    assert not any(KEY[at : at + 8] in shown for at in range(len(KEY) - 8))
    assert "eyJ" not in shown
    assert "abcdefgh" not in shown


def test_it_is_one_line_that_a_terminal_does_not_act_on() -> None:
    shown = refusal_text("first\r\nsecond\x1b[2J\u2028third" + "x" * 1000)
    assert shown.isprintable()
    assert len(shown) <= LONGEST


@pytest.mark.parametrize("told", [None, 7, [], {"a": 1}])
def test_what_is_no_text_says_nothing(told: object) -> None:
    assert refusal_text(told) == ""


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 503])
def test_elastic_clouds_refusals_hold_no_key(status: int) -> None:
    body = json.dumps({"errors": [{"code": f"gateway.{KEY}", "message": f"you sent ApiKey {KEY}\nto us"}]})
    error = elastic_error(status, body, {}, doing="list policies", on="all", key=KEY)
    assert KEY not in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500])
def test_azures_refusals_hold_no_token(status: int) -> None:
    error = classify(read_refusal(status, "Bad\nCode", "you sent Bearer abc.def-ghi", "read it", "the zone"), None)
    assert "abc.def-ghi" not in str(error)
    assert str(error).isprintable()
