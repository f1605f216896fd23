"""The same call to one function in both: Microsoft's worker library, and the small functions host of `local/`.

The library stands in an environment of its own (`tests/tools/worker.py`). Where it is not installed, these tests are
skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.tools import worker

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "tests" / "events"
WORKER_SECONDS = 120.0
SETTINGS = ("AZURE_", "ELASTIC_", "IDENTITY_", "AzureWebJobsStorage", "DNS_", "PROBE_", "INSTANCE_ID")

needs_worker = pytest.mark.skipif(worker.missing() != "", reason=worker.missing())


def call(function: str, argument: str, kind: str, value: Any = None) -> dict[str, Any]:
    """One invocation, as `tests/tools/worker_calls.py` reads it."""
    return {"function": function, "argument": argument, "kind": kind, "value": value}


def http(function: str, method: str, path: str, *, body: str | None = None, **params: str) -> dict[str, Any]:
    """One HTTP invocation; `params` are those of the route."""
    bare, _, query = path.partition("?")
    pairs = dict(part.split("=", 1) for part in query.split("&")) if query else {}
    value = {"method": method, "url": f"http://worker{path}", "query": pairs, "params": params, "body": body}
    assert bare.startswith("/api/")
    return call(function, "req", "http", value)


def event(name: str) -> Any:
    """A sample event by itself: the host takes it out of the array that Event Grid delivers."""
    value = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return value[0] if isinstance(value, list) else value


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without any setting of the app."""
    return {name: value for name, value in environ.items() if not name.startswith(SETTINGS)}


async def in_worker(calls: Sequence[dict[str, Any]], settings: Mapping[str, str]) -> tuple[list[Any], list[Any]]:
    """Make the calls in the worker library; returns the functions that it found, and the results."""
    process = await asyncio.create_subprocess_exec(
        str(worker.PYTHON),
        str(Path(worker.__file__).with_name("worker_calls.py")),
        str(ROOT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean_environment(os.environ) | dict(settings),
    )
    try:
        async with asyncio.timeout(WORKER_SECONDS):
            out, errors = await process.communicate(json.dumps(list(calls)).encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, errors.decode()
    answer = json.loads(out)
    return answer["functions"], answer["results"]


def without_chance(body: Any) -> Any:
    """A JSON answer without what differs from call to call."""
    if isinstance(body, dict):
        kept = {name: value for name, value in body.items() if name not in {"correlationId", "statusUrl", "operation"}}
        return {name: without_chance(value) for name, value in kept.items()}
    return [without_chance(one) for one in body] if isinstance(body, list) else body
