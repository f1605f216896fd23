"""Serves an ASGI app on loopback inside a running event loop, over TLS with a certificate. Used by `stack`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn


class _Quiet(uvicorn.Server):
    """A server that leaves signals to its caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


class Serving:
    """One app on one port; `url` is where it answers."""

    def __init__(self, app: Any, *, port: int = 0, certificate: tuple[Path, Path] | None = None) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno, f"port {port} of 127.0.0.1: {error.strerror}") from error
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}"
        options = {"ssl_certfile": str(certificate[0]), "ssl_keyfile": str(certificate[1])} if certificate else {}
        quiet = {"log_level": "warning", "access_log": False}
        # The apps say what time it is, by their own clock. Connections are closed by who opened them: a server that is
        # the first to close one can do so while the next request is on its way.
        config = uvicorn.Config(app, lifespan="off", date_header=False, timeout_keep_alive=75, **quiet, **options)  # type: ignore[arg-type]  # uvicorn's names are right, a dict of them is not typed
        self._server = _Quiet(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once requests are answered."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop answering; requests under way are cut off after a second."""
        self._server.should_exit = True
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._task), 1.0)
            self._server.force_exit = True
            await self._task
        self._socket.close()
