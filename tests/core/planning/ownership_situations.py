"""Situations for docs/ownership.md: each asks a plan, and tells in one word what it does with one thing.

The words are those of the page: makes, changes, removes, uses, leaves, nothing, and blocked with the reason. Which
situation is which cell says `ownership_cells`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.markers import Marker, RecordMarker
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, PolicyMemory
from shared.core.model.resources import Claim, NameResolution, Policy, Rule, Target, WildcardRecord, Zone
from shared.core.model.steps import Action, RemovalStep, Step
from shared.core.options.dns import RecordMode
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.dns import DnsFacts, plan_dns
from shared.core.planning.plan import ObservedElastic, plan_elastic
from shared.core.planning.removal import ObservedRemoval, plan_removal
from tests.core.core_parts import (
    ADDRESS,
    GUID,
    HUB,
    IP_POLICY,
    KNOWN,
    MINE,
    NOW,
    OTHERS,
    STRANGER,
    VNET,
    desired,
    held_by,
    link,
    plan_options,
    policy,
    record,
    target,
    zone,
)

NEW_ADDRESS = "10.1.0.77"
OLD_GUID = "00000000-0000-4000-8000-0000000000aa"
REGION = "azure-eastus2"
OPTIONS = plan_options(deployments_allowed=frozenset({"*"}))
UNION = plan_options(OPTIONS, record_mode=RecordMode.UNION)
VERBS = {Action.CREATE: "makes", Action.CHANGE: "changes", Action.REMOVE: "removes"}
KINDS = {
    "zone": ("CreateZone", "DeleteZone"),
    "link": ("CreateLink", "DeleteLink"),
    "record": ("PutWildcardRecord", "DeleteRecord"),
    "policy": ("CreatePolicy", "UpdatePolicy", "DeletePolicy"),
    "association": ("Associate", "Disassociate"),
    "claim": ("ClaimEndpoint", "UnclaimEndpoint"),
}
CONDITIONS = {
    "zone": c.ZONE_READY,
    "link": c.LINKED,
    "record": c.RECORD_READY,
    "policy": c.POLICY_READY,
    "association": c.ASSOCIATED,
    "claim": c.CLAIMED,
}
THEIRS: tuple[Marker | None, ...] = (None, STRANGER)


def _done(thing: str, steps: Iterable[Step], about: str = "") -> str | None:
    """The word for what the steps do with the thing; `about`: a text that tells it from others of its kind."""
    for step in steps:
        if type(step).__name__ in KINDS[thing] and about in str(step):
            return VERBS[step.action]
        if type(step).__name__ == "WithdrawAddress" and thing == "record":
            return "changes"
    return None


def _living(thing: str, steps: Iterable[Step], conditions: Iterable[Condition], about: str = "") -> str:
    done = _done(thing, steps, about)
    if done is not None:
        return done
    found = next((one for one in conditions if one.type == CONDITIONS[thing]), None)
    if found is None or found.reason == "NothingRequested":
        return "leaves"
    assert found.true or found.needs is c.WaitingFor.PERSON, found
    return "uses" if found.true else f"blocked {found.reason}"


# -- DNS: an endpoint that lives, and one that is gone --------------------------------------------------------------


def dns(thing: str, *zones: Zone, address: str = ADDRESS, options: PlanOptions = OPTIONS, about: str = "") -> str:
    found = plan_dns(desired(options=options, address=address), zones, options)
    return _living(thing, found.steps, found.conditions, about)


def gone_dns(thing: str, found: Zone | None, *, others: bool = False) -> str:
    """`others`: an endpoint of the same network still lives."""
    steps: tuple[RemovalStep, ...] = ()
    if found is not None:
        counted = replace(found, etag="z", other_records=0, links=tuple(replace(one, etag="l") for one in found.links))
        living = (desired(name="pe-logs").endpoint,) if others else ()
        record = KNOWN.with_identity(vnet_id=VNET)
        steps = plan_removal(record, ObservedRemoval(zones=(counted,), others=living), OPTIONS).steps
    there = {
        "zone": found is not None,
        "link": found is not None and bool(found.links),
        "record": found is not None and found.record is not None,
    }
    return _done(thing, steps) or ("leaves" if there[thing] else "nothing")


def theirs_in(marker: Marker | None) -> RecordMarker | None:
    return None if marker is None else RecordMarker(marker.instance, (MINE,))


MY_RECORD = record(ADDRESS, marker=held_by(MINE))
SHARED = record(OTHERS.address, ADDRESS, marker=held_by(OTHERS, MINE))
NEIGHBOUR = record(OTHERS.address, marker=held_by(OTHERS))
STRANGE = record("10.9.9.9")
ELSEWHERE = zone(link(HUB, marker=None), group="elsewhere", marker=None)


def mine(kept: WildcardRecord | None = MY_RECORD, *, linked: bool = True) -> Zone:
    """Our zone, linked to the endpoint's network."""
    return zone(*((link(VNET),) if linked else ()), record=kept)


def hub_link(*zones: Zone) -> str:
    """The link to a further network, with one of the clients' two name servers in it."""
    both = DnsFacts(NameResolution((VNET, HUB), ("10.1.0.4", "10.0.0.4")))
    options = plan_options(OPTIONS, link_vnets=(HUB,))
    found = plan_dns(desired(options=options), zones, options, both)
    return _living("link", found.steps, found.conditions, HUB)


# -- Elastic Cloud: an endpoint that lives --------------------------------------------------------------------------

BORN_ANEW = KNOWN.with_elastic(policy=PolicyMemory("p-1", Owner.OURS, guid=OLD_GUID))
USING = KNOWN.with_elastic(policy=PolicyMemory("p-1", Owner.OURS, guid=GUID))
OURS = AssociationMemory("d1", Owner.OURS, asked="d1", seen=True)
ADOPTED = replace(OURS, owner=Owner.ADOPTED)
OFTEN = replace(OURS, taken=tuple(NOW - timedelta(days=day) for day in (1, 2, 3)))
CLOSED = target(attached=("p-1", IP_POLICY.id))
ONLY = target(attached=("p-1",))
ASSOCIATED = policy(associations=("d1",))
ADDED = Rule("pe-added", "99999999-0000-4000-8000-000000000000")
CLAIMED = Claim(REGION, "pe-search", GUID)


def by_hand(marker: Marker | None, **changes: object) -> Policy:
    """A policy of others for the endpoint."""
    return policy(description="" if marker is None else marker.description(), **changes)


def elastic(
    thing: str,
    *policies: Policy,
    record: ConnectionRecord = USING,
    asks: str = "",
    targets: tuple[Target, ...] = (),
    options: PlanOptions = OPTIONS,
    claims: tuple[Claim, ...] | None = None,
) -> str:
    observed = ObservedElastic((*policies, IP_POLICY), targets, claims)
    found = plan_elastic(desired(asks, options=options), observed, record, options, NOW)
    return _living(thing, found.steps, found.conditions)


def association(
    found: Target,
    memory: AssociationMemory | None = None,
    *,
    asks: str = "d1",
    standing: bool = False,
    options: PlanOptions = OPTIONS,
) -> str:
    record = USING.with_elastic(associations=(memory,) if memory else ())
    used = policy(associations=("d1",) if standing else ())
    return elastic("association", used, record=record, asks=asks, targets=(found,), options=options)


def admitting_others(memory: AssociationMemory | None = None) -> str:
    """The policy has a rule that a person added; with `memory` it stands, and no tag asks for it any more."""
    record = USING.with_elastic(associations=(memory,) if memory else ())
    used = policy(associations=("d1",) if memory else (), rules=(*policy().rules, ADDED))
    there = CLOSED if memory else target()
    return elastic("association", used, record=record, asks="" if memory else "d1", targets=(there,))


def claim(owner: Owner | None, *claims: Claim, asked: bool = True, guid: str = GUID) -> str:
    memory = ClaimMemory(REGION, "pe-search", guid, owner) if owner else None
    record = USING.with_elastic(claim=memory)
    return elastic("claim", policy(), record=record, options=plan_options(OPTIONS, claim=asked), claims=claims)


# -- Elastic Cloud: an endpoint that is gone ------------------------------------------------------------------------


def gone_elastic(
    thing: str,
    *policies: Policy,
    memory: AssociationMemory | None = None,
    targets: tuple[Target, ...] = (),
    owner: Owner | None = None,
    claims: tuple[Claim, ...] = (),
) -> str:
    held = ClaimMemory(REGION, "pe-search", GUID, owner) if owner else None
    record = USING.with_elastic(associations=(memory,) if memory else (), claim=held)
    found = plan_removal(
        record, ObservedRemoval(policies=(*policies, IP_POLICY), targets=targets, claims=claims), OPTIONS
    )
    done = _done(thing, found.steps)
    if done is not None:
        return done
    if found.problems:
        return f"blocked {found.problems[0].reason}"
    there = {"policy": policies, "association": targets, "claim": claims}
    return "leaves" if there[thing] else "nothing"
