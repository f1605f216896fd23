"""What the tests of the triggers share: the app as the host indexes it, requests, outputs, and a context in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import azure.functions as func
from starlette.responses import JSONResponse

from functions.openapi.document import document
from functions.routing import Route, declared
from local.arm.transport import AsgiArmTransport
from local.clock import LoopClock
from local.storage.memory import MemoryStorage
from local.storage.memory_queue import MemoryQueue
from shared.clouds.azure.clients import ArmClients
from shared.clouds.azure.private_dns import PrivateDns
from shared.clouds.azure.private_endpoints import PrivateEndpoints
from shared.composition import arm_options, build
from shared.context import Context
from shared.core.model.errors import InvalidSettings
from shared.core.model.record import ConnectionRecord
from shared.state.codec import holding
from shared.state.leases import Leases
from shared.state.read_budget import ReadBudget
from shared.state.rows import ConnectionRow
from tests.harness.estate import DECIDING_KEY
from tests.harness.platform_parts import Credential

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "tests" / "events"
START = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000beef"
ENDPOINT_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net-prod/providers/Microsoft.Network/privateEndpoints/pe-search"
)
ENVIRONMENT = {
    "AZURE_SUBSCRIPTIONS": SUBSCRIPTION,
    "AZURE_RESOURCE_GROUPS": "net-prod",
    "EC_API_KEY": "essu_secret",
    "AUTOPILOT_KEY_OPERATOR": DECIDING_KEY,
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}
ADDRESS = "https://autopilot.azurewebsites.net"


def sample(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text(encoding="utf-8")


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """The functions of the app by name, as the host finds them."""
    import function_app  # noqa: PLC0415 - the app is loaded once, by the first test that needs it

    function_app.app.functions_bindings = None  # the library would call a second indexing a duplicate
    return {str(one.get_function_name()): one.get_user_function() for one in function_app.app.get_functions()}


def routes() -> tuple[Route, ...]:
    """Every route of the app as it is declared."""
    functions()
    return declared()


def api_document() -> dict[str, Any]:
    """The OpenAPI document as the app serves it."""
    return document(routes())


@cache
def keyed() -> tuple[tuple[str, str], ...]:
    """Name and method of every HTTP function that asks for a key."""
    import function_app  # noqa: PLC0415 - as above

    function_app.app.functions_bindings = None
    triggers = {str(one.get_function_name()): one.get_trigger() for one in function_app.app.get_functions()}
    return tuple(
        (name, trigger.methods[0].value)
        for name, trigger in triggers.items()
        if trigger.type == "httpTrigger" and trigger.auth_level is func.AuthLevel.FUNCTION
    )


class Output(func.Out[str]):
    """A queue output: what was set."""

    def __init__(self) -> None:
        self.value: Any = None

    def set(self, val: Any) -> None:
        assert self.value is None, "the binding takes one value"
        self.value = val

    def get(self) -> Any:
        return self.value

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages that the host would send."""
        texts = [] if self.value is None else self.value if isinstance(self.value, list) else [self.value]
        return [json.loads(text) for text in texts]


@dataclass
class App:
    """The app on storage in memory."""

    context: Context
    storage: MemoryStorage

    @property
    def queue(self) -> MemoryQueue:
        assert isinstance(self.storage.queue, MemoryQueue)
        return self.storage.queue

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What waits in the work queue."""
        return [json.loads(message.text) for message in self.queue.messages]

    async def keep(self, connection: ConnectionRecord) -> str:
        """Store a connection; returns its id."""
        await self.storage.connections.insert(holding(ConnectionRow(connection.id), connection))
        return connection.id


AZURE_IS_DOWN = JSONResponse({"error": {"code": "ServiceUnavailable", "message": "down"}}, 503)
"""What this app is answered by Azure: triggers that ask it must go on."""


def app_in_memory(storage: Any = None, **settings: str) -> App:
    clock = LoopClock(START)
    storage = storage or MemoryStorage(clock)
    leases = Leases(storage.connections, storage.control, storage.queue, clock, owner_id="test")
    built = build(ENVIRONMENT | settings)
    clients = ArmClients(arm_options(built.settings), Credential, lambda: AsgiArmTransport(AZURE_IS_DOWN))
    azure: dict[str, Any] = {
        "endpoints": PrivateEndpoints(clients),
        "dns": PrivateDns(clients),
        "budget": ReadBudget(storage.control, clock),
    }
    return App(replace(built, clock=clock, storage=storage, leases=leases, **azure), storage)


@dataclass
class Answer:
    """An answer with its body decoded."""

    status: int
    body: Any
    headers: Mapping[str, str]
    text: str
    app: Any
    """What it says of the app itself; every answer that takes a key does."""

    @property
    def error(self) -> dict[str, Any]:
        """The error, which has one shape always."""
        assert set(self.body) == {"error"}
        error: dict[str, Any] = self.body["error"]
        assert set(error) == {"code", "message", "target", "nextStep", "correlationId"}
        assert all(isinstance(value, str) for value in error.values())
        assert error["code"]
        assert error["message"]
        assert error["correlationId"]
        return error


async def call(
    name: str,
    path: str = "/api/connections",
    *,
    body: Any = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    connection: str | None = None,
    operation: str | None = None,
    method: str = "",
    deciding: str = DECIDING_KEY,
    plain: bool = False,
) -> Answer:
    """Call an HTTP function as the host does, for a caller who may decide unless another key is given.

    `plain`: the answer may have no body.
    """
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    request = func.HttpRequest(
        method or ("GET" if body is None else "POST"),
        f"{ADDRESS}{path}",
        headers={"x-autopilot-key": deciding} | dict(headers or {}),
        params=query,
        route_params={
            name: value for name, value in (("id", connection), ("operation", operation)) if value is not None
        },
        body=raw,
    )
    answer: func.HttpResponse = await functions()[name](request)
    text = answer.get_body().decode()
    if not plain:
        assert answer.mimetype == "application/json"
    decoded = {} if plain else json.loads(text)
    app = decoded.pop("app", None)
    return Answer(
        answer.status_code, decoded, {name.lower(): value for name, value in answer.headers.items()}, text, app
    )


def wrong_settings() -> InvalidSettings:
    return InvalidSettings(
        "The app's settings are wrong:\n  AZURE_SUBSCRIPTIONS: required, and not set", next_step="Set it."
    )
