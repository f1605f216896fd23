"""A key vault, read with the app's identity: the value of a secret, and what keeps the app from reading it.

Used by `clouds.elastic.keys` for the Elastic Cloud API keys; built by `composition` when a setting names a vault. The
real SDK answers the vault's challenge and caches the token. Values never stand in a text, a log line or an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.clouds.azure.errors import arm_errors
from shared.core.model.errors import Forbidden, RetryLater
from shared.core.model.reasons import Reason
from shared.core.reasons import explain
from shared.correlation import Service, request_hook

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.keyvault.secrets.aio import SecretClient

API_VERSION = "7.4"
"""Pinned: the SDK's default moves with each release, and the vault must answer in clouds that lag behind."""
_ROLE = "Key Vault Secrets User"
_FIREWALL = frozenset({"ForbiddenByFirewall", "ForbiddenByConnection"})


@dataclass(frozen=True, slots=True)
class VaultOptions:
    """Where the vault is."""

    url: str
    timeout: float = 15.0
    """Seconds that reading a secret may take, with the token that it needs."""

    @property
    def name(self) -> str:
        """What `az keyvault` calls it."""
        return (urlsplit(self.url).hostname or "").partition(".")[0]

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine: then its address is in no domain of Azure's, which the SDK would insist on."""
        host = urlsplit(self.url).hostname or ""
        return host == "localhost" or host.startswith("127.")


class Vault:
    """The vault. `transport` replaces the SDK's own (aiohttp), for running without sockets."""

    def __init__(
        self,
        options: VaultOptions,
        credential: Callable[[], AsyncTokenCredential],
        transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
    ) -> None:
        self.options = options
        self._new_credential = credential
        self._transport = transport
        self._credential: AsyncTokenCredential | None = None
        self._client: SecretClient | None = None

    async def secret(self, name: str) -> str | None:
        """A secret's newest value; None: there is none, or it is disabled.

        Forbidden, Throttled or RetryLater: it cannot be read, and whether there is one is not known.
        """
        on = f"{self.options.url}/secrets/{name}"
        try:
            async with asyncio.timeout(self.options.timeout):
                return await _value(await self._opened(), name, on, self.options.name)
        except TimeoutError as error:
            raise RetryLater(f"Key vault {self.options.name} did not answer in time.", on=on, after=30.0) from error

    async def _opened(self) -> SecretClient:
        if self._client is None:
            # The import takes a while: off the event loop, so that other work in this process goes on.
            module = await asyncio.to_thread(_import, "azure.keyvault.secrets.aio")
            self._credential = self._credential or self._new_credential()
            options = {} if self._transport is None else {"transport": self._transport()}
            self._client = self._client or module.SecretClient(
                self.options.url,
                self._credential,
                # Who needs the key asks again soon, and its caller is not to wait inside the SDK.
                retry_total=0,
                connection_timeout=self.options.timeout,
                read_timeout=self.options.timeout,
                raw_request_hook=request_hook(Service.VAULT),
                api_version=API_VERSION,
                verify_challenge_resource=not self.options.is_local,
                **options,
            )
        return self._client

    async def aclose(self) -> None:
        """Close the client and the credential."""
        if self._client is not None:
            await self._client.close()
            self._client = None
        if self._credential is not None:
            await self._credential.close()
            self._credential = None


async def _value(client: SecretClient, name: str, on: str, vault: str) -> str | None:
    from azure.core.exceptions import (  # noqa: PLC0415 - the SDK is imported when first used
        ClientAuthenticationError,
        HttpResponseError,
        ResourceNotFoundError,
    )

    with arm_errors(f"read an API key in key vault {vault}", on=on):
        try:
            return (await client.get_secret(name)).value or ""
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            if isinstance(error, ClientAuthenticationError) or error.status_code != HTTPStatus.FORBIDDEN:
                raise
            if (code := _code(error)) == "SecretDisabled":
                return None
            raise vault_refusal(code, vault, on) from error


def vault_refusal(code: str, vault: str, on: str) -> Forbidden:
    """The product's error for a vault that answers 403: its firewall, or a right that the app has not."""
    what = f"Key vault {vault} does not let the app read the Elastic Cloud API key ({code})."
    step = f"Give the app's identity the role {_ROLE} on key vault {vault}."
    if code in _FIREWALL:
        step = f"Let the app's network through the firewall of key vault {vault}."
    return Forbidden(explain(Reason.ELASTIC_KEY_MISSING, what, step), on=on)


def _code(error: HttpResponseError) -> str:
    """The innermost code, which says more than the outer `Forbidden`."""
    inner = getattr(error.error, "innererror", None) or {}
    return str(inner.get("code") or getattr(error.error, "code", None) or "Forbidden")


def _import(name: str) -> Any:
    import importlib  # noqa: PLC0415 - needed only here

    return importlib.import_module(name)
