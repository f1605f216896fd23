"""The function app as a process: started, kept alive, stopped and started again, as the platform does it in Azure.

Used by `local.cli.stack`; `local.cli.backstage` stops, starts and restarts it for a person.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local.cli.folder import fresh
from local.host.launch import host_command
from local.network.ca import beside_the_systems
from local.process.child import Child
from local.process.ports import free_port

APP = Path(__file__).resolve().parents[2]
READY_SECONDS = 90.0
RUNNING = "Running"


@dataclass
class HostSwitches:
    """How the host behaves, from its next start on."""

    refuse_deliveries_seconds: float = 0.0
    """So long from its start it refuses each delivery of Event Grid with 401, as an app that starts from zero."""


class FunctionApp:
    """The host with the app; `settings` gives what it finds in its environment, asked at each start."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        settings: Callable[[], dict[str, str]],
        switches: HostSwitches | None = None,
        https_port: int | None = None,
    ) -> None:
        """`https_port`: what stands for port 443 on this machine, where it is another one."""
        self._port = port or free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._folder, self._settings, self._switches = folder, settings, switches or HostSwitches()
        self._https_port = https_port
        self._timers = fresh(folder / "functions.timers.json")
        self._host: Child | None = None
        self._guard: asyncio.Task[None] | None = None
        self._wanted = False
        self._changing = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Process id of the host, while there is one."""
        return self._host.pid if self._host is not None else None

    @property
    def function_key(self) -> str:
        """A key that every function takes; under Core Tools any one is."""
        return str(self._keys().get("functionKeys", [{"value": "local"}])[0]["value"])

    @property
    def event_grid_key(self) -> str:
        """The key of the webhook that Event Grid delivers to."""
        return str(self._keys().get("systemKeys", [{"value": "local"}])[0]["value"])

    async def start(self) -> None:
        """Return once it answers; a host that dies from here on is started again."""
        async with self._changing:
            self._wanted = True
            self._run()
            await self._ready()
            if self._guard is None:
                self._guard = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the host, which may end what it is doing first; it stays stopped until `start`."""
        async with self._changing:
            self._wanted = False
            if self._guard is not None:
                self._guard.cancel()
                await asyncio.gather(self._guard, return_exceptions=True)
                self._guard = None
            if self._host is not None:
                # Longer than the host's own grace: a sweep that is killed half-way keeps the next ones waiting.
                await asyncio.to_thread(self._host.stop, grace=15.0)

    def _run(self) -> None:
        fresh(self._folder / "functions.ready.json")
        command = host_command(
            APP,
            self._port,
            ready_file=self._folder / "functions.ready.json",
            keys_file=self._folder / "functions.keys.json",
            timers_file=self._timers,
            message_lease=20.0,
            longest_poll=1.0,  # everything is near here: look more often than in Azure
            refuse_deliveries=self._switches.refuse_deliveries_seconds,
            https_port=self._https_port,
        )
        environment = os.environ | self._settings() | dict(command.environment)
        if command.core_tools and "SSL_CERT_FILE" in environment:
            # Core Tools load the extensions that host.json names from the internet, and read this variable as well.
            authority = Path(environment["SSL_CERT_FILE"])
            environment["SSL_CERT_FILE"] = str(beside_the_systems(authority, self._folder / "trusted.pem"))
        log = self._folder / "functions.log"
        self._host = Child(command.argv, env=environment, cwd=command.cwd, log=log)

    async def _ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        async with httpx.AsyncClient() as client:
            while True:
                state = await self._state(client)
                if state == RUNNING:
                    return
                if self._host is not None and self._host.returncode is not None:
                    raise RuntimeError(f"the function app did not start; see {self._folder / 'functions.log'}")
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the function app is not ready ({state}); see {self._folder / 'functions.log'}")
                await asyncio.sleep(0.1)

    async def _state(self, client: httpx.AsyncClient) -> str:
        """What the host says of itself: while Core Tools still load the app they answer too, with other states."""
        try:
            answer = await client.get(f"{self.url}/admin/host/status", headers=self._master())
            status = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            return f"no state: {error}"
        return " ".join((str(status.get("state")), *map(str, status.get("errors") or ())))

    async def _keep(self) -> None:
        """Start the host again when it dies: in Azure the platform does."""
        while self._wanted:
            await asyncio.sleep(0.2)
            if self._host is not None and self._host.returncode is not None:
                print(f"the function host ended with {self._host.returncode}; starting it again", flush=True)
                await asyncio.to_thread(self._host.stop)
                self._run()

    def _keys(self) -> dict[str, Any]:
        path = self._folder / "functions.keys.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def _master(self) -> dict[str, str]:
        return {"x-functions-key": self._keys().get("masterKey", {}).get("value", "")}
