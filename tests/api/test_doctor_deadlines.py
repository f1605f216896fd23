"""However things hang, break or lie around in numbers, the doctor answers, in time, and says which it was."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from shared.api.deadlines import ALL_SECONDS, AT_ONCE, EACH_SECONDS, ask_all
from shared.api.doctor import examine
from shared.core.model.services import Family
from shared.core.reports.doctor.findings import Level, Report
from tests.api.doctor_parts import good, of
from tests.harness.estate import Estate
from tests.harness.wire import Stall

HOURS = Stall(36_000)


async def timed(estate: Estate, service: str) -> tuple[Report, float]:
    """An examination while a service hangs, and how long it took."""
    context = estate.new_worker(of(service, HOURS)).context
    began = asyncio.get_running_loop().time()
    return await examine(context), asyncio.get_running_loop().time() - began


@pytest.mark.parametrize(
    ("service", "check", "unharmed"),
    [
        ("storage", "storage", {"azure rights", "elastic rights", "clock"}),
        ("arm", "azure", {"storage", "elastic rights", "clock"}),
        ("elastic", "elastic", {"storage", "azure rights", "clock"}),
    ],
)
async def test_a_service_that_hangs_is_a_finding_and_hides_nothing_of_the_others(
    service: str, check: str, unharmed: set[str]
) -> None:
    estate = await Estate().open()
    await estate.sweep()
    report, seconds = await timed(estate, service)
    assert EACH_SECONDS <= seconds < EACH_SECONDS + 1
    (finding,) = [finding for finding in report.findings if finding.level is Level.PROBLEM]
    assert (finding.check, finding.what) == (check, "No answer within 15 seconds.")
    assert unharmed <= set(good(report))
    assert report.took_ms >= EACH_SECONDS * 1000


async def test_many_subscriptions_that_hang_end_together_with_what_was_never_asked() -> None:
    many = [f"00000000-0000-0000-0000-{n:012x}" for n in range(1, 101)]
    assert many[0] == DEFAULT_SUBSCRIPTION
    estate = await Estate(settings={"AZURE_SUBSCRIPTIONS": ",".join(many)}).open()
    report, seconds = await timed(estate, "arm")
    assert ALL_SECONDS <= seconds < ALL_SECONDS + 1
    unanswered = [finding for finding in report.findings if finding.check == "azure"]
    of_each, networks = 7, 2
    assert len(" ".join(finding.on for finding in unanswered).split(", ")) == of_each * len(many) + networks


async def test_a_question_that_does_not_heed_its_cancellation_is_left_behind() -> None:
    ended = asyncio.Event()

    async def stubborn() -> str:
        while not ended.is_set():
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                continue
        return "never"

    async def quick() -> str:
        return "here"

    answers = await ask_all({"stubborn": stubborn, "quick": quick})
    assert answers["quick"].value == "here"
    assert "No answer within 60 seconds." in str(answers["stubborn"].error)
    ended.set()
    await asyncio.sleep(1001)


async def test_no_more_than_so_many_questions_are_under_way() -> None:
    under_way: set[int] = set()
    most = 0

    async def ask(number: int) -> int:
        nonlocal most
        under_way.add(number)
        most = max(most, len(under_way))
        await asyncio.sleep(0.1)
        under_way.remove(number)
        return number

    answers = await ask_all({number: partial(ask, number) for number in range(70)})
    assert [answers[number].value for number in range(70)] == list(range(70))
    assert most == AT_ONCE


async def test_a_bug_in_one_question_is_a_finding_whose_details_are_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    estate = await Estate().open()
    await estate.sweep()
    context = estate.worker.context

    async def broken(_: object) -> None:
        raise KeyError("inside-detail")

    monkeypatch.setattr(context.elastic.of("default", Family.HOSTED), "policies", broken)
    report = await examine(context)
    (finding,) = [finding for finding in report.findings if finding.level is Level.PROBLEM]
    assert (finding.check, finding.on) == ("elastic", "private connection policies")
    assert "inside-detail" not in str(report.document())
    assert "inside-detail" in caplog.text
    assert [record.levelno for record in caplog.records if record.name == "privatelink"] == [logging.ERROR]
