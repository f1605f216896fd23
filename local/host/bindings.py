"""Values on their way into and out of a function, through the converters of the `azure-functions` library.

Called by `local.host.web`, `local.host.queue_listener`, `local.host.timers` (in) and `local.host.invoke` (out). The
real worker uses the same converters, so what a function sees here is what it sees in Azure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import azure.functions as func
from azure.functions.meta import Datum, get_binding_registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.host.definition import FunctionDefinition


class Out(func.Out[Any]):
    """What a function's `func.Out` argument is."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Take the value; the last one counts."""
        self._value = val

    def get(self) -> Any:
        """Return the value set last, or None."""
        return self._value


def event_argument(definition: FunctionDefinition, event: Any) -> Any:
    """One event, as raw JSON where the function asks for `str`."""
    text = json.dumps(event)
    return text if definition.annotation is str else _decode("eventGridTrigger", Datum(text, "json"), {})


def queue_argument(body: bytes, metadata: Mapping[str, str | int]) -> Any:
    """A queue message; `metadata` has Id, DequeueCount, PopReceipt, InsertionTime, ExpirationTime, NextVisibleTime."""
    fields = {
        name: Datum(value, "int" if isinstance(value, int) else "string")
        for name, value in metadata.items()
        if value != ""
    }
    return _decode("queueTrigger", Datum(body, "bytes"), fields)


def timer_argument(*, past_due: bool, status: Mapping[str, str] | None) -> Any:
    """A timer's tick."""
    value = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
    return _decode("timerTrigger", Datum(json.dumps(value), "json"), {})


def http_argument(
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    route: Mapping[str, str],
    body: bytes,
) -> Any:
    """An HTTP request."""
    fields = {
        "method": Datum(method, "string"),
        "url": Datum(url, "string"),
        "headers": _texts(headers),
        "query": _texts(query),
        "params": _texts(route),
        "body": Datum(body, "bytes"),
    }
    return _decode("httpTrigger", Datum(fields, "http"), {})


def http_answer(returned: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of what an HTTP function returned; raises when it is no answer."""
    if returned is None:
        return 204, [], b""
    datum = _converter("http").encode(returned, expected_type=None)
    if datum.type == "string":
        return 200, [("content-type", "text/plain; charset=utf-8")], datum.value.encode()
    value = datum.value
    headers = [(name, header.value) for name, header in value["headers"].items()]
    for jar in value["cookies"] or ():
        headers += [("set-cookie", morsel.OutputString()) for morsel in jar.values()]
    return int(value["status_code"].value), headers, value["body"].value


def queue_messages(value: Any) -> Iterator[bytes]:
    """The messages that an output's value stands for: none, one, or one for each item of a list."""
    if value is None:
        return
    datum = _converter("queue").encode(value, expected_type=None)
    if datum.type != "json":
        yield datum.value.encode() if isinstance(datum.value, str) else datum.value
        return
    decoded = json.loads(datum.value)
    for item in decoded if isinstance(decoded, list) else [decoded]:
        yield (item["body"] if isinstance(item, dict) else item).encode()


def _texts(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _decode(binding: str, datum: Datum, metadata: Mapping[str, Datum]) -> Any:
    return _converter(binding).decode(datum, trigger_metadata=metadata)


def _converter(binding: str) -> Any:
    return get_binding_registry().get(binding)
