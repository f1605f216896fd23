"""The lives that plans are played in: what is there before, and what people then do. Used by `search`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from local.world import vnet_id
from shared.core.model.services import Family
from tests.faults.stage import Stage
from tests.harness.changing import policy_of, tag, take_away
from tests.harness.leaving import DNS_API

HOUR = 3600.0
OPEN, LOGS, OTHER = "search-eastus2", "logs-eastus2", "other"
"""A deployment without a policy, and two with one of an office."""
Part = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Life:
    """A stretch of life; `first` is not searched, `then` is."""

    name: str
    first: Part
    then: Part
    settings: dict[str, str] = field(default_factory=dict)
    closes: frozenset[str] = frozenset()
    opens: frozenset[str] = frozenset()
    family: Family = Family.HOSTED
    either: bool = False
    """Which of two connections comes first is open, so only numbers are compared."""


def two_of_others(stage: Stage) -> None:
    """A second policy of others on one target: half of its list, as a short answer shows it, is not all of theirs."""
    elastic = stage.estate.elastic
    target = next(one.id for one in elastic.deployments() if one.name == LOGS)
    elastic.add_policy("theirs", "eastus2", deployments=[target])


async def nothing(stage: Stage) -> None:
    two_of_others(stage)
    await stage.estate.clock.sleep(HOUR)


async def one(stage: Stage) -> None:
    """A connection that has stood for an hour."""
    two_of_others(stage)
    stage.estate.elastic.add_deployment(OTHER, "eastus2", ip_policy=True)
    await stage.estate.put_endpoint()
    await stage.work()
    await stage.estate.clock.sleep(HOUR)


async def claimed(stage: Stage) -> None:
    stage.estate.elastic.add_deployment(OTHER, "eastus2", ip_policy=True)
    await stage.estate.put_endpoint(tags={"elastic-deployments": LOGS, "elastic-privatelink-claim": "true"})
    await stage.work()
    await stage.estate.clock.sleep(HOUR)


async def two_on_one(stage: Stage) -> None:
    """Two connections on one deployment, which has no other policy."""
    for name in ("pe-1", "pe-2"):
        await stage.estate.put_endpoint(name, tags={"elastic-deployments": OPEN})
        await stage.work()
    await stage.estate.clock.sleep(HOUR)


async def make(stage: Stage) -> None:
    await stage.estate.put_endpoint()


async def share(stage: Stage) -> None:
    """A second endpoint of the network, on the same deployment."""
    await stage.estate.put_endpoint("pe-2")


async def move(stage: Stage) -> None:
    await stage.estate.put_endpoint(tags={"elastic-deployments": OTHER})


async def move_network(stage: Stage) -> None:
    """The endpoint is made anew in another network."""
    endpoint = pe()
    await stage.estate.delete(endpoint)
    await stage.estate.put_endpoint(vnet=vnet_id("westeurope"), location="westeurope")


async def claim(stage: Stage) -> None:
    await stage.estate.put_endpoint(tags={"elastic-deployments": LOGS, "elastic-privatelink-claim": "true"})


async def remove(stage: Stage) -> None:
    await stage.estate.delete(pe())


async def remake(stage: Stage) -> None:
    """Deleted and made again; the event of the deletion comes after that."""
    delays = iter([90.0])
    stage.estate.events.settings.delivery_delay = lambda _: next(delays, 0.0)
    await stage.estate.delete(pe())
    await stage.estate.put_endpoint()


async def change(stage: Stage) -> None:
    """Another address and a renamed policy."""
    found = stage.estate.arm.private_endpoint(pe())
    assert found is not None
    found.address = "127.77.0.99"
    policy_of(stage.estate, pe()).name = "orders"
    stage.remember()
    await stage.estate.send(pe())


async def put_right(stage: Stage) -> None:
    """The record and the association were taken away; sweeps find it."""
    await stage.estate.azure("DELETE", f"{stage.estate.zone().id}/A/*", api=DNS_API)
    take_away(stage.estate, pe(), LOGS)
    await stage.sweep()


async def leave_one(stage: Stage) -> None:
    """Both connections leave the deployment at once."""
    for name in ("pe-1", "pe-2"):
        tag(stage.estate, pe(name), **{"elastic-deployments": LOGS})
        stage.remember()
        await stage.estate.send(pe(name))


async def remove_both(stage: Stage) -> None:
    """Both endpoints of one deployment go at once."""
    for name in ("pe-1", "pe-2"):
        await stage.estate.azure("DELETE", pe(name))
    await stage.estate.clock.sleep(10)


async def close_one(stage: Stage) -> None:
    """Two connections come to a deployment that is open: neither may be the first."""
    for name in ("pe-1", "pe-2"):
        await stage.estate.put_endpoint(name, tags={"elastic-deployments": OPEN})


async def make_and_remove(stage: Stage) -> None:
    """Most of what the app can do, once; no part of a life."""
    await (claimed if stage.estate.family is Family.HOSTED else one)(stage)
    await stage.sweep()
    await remove(stage)
    await stage.work()


SHORT = Life("what is done once before all lives", nothing, make_and_remove)


def pe(name: str = "pe-1") -> str:
    """An endpoint's id."""
    group = vnet_id("eastus2").split("/")[2]
    return f"/subscriptions/{group}/resourceGroups/rg-apps/providers/Microsoft.Network/privateEndpoints/{name}"


UNION = {"DNS_RECORD_MODE": "union"}
BOTH = UNION | {"ELASTIC_FIRST_POLICY_ALLOWED": OPEN}
CLOSES = frozenset({OPEN})

HOSTED = (
    Life("two connections leave one deployment", two_on_one, leave_one, BOTH, CLOSES, either=True),
    Life("two endpoints of one deployment are deleted", two_on_one, remove_both, BOTH, CLOSES, either=True),
    Life("an endpoint is made", nothing, make),
    Life("a second endpoint shares zone and deployment", one, share, UNION),
    Life("a connection moves to another deployment", one, move),
    Life("an endpoint moves to another network", one, move_network),
    Life("an endpoint is claimed", one, claim),
    Life("an endpoint is deleted", claimed, remove),
    Life("an endpoint is made anew", one, remake),
    Life("address and policy's name change", one, change),
    Life("a sweep puts right what others took", one, put_right),
    Life("two connections want an open deployment", nothing, close_one, UNION),
)

CLAIMS = {"an endpoint is claimed"}
"""What Elastic offers for deployments alone."""
PROJECTS = tuple(
    replace(
        life,
        name=f"{life.name}, projects",
        family=Family.SERVERLESS,
        first=one if life.first is claimed else life.first,
    )
    for life in HOSTED
    if life.name not in CLAIMS
)
LIVES = (*HOSTED, *PROJECTS)
