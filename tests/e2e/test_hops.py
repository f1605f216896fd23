"""Each hop of a connection is broken while the app runs: it says what is wrong and what to do, and repairs its part.

All at once, each in a connection of its own. What the app would repair within the second is broken where it was asked
to observe: so there is time to read what it says, and then it is let. The end of the API key, which is everybody's,
comes last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from e2e_instance import Instance, connection, eventually, policies_of, put_endpoint, ready
from e2e_stories import Outcomes, Told, at_once, condition, journal, until, writes_about

from local.cli.breaking import HOPS, asked_for
from local.cli.client import LocalClient

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-hops")]

QUICK = {"REQUEST_TIMEOUT_SECONDS": "5", "LAG_SECONDS": "10", "VERDICT_CHANGES_AFTER": "1"}
"""For so long an association just made may be unseen before another manager is suspected."""
NEW_KEY = "Create a new Elastic Cloud API key"


@dataclass(frozen=True)
class Broken:
    """What is to be seen of a broken hop."""

    region: str
    type: str
    """The condition that says so."""
    reason: str
    next_step: str
    """Part of what a person is told to do."""
    where: str
    """The hop, as the verdict names it."""
    repaired: Callable[[LocalClient, dict[str, Any]], Awaitable[bool]]
    """Whether it is as it should be again, asked of the clouds themselves; given the connection as it now is."""
    step: str = ""
    """Part of what the app did about it, or would do: for what it repairs by itself."""


# -- how it stands, by the word of the clouds ----------------------------------------------------------------------


async def _record_is_back(client: LocalClient, found: dict[str, Any]) -> bool:
    record = await client.azure("GET", f"{found['zone']['id']}/A/*")
    return bool(record["properties"]["aRecords"] == [{"ipv4Address": found["address"]}])


async def _is_linked(client: LocalClient, found: dict[str, Any]) -> bool:
    links = (await client.azure("GET", f"{found['zone']['id']}/virtualNetworkLinks"))["value"]
    return found["vnetId"].lower() in {link["properties"]["virtualNetwork"]["id"].lower() for link in links}


async def _has_its_policy(client: LocalClient, found: dict[str, Any]) -> bool:
    """One, for the GUID that the endpoint now has, and in force for the deployment."""
    (policy,) = await policies_of(client, found["endpointId"])
    deployment = found["targets"][0]["id"]
    listed = f"/deployments/traffic-filter/associations/deployment/{deployment}/rulesets"
    return policy["id"] == found["policy"]["id"] and policy["id"] in (await client.elastic("GET", listed))["rulesets"]


async def _new_names_are_shown(client: LocalClient, found: dict[str, Any]) -> bool:
    alias = (await client.elastic("GET", f"/deployments/{found['targets'][0]['id']}"))["alias"]
    hosts = [check["host"] for check in found["checks"]] + [url["url"] for url in found["targets"][0]["urls"]]
    return alias.endswith("-new") and all(alias in host for host in hosts)


async def _works(_client: LocalClient, found: dict[str, Any]) -> bool:
    return all(check["status"] == "healthy" for check in found["checks"])


OBSERVE = "elastic-privatelink=enforce"
STORIES = {
    "record": Broken("uksouth", "RecordReady", "ObserveMode", OBSERVE, "dns", _record_is_back, "create * A record"),
    "link": Broken("westus2", "Linked", "ObserveMode", OBSERVE, "network", _is_linked, "link private DNS zone"),
    "policy": Broken(
        "centralus",
        "PolicyReady",
        "ObserveMode",
        OBSERVE,
        "policy",
        _has_its_policy,
        "create private connection policy",
    ),
    "association": Broken(
        "eastus", "Associated", "ObserveMode", OBSERVE, "target", _has_its_policy, "associate policy"
    ),
    "route": Broken(
        "brazilsouth", "Reachable", "NoRouteAlthoughApproved", "network security groups", "endpoint", _works
    ),
    "approval": Broken("canadacentral", "Approved", "Disconnected", "create it again", "approval", _has_its_policy),
    "target": Broken("francecentral", "Associated", "DeploymentNotRunning", "Start it", "target", _works),
}
"""By hop. `alias` and `key` have stories of their own."""


# -- the stories ---------------------------------------------------------------------------------------------------


async def made(client: LocalClient, hop: str, region: str) -> dict[str, Any]:
    """A connection that works."""
    return await ready(client, await put_endpoint(client, f"pe-{hop}", region))


async def ask_for_mode(client: LocalClient, endpoint: str, mode: str) -> None:
    """The endpoint's owner tags it, and the app takes note."""
    body = await asked_for(client, endpoint)
    body["tags"]["elastic-privatelink"] = mode
    await client.azure("PUT", endpoint, body)

    async def present() -> str:
        return str((await connection(client, endpoint))["mode"])

    await eventually(present, lambda seen: seen == mode)


async def explained(client: LocalClient, endpoint: str, broken: Broken) -> None:
    """Every place where a person looks says what is wrong, and what to do."""
    found = await until(client, endpoint, **{broken.type: broken.reason})
    said = condition(found, broken.type)
    assert said["status"] == "False"
    assert broken.next_step in said["nextStep"]
    verdict = found["verdict"]
    assert (verdict["reason"], verdict["hop"]) == (broken.reason, broken.where)
    assert verdict["status"] != "healthy"
    assert verdict["cause"] in said["message"]
    assert broken.next_step in verdict["nextStep"]
    listed = (await client.app("GET", "/connections")).json()["items"]
    entry = next(one for one in listed if one["id"] == found["id"])
    assert (entry["ready"], entry["reason"], entry["phase"]) == ("False", broken.reason, found["phase"])
    assert found["phase"] in {"Degraded", "Blocked"}
    assert broken.next_step in entry["nextStep"]
    if broken.step:
        assert broken.step in " ".join(found["planned"])


async def breaks(instance: Instance, client: LocalClient, hop: str, broken: Broken) -> None:
    """A hop is broken, explained, mended by the one who can, and the connection is Ready again."""
    before = await made(client, hop, broken.region)
    endpoint = before["endpointId"]
    if broken.step:
        await ask_for_mode(client, endpoint, "observe")
    done, sent = len(await steps_done(client, before)), writes_about(instance, before)
    await HOPS[hop].do(client, before)
    await explained(client, endpoint, broken)
    if broken.step:
        assert len(await steps_done(client, before)) == done, "it was asked to observe"
        assert writes_about(instance, before) == sent, "and to send nothing but reads"
    if undo := HOPS[hop].undo:
        await undo(client, before)
    else:
        await ask_for_mode(client, endpoint, "enforce")
    after = await until(client, endpoint, phase="Ready", Reachable="Reachable")
    assert after["verdict"]["status"] == "healthy"
    assert await broken.repaired(client, after)
    assert broken.step in " ".join((await steps_done(client, before))[done:])
    assert not broken.step or writes_about(instance, before) != sent, "the log shows what it sends about it"
    if hop == "approval":
        assert after["policy"]["id"] == before["policy"]["id"], "the policy is kept with all that hangs on it"
        assert after["guid"] != before["guid"]


async def steps_done(client: LocalClient, found: dict[str, Any]) -> list[str]:
    """What the app has changed for a connection, oldest first."""
    return [entry["step"] for entry in await journal(client, found) if entry["outcome"] == "done"]


async def alias_is_renamed(client: LocalClient) -> None:
    """No person has to do anything: the app finds the new names, and tests and shows these."""
    before = await made(client, "alias", "southeastasia")
    await HOPS["alias"].do(client, before)

    async def shown() -> bool:
        return await _new_names_are_shown(client, await connection(client, before["endpointId"]))

    await eventually(shown, bool)
    await until(client, before["endpointId"], phase="Ready", Reachable="Reachable")


async def key_ends(client: LocalClient) -> None:
    """What works goes on working; what is new waits for a person, who is told; a new key frees it."""
    before = await made(client, "key", "centralindia")
    await HOPS["key"].do(client, before)
    endpoint = await put_endpoint(client, "pe-late", "eastus2")
    found = await until(client, endpoint, PolicyReady="ElasticKeyRefused", Linked="Linked")
    assert NEW_KEY in condition(found, "PolicyReady")["nextStep"]
    assert (found["verdict"]["reason"], found["verdict"]["hop"]) == ("ElasticKeyRefused", "policy")
    assert NEW_KEY in found["verdict"]["nextStep"]
    doctor = (await client.app("GET", "/doctor")).json()
    key = next(one for one in doctor["findings"] if one["check"] == "elastic key")
    assert (doctor["status"], key["level"], NEW_KEY in key["nextStep"]) == ("problem", "problem", True)
    others = (await connection(client, before["endpointId"]))["verdict"]
    assert others["reason"] in {"Reachable", "ElasticKeyRefused"}, "unless a run has just met it, the app does not ask"
    await HOPS["key"].undo(client, before)
    for freed in (await ready(client, endpoint), await ready(client, before["endpointId"])):
        assert await _has_its_policy(client, freed)


async def all_stories(instance: Instance) -> Outcomes:
    async with instance.client() as client:
        stories = {hop: breaks(instance, client, hop, broken) for hop, broken in STORIES.items()}
        ends = await at_once(stories | {"alias": alias_is_renamed(client)})
        return {**ends, **await at_once({"key": key_ends(client)})}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What became of each story."""
    return Told(
        all_stories, lambda: Instance(tmp_path_factory.mktemp("hops") / "local", "--approval-seconds", "1", **QUICK)
    )


@pytest.mark.parametrize("hop", HOPS)
def test_a_broken_hop_is_explained_and_mended(outcomes: Told, hop: str) -> None:
    outcomes.judge(hop)
