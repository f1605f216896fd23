"""Runs one function once: arguments, outputs, timeout, and one log line that says how it went.

Called by the listeners and the web side of the host. Like the real worker it awaits coroutine functions on the event
loop and runs plain functions in threads.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import azure.functions as func

from local.host.bindings import Out, queue_messages
from local.host.definition import RETURN, FunctionDefinition, QueueOutput

if TYPE_CHECKING:
    from local.clock import LoopClock

logger = logging.getLogger("local.host")
Send = Callable[[QueueOutput, bytes], Awaitable[None]]


class InvocationError(Exception):
    """The function failed; the message is the exception's own text, as the real host passes it on."""


class Context(func.Context):
    """What a function's `context` argument is."""

    def __init__(self, invocation_id: str, name: str) -> None:
        self._invocation_id, self._name = invocation_id, name

    @property
    def invocation_id(self) -> str:
        """Id of this invocation."""
        return self._invocation_id

    @property
    def function_name(self) -> str:
        """Name of the function."""
        return self._name

    @property
    def function_directory(self) -> str:
        """Where the function's file is; the v2 model has one file for all."""
        return "."

    @property
    def thread_local_storage(self) -> Any:
        """Storage of the current thread."""
        return threading.local()

    @property
    def trace_context(self) -> Any:
        """No distributed tracing on one machine."""
        return None

    @property
    def retry_context(self) -> Any:
        """No retry policies: the host refuses functions that have one."""
        return None


@dataclass
class Invoker:
    """Runs functions; `send` puts a message on an output's queue."""

    clock: LoopClock
    new_id: Callable[[], str]
    timeout: float | None
    send: Send

    async def invoke(self, definition: FunctionDefinition, argument: Any) -> Any:
        """Run it and send its outputs; return what it returned. Raises `InvocationError`."""
        invocation_id = self.new_id()
        started = self.clock.now()
        outcome, reason = "Failed", ""
        try:
            returned = await self._run(definition, argument, invocation_id)
            outcome = "Succeeded"
        except asyncio.CancelledError:
            outcome = "Cancelled"
            raise
        except Exception as error:
            reason = f": {type(error).__name__}: {error}"
            logger.debug("Functions.%s failed", definition.name, exc_info=True)
            raise InvocationError(str(error) or type(error).__name__) from error
        finally:
            milliseconds = (self.clock.now() - started).total_seconds() * 1000
            level = logging.INFO if outcome == "Succeeded" else logging.ERROR
            line = "Executed 'Functions.%s' (%s, Id=%s, Duration=%.0fms)%s"
            logger.log(level, line, definition.name, outcome, invocation_id, milliseconds, reason)
        return returned

    async def _run(self, definition: FunctionDefinition, argument: Any, invocation_id: str) -> Any:
        outs = {output.argument: Out() for output in definition.outputs}
        arguments: dict[str, Any] = {definition.argument: argument}
        arguments |= {name: out for name, out in outs.items() if name != RETURN}
        if definition.wants_context:
            arguments["context"] = Context(invocation_id, definition.name)
        async with asyncio.timeout(self.timeout):
            returned = await _call(definition.function, arguments)
        if returned is not None and not definition.returns_output:
            raise TypeError(f"function {definition.name!r} without a $return binding returned a non-None value")
        if RETURN in outs:
            outs[RETURN].set(returned)
        for output in definition.outputs:
            for message in queue_messages(outs[output.argument].get()):
                await self.send(output, message)
        return returned


async def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    call = functools.partial(contextvars.copy_context().run, functools.partial(function, **arguments))
    returned = await asyncio.get_running_loop().run_in_executor(None, call)
    if inspect.iscoroutine(returned):
        returned.close()
        raise TypeError("a plain function returned a coroutine; it must be declared async")
    return returned
