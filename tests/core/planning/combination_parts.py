"""Every combination of what may be there, as cases that print themselves, and the world that each describes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from itertools import product
from typing import Any

from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.markers import Holder
from shared.core.model.ownership import Owned, Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, PolicyMemory
from shared.core.model.resources import (
    Claim,
    ConnectionStatus,
    NameResolution,
    Policy,
    Rule,
    Target,
    WildcardRecord,
    Zone,
)
from shared.core.options.dns import RecordMode
from shared.core.options.plan_options import PlanOptions
from shared.core.options.values import ZoneHome, denied_targets
from tests.core.core_parts import (
    ADDRESS,
    ENDPOINT_ID,
    GUID,
    HUB,
    IP_POLICY,
    MARKER,
    MINE,
    NOW,
    OTHER_ENDPOINT_ID,
    OTHER_VNET,
    OTHERS,
    STRANGER,
    SUBSCRIPTION,
    VNET,
    desired,
    endpoint,
    held_by,
    link,
    plan_options,
    policy,
    record,
    target,
    zone,
)
from tests.core.world_elastic import Elastic
from tests.core.world_parts import OLD_ADDRESS, World

OF_ANOTHER = replace(MARKER, connection_id=OTHERS.connection_id, endpoint_id=OTHERS.endpoint_id)
"""The mark on what was made for another endpoint."""
OLD_GUID = "00000000-0000-4000-8000-0000000000aa"
REGION = "azure-eastus2"

THINGS: dict[str, tuple[str, ...]] = {
    "zone": ("absent", "ours", "adopted", "foreign"),
    "link": ("absent", "ours", "adopted", "foreign"),
    "record": ("absent", "ours", "adopted", "foreign", "another's", "shared"),
    "policy": ("absent", "ours", "adopted", "foreign", "misnamed", "extended", "renamed", "doubled", "unseen use"),
    "association": ("absent", "ours", "adopted", "foreign", "begun"),
}
"""`foreign` is what is in the way: a zone of another installation; the network linked to another zone of the name; a
record that points elsewhere; another installation's policy; a manager that keeps removing the association."""

CIRCUMSTANCES: dict[str, tuple[str, ...]] = {
    "change": ("none", "address", "guid", "no address", "no longer asked", "pending", "rejected"),
    "mode": ("first", "union"),
    "hub": ("none", "unlinked", "ours", "elsewhere"),
    "answers": ("own", "hub", "both", "unknown"),
    "place": ("free", "taken", "second free", "second there"),
    "others": ("none", "same network", "other network", "unknown"),
    "target": (
        "closed",
        "open",
        "unknown",
        "unseen",
        "opted in",
        "hands off",
        "denied",
        "not allowed",
        "consenting",
        "stopped",
        "elsewhere",
        "renamed",
        "asking",
    ),
    "claim": ("none", "wanted", "ours", "adopted", "ours and wanted"),
}
"""`hub`: `none` is one that no setting names, and that is linked to no zone. `answers`: which networks have the name
servers of the endpoint's clients. `place`: whether the group in which the zone may be made has another endpoint's; a
second one has none, or an empty one that others made."""
ACTIONS = ("create", "change", "remove")


@dataclass(frozen=True, slots=True)
class Case:
    """One combination."""

    action: str = "create"
    zone: str = "absent"
    link: str = "absent"
    record: str = "absent"
    policy: str = "absent"
    association: str = "absent"
    change: str = "none"
    mode: str = "first"
    hub: str = "none"
    answers: str = "own"
    place: str = "free"
    others: str = "none"
    target: str = "closed"
    claim: str = "none"

    def __str__(self) -> str:
        return ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))

    @property
    def answering(self) -> tuple[str, ...]:
        """The networks that answer the clients; of servers that are not known it is assumed to be their own."""
        return {"hub": (HUB,), "both": (HUB, VNET)}.get(self.answers, (VNET,))

    @property
    def possible(self) -> bool:
        """Whether there can be such a thing at all."""
        zone_used = self.zone != "absent" or self.link == "foreign"
        standing = self.association not in {"absent", "foreign"}
        return (
            (zone_used or self.record == "absent")
            and (self.zone != "absent" or self.link in {"absent", "foreign"})
            and (self.zone == "absent" or self.place == "free")
            and (self.policy != "absent" or self.association == "absent")
            and (self.target != "unseen" or standing)
            and (self.action == "change" or self.change != "guid" or self.policy in {"absent", "ours", "extended"})
        )


def crossed(seed: int = 0) -> Iterator[Case]:
    """Every combination of the five things and the three actions, each under circumstances drawn by the seed."""
    drawn = random.Random(seed)
    for action, *things in product(ACTIONS, *THINGS.values()):
        circumstances = {name: drawn.choice(values) for name, values in CIRCUMSTANCES.items()}
        case = Case(action, *things, **circumstances)
        if case.zone != "absent":
            case = replace(case, place="free")
        if case.possible:
            yield case


def dns_cases(seed: int = 0) -> Iterator[Case]:
    """Every combination in DNS, each with clients that ask whom the seed draws; without a zone, in every place."""
    drawn = random.Random(seed)
    changes = {"create": ("none", "no address"), "change": ("none", "address", "no address", "rejected")}
    for action in ACTIONS:
        choices = {name: THINGS[name] for name in ("zone", "link", "record")}
        choices |= {"hub": CIRCUMSTANCES["hub"], "mode": CIRCUMSTANCES["mode"]}
        choices |= {"others": CIRCUMSTANCES["others"]} if action == "remove" else {"change": changes[action]}
        for case in _product(action, choices):
            for place in CIRCUMSTANCES["place"] if action != "remove" else ("free",):
                told = replace(case, answers=drawn.choice(CIRCUMSTANCES["answers"]), place=place)
                if told.possible:
                    yield told


def elastic_cases() -> Iterator[Case]:
    """Every combination in Elastic Cloud; claims, which no other thing has a part in, with a few of them."""
    changes = {"create": ("none", "pending"), "change": ("none", "guid", "no longer asked", "pending", "rejected")}
    for action in ACTIONS:
        change = {"change": changes.get(action, ("none",))}
        things = {name: THINGS[name] for name in ("policy", "association")}
        yield from _product(action, things | change | {"target": CIRCUMSTANCES["target"]})
        claims = {"policy": ("absent", "ours"), "claim": CIRCUMSTANCES["claim"]}
        yield from _product(action, claims | change)


def _product(action: str, choices: dict[str, tuple[str, ...]]) -> Iterator[Case]:
    for values in product(*choices.values()):
        case = Case(action, **dict(zip(choices, values, strict=True)))
        if case.possible:
            yield case


# -- the world of a case -------------------------------------------------------------------------------------------


def world_of(case: Case) -> World:
    """What a case describes."""
    options = _options(case)
    gone = case.action == "remove"
    asks = "" if case.change == "no longer asked" or case.target == "asking" else "orders"
    status = {"pending": ConnectionStatus.PENDING, "rejected": ConnectionStatus.REJECTED}.get(case.change)
    changes: dict[str, Any] = {"address": None} if case.change == "no address" else {}
    if status is not None:
        changes["status"] = status
    others = {"same network": (_other(VNET),), "other network": (_other(OTHER_VNET),), "unknown": None}
    zones, elastic = _zones(case), _elastic(case)
    return World(
        None if gone else desired(asks, options, **changes),
        _known(case, zones),
        zones,
        elastic,
        options,
        others.get(case.others, ()),
        _resolution(case),
    )


def _options(case: Case) -> PlanOptions:
    everything = frozenset({"*"})
    groups = ("net-prod", "second") if case.place.startswith("second") else ("net-prod",)
    return plan_options(
        link_vnets=() if case.hub == "none" else (HUB,),
        zone_resource_groups=tuple(ZoneHome(SUBSCRIPTION, group) for group in groups),
        record_mode=RecordMode(case.mode),
        deployments_allowed=frozenset() if case.target in {"not allowed", "consenting", "asking"} else everything,
        deployments_denied=denied_targets("d1" if case.target == "denied" else ""),
        claim="wanted" in case.claim,
    )


def _resolution(case: Case) -> NameResolution:
    servers = {"own": (), "unknown": ("203.0.113.53",)}.get(case.answers, ("10.0.0.4", "10.1.0.4"))
    if case.answers == "unknown":
        return NameResolution((), servers, servers)
    return NameResolution(case.answering, servers)


def _other(vnet: str) -> Any:
    return endpoint(id=parse_arm_id(OTHER_ENDPOINT_ID), name="pe-logs", vnet_id=vnet)


def _changed(case: Case, what: str) -> bool:
    return case.action == "change" and case.change == what


# -- DNS -----------------------------------------------------------------------------------------------------------


def _zones(case: Case) -> tuple[Zone, ...]:
    markers = {"ours": MARKER, "adopted": None, "foreign": STRANGER}
    record_ = _record(case)
    found = []
    if case.zone != "absent":
        links = [replace(link(marker=markers[case.link]), etag="l")] if case.link in {"ours", "adopted"} else []
        if case.hub == "ours":
            links.append(replace(link(HUB), etag="h"))
        made = zone(*links, record=None if case.link == "foreign" else record_, marker=markers[case.zone])
        found.append(replace(made, other_records=0, etag="z"))
    if case.place != "free":
        kept = record(OTHERS.address, marker=held_by(OTHERS))
        taken = zone(link(OTHER_VNET, marker=OF_ANOTHER), record=kept, marker=OF_ANOTHER)
        found.append(replace(taken, other_records=0, etag="z"))
    if case.place == "second there":
        found.append(replace(zone(group="second", marker=None), other_records=0, etag="z"))
    theirs = [replace(link(VNET, marker=None), etag="l")] if case.link == "foreign" else []
    theirs += [replace(link(HUB, marker=None), etag="h")] if case.hub == "elsewhere" else []
    if theirs:
        kept = record_ if case.link == "foreign" else record("10.9.9.9")
        found.append(replace(zone(*theirs, record=kept, group="theirs", marker=None), other_records=0, etag="z"))
    return tuple(found)


def _record(case: Case) -> WildcardRecord | None:
    mine, address = MINE, ADDRESS
    if _changed(case, "address"):
        address, mine = OLD_ADDRESS, Holder(MINE.connection_id, OLD_ADDRESS, ENDPOINT_ID)
    return {
        "absent": None,
        "ours": record(address, marker=held_by(mine)),
        "adopted": record(address),
        "foreign": record("10.9.9.9"),
        "another's": record(OTHERS.address, marker=held_by(OTHERS)),
        "shared": record(OTHERS.address, address, marker=held_by(OTHERS, mine)),
    }[case.record]


# -- Elastic Cloud -------------------------------------------------------------------------------------------------


def _elastic(case: Case) -> Elastic:
    standing = case.association in {"ours", "adopted", "begun"}
    policies = (IP_POLICY, *_policies(case, ("d1",) if standing else ()))
    ours = frozenset({("p-1", "d1")}) if standing and case.association != "adopted" else frozenset[Any]()
    guid = OLD_GUID if _changed(case, "guid") else GUID
    claimed = case.claim in {"ours", "adopted", "ours and wanted"}
    return Elastic(
        policies,
        _targets(case, standing=standing),
        (Claim(REGION, "pe-search", guid),) if claimed else (),
        ours,
        frozenset({guid}) if "ours" in case.claim else frozenset(),
    )


def _policies(case: Case, associations: tuple[str, ...]) -> tuple[Policy, ...]:
    guid = OLD_GUID if _changed(case, "guid") else GUID
    rule, theirs = Rule("pe-search", guid), Rule("theirs", "b" * 8)
    ours = policy(rules=(rule,), associations=associations)
    by_hand = policy(rules=(rule,), associations=associations, description="")
    found: dict[str, tuple[Policy, ...]] = {
        "absent": (),
        "ours": (ours,),
        "adopted": (by_hand,),
        "foreign": (policy(rules=(rule,), associations=associations, description=STRANGER.description()),),
        "misnamed": (replace(by_hand, rules=(Rule("PE-Search", guid),)),),
        "extended": (replace(ours, rules=(theirs, rule)),),
        "unseen use": (replace(ours, hidden_associations=1),),
        "renamed": (replace(ours, name="by hand", rules=(Rule("by hand", guid),)),),
        "doubled": (ours, policy("p-2", rules=(rule,), description="", include_by_default=True)),
    }
    return found[case.policy]


def _targets(case: Case, *, standing: bool) -> tuple[Target, ...]:
    """The target d1; an opt-in is for its first and its last policy."""
    attached = ("p-1",) if standing else ()
    closed = (IP_POLICY.id, *attached)
    opted_in = {"elastic-privatelink-first-policy": "allow", "elastic-privatelink-last-policy": "allow"}
    found: dict[str, tuple[Target, ...]] = {
        "open": (target(attached=attached),),
        "unknown": (target(attached=None),),
        "unseen": (),
        "opted in": (target(attached=attached, tags=opted_in),),
        "hands off": (target(attached=closed, tags={"elastic-privatelink": "ignore"}),),
        "consenting": (target(attached=closed, tags={"elastic-privatelink-endpoints": "net-prod/pe-search"}),),
        "asking": (target(attached=closed, tags={"elastic-privatelink-connect": "*"}),),
        "stopped": (target(attached=closed, running=False),),
        "elsewhere": (target(attached=closed, region="azure-westus2"),),
        "renamed": (target(attached=closed, name="orders-2"),),
    }
    return found.get(case.target, (target(attached=closed),))


# -- what the record says ------------------------------------------------------------------------------------------


def _known(case: Case, zones: tuple[Zone, ...]) -> ConnectionRecord:
    """At the creation it says nothing; before a change or a removal, all that a run would have written down."""
    guid = OLD_GUID if _changed(case, "guid") else GUID
    blank = ConnectionRecord(ENDPOINT_ID)
    if case.action == "create":
        return blank.with_elastic(associations=_memories(case), claim=_claim_memory(case, guid))
    used = next((one for one in zones if one.link_to(VNET)), None) or next(iter(zones), None)
    ours = used is not None and used.marker == MARKER
    record = (
        blank.with_identity(guid=guid, region="eastus2", vnet_id=VNET)
        .with_dns(zone=Owned(used.id.text, Owner.OURS if ours else Owner.ADOPTED) if used else None)
        .with_elastic(policy=_policy_memory(case, guid), associations=_memories(case), claim=_claim_memory(case, guid))
    )
    return record.reset_for_recreated() if _changed(case, "guid") else record


def _policy_memory(case: Case, guid: str) -> PolicyMemory:
    if case.policy == "absent":
        return PolicyMemory()
    ours = case.policy in {"ours", "extended", "renamed", "doubled", "unseen use"}
    return PolicyMemory("p-1", Owner.OURS if ours else Owner.ADOPTED, guid=guid)


def _memories(case: Case) -> tuple[AssociationMemory, ...]:
    fought = tuple(NOW - timedelta(days=day) for day in (1, 2, 3))
    found: dict[str, AssociationMemory] = {
        "ours": AssociationMemory("d1", Owner.OURS, "orders", NOW - timedelta(days=9), seen=True),
        "adopted": AssociationMemory("d1", Owner.ADOPTED, seen=True),
        "foreign": AssociationMemory("d1", Owner.OURS, "orders", NOW - timedelta(days=1), seen=True, taken=fought),
        "begun": AssociationMemory("d1", None, "orders", NOW - timedelta(seconds=1)),
    }
    memory = found.get(case.association)
    return (memory,) if memory and not (case.action == "create" and case.association == "adopted") else ()


def _claim_memory(case: Case, guid: str) -> ClaimMemory | None:
    owner = {"ours": Owner.OURS, "ours and wanted": Owner.OURS, "adopted": Owner.ADOPTED}.get(case.claim)
    return ClaimMemory(REGION, "pe-search", guid, owner) if owner else None
