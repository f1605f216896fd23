"""The vault's front: challenge, rights, firewall and throttling first, then the secrets. An ASGI app.

Served over TLS by `local.cli.stack`, called in-process by fast tests. Reference: Azure Key Vault REST, "Secrets"
(learn.microsoft.com/rest/api/keyvault/secrets) and "Authentication, requests and responses" for the challenge.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.vault.settings import VaultSettings
from local.vault.store import Secret, Store, bundle, change

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.clock import LoopClock

AUDIENCE = "https://vault.azure.net"
"""What a token for a vault is issued for."""
TENANT = "https://login.windows.net/00000000-0000-0000-0000-0000000000aa"
API_VERSIONS = ("7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01")
PAGE = 25
READ, LIST, SET, DELETE, RECOVER, PURGE = "getSecret", "readMetadata", "setSecret", "delete", "recover", "purge"
_READS = frozenset({READ, LIST})
"""What the role Key Vault Secrets User has."""


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str, inner: str = "", **headers: str) -> None:
        super().__init__(message)
        error: dict[str, Any] = {"code": code, "message": message}
        if inner:
            error["innererror"] = {"code": inner}
        self.answer = JSONResponse(
            {"error": error}, status, {name.replace("_", "-"): value for name, value in headers.items()}
        )


class KeyVault:
    """The vault; `app` answers. A token that `is_app` knows is the app's, any other valid one a person's.

    The app may read at most, as far as `app_may` says of a token and a data action.
    """

    def __init__(
        self,
        clock: LoopClock,
        *,
        check_token: Callable[[str], bool] | None = None,
        is_app: Callable[[str], bool] | None = None,
        app_may: Callable[[str, str], bool] = lambda _token, _action: True,
        settings: VaultSettings | None = None,
        random: Random | None = None,
    ) -> None:
        self.settings = settings or VaultSettings()
        self._clock, self._check_token, self._is_app, self._app_may = clock, check_token, is_app, app_may
        self._store = Store(random or Random(2))
        self.reads: list[tuple[Any, str, int]] = []
        """When a secret was asked for, its name, and the status of the answer."""
        name = "/secrets/{name}"
        gone = "/deletedsecrets/{name}"
        self.app = Starlette(
            routes=[
                Route("/secrets", self._guard(LIST, self._list), methods=["GET"]),
                Route(f"{name}/versions", self._guard(LIST, self._versions), methods=["GET"]),
                Route(name, self._guard(SET, self._set), methods=["PUT"]),
                Route(name, self._guard(DELETE, self._delete), methods=["DELETE"]),
                Route(name, self._guard(READ, self._get), methods=["GET"]),
                Route(f"{name}/{{version:path}}", self._guard(READ, self._get), methods=["GET"]),
                Route(f"{name}/{{version:path}}", self._guard(SET, self._update), methods=["PATCH"]),
                Route("/deletedsecrets", self._guard(LIST, self._list_deleted), methods=["GET"]),
                Route(gone, self._guard(READ, self._get_deleted), methods=["GET"]),
                Route(gone, self._guard(PURGE, self._purge), methods=["DELETE"]),
                Route(f"{gone}/recover", self._guard(RECOVER, self._recover), methods=["POST"]),
            ]
        )

    def store(self, name: str, value: str, *, enabled: bool = True) -> None:
        """Store a secret, as a person does with `az keyvault secret set`, without a request."""
        self._store.add(name, self._clock.now(), {"value": value, "attributes": {"enabled": enabled}})

    def secrets(self) -> dict[str, str]:
        """The newest value of each secret that is there and enabled, by name, without a request."""
        newest = {secret.name: secret.version() for secret in self._store.all()}
        return {name: one.value for name, one in newest.items() if one is not None and one.enabled}

    def disable(self, name: str) -> None:
        """Disable the newest version of a secret, without a request."""
        found = self._store.find(name)
        version = None if found is None else found.version()
        if version is not None:
            version.enabled = False

    # -- the front -------------------------------------------------------------------------------------------------

    def _guard(self, action: str, handle: Callable[[Request, dict[str, Any]], Response]) -> Any:
        async def answer(request: Request) -> Response:
            if self.settings.hang_seconds:
                await self._clock.sleep(self.settings.hang_seconds)
            try:
                self._admit(request, action)
                found = handle(request, await _body(request))
            except _RefusedError as refused:
                found = refused.answer
            if action == READ and found.status_code != 401:
                self.reads.append((self._clock.now(), request.path_params["name"], found.status_code))
            found.headers["x-ms-keyvault-service-version"] = "1.9.2500.1"
            found.headers["cache-control"] = "no-cache"
            return found

        return answer

    def _admit(self, request: Request, action: str) -> None:
        settings = self.settings
        if settings.unavailable:
            raise _RefusedError(settings.unavailable, "ServiceUnavailable", "made by a switch")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        held = scheme.lower() == "bearer" and (self._check_token is None or self._check_token(token))
        if not held:
            challenge = f'Bearer authorization="{TENANT}", resource="{AUDIENCE}"'
            text = "AKV10000: Request is missing a Bearer or PoP token."
            raise _RefusedError(401, "Unauthorized", text, WWW_Authenticate=challenge)
        if request.query_params.get("api-version") not in API_VERSIONS:
            raise _RefusedError(400, "BadParameter", "The specified version (api-version) is not recognized.")
        if settings.throttled:
            text = "Request was not processed because too many requests were received."
            raise _RefusedError(429, "Throttled", text, Retry_After="10")
        if settings.behind_firewall:
            text = "Client address is not authorized and caller is not a trusted service."
            raise _RefusedError(403, "Forbidden", text, "ForbiddenByFirewall")
        if not self._may(token, action):
            text = (
                "Caller is not authorized to perform action on resource. If role assignments, deny assignments or role "
                f"definitions were changed recently, please observe propagation time. Action: "
                f"'Microsoft.KeyVault/vaults/secrets/{action}/action'."
            )
            raise _RefusedError(403, "Forbidden", text, "ForbiddenByRbac")

    def _may(self, token: str, action: str) -> bool:
        if self._is_app is None or not self._is_app(token):
            return True
        data_action = f"Microsoft.KeyVault/vaults/secrets/{action}/action"
        return action in _READS and self.settings.app_may_read and self._app_may(token, data_action)

    # -- secrets ---------------------------------------------------------------------------------------------------

    def _get(self, request: Request, _: dict[str, Any]) -> Response:
        name = request.path_params["name"]
        secret = self._there(name)
        version = secret.version(request.path_params.get("version", "").strip("/"))
        if version is None:
            raise _not_found(name)
        if not version.enabled:
            raise _RefusedError(
                403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"
            )
        return JSONResponse(bundle(_base(request), secret, version, with_value=True))

    def _set(self, request: Request, body: dict[str, Any]) -> Response:
        name = request.path_params["name"]
        if not isinstance(body.get("value"), str):
            raise _RefusedError(400, "BadParameter", "The property 'value' is required.")
        if self._store.find(name, deleted=True) is not None:
            text = (
                f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; "
                "in this state, the secret can only be recovered or purged."
            )
            raise _RefusedError(409, "Conflict", text, "ObjectIsDeletedButRecoverable")
        version = self._store.add(name, self._clock.now(), body)
        return JSONResponse(bundle(_base(request), self._there(name), version, with_value=True))

    def _update(self, request: Request, body: dict[str, Any]) -> Response:
        name = request.path_params["name"]
        secret = self._there(name)
        version = secret.version(request.path_params["version"].strip("/"))
        if version is None:
            raise _not_found(name)
        change(version, self._clock.now(), body)
        return JSONResponse({**bundle(_base(request), secret, version, with_value=True), "value": None})

    def _delete(self, request: Request, _: dict[str, Any]) -> Response:
        secret = self._there(request.path_params["name"])
        secret.deleted = self._clock.now()
        return JSONResponse(self._shown(request, secret))

    def _list(self, request: Request, _: dict[str, Any]) -> Response:
        return _page(request, [self._shown(request, one) for one in self._store.all()])

    def _list_deleted(self, request: Request, _: dict[str, Any]) -> Response:
        return _page(request, [self._shown(request, one) for one in self._store.all(deleted=True)])

    def _versions(self, request: Request, _: dict[str, Any]) -> Response:
        secret, base = self._there(request.path_params["name"]), _base(request)
        shown = [
            bundle(base, secret, one, with_value=False) | {"id": f"{base}/secrets/{secret.name}/{one.id}"}
            for one in secret.versions
        ]
        return _page(request, shown)

    def _get_deleted(self, request: Request, _: dict[str, Any]) -> Response:
        return JSONResponse(self._shown(request, self._gone(request.path_params["name"])))

    def _recover(self, request: Request, _: dict[str, Any]) -> Response:
        secret = self._gone(request.path_params["name"])
        secret.deleted = None
        return JSONResponse(self._shown(request, secret))

    def _purge(self, request: Request, _: dict[str, Any]) -> Response:
        secret = self._gone(request.path_params["name"])
        if self.settings.purge_protection:
            text = "Operation purge is not allowed because purge protection is enabled for this vault."
            raise _RefusedError(403, "Forbidden", text, "ForbiddenByPolicy")
        self._store.purge(secret.name)
        return Response(status_code=204)

    def _there(self, name: str) -> Secret:
        secret = self._store.find(name)
        if secret is None:
            raise _not_found(name)
        return secret

    def _gone(self, name: str) -> Secret:
        secret = self._store.find(name, deleted=True)
        if secret is None:
            raise _not_found(name)
        return secret

    @staticmethod
    def _shown(request: Request, secret: Secret) -> dict[str, Any]:
        version = secret.version()
        return {} if version is None else bundle(_base(request), secret, version, with_value=False)


def _not_found(name: str) -> _RefusedError:
    text = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may "
        "be able to recover it using the correct recovery command."
    )
    return _RefusedError(404, "SecretNotFound", text)


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers['host']}"


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _RefusedError(400, "BadParameter", "The request body is no JSON object.")
    return body


def _page(request: Request, entries: list[dict[str, Any]]) -> Response:
    size = min(PAGE, max(1, int(request.query_params.get("maxresults", PAGE))))
    start = int(request.query_params.get("$skiptoken", 0))
    more = start + size < len(entries)
    query = f"api-version={request.query_params['api-version']}&$skiptoken={start + size}&maxresults={size}"
    following = f"{_base(request)}{request.url.path}?{query}" if more else None
    return JSONResponse({"value": entries[start : start + size], "nextLink": following})
