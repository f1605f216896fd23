"""What people, and other managers, do in Elastic Cloud during a random walk: policies, associations, deployments."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from local.elastic.deployments import Deployment
from tests.walk.scene import DEPLOYMENTS, Deed, Scene

THEIRS = "00000000-0000-4000-8000-00000000{:04x}"


def _deployment(scene: Scene, drawn: Random) -> Deployment | None:
    found = [one for one in scene.deployments() if {one.name, *scene.former_names.get(one.id, ())} & {*DEPLOYMENTS}]
    return drawn.choice(found) if found else None


# -- policies ------------------------------------------------------------------------------------------------------


async def edit_policy(scene: Scene, drawn: Random) -> str | None:
    """Rename it, write around its marker, take the policy over, add a rule, spell the endpoint's name otherwise."""
    ours = scene.policies(ours=True)
    if not ours:
        return None
    policy = drawn.choice(ours)
    how = drawn.choice(["name", "words", "take over", "rule", "spelling", "default"])
    mine = [rule for rule in policy.rules if "azure_endpoint_guid" in rule]
    if how == "name":
        policy.name = f"{policy.name}-by-hand"
    elif how == "words":
        policy.description = f"Ask team search first. {policy.description}"
    elif how == "take over":
        policy.description = "ours now"
    elif how == "rule":
        guid = THEIRS.format(drawn.randrange(2**16))
        policy.rules.append({"azure_endpoint_name": "theirs", "azure_endpoint_guid": guid, "id": f"r-{guid[-4:]}"})
    elif how == "spelling" and mine:
        mine[0]["azure_endpoint_name"] = mine[0]["azure_endpoint_name"].upper()
    else:
        policy.include_by_default = True
    scene.estate.elastic.evaluate()
    return f"policy {policy.id[:6]} ({policy.name}) is edited by hand: {how}"


async def hand_over(scene: Scene, drawn: Random) -> str | None:
    """Let a policy admit another endpoint instead, with all that it is associated with."""
    found = [one for one in (*scene.policies(ours=True), *scene.policies(ours=False)) if one.guids]
    if not found:
        return None
    policy = drawn.choice(found)
    mine = next(rule for rule in policy.rules if "azure_endpoint_guid" in rule)
    mine |= {"azure_endpoint_name": "theirs", "azure_endpoint_guid": THEIRS.format(drawn.randrange(2**16))}
    scene.estate.elastic.evaluate()
    return f"policy {policy.id[:6]} ({policy.name}) admits {mine['azure_endpoint_guid']} instead, by hand"


async def delete_policy(scene: Scene, drawn: Random) -> str | None:
    found = [*scene.policies(ours=True), *scene.policies(ours=False)]
    if not found:
        return None
    policy = drawn.choice(found)
    scene.estate.elastic.delete_policy(policy.id)
    return f"policy {policy.id[:6]} ({policy.name}) is deleted by hand"


async def make_policy(scene: Scene, drawn: Random) -> str | None:
    """A policy of a person's own for an endpoint, under its exact name or not, perhaps with a deployment."""
    if not scene.alive:
        return None
    place = scene.alive[drawn.choice(sorted(scene.alive))]
    found, target = scene.endpoint(place.name), _deployment(scene, drawn)
    assert found is not None
    name = drawn.choice([place.name, place.name, place.name.upper()])
    rule = {"azure_endpoint_name": name, "azure_endpoint_guid": found.resource_guid}
    with_deployment = target is not None and target.azure_region == place.region and drawn.random() < 0.5
    ids = [target.id] if target is not None and with_deployment else []
    made = scene.estate.elastic.add_endpoint_policy("by hand", place.region, [rule], *ids)
    made.created_at -= timedelta(hours=1)  # listed by now: what cannot be seen cannot be used
    return f"policy {made.id[:6]} is made by hand for {name}, associated with {ids}"


# -- associations --------------------------------------------------------------------------------------------------


async def take_association_away(scene: Scene, drawn: Random) -> str | None:
    """Terraform's `ec_deployment.traffic_filter`, or a person."""
    private = {one.id for one in (*scene.policies(ours=True), *scene.policies(ours=False))}
    pairs = sorted(pair for pair in scene.pairs() if pair[0] in private)
    if not pairs:
        return None
    policy, deployment = drawn.choice(pairs)
    scene.estate.elastic.disassociate(policy, deployment)
    scene.fought.add(deployment)
    return f"policy {policy[:6]} is taken away from deployment {deployment[:6]} by hand"


async def associate(scene: Scene, drawn: Random) -> str | None:
    target = _deployment(scene, drawn)
    found = [*scene.policies(ours=True), *scene.policies(ours=False)]
    fitting = [one for one in found if target is not None and one.region == target.region]
    if target is None or not fitting:
        return None
    policy = drawn.choice(fitting)
    if (policy.id, target.id) in scene.pairs():
        return None
    scene.estate.elastic.associate(policy, target.id)
    return f"policy {policy.id[:6]} ({policy.name}) is associated with {target.name} by hand"


async def protect(scene: Scene, drawn: Random) -> str | None:
    """Give a deployment an IP policy, or take all of them away."""
    target = _deployment(scene, drawn)
    if target is None:
        return None
    elastic = scene.estate.elastic
    ip = [one for one in elastic.attached(target.id) if one.type == "ip"]
    for policy in ip:
        elastic.disassociate(policy.id, target.id)
    if not ip:
        elastic.add_policy(f"{target.name}-by-hand", target.region, deployments=[target.id])
    return f"deployment {target.name} {'loses its IP policy' if ip else 'gets an IP policy'} by hand"


async def claim(scene: Scene, drawn: Random) -> str | None:
    """Claim an endpoint by hand, or give up the claim that there is."""
    if not scene.alive:
        return None
    place = scene.alive[drawn.choice(sorted(scene.alive))]
    found = scene.endpoint(place.name)
    assert found is not None
    link = {"region": f"azure-{place.region}", "azure_endpoint_name": place.name}
    link["azure_endpoint_guid"] = found.resource_guid
    held = [one for one in scene.estate.elastic.claims() if one["azure_endpoint_guid"] == found.resource_guid]
    if held:
        scene.estate.elastic.unclaim(link)
    else:
        scene.estate.elastic.claim(link)
    return f"the claim to {place.name} is {'given up' if held else 'made'} by hand"


async def end_connection(scene: Scene, drawn: Random) -> str | None:
    """Elastic rejects the endpoint's connection, or takes it away again."""
    if not scene.alive:
        return None
    place = scene.alive[drawn.choice(sorted(scene.alive))]
    status = drawn.choice(["Rejected", "Disconnected"])
    scene.estate.arm.set_connection(place.id, status)
    return f"the connection of {place.name} is {status}"


# -- deployments ---------------------------------------------------------------------------------------------------

TAGS = {
    "elastic-privatelink-connect": ("*", "rg-apps/pe-a", "rg-team/pe-c"),
    "elastic-privatelink-endpoints": ("*", "rg-apps/pe-b"),
    "elastic-privatelink-first-policy": ("allow",),
    "elastic-privatelink-last-policy": ("allow",),
    "elastic-privatelink": ("ignore",),
}


async def tag_deployment(scene: Scene, drawn: Random) -> str | None:
    target = _deployment(scene, drawn)
    if target is None:
        return None
    tag = drawn.choice(sorted(TAGS))
    if tag in target.tags:
        del target.tags[tag]
        return f"deployment {target.name} loses the tag {tag}"
    target.tags[tag] = drawn.choice(TAGS[tag])
    return f"deployment {target.name} is tagged {tag}={target.tags[tag]}"


async def rename_deployment(scene: Scene, drawn: Random) -> str | None:
    target = _deployment(scene, drawn)
    if target is None:
        return None
    before = target.name
    former = scene.former_names.setdefault(target.id, set())
    former.add(before)
    target.name = drawn.choice([f"{before}-renamed", *sorted(former)])
    return f"deployment {before} ({target.id[:6]}) is called {target.name} now"


async def stop_or_start(scene: Scene, drawn: Random) -> str | None:
    target = _deployment(scene, drawn)
    if target is None:
        return None
    target.status = "started" if target.status == "stopped" else "stopped"
    target.hidden = target.status == "stopped" and drawn.random() < 0.3
    return f"deployment {target.name} is {target.status}{' and hidden' if target.hidden else ''} now"


async def remove_deployment(scene: Scene, drawn: Random) -> str | None:
    target = _deployment(scene, drawn)
    if target is None:
        return None
    scene.estate.elastic.remove_deployment(target.id)
    return f"deployment {target.name} ({target.id[:6]}) is gone"


async def add_deployment(scene: Scene, drawn: Random) -> str | None:
    """Another one, perhaps of a name that there is already."""
    name, region = drawn.choice(DEPLOYMENTS), drawn.choice(["eastus2", "eastus2", "westeurope"])
    if sum(one.name == name for one in scene.deployments()) > 1:
        return None
    alias = f"{name}-{drawn.randrange(10**6)}"
    made = scene.estate.elastic.add_deployment(name, region, alias=alias, ip_policy=drawn.random() < 0.7)
    return f"deployment {name} ({made.id[:6]}) is made in {region}"


DEEDS: tuple[tuple[int, Deed], ...] = (
    (3, edit_policy),
    (1, hand_over),
    (1, delete_policy),
    (2, make_policy),
    (3, take_association_away),
    (2, associate),
    (2, protect),
    (1, claim),
    (1, end_connection),
    (3, tag_deployment),
    (1, rename_deployment),
    (1, stop_or_start),
    (1, remove_deployment),
    (1, add_deployment),
)
"""How often each is done."""
