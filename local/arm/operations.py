"""Long-running operations: started by handlers, polled under the URLs their answers carry.

Private DNS: both headers, polls answer 202 while running, freshly signed each time. Network: Azure-AsyncOperation,
polls answer 200. A failed operation is HTTP 200 with status Failed, for both.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.arm.context import Answer, Call, Context, Handler
from local.arm.errors import ArmError, OperationError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Operation:
    """One running or ended operation; `result` gives the body that `Location` answers at the end."""

    id: str
    base: str
    dns: bool
    status: str = "InProgress"
    error: OperationError | None = None
    result: Callable[[], dict[str, Any]] | None = None


class Operations:
    """All operations by id: a GUID in any case, or private DNS's base64, which in another case is another one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._operations: dict[str, Operation] = {}

    def dns(self, call: Call, seconds: float, work: Callable[[], Callable[[], dict[str, Any]] | None]) -> Answer:
        """Start a private DNS operation; `work` runs at its end, and may raise OperationError."""
        verb = "Delete" if call.method == "DELETE" else "Upsert"
        text = f"{verb}PrivateDns;{self._context.guid()}_{call.path.subscription_id}"
        base = f"/subscriptions/{call.path.subscription_id}/resourceGroups/{call.path.resource_group}"
        identifier = base64.b64encode(text.encode()).decode()
        operation = Operation(identifier, f"{base}/providers/Microsoft.Network", dns=True)
        self._start(call, operation, seconds, work, event=True)
        return Answer(202, None if call.method == "DELETE" else {}, self._urls(call, operation))

    def network(
        self,
        call: Call,
        location: str,
        seconds: float,
        work: Callable[[], Callable[[], dict[str, Any]] | None],
        *,
        event: bool,
    ) -> dict[str, str]:
        """Start a network operation and return the headers that announce it."""
        base = f"/subscriptions/{call.path.subscription_id}/providers/Microsoft.Network/locations/{location}"
        operation = Operation(self._context.guid(), base, dns=False)
        self._start(call, operation, seconds, work, event=event)
        headers = self._urls(call, operation)
        return headers if call.method != "DELETE" else {**headers, "Location": self._result_url(call, operation)}

    def find(self, identifier: str) -> Operation | None:
        """The operation of that id."""
        return self._operations.get(identifier) or self._operations.get(identifier.lower())

    def poll(self, call: Call, operation: Operation) -> Answer:
        """What `Azure-AsyncOperation` answers."""
        if operation.status == "InProgress":
            status = 202 if operation.dns else 200
            return Answer(
                status, {"status": "InProgress"}, self._urls(call, operation) if operation.dns else self._wait()
            )
        body: dict[str, Any] = {"status": operation.status}
        if operation.error:
            body = {"error": {"code": operation.error.code, "message": operation.error.message}, **body}
        return Answer(200, body)

    def poll_result(self, call: Call, operation: Operation) -> Answer:
        """What `Location` answers: the resource itself at the end."""
        if operation.status == "InProgress":
            return Answer(202, None, self._urls(call, operation))
        if operation.error:
            return self.poll(call, operation)
        return Answer(200, operation.result()) if operation.result else Answer(204)

    def _start(
        self,
        call: Call,
        operation: Operation,
        seconds: float,
        work: Callable[[], Callable[[], dict[str, Any]] | None],
        *,
        event: bool,
    ) -> None:
        self._operations[operation.id] = operation

        def finish() -> None:
            try:
                operation.result = work()
            except OperationError as error:
                operation.status, operation.error = "Failed", error
                self._context.emit(call, "Failed")
                return
            operation.status = "Succeeded"
            if event:
                self._context.emit(call, "Succeeded")

        if seconds > 0:
            self._context.clock.call_later(seconds, finish)
        else:
            finish()

    def _urls(self, call: Call, operation: Operation) -> dict[str, str]:
        if not operation.dns:
            status = call.url(f"{operation.base}/operations/{operation.id}", **self._signature())
            return {"Azure-AsyncOperation": status, **self._wait()}
        retry = self._context.settings.dns_retry_after
        return {
            "Azure-AsyncOperation": call.url(
                f"{operation.base}/privateDnsOperationStatuses/{operation.id}", **self._signature()
            ),
            "Location": self._result_url(call, operation),
            **({} if retry is None else {"Retry-After": str(retry)}),
        }

    def _result_url(self, call: Call, operation: Operation) -> str:
        kind = "privateDnsOperationResults" if operation.dns else "operationResults"
        return call.url(f"{operation.base}/{kind}/{operation.id}", **self._signature())

    def _wait(self) -> dict[str, str]:
        retry = self._context.settings.network_retry_after
        return {} if retry is None else {"Retry-After": str(retry)}

    def _signature(self) -> dict[str, str]:
        """The live service signs each URL anew; clients must send it back as it is."""
        at = int(self._context.clock.now().timestamp() * 1e7)
        return {"t": str(at), "c": "local", "s": self._context.guid().replace("-", ""), "h": self._context.guid()}


class OperationHandler(Handler):
    """GET of an operation's status or result."""

    def __init__(self, operations: Operations, *, result: bool) -> None:
        self._operations, self._result = operations, result

    def get(self, call: Call) -> Answer:
        """Poll."""
        operation = self._operations.find(call.path.name)
        if operation is None:
            raise ArmError(404, "OperationNotFound", f"The operation '{call.path.name}' was not found.")
        return (self._operations.poll_result if self._result else self._operations.poll)(call, operation)
