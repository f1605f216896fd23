"""Azure Resource Manager clients, one pair per subscription, made when first needed and kept for the process.

Used by `private_endpoints` and `private_dns`; built by `app`. The address, the audience and the credential are settings
or the platform's environment, so the same code talks to any ARM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from shared.clouds.azure.sdk_clients import SdkClients
from shared.core.model.json_values import mapping
from shared.requests import Service

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.mgmt.network.aio import NetworkManagementClient
    from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

NETWORK_API = "2024-05-01"
"""Pinned: the SDK's default moves with each release, and every call must work in clouds that lag behind."""


@dataclass(frozen=True, slots=True)
class ArmOptions:
    """Where ARM is and how patient to be; times in seconds."""

    url: str = "https://management.azure.com"
    audience: str = "https://management.azure.com"
    poll_interval: float = 2.0
    """Between two looks at a long-running operation; the SDK's own default is 30."""
    operation_wait: float = 25.0
    """How long one run waits for an operation before it goes back to the queue."""
    timeout: float = 15.0
    """For one request."""
    tags: tuple[tuple[str, str], ...] = ()
    """What zones and links are made with, besides the marker."""


class Budget(Protocol):
    """Who is asked before private DNS is (`state.read_budget`)."""

    async def before_read(self, subscription_id: str) -> None:
        """A read goes out now; raises Throttled where it must not."""
        ...

    async def before_zone(self, subscription_id: str) -> None:
        """A zone is made, changed or deleted now."""
        ...

    def note_remaining(self, subscription_id: str, headers: Mapping[str, str]) -> None:
        """What the answer to a read says is left."""
        ...


class ArmClients:
    """The SDK clients. `transport` replaces the SDK's own (aiohttp), for running without sockets."""

    def __init__(
        self,
        options: ArmOptions,
        credential: Callable[[], AsyncTokenCredential],
        transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.options, self._budget = options, budget
        self._clients = SdkClients(Service.ARM, options.timeout, credential, transport)

    async def network(self, subscription_id: str) -> NetworkManagementClient:
        """The client for private endpoints and network interfaces of a subscription."""
        client = await self._client("azure.mgmt.network.aio", "NetworkManagementClient", subscription_id)
        return cast("NetworkManagementClient", client)

    async def dns(self, subscription_id: str) -> PrivateDnsManagementClient:
        """The client for private DNS of a subscription."""
        client = await self._client("azure.mgmt.privatedns.aio", "PrivateDnsManagementClient", subscription_id)
        return cast("PrivateDnsManagementClient", client)

    async def _client(self, module: str, kind: str, subscription_id: str) -> object:
        return await self._clients.client(
            module,
            kind,
            of=subscription_id,
            subscription_id=subscription_id,
            base_url=self.options.url,
            credential_scopes=[f"{self.options.audience.rstrip('/')}/.default"],
            polling_interval=self.options.poll_interval,
            per_retry_policies=[_no_registration(), *([] if self._budget is None else [_within(self._budget)])],
        )

    async def aclose(self) -> None:
        """Close every client and the credential."""
        await self._clients.aclose()


def _no_registration() -> object:
    """A policy of the SDK's pipeline that keeps another one from registering resource providers by itself.

    It would do so after any refusal that says one is missing, also of a read in observe mode, and has no right to.
    """
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415 - the SDK is imported when first used
    from azure.core.pipeline.policies import AsyncHTTPPolicy  # noqa: PLC0415
    from azure.mgmt.core.exceptions import ARMErrorFormat  # noqa: PLC0415

    class NoRegistration(AsyncHTTPPolicy[Any, Any]):
        async def send(self, request: Any) -> Any:
            response = await self.next.send(request)
            if response.http_response.status_code == HTTPStatus.CONFLICT:
                await response.http_response.read()  # of a long-running operation the answer is a stream
                if "MissingSubscriptionRegistration" in response.http_response.text():
                    raise HttpResponseError(response=response.http_response, error_format=ARMErrorFormat)
            return response

    return NoRegistration()


_PRIVATE_DNS = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f-]{36})/.*(?:/privatedns(?P<operation>operation)|/privatednszones(?P<below>/[^/?]+/)?)",
    re.IGNORECASE,
)


def _within(budget: Budget) -> object:
    """A policy of the SDK's pipeline that sends nothing to private DNS that the budget has no room for."""
    from azure.core.pipeline.policies import AsyncHTTPPolicy  # noqa: PLC0415 - the SDK is imported when first used

    class WithinBudget(AsyncHTTPPolicy[Any, Any]):
        async def send(self, request: Any) -> Any:
            found = _PRIVATE_DNS.search(urlsplit(request.http_request.url).path)
            if found is None:
                return await self.next.send(request)
            subscription = found["subscription"]
            if request.http_request.method != "GET":
                if not found["below"]:
                    await budget.before_zone(subscription)
                return await self.next.send(request)
            await budget.before_read(subscription)
            response = await self.next.send(request)
            budget.note_remaining(subscription, response.http_response.headers)
            return response

    return WithinBudget()


def body_of(answer: object) -> Mapping[str, Any]:
    """The JSON of a resource that the SDK answers with; empty where a list has something else in its place."""
    as_dict = getattr(answer, "as_dict", None)
    return mapping(as_dict()) if as_dict is not None else {}
