"""What one pure plan costs, in calls of functions: the same on every machine, unlike its time.

A sweep plans every endpoint. With 201 calls 1,000 new endpoints took 50 ms of the processor where a fixed loop of
100,000 steps took 11 ms, and with 126 calls 23 ms; most of that makes the values of steps and conditions.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from shared.core.model.record import ConnectionRecord
from shared.core.planning.desired import desired_of
from shared.core.planning.plan import Observed, ObservedElastic, plan
from tests.core.core_parts import NOW, endpoint, plan_options

CALLS = 140
"""Python's and C's functions that one plan of an endpoint with nothing yet may call."""


def test_a_plan_of_a_new_endpoint_calls_few_functions() -> None:
    options = plan_options()
    one = endpoint()
    desired = desired_of(one, options)
    assert desired is not None
    observed, record = Observed(one, (), ObservedElastic((), ())), ConnectionRecord(one.id.text)
    plan(desired, observed, record, options, NOW)  # what is made once is made before
    calls: list[str] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event in {"call", "c_call"}:
            calls.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        found = plan(desired, observed, record, options, NOW)
    finally:
        sys.setprofile(before)
    assert found.steps
    assert len(calls) <= CALLS
