"""Everything that runs for `python -m local`: the clouds in this process, Azurite and the function app beside it.

Used by `local.__main__` (`up`) and `local.cli.story` (`make run`). The app gets what it gets in Azure: app settings, a
managed identity endpoint, a storage account, a certificate authority in `SSL_CERT_FILE`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local.arm import DEFAULT_SUBSCRIPTION
from local.arm.roles import read_assignments
from local.cli.app_settings import TIMES_AS_OFTEN, AppSettings
from local.cli.backstage import Backstage
from local.cli.events import AppEvents, Way
from local.cli.folder import InstanceFolder, fresh
from local.cli.function_app import FunctionApp, HostSwitches
from local.cli.switches import Switches
from local.clock import LoopClock
from local.eventgrid import AUDIENCE, AccountSettings, CustomTopic, EventGridSettings, TopicSettings
from local.exchanges import ExchangeLog, earlier
from local.identity import APP_CLIENT_ID, SYSTEM_ASSIGNED, ManagedIdentity
from local.network import CertificateAuthority, claim_loopback
from local.network.addresses import HTTPS_PORT
from local.process.serving import Serving
from local.simulators import World
from local.storage.azurite import Azurite, install
from local.vault import AUDIENCE as VAULT_AUDIENCE
from local.vault import KeyVault
from local.world import HUB_VNET, VAULT_ID
from shared.core.model.callers import deciding_secret
from shared.core.model.organizations import DEFAULT, key_secret

NO_QUOTA = 1_000_000
"""Reads of private DNS in five minutes: Azure says how many are left, and the app goes by that."""


@dataclass(frozen=True)
class Options:
    """How to start; port 0 takes a free one."""

    arm_port: int = 0
    elastic_port: int = 0
    identity_port: int = 0
    functions_port: int = 0
    dns_port: int = 0
    topic_port: int = 0
    vault_port: int = 0
    backstage_port: int = 0
    folder: Path = Path(".local")
    approval_seconds: float = 5.0
    time_scale: float = 1.0
    """Of Event Grid's retry schedule: 0.1 makes ten minutes one."""
    quotas: bool = True
    """Whether Azure throttles reads of private DNS, as many a sweep as it does: too few for one every few seconds."""
    role_assignments: Path | None = None
    """JSON with the roles of identities in Azure; without it every identity may do everything."""
    switches: tuple[tuple[str, Any], ...] = ()
    """Turned before the app starts, one after the other; see `local.cli.switches`."""
    app_vnet: str = HUB_VNET
    """The network that the app is in."""
    delivery: Way = "queue"
    """How events get to the app."""
    has_key: bool = True
    """Whether the vault holds the Elastic Cloud API key from the beginning."""


class Stack:
    """The running instance."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = InstanceFolder(options.folder)
        self.path = self.folder.path
        self.clock = LoopClock()
        exchanges = fresh(self.path / "exchanges.jsonl")
        fresh(earlier(exchanges))
        self.exchanges = ExchangeLog(exchanges, clock=self.clock)
        self.endpoints: dict[str, Any] = {}
        self._servings: list[Serving] = []
        self.settings = AppSettings(options.app_vnet, self._addresses_and_keys)
        self.app: FunctionApp | None = None

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
            self.clock,
            check_token=self._identity.opens_arm,
            ca=self._ca,
            loopback_prefix=self._claim.prefix,
            app_vnet=self.options.app_vnet,
        )
        self.world.elastic.settings.approval_seconds = self.options.approval_seconds
        self.world.arm.settings.principal_of = self._identity.client_of
        self.world.arm.settings.client_ids = {APP_CLIENT_ID: APP_CLIENT_ID}
        # The app looks more often than in Azure, and is to meet the quota with as many connections as there.
        reads = (self.world.arm.settings.private_dns_reads_per_5_minutes or 0) * TIMES_AS_OFTEN
        self.world.arm.settings.private_dns_reads_per_5_minutes = reads if self.options.quotas else NO_QUOTA
        if self.options.role_assignments is not None:
            self.world.arm.settings.role_assignments = read_assignments(self.options.role_assignments)
        self._vault = KeyVault(
            self.clock,
            check_token=lambda token: self._identity.is_valid_for(token, VAULT_AUDIENCE),
            is_app=lambda token: self._identity.client_of(token) != SYSTEM_ASSIGNED,
            app_may=self._app_may,
        )
        if self.options.has_key:
            self._vault.store(key_secret(DEFAULT), self.world.elastic.api_key)
        self._deciding_key = secrets.token_urlsafe(30)
        self._vault.store(deciding_secret("local"), self._deciding_key)
        topic_settings, host_switches, account = TopicSettings(), HostSwitches(), AccountSettings()
        event_settings = EventGridSettings(time_scale=self.options.time_scale)
        self.switches = Switches(
            {
                "arm": self.world.arm.settings,
                "elastic": self.world.elastic.settings,
                "serverless": self.world.elastic.serverless.settings,
                "network": self.world.network.settings,
                "events": event_settings,
                "account": account,
                "topic": topic_settings,
                "vault": self._vault.settings,
                "host": host_switches,
            }
        )
        await self._serve_clouds(topic_settings)
        await self.world.seed(await self._token())
        await self.world.network.start(dns_port=self.options.dns_port)
        for name, value in self.options.switches:
            self.switches.set(name, value)
        await self.world.network.follow_settings()
        https = self.world.network.https_port
        self.app = FunctionApp(
            self.path,
            port=self.options.functions_port,
            settings=self.settings.values,
            switches=host_switches,
            https_port=None if https == HTTPS_PORT else https,
        )
        await self.app.start()
        self._events = AppEvents(
            self.clock,
            event_settings,
            account,
            dead_letters=fresh(self.path / "dead-letters.jsonl"),
            write=self.exchanges.write,
        )
        await self._subscribe(self.app)
        await self._serve_backstage(self.app)
        self._write_endpoints()

    async def stop(self) -> None:
        """Stop everything that was started, the app first."""
        if self.app is not None:
            await self.app.stop()
        if hasattr(self, "_events"):
            await self._events.close()
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

    async def _serve_clouds(self, topic_settings: TopicSettings) -> None:
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
            file=fresh(self.path / "notifications.jsonl"),
            settings=topic_settings,
        )
        topic = Serving(self.exchanges.record(self._topic.app, "topic"), port=options.topic_port, certificate=issued)
        # What it answers with is secret: its exchanges are not kept.
        vault = Serving(self._vault.app, port=options.vault_port, certificate=issued)
        self._servings = [arm, elastic, identity, topic, vault]
        self._arm_url, self._elastic_url, self._identity_url = arm.url, elastic.url, identity.url
        self._topic_url = f"{topic.url}/api/events"
        self._vault_url = vault.url.replace("127.0.0.1", "localhost")  # whose first part is what a vault is called
        for serving in self._servings:
            await serving.start()

    async def _serve_backstage(self, app: FunctionApp) -> None:
        serving = Serving(
            Backstage(self.world, app, self.switches, self._write_endpoints, self.settings.change, self._vault).app,
            port=self.options.backstage_port,
        )
        self._servings.append(serving)
        self._backstage_url = serving.url
        await serving.start()

    async def _token(self) -> str:
        async with httpx.AsyncClient() as client:
            answer = await client.get(
                f"{self._identity_url}/msi/token",
                params={"resource": "https://management.azure.com", "api-version": "2019-08-01"},
                headers={"X-IDENTITY-HEADER": self._identity.header},
            )
        return str(answer.raise_for_status().json()["access_token"])

    async def _subscribe(self, app: FunctionApp) -> None:
        """Subscribe the app to the events of its subscription, as the deployment does in Azure."""
        if self.options.delivery == "queue":
            await self._events.subscribe_queue(self._azurite.connection_string)
        else:
            await self._events.subscribe_function(app)
        self.world.arm.listeners.append(self._events.grid.publish)

    def _app_may(self, token: str, data_action: str) -> bool:
        """Whether the roles of an identity, where some are given, let it do this in the vault."""
        roles = self.world.arm.settings.role_assignments.get(self._identity.client_of(token))
        return roles is None or any(one.allows_inside(data_action, VAULT_ID) for one in roles)

    # -- what others are told --------------------------------------------------------------------------------------

    def _addresses_and_keys(self) -> dict[str, str]:
        """The app's settings that no person chooses here; asked at each start, for keys change."""
        host, port = self.world.network.dns_address
        return {
            "AZURE_RESOURCE_MANAGER_URL": self._arm_url,
            "ELASTIC_API_URL": self._elastic_url,
            "ELASTIC_KEY_VAULT_URI": self._vault_url,
            "EC_API_KEY": "",  # the vault has it, and the environment is not asked
            "NOTIFY_TOPIC_ENDPOINT": self._topic_url,
            "PROBE_DNS_SERVER": f"{host}:{port}",
            "AzureWebJobsStorage": self._azurite.connection_string,
            "IDENTITY_ENDPOINT": f"{self._identity_url}/msi/token",
            "IDENTITY_HEADER": self._identity.header,
            "SSL_CERT_FILE": str(self._ca_file),
        }

    def _write_endpoints(self) -> None:
        """What outsiders know of this instance; written again when that changes."""
        app = self.app
        if app is None:
            raise RuntimeError("the function app is not started")
        dns_host, dns_port = self.world.network.dns_address
        self.endpoints = {
            "arm": self._arm_url,
            "elastic": self._elastic_url,
            "functions": app.url,
            "identity": f"{self._identity_url}/msi/token",
            "identity_header": self._identity.header,
            "dns": {"host": dns_host, "port": dns_port},
            "app_network": self.world.app_vnet,
            "https_port": self.world.network.https_port,
            "vault": self._vault_url,
            "topic": self._topic_url,
            "notifications": str(self.path / "notifications.jsonl"),
            "dead_letters": str(self.path / "dead-letters.jsonl"),
            "azurite": self._azurite.connection_string,
            "ca_file": str(self._ca_file),
            "subscription_id": DEFAULT_SUBSCRIPTION,
            "elastic_api_key": self.world.elastic.api_key,
            "function_key": app.function_key,
            "deciding_key": self._deciding_key,
            "function_host_pid": app.pid,
            "backstage": self._backstage_url,
            "exchanges": str(self.path / "exchanges.jsonl"),
            "folder": str(self.path),
        }
        target = self.path / "endpoints.json"
        partial = target.with_suffix(".part")
        partial.write_text(json.dumps(self.endpoints, indent=2), encoding="utf-8")
        partial.replace(target)
