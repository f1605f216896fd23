"""The table of ways out, compared both ways with settings that hold an address and with what a whole life contacts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local.world import API_KEY
from shared.settings import descriptions
from shared.settings.services import shipped_services
from tests.harness.estate import SETTINGS, VAULT, Estate
from tests.harness.wire import WiredElastic
from tests.infra.life import full_estate, whole_life
from tests.infra.paper_choices import deployed
from tests.infra.shipped import ROOT

if TYPE_CHECKING:
    import httpx
    import pytest

PAGE = (ROOT / "docs" / "private-app.md").read_text(encoding="utf-8")
TOPIC = {"NOTIFY_TOPIC_ENDPOINT": "https://topic.eastus2-1.eventgrid.azure.net/api/events"}
LOCAL = {"arm.local": "management.azure.com", "elastic.local": "api.elastic-cloud.com"}
"""What the settings of the tests have in place of the public addresses."""
TABLES, QUEUES = "*.table.core.windows.net", "*.queue.core.windows.net"
SERVERS = ("the network's DNS servers", 53)
PLATFORM = {"AZURE_AUTHORITY_HOST", "APPLICATIONINSIGHTS_CONNECTION_STRING", "host.json", "azure.yaml"} | {
    "AzureWebJobsStorage__blobServiceUri"
}
"""What names the hosts that the platform contacts, and no code of ours."""


@dataclass(frozen=True)
class Way:
    """A row of the table."""

    hosts: tuple[str, ...]
    ports: frozenset[int]
    named_by: str


def ways() -> list[Way]:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| ([\d, ]+) \| (.+?) \| `(\S+)` \| (.+) \|$", PAGE, re.MULTILINE)
    return [
        Way(tuple(re.findall(r"`([^`]+)`", to)), frozenset(map(int, ports.split(","))), named)
        for to, _, ports, _, named, _ in rows
    ]


def covering(host: str, port: int) -> list[Way]:
    return [way for way in ways() if port in way.ports and any(fnmatch(host, one) for one in way.hosts)]


def addresses() -> set[str]:
    """Settings that hold an address, a port or a name server: those that the app knows, and those of the templates."""
    known = {one.name for one in descriptions() if re.search(r"_(URL|URI|ENDPOINT|SERVER|PORT)$", one.name)}
    (settings,) = [
        one.body["properties"] for one in deployed("default").of("Microsoft.Web/sites/config") if one.body is not None
    ]
    given = {name for name, value in settings.items() if "://" in str(value)}
    return known | given | {name for name in settings if "CONNECTION_STRING" in name}


def test_every_setting_that_holds_an_address_has_a_way_out_and_every_way_out_is_named_by_something() -> None:
    named = {way.named_by for way in ways()}
    audiences = {"AZURE_RESOURCE_MANAGER_AUDIENCE"}  # what a token is for, not where a request goes
    assert addresses() - audiences == {name for name in named if not (ROOT / name).exists()}
    assert {name for name in named if (ROOT / name).exists()} == {"host.json", "azure.yaml"}


def test_each_address_that_the_templates_give_is_covered_by_the_row_that_the_setting_names() -> None:
    (settings,) = [
        one.body["properties"] for one in deployed("default").of("Microsoft.Web/sites/config") if one.body is not None
    ]
    for name, value in settings.items():
        if str(value).startswith("https://") and name != "AZURE_RESOURCE_MANAGER_AUDIENCE":
            assert name in [way.named_by for way in covering(str(urlsplit(value).hostname), 443)], (name, value)


def test_the_private_names_of_every_service_are_covered() -> None:
    for service in shipped_services():
        assert covering(f"x.{service.zone}", 443), service.zone


class Contacts:
    """Every host and port that the app opens a connection to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: set[tuple[str, int]] = set()
        handle = WiredElastic.handle_async_request

        async def noting(transport: WiredElastic, request: httpx.Request) -> httpx.Response:
            self.seen.add((request.url.host, request.url.port or 443))
            return await handle(transport, request)

        monkeypatch.setattr(WiredElastic, "handle_async_request", noting)

    def network(self, inner: Any) -> Any:
        """The network around the app, which notes what is asked for and, by its name, what is connected to."""
        return Noting(self, inner)

    def of(self, estate: Estate) -> set[tuple[str, int]]:
        """All of them, with what the storage doubles and Azure's SDKs were asked."""
        for call in estate.worker.wire.calls:
            url = call.what.partition(" ")[2]
            if url.startswith("https://"):
                self.seen.add((str(urlsplit(url).hostname), urlsplit(url).port or 443))
            elif call.service != "elastic":
                self.seen.add((QUEUES if call.service == "queue" else TABLES, 443))
        return {(LOCAL.get(host, host), port) for host, port in self.seen}


class Noting:
    """A network that notes; what it leads to is the one inside."""

    def __init__(self, contacts: Contacts, inner: Any, port: int = 0) -> None:
        self.contacts, self.inner, self.port = contacts, inner, port

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def resolve(self, host: str) -> Any:
        self.contacts.seen.add(SERVERS)
        return await self.inner.resolve(host)

    async def connect(self, address: str, port: int) -> Any:
        return Noting(self.contacts, await self.inner.connect(address, port), port)

    async def start_tls(self, host: str) -> None:
        self.contacts.seen.add((host, self.port))
        await self.inner.start_tls(host)


async def test_a_whole_life_contacts_what_the_table_says_and_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    contacts = Contacts(monkeypatch)
    estate = full_estate(**VAULT, **TOPIC)
    estate.vault.store("elastic-api-key", API_KEY)
    estate.worker.context = replace(estate.worker.context, network=contacts.network(estate.worker.context.network))
    await whole_life(estate)
    seen = contacts.of(estate)
    assert SERVERS in seen
    seen.remove(SERVERS)
    assert [one for one in seen if not covering(*one)] == []
    used = {way.named_by for one in seen for way in covering(*one)}
    assert used | {"PROBE_DNS_SERVER"} | PLATFORM == {way.named_by for way in ways()}


def test_the_tests_contact_the_hosts_of_the_settings_by_other_names() -> None:
    assert {str(urlsplit(SETTINGS[name]).hostname) for name in SETTINGS if name.endswith("_URL")} == set(LOCAL)
