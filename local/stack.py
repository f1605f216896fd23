"""Everything that runs for `python -m local`: the clouds in this process, Azurite and the function app beside it.

Used by `local.__main__` (`up`) and `local.story` (`make run`). The app gets what it gets in Azure: app settings, a
managed identity endpoint, a storage account, a certificate authority in `SSL_CERT_FILE`. A function host that dies is
started again, as the platform does.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from local.arm import DEFAULT_SUBSCRIPTION
from local.arm.roles import read_assignments
from local.azurite import Azurite, install
from local.child import Child
from local.clock import LoopClock
from local.eventgrid import AUDIENCE, CustomTopic, EventGrid, EventGridSettings, HttpDeliver
from local.exchanges import ExchangeLog
from local.folder import InstanceFolder
from local.host.launch import host_command
from local.identity import ManagedIdentity
from local.network import CertificateAuthority, claim_loopback
from local.ports import free_port
from local.serving import Serving
from local.world import API_KEY, HUB_VNET, World

APP = Path(__file__).resolve().parent.parent
HOST_READY_SECONDS = 90.0
APP_SETTINGS = {
    "AZURE_SUBSCRIPTIONS": DEFAULT_SUBSCRIPTION,
    "ELASTIC_DEPLOYMENTS_ALLOWED": "*",
    "DNS_LINK_VNETS": HUB_VNET,
    "APP_VNET": HUB_VNET,
    "INSTANCE_ID": "local",
    # Everything is near and quick here: look more often than in Azure.
    "WAIT_FIRST_SECONDS": "1",
    "WAIT_MAX_SECONDS": "5",
    "ARM_POLL_SECONDS": "0.5",
    "HEALTH_SCHEDULE": "*/20 * * * * *",
    "NOTIFY_AFTER_SECONDS": "10",
}
"""App settings of the local function app; one of the same name in the environment wins."""


@dataclass(frozen=True)
class Options:
    """How to start; port 0 takes a free one."""

    arm_port: int = 0
    elastic_port: int = 0
    identity_port: int = 0
    functions_port: int = 0
    dns_port: int = 0
    topic_port: int = 0
    folder: Path = Path(".local")
    approval_seconds: float = 5.0
    time_scale: float = 1.0
    """Of Event Grid's retry schedule: 0.1 makes ten minutes one."""
    seed_app: Path = field(default=APP)
    role_assignments: Path | None = None
    """JSON with the roles of identities in Azure; without it everybody may do everything."""


class Stack:
    """The running instance."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = InstanceFolder(options.folder)
        self.path = self.folder.path
        self.clock = LoopClock()
        self.exchanges = ExchangeLog(_fresh(self.path / "exchanges.jsonl"), clock=self.clock)
        self.endpoints: dict[str, Any] = {}
        self._stopping = False
        self._servings: list[Serving] = []
        self._host: Child | None = None
        self._guard: asyncio.Task[None] | None = None

    # -- start and stop --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start everything, in the order of who needs whom; endpoints.json is written last."""
        await asyncio.to_thread(install)
        self._azurite = Azurite.start(log=self.path / "azurite.log")  # from this thread: it ends with it
        self._claim = claim_loopback()
        self._ca = CertificateAuthority()
        self._ca_file = self._ca.write(self.path / "ca.pem")
        self._identity = ManagedIdentity(self.clock)
        self.world = World(
            self.clock, check_token=self._identity.is_valid, ca=self._ca, loopback_prefix=self._claim.prefix
        )
        self.world.elastic.settings.approval_seconds = self.options.approval_seconds
        self.world.arm.settings.principal_of = self._identity.client_of
        if self.options.role_assignments is not None:
            self.world.arm.settings.role_assignments = read_assignments(self.options.role_assignments)
        await self._serve_clouds()
        await self.world.seed(await self._token())
        await self.world.network.start(dns_port=self.options.dns_port)
        await self._start_host()
        await self._subscribe()
        self._write_endpoints()

    async def stop(self) -> None:
        """Stop everything that was started, the app first."""
        self._stopping = True
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
        if self._host is not None:
            await asyncio.to_thread(self._host.stop, grace=5.0)
        if hasattr(self, "_events"):
            await self._events.close()
            await self._deliver.close()
        if hasattr(self, "world"):
            await self.world.network.stop()
        for serving in self._servings:
            await serving.stop()
        if hasattr(self, "_claim"):
            self._claim.close()
        if hasattr(self, "_azurite"):
            await asyncio.to_thread(self._azurite.stop)
        (self.path / "endpoints.json").unlink(missing_ok=True)
        self.folder.close()

    # -- the clouds ------------------------------------------------------------------------------------------------

    async def _serve_clouds(self) -> None:
        issued = self._ca.issue(["localhost"], ["127.0.0.1"]).write(self.path, "clouds")
        options = self.options
        arm = Serving(self.exchanges.record(self.world.arm.app, "arm"), port=options.arm_port, certificate=issued)
        elastic = Serving(
            self.exchanges.record(self.world.elastic.app, "elastic"), port=options.elastic_port, certificate=issued
        )
        identity = Serving(self._identity.app, port=options.identity_port)
        self._topic = CustomTopic(
            self.clock,
            check_token=lambda token: self._identity.is_valid_for(token, AUDIENCE),
            file=_fresh(self.path / "notifications.jsonl"),
        )
        topic = Serving(self.exchanges.record(self._topic.app, "topic"), port=options.topic_port, certificate=issued)
        self._servings = [arm, elastic, identity, topic]
        self._arm_url, self._elastic_url, self._identity_url = arm.url, elastic.url, identity.url
        self._topic_url = f"{topic.url}/api/events"
        for serving in self._servings:
            await serving.start()

    async def _token(self) -> str:
        async with httpx.AsyncClient() as client:
            answer = await client.get(
                f"{self._identity_url}/msi/token",
                params={"resource": "https://management.azure.com", "api-version": "2019-08-01"},
                headers={"X-IDENTITY-HEADER": self._identity.header},
            )
        return str(answer.raise_for_status().json()["access_token"])

    async def _subscribe(self) -> None:
        """Subscribe the app to the events of its subscription, as the deployment does in Azure."""
        self._deliver = HttpDeliver()
        self._events = EventGrid(
            self.clock,
            deliver=self._deliver,
            settings=EventGridSettings(time_scale=self.options.time_scale),
            topic=f"/subscriptions/{DEFAULT_SUBSCRIPTION}",
            write=self.exchanges.write,
        )
        key = self._keys().get("systemKeys", [{"value": "local"}])[0]["value"]
        await self._events.subscribe(
            f"{self._functions_url}/runtime/webhooks/eventgrid?functionName=endpoint_events&code={key}",
            included_types=["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"],
            operation_names=[
                "Microsoft.Network/privateEndpoints/write",
                "Microsoft.Network/privateEndpoints/delete",
            ],
        )
        self.world.arm.listeners.append(self._events.publish)

    # -- the function app ------------------------------------------------------------------------------------------

    def app_settings(self) -> dict[str, str]:
        """What the app finds in its environment, as in Azure."""
        host, port = self.world.network.dns_address
        chosen = {name: os.environ.get(name, value) for name, value in APP_SETTINGS.items()}
        return chosen | {
            "AZURE_RESOURCE_MANAGER_URL": self._arm_url,
            "ELASTIC_API_URL": self._elastic_url,
            "ELASTIC_API_KEY": API_KEY,
            "NOTIFY_TOPIC_ENDPOINT": self._topic_url,
            "PROBE_DNS_SERVER": f"{host}:{port}",
            "AzureWebJobsStorage": self._azurite.connection_string,
            "IDENTITY_ENDPOINT": f"{self._identity_url}/msi/token",
            "IDENTITY_HEADER": self._identity.header,
            "SSL_CERT_FILE": str(self._ca_file),
        }

    async def _start_host(self) -> None:
        port = self.options.functions_port or free_port()
        self._functions_url = f"http://127.0.0.1:{port}"
        self._command = host_command(
            APP,
            port,
            ready_file=self.path / "functions.ready.json",
            keys_file=self.path / "functions.keys.json",
            timers_file=_fresh(self.path / "functions.timers.json"),
            message_lease=20.0,
        )
        self._run_host()
        await self._host_ready()
        self._guard = asyncio.create_task(self._keep_host())

    def _run_host(self) -> None:
        _fresh(self.path / "functions.ready.json")
        environment = os.environ | self.app_settings() | dict(self._command.environment)
        self._host = Child(self._command.argv, env=environment, cwd=self._command.cwd, log=self.path / "functions.log")

    async def _host_ready(self) -> None:
        deadline = time.monotonic() + HOST_READY_SECONDS
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    answer = await client.get(f"{self._functions_url}/admin/host/status", headers=self._master())
                    if answer.status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                if self._host is not None and self._host.returncode is not None:
                    raise RuntimeError(f"the function app did not start; see {self.path / 'functions.log'}")
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the function app is not ready; see {self.path / 'functions.log'}")
                await asyncio.sleep(0.1)

    async def _keep_host(self) -> None:
        """Start the host again when it dies: in Azure the platform does."""
        while not self._stopping:
            await asyncio.sleep(0.2)
            if self._host is not None and self._host.returncode is not None:
                print(f"the function host ended with {self._host.returncode}; starting it again", flush=True)
                await asyncio.to_thread(self._host.stop)
                self._run_host()

    def _keys(self) -> dict[str, Any]:
        path = self.path / "functions.keys.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def _master(self) -> dict[str, str]:
        return {"x-functions-key": self._keys().get("masterKey", {}).get("value", "")}

    def _write_endpoints(self) -> None:
        dns_host, dns_port = self.world.network.dns_address
        function_keys = self._keys().get("functionKeys", [{"value": ""}])
        self.endpoints = {
            "arm": self._arm_url,
            "elastic": self._elastic_url,
            "functions": self._functions_url,
            "identity": f"{self._identity_url}/msi/token",
            "identity_header": self._identity.header,
            "dns": {"host": dns_host, "port": dns_port},
            "topic": self._topic_url,
            "notifications": str(self.path / "notifications.jsonl"),
            "azurite": self._azurite.connection_string,
            "ca_file": str(self._ca_file),
            "subscription_id": DEFAULT_SUBSCRIPTION,
            "elastic_api_key": API_KEY,
            "function_key": function_keys[0]["value"],
            "function_host_pid": self._host.pid if self._host else None,
            "exchanges": str(self.path / "exchanges.jsonl"),
            "folder": str(self.path),
        }
        target = self.path / "endpoints.json"
        partial = target.with_suffix(".part")
        partial.write_text(json.dumps(self.endpoints, indent=2), encoding="utf-8")
        partial.replace(target)


def _fresh(path: Path) -> Path:
    """The path, with nothing left of an earlier run."""
    path.unlink(missing_ok=True)
    return path
