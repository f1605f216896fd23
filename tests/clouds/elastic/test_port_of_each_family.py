"""One suite for every implementation of `PrivateConnections`: what the loop may count on in every family."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from local.asgi import AsgiTransport
from local.clock import LoopClock
from local.elastic import ElasticCloud
from local.elastic.serverless import ServerlessRegion
from shared.clouds.elastic.hosted.client import HostedConnections
from shared.clouds.elastic.serverless.client import ServerlessConnections
from shared.clouds.elastic.transport import ElasticOptions, FixedKey
from shared.core.model.errors import AnswerLost, Blocked, LostRace, NotFound
from shared.core.model.markers import Marker
from shared.core.model.organizations import DEFAULT
from shared.core.model.resources import POLICY_TYPE, Policy, Rule, Target
from shared.core.model.services import Family
from shared.core.model.steps import Associate, CreatePolicy, Disassociate, UpdatePolicy
from shared.core.ports import PrivateConnections
from tests.clouds.elastic import memory_family
from tests.clouds.elastic.memory_family import MemoryConnections
from tests.local.elastic.elastic_parts import GUID, KEY, Azure

REGION = "azure-eastus2"
MARKER = Marker("autopilot", "0123456789abcdef")
OTHER_GUID = "11111111-2222-4333-8444-555555555555"
SERVERLESS = ServerlessRegion("eastus2", "an alias", "private.eastus2.azure.elastic.cloud")


@dataclass
class Side:
    """A family: its client, and how a test makes a target or another's change in it."""

    api: PrivateConnections
    target: Callable[..., str]
    """Name, tags: its id."""
    add_rule: Callable[[str, dict[str, str]], None]
    """What a person does to a policy: one more rule, before those that it has."""


def cloud() -> ElasticCloud:
    return ElasticCloud(
        LoopClock(), endpoints=Azure(), regions={"eastus2"}, api_key=KEY, serverless_regions=[SERVERLESS]
    )


def hosted() -> Side:
    elastic = cloud()
    api = HostedConnections(ElasticOptions("https://elastic.local"), FixedKey(KEY, DEFAULT), AsgiTransport(elastic.app))

    def add_rule(policy_id: str, rule: dict[str, str]) -> None:
        found = next(one for one in elastic.rulesets() if one.id == policy_id)
        found.rules.insert(0, {"id": "theirs", **rule})

    return Side(api, lambda name, **tags: elastic.add_deployment(name, "eastus2", tags=tags).id, add_rule)


def serverless() -> Side:
    elastic = cloud()
    api = ServerlessConnections(
        ElasticOptions("https://elastic.local"), FixedKey(KEY, DEFAULT), AsgiTransport(elastic.app)
    )

    def add_rule(policy_id: str, rule: dict[str, str]) -> None:
        found = next(one for one in elastic.serverless.filters() if one.id == policy_id)
        elastic.serverless.patch_filter(policy_id, rules=[rule, *found.rules])

    def target(name: str, **tags: str) -> str:
        return elastic.serverless.add_project(name, "observability", "eastus2", tags=tags).id

    return Side(api, target, add_rule)


def memory() -> Side:
    api = MemoryConnections()

    def target(name: str, **tags: str) -> str:
        api.known[name] = Target(name, name, REGION, True, (), tags)
        return name

    def add_rule(policy_id: str, rule: dict[str, str]) -> None:
        found = api.made[policy_id]
        theirs = Rule(rule["azure_endpoint_name"], rule["azure_endpoint_guid"])
        api.made[policy_id] = replace(found, rules=(theirs, *found.rules))

    return Side(api, target, add_rule)


@pytest.fixture(params=[hosted, serverless, memory], ids=lambda family: family.__name__)
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    async with AsyncExitStack() as stack:
        found = request.param()
        await stack.enter_async_context(aclosing(found.api))
        yield found


def create(**other: Any) -> CreatePolicy:
    return CreatePolicy(**{
        "name": "pe-1", "region": REGION, "endpoint_name": "pe-1", "endpoint_guid": GUID, "marker": MARKER, **other
    })  # fmt: skip


async def only(side: Side) -> Policy:
    (found,) = await side.api.policies()
    return found


async def test_a_new_policy_is_listed_as_it_was_made(side: Side) -> None:
    new = await side.api.create_policy(create())
    found = await only(side)
    assert found == await side.api.policy(new)
    assert (found.id, found.name, found.type, found.region, found.include_by_default) == (
        new, "pe-1", POLICY_TYPE, REGION, False,
    )  # fmt: skip
    assert [(rule.endpoint_name, rule.endpoint_guid) for rule in found.rules] == [("pe-1", GUID)]
    assert (found.marker, found.associations, found.admits_only(GUID)) == (MARKER, (), True)
    assert await side.api.policies("azure-westus2") == ()
    assert await side.api.policy("0" * 32) is None


async def test_an_association_is_made_once_and_shown_on_both_sides(side: Side) -> None:
    policy, target = await side.api.create_policy(create()), side.target("orders")
    step = Associate(policy, target, "orders")
    assert await side.api.associate(step) is True
    assert await side.api.associate(step) is False
    assert (await only(side)).associations == (target,)
    assert (await side.api.attached_to(target)).policies == (policy,)
    (found,) = await side.api.targets([target])
    assert (found.id, found.name, found.region, found.attached) == (target, "orders", REGION, (policy,))


async def test_what_others_associated_stays(side: Side) -> None:
    ours, theirs = [await side.api.create_policy(create(name=name)) for name in ("ours", "theirs")]
    target = side.target("orders")
    for policy in (theirs, ours):
        await side.api.associate(Associate(policy, target, "orders"))
    await side.api.disassociate(ours, target)
    assert (await side.api.attached_to(target)).policies == (theirs,)
    await side.api.disassociate(ours, target)  # one that is gone is no error


async def test_a_policy_in_use_is_not_deleted_and_one_that_is_gone_is_no_error(side: Side) -> None:
    policy, target = await side.api.create_policy(create()), side.target("orders")
    await side.api.associate(Associate(policy, target, "orders"))
    with pytest.raises(Blocked):
        await side.api.delete_policy(policy)
    await side.api.disassociate(Disassociate(policy, target, "orders").policy_id, target)
    await side.api.delete_policy(policy)
    await side.api.delete_policy(policy)
    assert await side.api.policies() == ()


async def test_a_policy_follows_its_endpoint_and_keeps_the_rules_of_others(side: Side) -> None:
    policy, target = await side.api.create_policy(create()), side.target("orders")
    await side.api.associate(Associate(policy, target, "orders"))
    side.add_rule(policy, {"azure_endpoint_name": "theirs", "azure_endpoint_guid": OTHER_GUID})
    anew = "99999999-2222-4333-8444-555555555555"
    await side.api.update_policy(UpdatePolicy(policy, "pe-1", "pe-1", anew, (GUID,), MARKER))
    found = await only(side)
    assert {rule.endpoint_guid for rule in found.rules} == {anew, OTHER_GUID}
    assert (found.associations, found.marker) == ((target,), MARKER)


async def test_a_policy_that_is_anothers_is_not_changed(side: Side) -> None:
    policy = await side.api.create_policy(create(marker=Marker("autopilot", "f" * 16)))
    with pytest.raises(LostRace):
        await side.api.update_policy(UpdatePolicy(policy, "mine", "pe-1", OTHER_GUID, (GUID,), MARKER))
    assert (await only(side)).name == "pe-1"


async def test_targets_are_found_by_id_name_and_tag(side: Side) -> None:
    ids = {name: side.target(name) for name in ("orders", "carts")}
    ids["tagged"] = side.target("tagged", **{"elastic-privatelink-endpoints": "0123456789abcdef"})
    side.target("unasked")
    found = await side.api.targets([ids["orders"], "carts"], tag="elastic-privatelink-endpoints")
    assert {one.name for one in found} == {"orders", "carts", "tagged"}
    assert (
        next(one for one in found if one.name == "tagged").tags["elastic-privatelink-endpoints"] == "0123456789abcdef"
    )
    assert await side.api.targets([]) == ()


async def test_a_target_that_is_not_there(side: Side) -> None:
    here = side.target("orders")
    assert await side.api.is_unknown(here) is False
    assert [one.id for one in await side.api.all_targets()] == [here]
    policy = await side.api.create_policy(create())
    with pytest.raises(NotFound):
        await side.api.associate(Associate(policy, "0" * 32, "gone"))


class ExchangedKey(FixedKey):
    """One that is refused, and has another in its place by then."""

    async def refused(self, key: str) -> str | None:
        return KEY if key != KEY else None


@pytest.mark.parametrize("family", [HostedConnections, ServerlessConnections])
async def test_a_policy_is_made_within_one_requests_time_also_where_the_key_was_exchanged(family: type[Any]) -> None:
    """The caller's lease rests on that."""
    elastic = cloud()
    elastic.settings.latency_seconds = 10.0
    key, options = ExchangedKey("former", DEFAULT), ElasticOptions("https://elastic.local", timeout=15.0)
    async with aclosing(family(options, key, AsgiTransport(elastic.app))) as api:
        began = asyncio.get_running_loop().time()
        with pytest.raises(AnswerLost):
            await api.create_policy(create())
        assert asyncio.get_running_loop().time() - began <= 15.0
        assert await api.policies() is not None, "a read takes the time of two"


def test_a_family_is_an_implementation_of_the_port_and_no_more_than_a_hundred_lines_where_nothing_can_fail() -> None:
    assert len(Path(memory_family.__file__).read_text().splitlines()) <= 100


async def test_every_target_says_its_family() -> None:
    for family, make in {Family.HOSTED: hosted, Family.SERVERLESS: serverless}.items():
        side = make()
        async with aclosing(side.api):
            (found,) = await side.api.targets([side.target("orders")])
            assert found.family is family
            assert found.urls[0].service == "elasticsearch"
