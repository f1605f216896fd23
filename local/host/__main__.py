"""`python -m local.host`: serve one function app on a socket until asked to stop.

App settings are environment variables; storage is what `AzureWebJobsStorage` names. The ready file is written (whole,
at once) when the host answers: `{"port": ..., "url": ..., "pid": ...}`. Exit status 1 with the reason when the app or
its settings cannot be used.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import uvicorn

from local.clock import LoopClock
from local.host.definition import HostError, load_app
from local.host.host import FunctionsHost
from local.host.https_port import lead_https_to
from local.host.keys import Keys
from local.host.settings import HostSettings, SettingsError
from local.host.storage_queues import StorageQueueService
from local.host.timers import TimerMonitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger("local.host")


class _Server(uvicorn.Server):
    """Serves until told to stop; signals are ours, so that the triggers stop before the socket does."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so once requests are answered."""
        await super().startup(sockets=sockets)
        self._on_started()


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__.splitlines()[0])
    parser.add_argument("--app-dir", type=Path, default=Path(), help="folder of host.json and function_app.py")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--ready-file", type=Path, help="written when the host answers")
    parser.add_argument("--keys-file", type=Path, help="access keys; made on first use, so that they outlive a restart")
    parser.add_argument("--timers-file", type=Path, help="when timers ran; a run missed while down is then made good")
    parser.add_argument("--message-lease", type=float, default=600.0, help="seconds a running message stays hidden")
    parser.add_argument("--longest-poll", type=float, help="seconds between looks at a queue, in place of host.json")
    parser.add_argument(
        "--refuse-deliveries", type=float, default=0.0, help="seconds from the start in which Event Grid gets a 401"
    )
    parser.add_argument("--https-port", type=int, help="where connections of the app to loopback's port 443 are led")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds that running functions get when stopping")
    return parser.parse_args(arguments)


async def serve(options: argparse.Namespace) -> None:
    """Run the host until SIGTERM or SIGINT; raises `HostError`, `SettingsError`."""
    settings = HostSettings.read(options.app_dir)
    queue_settings = replace(settings.queues, lease=options.message_lease)
    if options.longest_poll is not None:
        queue_settings = replace(queue_settings, max_polling_interval=options.longest_poll)
    settings = replace(settings, queues=queue_settings, refuse_deliveries=options.refuse_deliveries)
    queues = StorageQueueService(os.environ)
    host = FunctionsHost(
        load_app(options.app_dir),
        LoopClock(),
        queues=queues,
        keys=Keys.load_or_create(options.keys_file) if options.keys_file else Keys.generate(),
        environ=os.environ,
        settings=settings,
        random=Random(),
        monitor=TimerMonitor(options.timers_file),
    )
    with socket.create_server(("127.0.0.1", options.port)) as listening:
        config = uvicorn.Config(
            host.app,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,  # as in `local.process.serving`: the caller closes first
        )
        server = _Server(config, lambda: _announce(options.ready_file, listening.getsockname()[1]))
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await host.start()
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        asked = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
        await host.stop(options.grace)
        server.should_exit = True
        await serving
        asked.cancel()


def _announce(ready_file: Path | None, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    logger.info("Host answers at %s", url)
    if ready_file is not None:
        temporary = ready_file.with_name(ready_file.name + ".new")
        temporary.write_text(json.dumps({"port": port, "url": url, "pid": os.getpid()}), encoding="utf-8")
        temporary.replace(ready_file)


def main(arguments: list[str] | None = None) -> int:
    """Serve; return the exit status."""
    options = parse_arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    if options.https_port is not None:
        lead_https_to(options.https_port)
    try:
        asyncio.run(serve(options))
    except (HostError, SettingsError, OSError) as error:
        print(f"The host cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
