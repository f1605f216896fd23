"""The Azure SDK's clients: made when first needed, kept, closed together; what they raise, how operations are awaited.

All clients of a service share one credential, which caches tokens; each has a transport of its own, whose requests have
one deadline, and repeats nothing: a message of the queue waits cheaper than an instance that sleeps inside the SDK.
Azure Resource Manager has one pair per subscription, for `private_endpoints` and `private_dns`; `vault` and
`event_grid` have their own. Addresses, audience and credential are settings or the platform's environment, so the same
code talks to any ARM.

A subscription has few private DNS reads. So each is asked for before it is sent (`Budget`), and long-running operations
are looked at when their kind usually ends (`Operations`), because the service names no time: what the last one of a
kind took tells when the first look at the next is worth it; while that is not known, those that run side by side share
the looks that one would have. Looks follow the time waited so far: a twelfth of it. Processes tell each other.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from shared.clouds.azure.errors import classified, is_our_bug, not_signed_in, unusable
from shared.core.model.errors import AnswerLost, Blocked, NotFound, RetryLater
from shared.core.model.json_values import mapping, text
from shared.core.model.reasons import Reason
from shared.requests import Service, azure_transport, request_hook

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.mgmt.network.aio import NetworkManagementClient
    from azure.mgmt.privatedns.aio import PrivateDnsManagementClient


class SdkClients:
    """The clients of one service, by class and by what each is for."""

    def __init__(
        self,
        service: Service,
        timeout: float,
        credential: Callable[[], AsyncTokenCredential],
        transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
    ) -> None:
        """`timeout`: seconds for one request. `transport` replaces the SDK's (aiohttp), for running without sockets."""
        self._service, self._timeout = service, timeout
        self._new_credential, self._new_transport = credential, transport
        self._credential: AsyncTokenCredential | None = None
        self._clients: dict[tuple[str, str, str], Any] = {}

    async def client(self, module: str, kind: str, of: str = "", **options: Any) -> Any:
        """The client `kind` of `module`, made with these options; `of` tells several of a kind apart."""
        key = (module, kind, of)
        if key not in self._clients:
            # The import takes up to a second: off the event loop, so that other work in this process goes on.
            loaded = await asyncio.to_thread(import_module, module)
            if key not in self._clients:  # another caller may have been quicker
                self._clients[key] = self._made(getattr(loaded, kind), options)
        return self._clients[key]

    def _made(self, kind: Any, options: dict[str, Any]) -> Any:
        # One credential for all clients and runs: closing it with a client would close it for the next run.
        self._credential = self._credential or self._new_credential()
        transport = azure_transport(self._timeout) if self._new_transport is None else self._new_transport()
        return kind(
            credential=self._credential,
            retry_total=0,
            raw_request_hook=request_hook(self._service),
            transport=transport,
            **options,
        )

    async def aclose(self) -> None:
        """Close every client and the credential."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.close()
        if self._credential is not None:
            await self._credential.close()
            self._credential = None


# -- what clients raise ------------------------------------------------------------------------------------------------


@contextmanager
def arm_errors(doing: str, on: str) -> Iterator[None]:
    """Raise the product's error for each error that the SDK raises inside."""
    from azure.core import exceptions as azure  # noqa: PLC0415 - the SDK is imported when first used

    try:
        yield
    except azure.ClientAuthenticationError as error:
        raise not_signed_in(error, doing, on) from error
    except azure.DecodeError as error:
        raise unusable(doing, on) from error
    except azure.HttpResponseError as error:
        raise classified(error, doing, on) from error
    except azure.ServiceRequestError as error:
        raise RetryLater(f"Azure could not be reached to {doing}.", on=on) from error
    except azure.ServiceResponseError as error:
        raise AnswerLost(f"Azure's answer was lost while asked to {doing}.", on=on) from error
    except azure.AzureError as error:
        raise unusable(doing, on) from error
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        # Of answers that are not as described: a list that is null, a Retry-After that is a date, very deep lists.
        if is_our_bug(error):
            raise
        raise unusable(doing, on) from error


@contextmanager
def arm_read_errors(doing: str, on: str) -> Iterator[None]:
    """The same for reading one thing: where its resource group is gone, it is gone too."""
    try:
        with arm_errors(doing, on):
            yield
    except Blocked as error:
        if error.reason is Reason.RESOURCE_GROUP_NOT_FOUND:
            raise NotFound(error.what, on=on, code="ResourceGroupNotFound") from error
        raise


# -- Azure Resource Manager --------------------------------------------------------------------------------------------


NETWORK_API = "2024-05-01"
"""Pinned: the SDK's default moves with each release, and every call must work in clouds that lag behind."""


@dataclass(frozen=True, slots=True)
class ArmOptions:
    """Where ARM is and how patient to be; times in seconds."""

    url: str = "https://management.azure.com"
    audience: str = "https://management.azure.com"
    poll_interval: float = 1.0
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

    async def before_zone(self, subscription_id: str) -> None:
        """A zone is made, changed or deleted now."""

    def note_remaining(self, subscription_id: str, headers: Mapping[str, str]) -> None:
        """What the answer to a read says is left."""

    def usual(self, kind: str) -> float | None:
        """Seconds that operations of a kind take."""

    def learned(self, kind: str, seconds: float) -> None:
        """This one has seen it."""


class ArmClients:
    """The SDK clients. `transport` replaces the SDK's own (aiohttp), for running without sockets."""

    def __init__(
        self,
        options: ArmOptions,
        credential: Callable[[], AsyncTokenCredential],
        transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.options, self.budget = options, budget
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
            per_retry_policies=[_no_registration(), *([] if self.budget is None else [_within(self.budget)])],
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


# -- long-running operations of private DNS ----------------------------------------------------------------------------


SHARE = 0.08
"""Of the time waited so far, to the next look."""
SOONER = 0.95
"""Of the time that the last one took, where none was seen running shortly before: it may have ended long ago."""
SEEN_SHORTLY = 0.85
LONGER = 5.0
"""Seconds that a run waits beyond its time rather than go through the queue."""
WITHOUT_A_LOOK = 4.0
"""Seconds at least after which a run comes back while others of the kind have the looks."""
ASKED_FOR, ASKED_A_SECOND = 10.0, 8
"""Of the runs of a kind in the last so many seconds, so many come back in a second: each reads its endpoint."""
NOTHING, LONGEST_PAUSE = 0.05, 60.0
"""Seconds that are none; and after which a run comes back in any case: the kind may have become faster."""
HELD_PLACES = 4
"""Runs of a process that wait in place; the others go back to the queue, so that what has not begun can begin."""

ENDED = frozenset({"succeeded", "failed", "canceled"})

Look = Callable[[], Awaitable[Mapping[str, Any]]]


@dataclass(slots=True)
class _Learned:
    """What is known of operations of one kind."""

    usual: float | None = None
    """Seconds until the first look."""
    looked_at: float | None = None
    """When one of them was last looked at, by the loop's time."""
    seen_running: float = 0.0
    """The longest that one of them was seen running."""
    asked: list[float] = field(default_factory=list)
    """When runs came that got no look."""


class StillRunning(Exception):
    """The operation outlasts the run; `after`: seconds to the next look."""

    def __init__(self, after: float) -> None:
        super().__init__(after)
        self.after = after


class Operations:
    """How long operations take, by their kind, and the wait for one of them."""

    def __init__(self, shortest: float, longest: float, budget: Budget | None = None) -> None:
        """`shortest`: seconds between two looks at least. `longest`: that a run waits for one operation."""
        self._shortest, self._longest, self._budget = shortest, longest, budget
        self._kinds: dict[str, _Learned] = {}
        self._held = 0

    def pause(self, kind: str, waited: float) -> float:
        """Seconds until a look is worth it at an operation that has run for so long; 0: now."""
        known = self._kind(kind)
        quiet = _now() - known.looked_at if known.looked_at is not None else None
        if known.usual is None:
            left = 0.0 if quiet is None else self.after_look(waited) - quiet
        else:
            left = known.usual - waited
            if left > 0 and waited >= known.usual / 2 and (quiet is None or quiet >= known.usual / 4):
                return 0.0  # one of them finds out whether it has become faster
        return 0.0 if left < NOTHING else min(left, LONGEST_PAUSE)

    def pause_away(self, kind: str, waited: float, *, others_look: bool = False) -> float:
        """The same for a run that goes back to the queue: the more of them do, the longer each stays away."""
        pause, known, now = self.pause(kind, waited), self._kind(kind), _now()
        if known.usual is not None or not (pause or others_look):
            return pause
        known.asked = [*(one for one in known.asked if now - one < ASKED_FOR), now]
        many = len(known.asked) > HELD_PLACES
        return max(pause, self._shortest, WITHOUT_A_LOOK if many else 0.0, len(known.asked) / ASKED_A_SECOND)

    def after_look(self, waited: float) -> float:
        """Seconds from one look to the next, by the time waited so far."""
        return max(self._shortest, waited * SHARE)

    def note(self, kind: str, waited: float, told: Mapping[str, Any]) -> bool:
        """What a look has told, for those that follow; whether the operation has ended."""
        known = self._kind(kind)
        known.looked_at = _now()
        if not has_ended(told):
            known.seen_running = max(known.seen_running, waited)
            return False
        shortly = SEEN_SHORTLY * waited <= known.seen_running <= waited
        known.usual = waited if shortly else min(waited * SOONER, known.usual or LONGEST_PAUSE)
        known.seen_running = 0.0
        if self._budget is not None:
            self._budget.learned(kind, known.usual)
        return True

    async def wait_for_end(self, kind: str, look: Look, *, deletes: bool = False) -> Mapping[str, Any]:
        """What Azure tells of an operation, begun just now, once it has ended; raises StillRunning.

        What deletes has a place in any case: of its operation nothing is kept, so another run would begin it anew.
        """
        began, longest = _now(), self._longest + LONGER
        if self._held >= HELD_PLACES and not deletes:
            raise StillRunning(self.pause_away(kind, 0.0, others_look=True) or self._shortest)
        self._held += 1
        try:
            pause = max(self._shortest, self.pause(kind, 0.0))
            while (waited := _now() - began) + pause <= longest:
                await asyncio.sleep(pause)
                waited += pause
                pause = self.pause(kind, waited)
                if pause:
                    continue
                told = await look()
                if self.note(kind, waited, told):
                    return told
                pause = self.after_look(waited)
            raise StillRunning(pause)
        finally:
            self._held -= 1

    def _kind(self, kind: str) -> _Learned:
        known = self._kinds.setdefault(kind, _Learned())
        if known.usual is None and self._budget is not None:
            known.usual = self._budget.usual(kind)
        return known


def has_ended(told: Mapping[str, Any]) -> bool:
    """Whether an operation has ended, by what Azure tells of it; what Azure has forgotten has."""
    return text(told.get("status")).lower() in ENDED or not told.get("status")


def _now() -> float:
    return asyncio.get_running_loop().time()
