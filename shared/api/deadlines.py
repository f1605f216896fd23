"""Asks many questions at once, none of which can hang the one who asks. Used by `doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, TypeVar

from shared.context import log
from shared.core.model.errors import AutopilotError, RetryLater
from shared.core.reports.doctor.findings import Answer

K = TypeVar("K", bound=Hashable)
Question = Callable[[], Awaitable[Any]]

EACH_SECONDS = 15.0
"""A cold start is in there: the first question to a service loads its SDK."""
ALL_SECONDS = 60.0
"""For where there are so many that they wait for each other. The platform ends a request after 230."""
AT_ONCE = 20


async def ask_all(questions: Mapping[K, Question]) -> dict[K, Answer[Any]]:
    """Every question's answer, at the latest after ALL_SECONDS; what was not answered by then is an error."""
    gate = asyncio.Semaphore(AT_ONCE)
    tasks = {name: asyncio.create_task(_ask(question, gate)) for name, question in questions.items()}
    # Not awaited to their end: a question that does not heed its cancellation must not hold up the rest.
    _, late = await asyncio.wait(tasks.values(), timeout=ALL_SECONDS)
    for task in late:
        task.cancel()
    return {name: task.result() if task not in late else _silence(ALL_SECONDS) for name, task in tasks.items()}


async def _ask(question: Question, gate: asyncio.Semaphore) -> Answer[Any]:
    async with gate:
        try:
            async with asyncio.timeout(EACH_SECONDS):
                return Answer(await question())
        except TimeoutError:
            return _silence(EACH_SECONDS)
        except AutopilotError as error:
            return Answer(error=error)
        except Exception:  # noqa: BLE001 - a bug in one question hides no other's answer, and is logged in full
            log.exception("a question of the doctor failed")
            return Answer(error=AutopilotError("Asking failed; the app's log has the details."))


def _silence(seconds: float) -> Answer[Any]:
    step = (
        "Look whether the network lets the app out: firewall, private endpoints, DNS; else the service's status page."
    )
    return Answer(error=RetryLater(f"No answer within {seconds:.0f} seconds.", next_step=step))
