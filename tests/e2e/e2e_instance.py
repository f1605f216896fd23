"""One running `python -m local` as a real process, for the end-to-end tests."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from local.cli.client import LocalClient
from local.cli.story import alias_of_projects
from local.world import HUB_VNET, endpoint_body, vnet_id
from shared.core.model.arm_ids import connection_id
from shared.core.model.services import Family
from shared.settings.services import shipped_services
from tests.descriptions.serverless_exchanges import judge_file

ROOT = Path(__file__).resolve().parents[2]
ALIASES = {service.region: service.alias for service in shipped_services().of_family(Family.HOSTED)}
START_SECONDS = 150.0
READY_SECONDS = 180.0


class Instance:
    """A started `up` or `story`; `output` is everything it has printed."""

    def __init__(
        self, folder: Path, *arguments: str, command: str = "up", keep_exchanges: bool = True, **environment: str
    ) -> None:
        self.folder = folder
        self._kept = os.environ.get("KEEP_EXCHANGES") if keep_exchanges else None
        folder.mkdir(parents=True, exist_ok=True)
        self._log = tempfile.NamedTemporaryFile(prefix=f"{command}-", suffix=".log", dir=folder.parent)  # noqa: SIM115 - open as long as the process, `stop` closes it
        self.process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [sys.executable, "-m", "local", "--folder", str(folder), command, "--no-quotas", *arguments],
            cwd=ROOT,
            env=os.environ | {"HEALTH_SCHEDULE": "*/4 * * * * *", "PYTHONUNBUFFERED": "1"} | environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    @property
    def output(self) -> str:
        return Path(self._log.name).read_text(encoding="utf-8")

    def wait_for(self, text: str, seconds: float = START_SECONDS) -> Instance:
        """Wait until a line of its output holds `text`."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"no {text!r} within {seconds} s:\n{self.output}"
            time.sleep(0.1)
        log = Path(self.endpoints["folder"]) / "functions.log"
        assert "settings are wrong" not in (said := log.read_text(encoding="utf-8")), said
        return self

    @property
    def endpoints(self) -> dict[str, Any]:
        """What outsiders know of it: the file that its line `ready after ...` names."""
        path = next(line for line in self.output.splitlines() if line.startswith("ready after")).split(": ", 1)[1]
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))

    def client(self) -> LocalClient:
        return LocalClient(self.endpoints)

    def stop(self) -> int:
        """Ctrl-C; returns the exit status."""
        if self._log.closed:
            return self.process.wait()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            exchanges = self._exchanges()
            self._log.close()
            assert (wrong := judge_file(exchanges) if exchanges else []) == [], "\n".join(wrong)

    def _exchanges(self) -> Path | None:
        """What went over the wire, for our own check; KEEP_EXCHANGES names a folder where it is kept for others'."""
        started = [line for line in self.output.splitlines() if line.startswith("ready after")]
        if not started:
            return None
        exchanges = Path(started[0].split(": ", 1)[1]).parent / "exchanges.jsonl"
        if self._kept:
            shutil.copy(exchanges, Path(self._kept) / f"{self.process.pid}.jsonl")
        return exchanges

    def host_pid(self) -> int:
        """Process id of the function host as it now runs."""
        ready = json.loads((Path(self.endpoints["folder"]) / "functions.ready.json").read_text(encoding="utf-8"))
        return int(ready["pid"])


async def put_endpoint(
    client: LocalClient, name: str, region: str, target: str | None = None, *, serverless: bool = False
) -> str:
    """Create a private endpoint to a deployment or project in a seeded network, in a resource group of its own."""
    group = f"/subscriptions/{client.endpoints['subscription_id']}/resourceGroups/rg-{name}"
    endpoint = f"{group}/providers/Microsoft.Network/privateEndpoints/{name}"
    alias = await alias_of_projects(client, region) if serverless else ALIASES[region]
    tags = {"elastic-deployments": target or f"{'observability' if serverless else 'logs'}-{region}"}
    await client.azure("PUT", endpoint, endpoint_body("eastus2", vnet_id("eastus2"), alias, tags))
    return endpoint


async def connection(client: LocalClient, endpoint: str) -> dict[str, Any]:
    """The connection as the app shows it; empty while there is none."""
    answer = await client.app("GET", f"/connections/{connection_id(endpoint)}")
    return dict(answer.json()) if answer.is_success else {}


SWEPT_SECONDS = READY_SECONDS + 120
"""Until the timer has made something good: a host that was killed in a sweep keeps its lease for half a minute."""


def lines_of(file: str | Path) -> list[str]:
    """What a running instance has written to a file so far; a line that is still being written is not told."""
    text = Path(file).read_text(encoding="utf-8")
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


async def eventually(
    what: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], seconds: float = READY_SECONDS
) -> Any:
    """Ask until the answer is as wanted, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = await what()
        except OSError as error:
            answer = error
        if not isinstance(answer, OSError) and holds(answer):
            return answer
        assert time.monotonic() < deadline, f"not within {seconds} s: {json.dumps(answer, default=str)[:3000]}"
        await asyncio.sleep(0.25)


async def ready(client: LocalClient, endpoint: str, seconds: float = READY_SECONDS) -> dict[str, Any]:
    """Wait until the connection is Ready."""

    async def ask() -> dict[str, Any]:
        return await connection(client, endpoint)

    return dict(await eventually(ask, lambda found: found.get("phase") == "Ready", seconds))


async def policies_of(client: LocalClient, endpoint: str) -> list[dict[str, Any]]:
    """Elastic Cloud's policies for the endpoint's GUID."""
    guid = (await client.azure("GET", endpoint))["properties"]["resourceGuid"]
    rulesets = (await client.elastic("GET", "/deployments/traffic-filter/rulesets"))["rulesets"]
    return [r for r in rulesets if any(rule.get("azure_endpoint_guid") == guid for rule in r.get("rules") or [])]


__all__ = ["HUB_VNET", "Instance", "connection", "eventually", "policies_of", "put_endpoint", "ready"]
