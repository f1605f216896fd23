"""Invokes functions of the app in Microsoft's worker library; run by `runtime_parts.py` on Python 3.13, never imported.

    python worker_calls.py RUNTIME_CHECK_FOLDER APP_FOLDER < calls.json > results.json

A call: `{"function", "argument", "kind": "json" | "string" | "http" | "timer", "value"}`. The results are in the calls'
order, after the list of what the worker has found in the app. Settings are the environment, as in Azure.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any


async def main(tools: str, app: str) -> None:
    """Index the app, make the calls, print what came of them."""
    sys.path.insert(0, tools)
    import runtime  # type: ignore[import-not-found]  # noqa: PLC0415 - its folder is an argument

    calls, out = json.load(sys.stdin), sys.stdout
    sys.stdout = sys.stderr  # whatever the library prints is no result
    worker = await runtime.Runtime.start(app)
    bindings = [{"name": one.name, "trigger": one.trigger, "bindings": one.bindings} for one in worker.functions]
    results: list[dict[str, Any]] = []
    for call in calls:
        value = _input(runtime, call["kind"], call.get("value"))
        answer = await worker.invoke(call["function"], **{call["argument"]: value})
        results.append({"ok": answer.ok, "error": answer.error, "returned": answer.returned, "outputs": answer.outputs})
    json.dump({"functions": bindings, "results": results}, out, default=_text)


def _input(runtime: Any, kind: str, value: Any) -> Any:
    if kind == "http":
        body = value.pop("body", None)
        raw = b"" if body is None else body.encode()
        return runtime.http_input(value.pop("method"), value.pop("url"), body=raw, **value)
    if kind == "timer":
        return runtime.timer_input()
    return runtime.json_input(value) if kind == "json" else runtime.string_input(value)


def _text(value: Any) -> Any:
    """HTTP headers come as the library's own objects."""
    return getattr(value, "value", None) or str(value)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
