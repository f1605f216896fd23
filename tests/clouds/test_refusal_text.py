"""What a service says of a refusal holds no credential of ours, and is one line."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

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
        f"GET /api?api_key={quote(KEY, safe='')} is no route",
        f"authorization={KEY[:24]}... was cut off",
        f"/keys/{KEY[:30]}/x",
        f"x-{KEY[3:40]}",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "https://host/x?sig=abcdefgh%3D&se=1",
    ],
)
def test_no_key_and_no_part_of_one_comes_through(told: str) -> None:
    shown = refusal_text(told, KEY)
    assert not any(KEY[at : at + 8] in shown for at in range(len(KEY) - 8))
    assert "eyJ" not in shown
    assert "abcdefgh" not in shown


IN_BASE64 = [base64.b64encode(f"{before}{KEY}".encode()).decode() for before in ("", "a", "ab", "user:")]


@pytest.mark.parametrize("told", [KEY.lower(), KEY.upper(), *IN_BASE64])
def test_no_key_comes_through_in_another_form(told: str) -> None:
    shown = refusal_text(f"you sent {told} to us", KEY)
    assert not any(told[at : at + 12] in shown for at in range(len(told) - 12))
    assert shown.startswith("you sent")
    assert shown.endswith("to us")


def test_a_text_without_the_key_stays_as_it_is() -> None:
    told = "deployment-editor is missing on /api/v1/deployments/traffic-filter/rulesets, see https://example.com/%20x"
    assert refusal_text(told, KEY) == told


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
