"""Port 443 of loopback for a user who may not listen there: the app's connections to it are led to another port.

Called by `local.host` where `local.network` had to open that other port. The app connects to 443, as in Azure.
"""

from __future__ import annotations

import socket
from typing import Any

_HTTPS_PORT = 443
_connect = socket.socket.connect


def lead_https_to(port: int) -> None:
    """From now on, let this process's connections to 127.0.0.0/8 at port 443 go to this port there."""

    def connect(self: socket.socket, address: Any) -> None:
        _connect(self, led(address, port))

    socket.socket.connect = connect  # type: ignore[assignment,method-assign]  # asyncio calls it


def led(address: Any, port: int) -> Any:
    """Where a connection to this address goes."""
    is_https = isinstance(address, tuple) and address[1] == _HTTPS_PORT and str(address[0]).startswith("127.")
    return (address[0], port, *address[2:]) if is_https else address
