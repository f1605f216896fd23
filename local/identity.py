"""The managed identity endpoint of App Service: hands out tokens that the simulated ARM accepts until they expire.

Served by `local up`; the app finds it through IDENTITY_ENDPOINT and IDENTITY_HEADER, so azure-identity runs unchanged.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.arm.settings import DEFAULT_TENANT

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from local.clock import LoopClock

API_VERSION = "2019-08-01"
MANAGEMENT = ("https://management.azure.com", "https://management.core.windows.net")
"""What a token for Azure Resource Manager is issued for."""
RESOURCES = (
    *MANAGEMENT,
    "https://storage.azure.com",
    "https://vault.azure.net",
    "https://eventgrid.azure.net",
)
SYSTEM_ASSIGNED = "11111111-0000-0000-0000-000000000000"
"""Whose token is given where no client id is asked for: on this machine, a person's."""
APP_CLIENT_ID = "22222222-0000-0000-0000-000000000000"
"""Client id of the app's user-assigned identity."""


class ManagedIdentity:
    """`.app` answers GET /msi/token; `.is_valid` tells whether a token is one of these and still holds."""

    def __init__(
        self,
        clock: LoopClock,
        header: str = "local-identity-header",
        lifetime: int = 3600,
        random: Random | None = None,
    ) -> None:
        self.header, self.lifetime = header, lifetime
        self.outage: int | None = None
        """A status that every request is answered with instead: busy, or an identity that the app has not."""
        self._clock, self._random = clock, random or Random(1)
        self._expires: dict[str, datetime] = {}
        self.app = Starlette(routes=[Route("/{path:path}", self._token, methods=["GET"])])

    def is_valid(self, token: str) -> bool:
        """Whether this endpoint gave the token and it has not expired."""
        expires = self._expires.get(token)
        return expires is not None and self._clock.now() < expires

    def is_valid_for(self, token: str, *audiences: str) -> bool:
        """The same, for a service that takes no token of another's."""
        return self.is_valid(token) and str(_claims(token)["aud"]).rstrip("/") in audiences

    def opens_arm(self, token: str) -> bool:
        """The same, for Azure Resource Manager."""
        return self.is_valid_for(token, *MANAGEMENT)

    def client_of(self, token: str) -> str:
        """The client id of the identity that got this token; "" for a token of another issuer."""
        return str(_claims(token)["appid"]) if token in self._expires else ""

    async def _token(self, request: Request) -> JSONResponse:
        if self.outage is not None:
            return _refusal(self.outage, "No token can be had at the moment.")
        given = request.headers.get("x-identity-header")
        if given != self.header:
            return _refusal(401, "The X-IDENTITY-HEADER of the request is missing or wrong.")
        query = request.query_params
        if query.get("api-version") != API_VERSION:
            return _refusal(400, f"The api-version is not supported: {query.get('api-version')}.")
        resource = query.get("resource", "")
        if resource.rstrip("/") not in RESOURCES:
            return _refusal(400, f"The resource '{resource}' is missing or unknown.")
        client_id = query.get("client_id") or SYSTEM_ASSIGNED
        return JSONResponse(self.issue(resource, client_id))

    def issue(self, resource: str, client_id: str) -> dict[str, Any]:
        """A token for a service, as the endpoint answers with it, without a request."""
        expires = self._clock.now() + timedelta(seconds=self.lifetime)
        epoch = str(int(expires.timestamp()))
        claims = {
            "aud": resource,
            "appid": client_id,
            "tid": DEFAULT_TENANT,
            "exp": int(epoch),
            "jti": f"{self._random.getrandbits(128):032x}",
        }
        token = f"{_encode({'typ': 'JWT', 'alg': 'none'})}.{_encode(claims)}.{_encode({})}"
        self._expires[token] = expires
        return {
            "access_token": token,
            "expires_on": epoch,
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id,
        }


def _claims(token: str) -> dict[str, Any]:
    claims = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))))


def _encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"statusCode": status, "message": message, "correlationId": None}, status_code=status)
