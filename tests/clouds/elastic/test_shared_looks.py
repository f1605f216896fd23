"""Answers that runs of one process share: who comes while one is on its way is asked for with the others, once."""

from __future__ import annotations

import asyncio

import pytest

from shared.requests import SharedReads

SECONDS = 2.0


class Service:
    """What is asked, and what it was asked about."""

    def __init__(self, takes: float = 0.5, *, refuses: bool = False) -> None:
        self.takes, self.refuses = takes, refuses
        self.asked: list[tuple[str, ...]] = []
        self.shared: SharedReads[str, tuple[str, ...]] = SharedReads()

    async def ask(self, about: tuple[str, ...]) -> tuple[str, ...]:
        self.asked.append(about)
        await asyncio.sleep(self.takes)
        if self.refuses:
            raise RuntimeError("refused")
        return about

    async def get(self, *wanted: str) -> tuple[str, ...]:
        return await self.shared.together("targets", wanted, self.ask, SECONDS)


async def test_those_who_come_while_an_answer_is_on_its_way_are_asked_for_together() -> None:
    service = Service()
    found = await asyncio.gather(*(service.get(f"t-{number}") for number in range(60)))
    assert len(service.asked) == 2, "the first one's, and all the others'"
    assert all(f"t-{number}" in answer for number, answer in enumerate(found))


async def test_an_answer_is_shared_for_its_time_and_by_those_alone_whom_it_is_about() -> None:
    service = Service()
    await service.get("a")
    assert await service.get("a") == ("a",)
    assert await service.get("b") == ("a", "b"), "what is shared still is asked for too, so that it stays shared"
    assert await service.get("a") == ("a", "b")
    assert len(service.asked) == 2
    await asyncio.sleep(SECONDS)
    assert await service.get("a") == ("a",)
    assert len(service.asked) == 3


async def test_an_error_is_that_of_all_who_waited_and_of_no_one_who_comes_later() -> None:
    """Sixty runs in an outage would else wait for each other's deadlines, one after the other."""
    service = Service(takes=30.0, refuses=True)
    loop = asyncio.get_running_loop()
    began = loop.time()
    found = await asyncio.gather(*(service.get("a") for _ in range(60)), return_exceptions=True)
    assert loop.time() - began == pytest.approx(30)
    assert [str(one) for one in found] == ["refused"] * 60
    service.refuses = False
    assert await service.get("a") == ("a",)


async def test_who_gives_up_takes_no_answer_from_the_others() -> None:
    service = Service()
    first, second = asyncio.create_task(service.get("a")), asyncio.create_task(service.get("b"))
    await asyncio.sleep(0.1)
    first.cancel()
    assert "b" in await second
