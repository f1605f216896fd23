"""The table of situations that the diagnosis must tell: what a row is, and what people do to bring one about.

The rows are in `situations_azure` and `situations_elastic`: each a function that makes the situation and returns the
endpoint, with what the diagnosis must say beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from local.elastic.deployments import Deployment
from tests.harness.dns import APPS, DNS_API, ZONE
from tests.harness.estate import Estate

Setup = Callable[[Estate], Awaitable[str]]


@dataclass(frozen=True)
class Situation:
    """A row: how it comes about, what is said of it, and words that cause and next step must have."""

    make: Setup
    status: str
    reason: str
    hop: str
    cause: str = ""
    step: str = ""
    settings: tuple[tuple[str, str], ...] = ()


SITUATIONS: dict[str, Situation] = {}
ADVICE: dict[str, tuple[Setup, str, str, str]] = {}


def diagnosed(name: str, verdict: str, *, cause: str = "", step: str = "", **settings: str) -> Callable[[Setup], Setup]:
    """Put a situation into the table; `verdict` is status, reason and hop."""
    status, reason, hop = verdict.split()

    def register(make: Setup) -> Setup:
        SITUATIONS[name] = Situation(make, status, reason, hop, cause, step, tuple(settings.items()))
        return make

    return register


def advised(name: str, reason: str, message: str, step: str) -> Callable[[Setup], Setup]:
    """Put a situation into the table of those that are no fault, or not yet."""

    def register(make: Setup) -> Setup:
        ADVICE[name] = (make, reason, message, step)
        return make

    return register


# -- what people do ------------------------------------------------------------------------------------------------


async def made(estate: Estate, **options: Any) -> str:
    """An endpoint, and all that comes of it in half an hour."""
    endpoint = await estate.put_endpoint(**options)
    await estate.settle()
    return endpoint


async def ready(estate: Estate, **options: Any) -> str:
    """A connection that works."""
    endpoint = await made(estate, **options)
    await estate.ready(endpoint)
    return endpoint


async def swept(estate: Estate, times: int = 2) -> None:
    """As much time as a changed verdict takes to count."""
    for _ in range(times):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(60)


def the(estate: Estate, name: str = "logs-eastus2") -> Deployment:
    return next(deployment for deployment in estate.elastic.deployments() if deployment.name == name)


def label(estate: Estate) -> str:
    """The deployment's name inside the zone."""
    return the(estate).private_host("es").removesuffix(f".{ZONE}")


async def a_record(estate: Estate, name: str, address: str) -> None:
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": address}]}}
    await estate.azure("PUT", f"{estate.zone().id}/A/{name}", body, api=DNS_API)


async def a_link(estate: Estate, method: str = "DELETE") -> None:
    """Take the link to the endpoint's network away."""
    link = next(link for link in estate.links_of(estate.zone()) if link.vnet.id == APPS)
    await estate.azure(method, link.id, api=DNS_API)
    await estate.clock.sleep(10)


def asks_elsewhere(estate: Estate, vnet: str) -> None:
    network = estate.arm.virtual_network(vnet)
    assert network is not None
    network.dns_servers = ["10.99.0.53"]


async def pending(estate: Estate, seconds: float = 60) -> str:
    """An endpoint that Elastic does not approve."""
    estate.elastic_settings.approval_seconds = 10**7
    endpoint = await estate.put_endpoint()
    await estate.settle(seconds)
    return endpoint


def guid_of(estate: Estate, endpoint: str) -> str:
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    return found.resource_guid


def a_policy_by_hand(
    estate: Estate, endpoint: str, *, name: str = "pe-1", guid: str = "", region: str = "eastus2"
) -> None:
    rule = {"azure_endpoint_name": name, "azure_endpoint_guid": guid or guid_of(estate, endpoint)}
    estate.elastic.add_endpoint_policy("by hand", region, [rule])


def refused(estate: Estate, status: int, code: str) -> None:
    """Elastic Cloud refuses every write."""
    body = {"errors": [{"code": code, "message": "refused by the test"}]}
    estate.elastic_settings.faults.append(
        lambda method, path: (status, body) if method != "GET" and "_search" not in path else None
    )
