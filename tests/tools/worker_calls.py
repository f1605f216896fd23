"""Invokes functions of the app in Microsoft's worker library; `runtime_parts.py` runs it there, on Python 3.13.

    python worker_calls.py APP_FOLDER < calls.json > results.json

A call: `{"function", "argument", "kind": "json" | "string" | "http" | "timer", "value"}`. The results are in the calls'
order, after the list of what the worker has found in the app. Settings are the environment, as in Azure.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Any

from worker_library import TypedData, Worker, http_input, json_input, string_input, timer_input


async def main(app: str) -> None:
    """Index the app, make the calls, print what came of them."""
    calls, out = json.load(sys.stdin), sys.stdout
    sys.stdout = sys.stderr  # what the library prints is no result
    worker = await Worker.start(app)
    bindings = [{"name": one.name, "trigger": one.trigger, "bindings": one.bindings} for one in worker.functions]
    results: list[dict[str, Any]] = []
    for call in calls:
        answer = await worker.invoke(call["function"], call["argument"], given(call["kind"], call.get("value")))
        results.append(asdict(answer))
    json.dump({"functions": bindings, "results": results}, out, default=text)


def given(kind: str, value: Any) -> TypedData:
    """The input of a trigger."""
    if kind == "http":
        body = (value["body"] or "").encode()
        return http_input(
            value["method"],
            value["url"],
            query=value["query"],
            params=value["params"],
            headers=value.get("headers", {}),
            body=body,
        )
    if kind == "timer":
        return timer_input()
    return json_input(value) if kind == "json" else string_input(value)


def text(value: Any) -> Any:
    """HTTP headers come as the library's own objects."""
    return getattr(value, "value", None) or str(value)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
