"""The host as a whole: index the app, start its listeners, answer its URLs, stop in good order.

Called by `python -m local.host`, and by tests that run an app in their own process on virtual time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from local.host.bindings import queue_argument, timer_argument
from local.host.definition import FunctionDefinition, QueueOutput, index
from local.host.invoke import InvocationError, Invoker
from local.host.queue_listener import QueueListener, encode
from local.host.settings import HostSettings
from local.host.timers import TimerListener, TimerMonitor, parse_schedule
from local.host.web import HostWeb

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    import azure.functions as func

    from local.clock import LoopClock
    from local.host.keys import Keys
    from local.host.queues import QueueService, StoredMessage

logger = logging.getLogger("local.host")


class FunctionsHost:
    """Runs one app; `app` is its ASGI side. Raises `HostError` when the app cannot be run."""

    def __init__(
        self,
        app: func.FunctionApp,
        clock: LoopClock,
        *,
        queues: QueueService,
        keys: Keys,
        environ: Mapping[str, str],
        settings: HostSettings | None = None,
        random: Random | None = None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        monitor: TimerMonitor | None = None,
    ) -> None:
        self.settings = settings or HostSettings()
        self.definitions = {one.name: one for one in index(app, environ)}
        self._disabled = {one for one in self.definitions if _is_disabled(environ, one)}
        self.keys = keys
        self._clock = clock
        self._queues = queues
        self._random = random or Random(0)
        self._monitor = monitor or TimerMonitor()
        self._invoker = Invoker(clock, new_id, self.settings.function_timeout, self._send)
        self._started: datetime | None = None
        self.app = HostWeb(
            self.definitions, self._invoker, keys, self.settings.route_prefix, self.run_by_hand, self._knows_event_grid
        )
        self._queue_listeners: dict[tuple[str, str], list[QueueListener]] = {}
        self._timers = [self._timer(one) for one in self._with_trigger("timerTrigger")]
        for definition in self._with_trigger("queueTrigger"):
            self._add_queue_listener(definition)
        for definition in self.definitions.values():
            for output in definition.outputs:
                queues.queue(output.connection, output.queue)  # a wrong connection is found at start, not at first use
        self._listening: set[asyncio.Task[Any]] = set()
        self._by_hand: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Start polling queues and waiting for timers; returns at once."""
        self._started = self._clock.now()
        for name, definition in self.definitions.items():
            logger.info("Functions.%s: %s", name, definition.trigger)
        listeners: list[QueueListener | TimerListener] = [*self._all_queue_listeners(), *self._timers]
        for listener in listeners:
            self._background(listener.listen(), self._listening)

    async def stop(self, grace: float = 5.0) -> None:
        """Take no more work, give what runs `grace` seconds, end the rest, close connections."""
        running = self._by_hand.union(*(listener.running for listener in self._all_queue_listeners()))
        await _end(self._listening)
        running |= self._by_hand.union(*(listener.running for listener in self._all_queue_listeners()))
        if running:
            await asyncio.wait(running, timeout=grace)
        await _end(running)
        await self._queues.close()

    async def invoke(self, name: str, argument: Any) -> Any:
        """Run a function on what its trigger brings, and wait; raises InvocationError as the worker would."""
        return await self._invoker.invoke(self.definitions[name], argument)

    def run_by_hand(self, definition: FunctionDefinition, text: str) -> bool:
        """Start a timer or queue function in the background, as `POST /admin/functions/NAME` does."""
        if definition.trigger == "timerTrigger":
            argument = timer_argument(past_due=False, status=self._monitor.status(definition.name))
        elif definition.trigger == "queueTrigger":
            argument = queue_argument(text.encode(), {"Id": "", "DequeueCount": 0, "PopReceipt": ""})
        else:
            return False
        self._background(self._invoke_quietly(definition, argument), self._by_hand)
        return True

    def _knows_event_grid(self) -> bool:
        since = timedelta() if self._started is None else self._clock.now() - self._started
        return since >= timedelta(seconds=self.settings.refuse_deliveries)

    def _with_trigger(self, kind: str) -> list[FunctionDefinition]:
        return [one for one in self.definitions.values() if one.trigger == kind and one.name not in self._disabled]

    def _all_queue_listeners(self) -> list[QueueListener]:
        return [listener for listeners in self._queue_listeners.values() for listener in listeners]

    def _timer(self, definition: FunctionDefinition) -> TimerListener:
        async def run(past_due: bool, status: dict[str, str] | None) -> None:
            await self._invoker.invoke(definition, timer_argument(past_due=past_due, status=status))

        return TimerListener(
            definition.name,
            parse_schedule(definition.options["schedule"]),
            run,
            self._monitor,
            self._clock,
            run_on_startup=bool(definition.options.get("runOnStartup")),
            use_monitor=definition.options.get("useMonitor") is not False,
        )

    def _add_queue_listener(self, definition: FunctionDefinition) -> None:
        name, connection = definition.options["queueName"], definition.options["connection"]

        async def run(body: bytes, message: StoredMessage) -> None:
            await self._invoker.invoke(definition, queue_argument(body, _metadata(message)))

        listener = QueueListener(
            name,
            self._queues.queue(connection, name),
            self._queues.queue(connection, f"{name}-poison"),
            run,
            self.settings.queues,
            self._clock,
            self._random,
        )
        self._queue_listeners.setdefault((connection, name), []).append(listener)

    async def _send(self, output: QueueOutput, body: bytes) -> None:
        await self._queues.queue(output.connection, output.queue).send(encode(body, self.settings.queues))
        for listener in self._queue_listeners.get((output.connection, output.queue), ()):
            listener.notify()

    async def _invoke_quietly(self, definition: FunctionDefinition, argument: Any) -> None:
        with contextlib.suppress(InvocationError):  # it is in the log, and no caller waits for the outcome
            await self._invoker.invoke(definition, argument)

    @staticmethod
    def _background(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[Any]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def _is_disabled(environ: Mapping[str, str], name: str) -> bool:
    """Whether an app setting says that no trigger starts the function, as in Azure; by hand it still can be."""
    return environ.get(f"AzureWebJobs.{name}.Disabled", "").lower() in {"true", "1"}


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    ended = list(tasks)
    for task in ended:
        task.cancel()
    for result in await asyncio.gather(*ended, return_exceptions=True):
        if isinstance(result, Exception):
            logger.error("A part of the host failed: %r", result)


def _metadata(message: StoredMessage) -> dict[str, str | int]:
    def text(moment: datetime) -> str:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")

    return {
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "PopReceipt": message.pop_receipt,
        "InsertionTime": text(message.inserted_on),
        "ExpirationTime": text(message.expires_on),
        "NextVisibleTime": text(message.next_visible_on),
    }
