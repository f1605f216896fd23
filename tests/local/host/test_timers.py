"""Timer triggers: schedules as the real host reads them, one run at a time, missed runs made good."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import azure.functions as func  # noqa: TC002 - the host evaluates the annotations of functions
import pytest

from local.host import HostError
from local.host.timers import TimerMonitor, parse_schedule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("0 */5 * * * *", "2026-02-03T04:05:00", "2026-02-03T04:10:00"),
        ("*/30 * * * * *", "2026-02-03T04:05:06", "2026-02-03T04:05:30"),
        ("0 30 9 * * 1-5", "2026-02-06T10:00:00", "2026-02-09T09:30:00"),
        ("0 0 0 13 * Fri", "2026-02-14T00:00:00", "2026-03-13T00:00:00"),  # day and weekday must both match
        ("*/5 * * * *", "2026-02-03T04:05:06", "2026-02-03T04:10:00"),
        ("00:00:15", "2026-02-03T04:05:06", "2026-02-03T04:05:21"),
    ],
)
def test_schedules_are_read_as_the_real_host_reads_them(text: str, moment: str, expected: str) -> None:
    after = parse_schedule(text).next_after(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert after == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["nonsense", "* *", "99 * * * * *", "0 0 0 0 0 0 0"])
def test_a_schedule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(HostError, match="schedule"):
        parse_schedule(text)


async def test_a_timer_fires_on_schedule_and_at_start_only_if_asked(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    ticks: list[str] = []

    @app.timer_trigger(arg_name="timer", schedule="%TICK%")
    async def later(timer: func.TimerRequest) -> None:
        ticks.append(f"{running.clock.now():%H:%M:%S} {timer.past_due}")

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
    async def at_start(timer: func.TimerRequest) -> None:
        ticks.append("start")

    running = start()
    await running.host.start()
    await asyncio.sleep(10 * 60)
    assert ticks == ["start", "04:10:00 False", "04:15:00 False"]


async def test_runs_do_not_overlap_and_what_a_long_run_missed_is_skipped(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    ticks: list[str] = []

    @app.timer_trigger(arg_name="timer", schedule="%TICK%")
    async def slow(timer: func.TimerRequest) -> None:
        ticks.append(f"{running.clock.now():%H:%M:%S}")
        await asyncio.sleep(12 * 60)

    running = start()
    await running.host.start()
    await asyncio.sleep(30 * 60)
    assert ticks == ["04:10:00", "04:25:00"]


async def test_a_failed_run_does_not_stop_the_timer(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    runs = 0

    @app.timer_trigger(arg_name="timer", schedule="%TICK%")
    async def fails(timer: func.TimerRequest) -> None:
        nonlocal runs
        runs += 1
        raise ValueError("no")

    await start().host.start()
    await asyncio.sleep(20 * 60)
    assert runs == 4


async def test_a_run_missed_while_the_host_was_down_is_made_good_at_once(
    app: func.FunctionApp, start: Callable[..., Any], tmp_path: Path
) -> None:
    seen: list[tuple[bool, bool]] = []

    @app.timer_trigger(arg_name="timer", schedule="%TICK%")
    async def tick(timer: func.TimerRequest) -> None:
        seen.append((timer.past_due, "Last" in timer.schedule_status))

    first = start(TimerMonitor(tmp_path / "timers.json"))
    await first.host.start()
    await asyncio.sleep(6 * 60)
    await first.host.stop()
    await asyncio.sleep(60)
    second = start(TimerMonitor(tmp_path / "timers.json"), first.clock)
    await second.host.start()
    await asyncio.sleep(1)
    assert seen == [(False, False)]  # nothing was missed yet
    await second.host.stop()
    await asyncio.sleep(20 * 60)
    third = start(TimerMonitor(tmp_path / "timers.json"), first.clock)
    await third.host.start()
    await asyncio.sleep(1)
    assert seen == [(False, False), (True, True)]
