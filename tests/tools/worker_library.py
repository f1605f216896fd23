"""Drives a function app through Microsoft's worker library, without the Functions host; `worker_calls.py` uses it.

The host talks to `azure-functions-runtime` through gRPC messages. Here plain objects of the same shape stand for them,
so that an app is indexed and invoked as in Azure: the same decorators, checks, converters and error texts. Not seen are
the host itself (routes, keys, schedules, queue polling) and the isolation of dependencies.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import uuid4


class Message(SimpleNamespace):
    """A message of protobuf: fields by keyword; those that are not set read as None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)


class TypedData(Message):
    """One value on the wire."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)  # by this the library tells a value from the kinds of messages

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Return the kind that is set."""
        return next((kind for kind, value in vars(self).items() if value is not None), None)


class ParameterBinding(Message):
    """An input of an invocation; the library asks which kind of data it carries."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """Return the field."""
        return "data"


class StatusResult(Message):
    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(Message):
    undefined, string, binary, stream = 0, 1, 2, 3
    out, inout = 1, 2
    """Protobuf's code has the members of `Direction` on both."""

    class Direction:
        out, inout = 1, 2


class Cookie(Message):
    class SameSite:
        Lax, Strict, ExplicitNone = 1, 2, 3


# Names of protobuf that are keywords of Python.
setattr(BindingInfo.Direction, "in", 0)
setattr(BindingInfo, "in", 0)
setattr(Cookie.SameSite, "None", 0)
PLAIN = (
    "FunctionEnvironmentReloadResponse",
    "FunctionLoadResponse",
    "FunctionMetadataResponse",
    "InvocationResponse",
    "NullableBool",
    "NullableDouble",
    "NullableString",
    "NullableTimestamp",
    "ParameterBinding",
    "RpcException",
    "RpcFunctionMetadata",
    "RpcHttp",
    "RpcRetryOptions",
    "WorkerInitResponse",
    "WorkerMetadata",
)
PROTOS = SimpleNamespace(
    TypedData=TypedData,
    StatusResult=StatusResult,
    BindingInfo=BindingInfo,
    RpcHttpCookie=Cookie,
    **{name: type(name, (Message,), {}) for name in PLAIN},
)


class IndexingError(Exception):
    """The worker would report that the app has no functions; the message is the worker's own."""


@dataclass(frozen=True)
class Function:
    """A function as the worker tells the host of it."""

    name: str
    function_id: str
    bindings: list[dict[str, Any]]

    @property
    def trigger(self) -> dict[str, Any]:
        return next(one for one in self.bindings if one["type"].lower().endswith("trigger"))


@dataclass(frozen=True)
class Result:
    """What came of an invocation."""

    ok: bool
    error: str | None
    returned: Any
    outputs: dict[str, Any]


def json_input(value: Any) -> TypedData:
    return TypedData(json=json.dumps(value))


def string_input(value: str) -> TypedData:
    return TypedData(string=value)


def timer_input() -> TypedData:
    return json_input({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False})


def http_input(
    method: str, url: str, *, query: dict[str, str], params: dict[str, str], headers: dict[str, str], body: bytes
) -> TypedData:
    data = TypedData(bytes=body)
    return TypedData(http=Message(method=method, url=url, headers=headers, query=query, params=params, body=data))


def plain(data: TypedData | None) -> Any:
    """The value that is on the wire."""
    kind = data.WhichOneof("data") if data is not None else None
    if kind is None:
        return None
    value = getattr(data, kind)
    if kind == "json":
        return json.loads(value)
    if kind == "http":
        body = plain(value.body)
        text = body.decode() if isinstance(body, bytes) else body
        return {"status": int(value.status_code), "headers": value.headers, "body": text}
    return value


class Worker:
    """The library with an app in it; `start` indexes the app."""

    def __init__(self, library: Any, functions: list[Function]) -> None:
        self._library = library
        self.functions = functions

    @classmethod
    async def start(cls, app: str) -> Worker:
        """Index the app in a folder. Raises IndexingError with what the worker would tell the host."""
        sys.path.insert(0, app)
        import azure_functions_runtime as library  # type: ignore[import-not-found]  # noqa: PLC0415 - only on 3.13

        library.start_threadpool_executor()
        begin = Message(capabilities={}, function_app_directory=app)
        answer = await library.worker_init_request(cls._request(worker_init_request=begin))
        if answer.result.status != StatusResult.Success:
            raise IndexingError(answer.result.exception.message)
        answer = await library.functions_metadata_request(cls._request())
        found = answer.function_metadata_results or []
        functions = [Function(one.name, one.function_id, [json.loads(b) for b in one.raw_bindings]) for one in found]
        if not functions:
            raise IndexingError("the app has no functions")
        return cls(library, functions)

    @staticmethod
    def _request(**content: Any) -> SimpleNamespace:
        return SimpleNamespace(request=Message(**content), properties={"protos": PROTOS, "host": "127.0.0.1"})

    async def invoke(self, name: str, argument: str, data: TypedData) -> Result:
        """Invoke a function as the host would, with the input of its trigger."""
        function = next(one for one in self.functions if one.name == name)
        invocation = Message(
            invocation_id=str(uuid4()),
            function_id=function.function_id,
            trigger_metadata={},
            input_data=[ParameterBinding(name=argument, data=data)],
            trace_context=Message(trace_parent="", trace_state="", attributes={}),
            retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
        )
        answer = await self._library.invocation_request(self._request(invocation_request=invocation))
        ok = answer.result.status == StatusResult.Success
        return Result(
            ok=ok,
            error=None if ok else answer.result.exception.message,
            returned=plain(answer.return_value),
            outputs={one.name: plain(one.data) for one in answer.output_data or []},
        )
