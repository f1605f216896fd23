"""A virtual network from inside, for the product's probe, without sockets; made by `Network.inside`, used by tests.

It fits the probe's own idea of a network, so that the probe's order, limits and judgement run unchanged.
"""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Protocol

from shared.core.diagnosis import Failure
from shared.probe.model import Answer, NameNotFound, ResolverFailed, StageFailed

if TYPE_CHECKING:
    from local.network.data_plane import Closed, Dial
    from local.network.dns import Answer as Names
    from shared.probe.model import Request


_FOREVER = 3600.0  # longer than any client waits


class Surroundings(Protocol):
    """What this needs of `Network`."""

    def resolve(self, vnet_id: str | None, name: str) -> Names:
        """A records of a name, as that network sees it."""

    def attempt(self, address: str, port: int, *, from_vnet: str | None = None) -> Dial | Closed:
        """Connect to an endpoint's address, or what a client meets in its place."""


class InsideConnection:
    """A connection to an endpoint's address."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial

    async def start_tls(self, host: str) -> None:
        """Compare the host with the certificate's names; its chain is good by construction."""
        names = self._dial.certificate_names(host)
        if not any(matches(name, host) for name in names):
            raise StageFailed(Failure.CERTIFICATE_MISMATCH, f"certificate is for {', '.join(names)}")

    async def exchange(self, request: Request, body_limit: int) -> Answer:
        """Ask the proxy."""
        host = next(value for name, value in request.headers if name.lower() == "host")
        answer = self._dial.request(host, request.path)
        headers = {name.lower(): value for name, value in answer.headers}
        return Answer(answer.status, headers, answer.body.encode()[:body_limit])

    async def aclose(self) -> None:
        """Nothing is held."""


class ResetConnection:
    """A connection that a firewall let open, and resets as soon as something is said."""

    async def start_tls(self, host: str) -> None:
        """The reset."""
        raise ConnectionResetError(errno.ECONNRESET, f"{host}: reset by a firewall")

    async def exchange(self, request: Request, body_limit: int) -> Answer:
        """The reset."""
        raise ConnectionResetError(errno.ECONNRESET, f"{request.path}, {body_limit}: reset by a firewall")

    async def aclose(self) -> None:
        """Nothing is held."""


class InsideNetwork:
    """What a machine in one virtual network can look up and reach."""

    def __init__(self, network: Surroundings, vnet_id: str | None) -> None:
        self._network = network
        self._vnet_id = vnet_id

    async def resolve(self, host: str) -> tuple[str, ...]:
        """A records, as the virtual network's name server gives them."""
        answer = self._network.resolve(self._vnet_id, host)
        if answer.rcode == "TIMEOUT":
            await asyncio.sleep(_FOREVER)
        if answer.rcode == "SERVFAIL":
            raise ResolverFailed("the name server answered SERVFAIL")
        if not answer.addresses:
            raise NameNotFound
        return answer.addresses

    async def connect(self, address: str, port: int) -> InsideConnection | ResetConnection:
        """Connect; without a route, or with a firewall on the way, it goes as there."""
        met = self._network.attempt(address, port, from_vnet=self._vnet_id)
        if met == "timeout":
            await asyncio.sleep(_FOREVER)
            raise TimeoutError(errno.ETIMEDOUT, f"{address}:{port}: no route")
        if met == "refused":
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{address}:{port}: refused")
        if met == "unreachable":
            raise OSError(errno.EHOSTUNREACH, f"{address}:{port}: no route")
        return ResetConnection() if met == "reset" else InsideConnection(met)


def matches(pattern: str, host: str) -> bool:
    """Whether a certificate's name covers a host: `*` stands for exactly one label."""
    first, _, rest = pattern.lower().partition(".")
    label, _, domain = host.lower().rstrip(".").partition(".")
    return rest == domain and first in ("*", label)
