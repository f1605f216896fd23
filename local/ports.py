"""Free TCP ports on the loopback interface, for whoever starts a local process (Azurite, the clouds, the host)."""

from __future__ import annotations

import contextlib
import socket


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return `count` different ports that nothing listens on.

    All are held at once while they are picked, so none comes twice. They are free when returned, not reserved: who
    can bind port 0 itself should do that instead.
    """
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(count)]
        for one in sockets:
            one.bind((host, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def free_port(host: str = "127.0.0.1") -> int:
    """Return one port that nothing listens on."""
    return free_ports(1, host)[0]
