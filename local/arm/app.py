"""The HTTP side of the ARM simulator: what ARM's front end does for every request, then the handler of its type.

Order, as in Azure: token, subscription and group, api-version, rights, what an administrator forbids, what cannot be
written now, limits, resource provider.
"""

from __future__ import annotations

import json
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from local.arm import management_groups, permissions, role_lists, topics
from local.arm.access import check_action, check_bearer, check_scope
from local.arm.context import Answer, Call, Context, Handler
from local.arm.errors import ArmError, bad_request, unknown_type
from local.arm.events import FaultResponse, Incoming, RequestRecord
from local.arm.ids import ResourcePath, parse
from local.arm.metadata import METADATA_PATH, cloud
from local.arm.registration import Registrations
from local.arm.shapes import check_shape
from local.arm.tag_limits import check_limits
from local.arm.versions import check_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from local.arm.governance import Governance
    from local.arm.groups import Groups
    from local.arm.throttle import Throttle

SHORT_NAMES = {
    "privateEndpoints": "privateEndpoint",
    "networkInterfaces": "networkInterface",
    "virtualNetworks": "virtualNetwork",
    "virtualNetworks/subnets": "subnet",
    "privateDnsZones": "zone",
    "privateDnsZones/virtualNetworkLinks": "link",
    "privateDnsOperationStatuses": "operation",
    "privateDnsOperationResults": "operation",
    "locations/operations": "operation",
    "locations/operationResults": "operation",
}


class FrontEnd:
    """Turns a request into a `Call`, finds its handler, and dresses the answer."""

    def __init__(
        self,
        context: Context,
        handlers: dict[str, Handler],
        groups: Groups,
        governance: Governance,
        throttle: Throttle,
        check_token: Callable[[str], bool] | None,
    ) -> None:
        self._context, self._handlers, self._groups, self._governance = context, handlers, groups, governance
        self._registrations = Registrations(context)
        self._throttle, self._check_token = throttle, check_token
        self.faults: list[Callable[[Incoming], FaultResponse | None]] = []
        self.requests: list[RequestRecord] = []

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        raw, path = await request.body(), request.scope["path"]
        if path.rstrip("/").lower() == METADATA_PATH:
            return JSONResponse(cloud(_base_url(request), self._context.settings.tenant_id))
        target = parse(path)
        operation = operation_name(request.method, path, target)
        correlation = request.headers.get("x-ms-correlation-request-id") or self._context.guid()
        try:
            answer = self._fault(request.method, path, operation) or self._answer(request, raw, target, correlation)
        except ArmError as error:
            answer = Answer(error.status, error.body(), error.headers)
        now, caller = self._context.clock.now(), request.headers.get("x-ms-client-request-id", "")
        self.requests.append(RequestRecord(request.method, path, operation, answer.status, now, caller))
        return self._response(answer, correlation)

    def _fault(self, method: str, path: str, operation: str) -> Answer | None:
        outage = self._context.settings.outage
        if outage is not None:
            return Answer(outage, ArmError(outage, "ServiceUnavailable", "The service is unavailable.").body())
        for fault in list(self.faults):
            found = fault(Incoming(method, path, operation))
            if found is not None:
                return Answer(found.status, found.body, found.headers)
        return None

    def _answer(self, request: Request, raw: bytes, target: ResourcePath | None, correlation: str) -> Answer:
        settings, method, path = self._context.settings, request.method, request.scope["path"]
        token = check_bearer(request.headers.get("authorization"), self._check_token, settings.tenant_id)
        principal = settings.principal_of(token)
        body, query = _json(raw), dict(request.query_params)
        base_url = _base_url(request)
        above = self._above(method, path, query, body, principal, base_url)
        if above is not None:
            return above
        if target is None:
            raise ArmError(404, "InvalidResourceNamespace", f"Nothing is at '{path}'.")
        self._groups.check(target.subscription_id, target.resource_group)
        handler = self._handler(method, target)
        check_version(query.get("api-version"), target.kind)
        check_action(settings, principal, method, target)
        self._governance.check(principal, method, target, body)
        self._groups.check_write(method, target.subscription_id, target.resource_group)
        if method in {"PUT", "PATCH"}:
            self._registrations.check_write(target.subscription_id)
            check_limits(target, body)
        limits = self._throttle.admit(target, principal, method)
        if settings.urls_with_port and request.url.port is None:
            base_url += ":443"
        call = Call(method, target, query, dict(request.headers), body, base_url, correlation, principal)
        answer = self._dispatch(handler, call)
        return Answer(answer.status, answer.body, {**limits, **answer.headers})

    def _above(
        self, method: str, path: str, query: dict[str, str], body: Any, principal: str, base_url: str
    ) -> Answer | None:
        """The answer to what is no resource of the network: rules, the provider, groups; None for all else."""
        if group := management_groups.named_in(path):
            settings = self._context.settings
            check_scope(settings, principal, management_groups.READ, f"{management_groups.PREFIX}{group}")
            return Answer(200, management_groups.descendants(settings, method, group, query, base_url))
        return (
            topics.answer(
                self._context.settings, method, path, query, principal, lambda one: self._groups.check(one, None)
            )
            or role_lists.answer(self._context.settings, method, path, query, principal)
            or permissions.answer(self._context.settings, method, path, principal)
            or self._governance.answer(method, path, body, principal)
            or self._registrations.answer(method, path, principal)
            or self._groups.answer(method, path, query, body, principal, base_url)
        )

    def _handler(self, method: str, target: ResourcePath) -> Handler:
        handler = self._handlers.get(target.kind)
        single = not target.is_collection and (target.resource_group or target.types[0] == "locations")
        if handler is None or not (single or (method == "GET" and target.is_collection)):
            raise unknown_type(target.kind)
        return handler

    def _dispatch(self, handler: Handler, call: Call) -> Answer:
        """Call the verb; a write that the resource provider refuses is reported as a failed one."""
        if call.method == "GET":
            return handler.list_all(call) if call.path.is_collection else handler.get(call)
        verbs = {"PUT": handler.put, "PATCH": handler.patch, "DELETE": handler.delete}
        if call.method not in verbs:
            raise ArmError(405, "HttpMethodNotSupported", f"The HTTP method '{call.method}' is not supported.")
        try:
            if call.method != "DELETE":
                check_shape(call)
            return verbs[call.method](call)
        except ArmError:
            self._context.emit(call, "Failed")
            raise

    def _response(self, answer: Answer, correlation: str) -> Response:
        headers = {
            "Date": format_datetime(self._context.clock.now(), usegmt=True),
            "Cache-Control": "no-cache",
            "x-ms-request-id": self._context.guid(),
            "x-ms-correlation-request-id": correlation,
            **answer.headers,
        }
        if isinstance(answer.body, dict) and isinstance(answer.body.get("etag"), str):
            headers["ETag"] = answer.body["etag"]
        if answer.body is None:
            return Response(status_code=answer.status, headers=headers)
        content = json.dumps(answer.body, ensure_ascii=False)
        return Response(content, answer.status, headers, media_type="application/json; charset=utf-8")


def operation_name(method: str, path: str, target: ResourcePath | None) -> str:
    """A short name to count by: "PUT zone", "LIST record", "GET operation" (any poll)."""
    if target is None:
        return f"{method} {path.rstrip('/').rsplit('/', 1)[-1]}"
    if target.types[0] == "privateDnsZones" and len(target.types) == 2 and target.types[1] != "virtualNetworkLinks":
        short = "record"
    else:
        short = SHORT_NAMES.get(target.kind, target.kind)
    return f"LIST {short}" if method == "GET" and target.is_collection else f"{method} {short}"


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        message = f"The request content was invalid and could not be deserialized: '{error}'."
        raise bad_request("InvalidRequestContent", message) from error
