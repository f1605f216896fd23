"""Calls of the app's functions, made by Microsoft's worker library or by the small functions host, one JSON for both.

Run as a program in an environment of its own, because each way of running the app wants a process (and the library a
Python) of its own: `worker_calls.py worker|host ANSWERS`, with the calls as JSON on stdin:
[{"function": ..., "argument": ..., "kind": "json|string|http|timer", "value": ...}]. ANSWERS becomes a JSON list of
{"ok", "error", "messages", "status", "headers", "body"}; the library's `runtime.py` is found in RUNTIME_CHECK.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Call = dict[str, Any]


def answer(*, error: str | None = None, messages: Any = None, http: Any = None) -> dict[str, Any]:
    """One answer, in the shape that both ways share."""
    status, headers, body = http or (None, {}, None)
    return {
        "ok": error is None,
        "error": error,
        "messages": [json.loads(one) for one in messages or []],
        "status": status,
        "headers": {name.lower(): value for name, value in headers.items()},
        "body": json.loads(body) if body else None,
    }


async def by_worker(calls: list[Call]) -> list[Any]:
    """Ask Microsoft's library; the first answer is the list of functions."""
    sys.path.insert(0, os.environ["RUNTIME_CHECK"])
    import runtime  # noqa: PLC0415 - only where it is

    app = await runtime.Runtime.start(ROOT)
    inputs = {
        "json": runtime.json_input,
        "string": runtime.string_input,
        "http": lambda value: runtime.http_input(**value | {"body": value["body"].encode()}),
        "timer": lambda past_due: runtime.timer_input(past_due=past_due),
    }
    answers: list[Any] = [sorted([one.name, one.trigger["type"]] for one in app.functions)]
    for call in calls:
        result = await app.invoke(call["function"], **{call["argument"]: inputs[call["kind"]](call["value"])})
        http = result.returned and (
            result.returned["status"],
            _texts(result.returned["headers"]),
            result.returned["body"],
        )
        answers.append(answer(error=result.error, messages=_listed(result.outputs.get("messages")), http=http))
    return answers


def _texts(headers: dict[str, Any]) -> dict[str, str]:
    """Headers as plain text: the library gives values in the wrapping of its wire format."""
    return {name: getattr(value, "string", value) for name, value in headers.items()}


def _listed(value: Any) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else [value]


async def by_host(calls: list[Call]) -> list[Any]:
    """Ask the small host, as its listeners and its web side do."""
    from local.clock import LoopClock  # noqa: PLC0415 - not there when the library runs the app
    from local.host import FunctionsHost, Keys, MemoryQueueService, load_app  # noqa: PLC0415 - see above
    from local.host.bindings import event_argument, http_answer, http_argument, queue_argument, timer_argument  # noqa: PLC0415 - see above
    from local.host.invoke import InvocationError  # noqa: PLC0415 - see above

    clock = LoopClock()
    queues = MemoryQueueService(clock)
    host = FunctionsHost(
        load_app(ROOT), clock, queues=queues, keys=Keys.generate(), environ=os.environ, random=Random(0)
    )
    inputs = {
        "eventGridTrigger": event_argument,
        "queueTrigger": lambda _, value: queue_argument(value.encode(), {}),
        "httpTrigger": lambda _, value: http_argument(
            value["method"], value["url"], value["headers"], value["query"], value["params"], value["body"].encode()
        ),
        "timerTrigger": lambda _, past_due: timer_argument(past_due=past_due, status=None),
    }
    answers: list[Any] = [sorted([one.name, one.trigger] for one in host.definitions.values())]
    for call in calls:
        definition = host.definitions[call["function"]]
        sent = queues.queue("AzureWebJobsStorage", "reconcile").messages
        sent.clear()
        try:
            returned = await host._invoker.invoke(definition, inputs[definition.trigger](definition, call["value"]))
        except InvocationError as error:
            answers.append(answer(error=str(error)))
            continue
        http = None
        if definition.trigger == "httpTrigger":
            status, headers, body = http_answer(returned)
            http = (status, dict(headers), body.decode())
        answers.append(answer(messages=[_decoded(one.content) for one in sent], http=http))
    return answers


def _decoded(content: str) -> str:
    return base64.b64decode(content).decode()


if __name__ == "__main__":
    way, target = sys.argv[1:]
    given = json.load(sys.stdin)
    sys.path.insert(0, str(ROOT))
    answered = asyncio.run(by_worker(given) if way == "worker" else by_host(given))
    Path(target).write_text(json.dumps(answered), encoding="utf-8")
