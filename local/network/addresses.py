"""Loopback addresses for virtual networks and their endpoints; called by `Network`, and claimed by `local.simulators`.

Every running instance owns one 127.N.0.0/16, so that two of them never meet: it holds an anchor socket in it for as
long as it runs. A virtual network gets a /24 of it: .2 is its name server, its endpoints begin at .4.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

DATA_PLANE_PORT = 9243
HTTPS_PORT = 443
"""Where projects answer, and nowhere else."""
STAND_IN_PORT = 9443
"""In its place where an ordinary user may not listen on it: `local.host` leads the app there."""
_PREFIXES = range(16, 251)
_SLICES = 255  # the last /24 of the prefix holds the anchor
_FIRST_HOST, _LAST_HOST = 4, 254
_NAME_SERVER = 2


class LoopbackClaim:
    """A 127.N.0.0/16 that is ours until closed."""

    def __init__(self, prefix: str, anchor: socket.socket) -> None:
        self.prefix = prefix
        self._anchor = anchor

    def close(self) -> None:
        """Let others have it."""
        self._anchor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def claim_loopback() -> LoopbackClaim:
    """Find a prefix no other instance on this machine holds, and hold it."""
    for number in _PREFIXES:
        anchor = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            anchor.bind((f"127.{number}.255.254", DATA_PLANE_PORT))
        except OSError:
            anchor.close()
            continue
        return LoopbackClaim(f"127.{number}.0.0/16", anchor)
    raise OSError(f"no loopback prefix 127.16-250.0.0/16 is free: is something listening on 0.0.0.0:{DATA_PLANE_PORT}?")


def https_port(prefix: str) -> int:
    """Where the listeners for port 443 are: there, if this user may."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        try:
            tried.bind((str(ipaddress.IPv4Network(prefix)[-3]), HTTPS_PORT))
        except OSError:
            return STAND_IN_PORT
    return HTTPS_PORT


class AddressPlan:
    """Which address belongs to which virtual network; none is handed out twice."""

    def __init__(self, prefix: str) -> None:
        network = ipaddress.IPv4Network(prefix)
        if network.prefixlen != 16 or not network.is_loopback:
            raise ValueError(f"{prefix}: a /16 of 127.0.0.0/8 expected")
        self._first = network.network_address
        self._slices: dict[str, int] = {}
        self._next_host: dict[str, int] = {}

    def name_server(self, vnet_id: str) -> str:
        """Address of the virtual network's name server."""
        return self._address(vnet_id, _NAME_SERVER)

    def vnet_of_name_server(self, address: str) -> str | None:
        """The (lower-cased) virtual network whose name server has this address."""
        return next((vnet for vnet in self._slices if self.name_server(vnet) == address), None)

    def allocate(self, vnet_id: str) -> str:
        """A new address in the virtual network."""
        vnet = vnet_id.lower()
        host = self._next_host.get(vnet, _FIRST_HOST)
        if host > _LAST_HOST:
            raise RuntimeError(f"all loopback addresses of {vnet_id} are used up")
        self._next_host[vnet] = host + 1
        return self._address(vnet, host)

    def _address(self, vnet_id: str, host: int) -> str:
        number = self._slices.setdefault(vnet_id.lower(), len(self._slices))
        if number >= _SLICES:
            raise RuntimeError(f"there are loopback addresses for {_SLICES} virtual networks only")
        return str(self._first + number * 256 + host)
