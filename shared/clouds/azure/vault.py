"""A key vault, read with the app's identity: the value of a secret, and what keeps the app from reading it.

Used by `clouds.elastic.vault_key` for the Elastic Cloud API keys and by `clouds.azure.deciding_keys`; built by
`composition` when a setting names a vault. The real SDK answers the vault's challenge and caches the token. Values
never stand in a text, a log line or an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from shared.clouds.azure.clients import SdkClients, arm_errors
from shared.core.model.errors import Forbidden, RetryLater
from shared.core.model.reasons import Reason
from shared.core.reasons import explain
from shared.requests import Service

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.keyvault.secrets.aio import SecretClient

API_VERSION = "7.4"
"""Pinned: the SDK's default moves with each release, and the vault must answer in clouds that lag behind."""
_ROLE = "Key Vault Secrets User"
_OTHER_DOMAIN = "does not match the requested domain"
"""What the SDK says where the vault's challenge names another domain than its address has."""
_DOMAIN = (
    "Correct ELASTIC_KEY_VAULT_URI; set ELASTIC_KEY_VAULT_DOMAIN_CHECK to false if the vault has a name of your own."
)
_FIREWALL = frozenset({"ForbiddenByFirewall", "ForbiddenByConnection"})


@dataclass(frozen=True, slots=True)
class VaultOptions:
    """Where the vault is."""

    url: str
    timeout: float = 15.0
    """Seconds that reading a secret may take, with the token that it needs."""
    check_domain: bool = True
    """Whether the token goes only to an address in the domain that the vault's challenge names."""

    @property
    def name(self) -> str:
        """What `az keyvault` calls it."""
        return (urlsplit(self.url).hostname or "").partition(".")[0]


class Vault:
    """The vault. `transport` replaces the SDK's own (aiohttp), for running without sockets."""

    def __init__(
        self,
        options: VaultOptions,
        credential: Callable[[], AsyncTokenCredential],
        transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
    ) -> None:
        self.options = options
        self._clients = SdkClients(Service.VAULT, options.timeout, credential, transport)

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

    async def names(self, prefix: str) -> tuple[str, ...]:
        """The names of the secrets that begin so and are enabled; raises as `secret` does."""
        on = f"{self.options.url}/secrets"
        try:
            async with asyncio.timeout(self.options.timeout):
                client = await self._opened()
                with _vault_errors(self.options.name, on):
                    listed = [one async for one in client.list_properties_of_secrets()]
        except TimeoutError as error:
            raise RetryLater(f"Key vault {self.options.name} did not answer in time.", on=on, after=30.0) from error
        return tuple(one.name for one in listed if one.enabled and (one.name or "").startswith(prefix) and one.name)

    async def _opened(self) -> SecretClient:
        client = await self._clients.client(
            "azure.keyvault.secrets.aio",
            "SecretClient",
            vault_url=self.options.url,
            api_version=API_VERSION,
            verify_challenge_resource=self.options.check_domain,
        )
        return cast("SecretClient", client)

    async def aclose(self) -> None:
        """Close the client and the credential."""
        await self._clients.aclose()


async def _value(client: SecretClient, name: str, on: str, vault: str) -> str | None:
    from azure.core.exceptions import (  # noqa: PLC0415 - the SDK is imported when first used
        HttpResponseError,
        ResourceNotFoundError,
    )

    with _vault_errors(vault, on):
        try:
            return (await client.get_secret(name)).value or ""
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            if error.status_code == HTTPStatus.FORBIDDEN and _code(error) == "SecretDisabled":
                return None
            raise


@contextmanager
def _vault_errors(vault: str, on: str) -> Iterator[None]:
    """Raise the product's error for each that the SDK raises inside."""
    from azure.core.exceptions import (  # noqa: PLC0415 - as above
        ClientAuthenticationError,
        HttpResponseError,
    )

    with _sign_in(vault, on), arm_errors(f"read an API key in key vault {vault}", on=on):
        try:
            yield
        except HttpResponseError as error:
            if isinstance(error, ClientAuthenticationError) or error.status_code != HTTPStatus.FORBIDDEN:
                raise
            raise vault_refusal(_code(error), vault, on) from error
        except ValueError as error:
            if _OTHER_DOMAIN not in str(error):
                raise
            raise _unusable(
                f"Key vault {vault} asks for a sign-in to another domain than its own.", _DOMAIN, on
            ) from error


@contextmanager
def _sign_in(vault: str, on: str) -> Iterator[None]:
    """An identity that gets no token for the vault: the key is what is missing, and it is looked for again soon."""
    try:
        yield
    except Forbidden as error:
        if error.reason is not Reason.AZURE_SIGN_IN_FAILED:
            raise
        what = f"Azure refused the app's identity when asked to read the Elastic Cloud API key in key vault {vault}."
        raise _unusable(what, error.next_step, on) from error


def vault_refusal(code: str, vault: str, on: str) -> Forbidden:
    """The product's error for a vault that answers 403: its firewall, or a right that the app has not."""
    what = f"Key vault {vault} does not let the app read the Elastic Cloud API key ({code})."
    step = f"Give the app's identity the role {_ROLE} on key vault {vault}."
    if code in _FIREWALL:
        step = f"Let the app's network through the firewall of key vault {vault}."
    return _unusable(what, step, on)


def _unusable(what: str, step: str, on: str) -> Forbidden:
    return Forbidden(explain(Reason.ELASTIC_KEY_MISSING, what, step), on=on)


def _code(error: HttpResponseError) -> str:
    """The innermost code, which says more than the outer `Forbidden`."""
    inner = getattr(error.error, "innererror", None) or {}
    return str(inner.get("code") or getattr(error.error, "code", None) or "Forbidden")
