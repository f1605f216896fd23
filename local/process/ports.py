"""Free TCP ports on the loopback interface, for local processes (Azurite, the clouds, the host)."""

from __future__ import annotations

import contextlib
import random
import socket

RANGE = range(16384, 32768)
"""Below the ports that systems give to outgoing connections (Linux from 32768, others from 49152): one of those may be
taken by another process between the moment that it was found free and the moment that it is used."""
_TRIES = 200


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return `count` different ports that nothing listens on.

    All are held at once while they are picked, so none comes twice. They are free when returned, not reserved: who
    can bind port 0 itself should do that instead.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        # By chance, so that processes that start together look at different ones.
        for port in random.SystemRandom().sample(RANGE, min(len(RANGE), _TRIES + count)):
            if len(found) == count:
                break
            one = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            with contextlib.suppress(OSError):
                one.bind((host, port))
                found.append(port)
    if len(found) < count:
        raise OSError(f"no {count} free ports on {host} between {RANGE.start} and {RANGE.stop}")
    return found


def free_port(host: str = "127.0.0.1") -> int:
    """Return one port that nothing listens on."""
    return free_ports(1, host)[0]
