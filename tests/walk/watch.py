"""What must hold at every moment of a random walk, looked at after each write of a worker. Judged by the simulators.

People may do what they like: `people_did` takes what is there after a deed of theirs as the new beginning. What the
workers do from there must leave everything foreign as it is, byte for byte; must cut no client off, by name or by
policy, and open nothing; must make no second policy; and must take away only what is ours.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.elastic.deployments import Deployment
from shared.core.model.arm_ids import connection_id
from tests.harness.wire import Call
from tests.walk.clients import find_it
from tests.walk.scene import PLACES, Pair, Place, Scene, connection_of, is_ours, marked
from tests.walk.wishes import consented, opted_in, wanted_by

ANYWHERE, OFFICE = "192.0.2.77", "198.51.100.7"
"""A client on the internet, and one that the IP policies admit."""
CONNECTION = "elastic-privatelink-connection"
GRACE = 600.0
LIMIT = 10
"""Connections that may go within a day untold and unconfirmed: a walk has few, and its limit is this or less."""
_POLICY = re.compile(r"DELETE \S+/rulesets/[^/]+")
OPEN = 401
"""Elasticsearch's own answer to who brings no credentials."""


class Harm(AssertionError):
    """Something that must never happen."""


@dataclass(slots=True)
class State:
    """All that is compared."""

    foreign: dict[str, Any]
    pairs: set[Pair]
    claims: set[str]
    public: dict[str, int]
    office: dict[str, int]
    private: dict[tuple[str, str], bool]
    """By a deployment's id and an endpoint's GUID: whether its clients get in."""
    policies: dict[str, frozenset[str]]
    """GUIDs of each policy."""
    found: set[str]
    """Endpoints whose clients get their address."""
    holders: dict[str, set[str]]
    """By a zone's id: the connections that its records are marked for."""
    held: dict[str, Any]
    """What is marked for each endpoint for which nothing may be changed: by its tag, or in its grace period."""


@dataclass(slots=True)
class Watch:
    """Looks on."""

    scene: Scene
    ours: set[Pair] = field(default_factory=set)
    """Associations that workers made and that no person has touched."""
    ever_ours: set[Pair] = field(default_factory=set)
    our_claims: set[str] = field(default_factory=set)
    ever_our_claims: set[str] = field(default_factory=set)
    deleted: list[datetime] = field(default_factory=list)
    """When policies were deleted: each connection that is torn down has one at most."""
    confirmed: int = 0
    """Connections that a person allowed beyond the limit."""
    _wrote: str = ""
    """The write that came before the present call."""
    _before: State = field(init=False)

    def __post_init__(self) -> None:
        self._before = self._state()

    # -- when it looks ---------------------------------------------------------------------------------------------

    def call(self, call: Call) -> None:
        """A worker is about to make a call: what came of its last write?"""
        if self._wrote:
            self.look()
        self._wrote = call.what if call.writes and call.service in {"arm", "elastic"} else ""
        until = self.scene.paused_until
        if self._wrote and until is not None and self.scene.estate.clock.now() < until:
            raise Harm(f"S7: the app is paused until {until}, and about to {call.what}")
        if "ignore_associations=true" in call.query:
            raise Harm("a policy is deleted together with its associations")
        if call.service == "elastic" and _POLICY.fullmatch(call.what):
            self._check_pace()

    def _check_pace(self) -> None:
        """No more connections go within a day than the limit, those whose deletion was told, and those allowed."""
        estate, now = self.scene.estate, self.scene.estate.clock.now()
        self.deleted = [*(at for at in self.deleted if now - at < timedelta(days=1)), now]
        most = LIMIT + len(estate.told_deleted) + self.confirmed
        if len(self.deleted) > most:
            raise Harm(f"S6: {len(self.deleted)} connections went within a day; {most} may")

    def people_did(self) -> None:
        """A person has changed something."""
        before, now = self._before, self._state()
        made, gone = now.pairs - before.pairs, before.pairs - now.pairs
        self.ours -= gone
        self.our_claims -= before.claims ^ now.claims
        self.scene.claims_given_back |= (now.claims - before.claims) & self.ever_our_claims
        self.scene.claims_given_back -= before.claims - now.claims
        self.scene.given_back |= made & self.ever_ours
        self.scene.given_back -= gone
        self._before = now

    def look(self) -> None:
        """Compare with what was there before; raises Harm."""
        before, now = self._before, self._state()
        self._check_foreign(before, now)
        for name in before.held.keys() & now.held.keys():
            was, is_ = self._not_handed_over(name, before.held[name], now), now.held[name]
            changed = [f"{key}: {was[key]} became {is_[key]}" for key in was if was[key] != is_[key]]
            if changed:
                raise Harm(f"S5, S7: {name} is held, and of its {'; '.join(changed)}; by {self._wrote}")
        if lost := (before.found - now.found) & self.scene.alive.keys():
            raise Harm(f"clients of {', '.join(sorted(lost))} do not get its address any more, by {self._wrote}")
        self._check_policies(before, now)
        self._check_made(now.pairs - before.pairs)
        self._check_taken(before.pairs - now.pairs)
        if not before.claims - now.claims <= self.our_claims | self.scene.claims_given_back:
            raise Harm(f"a claim of others was given up by {self._wrote}")
        self.our_claims = (self.our_claims | (now.claims - before.claims)) & now.claims
        self.ever_our_claims |= self.our_claims
        self.scene.claims_given_back &= now.claims
        for deployment in self.scene.deployments():
            self._check_doors(deployment, before, now)
            self._check_clients(deployment, before, now)
        self._before, self._wrote = now, ""

    # -- what it looks at ------------------------------------------------------------------------------------------

    def _state(self) -> State:
        scene, elastic = self.scene, self.scene.estate.elastic
        deployments = scene.deployments()
        guids = {found.resource_guid.lower() for one in PLACES if (found := scene.endpoint(one.name)) is not None}
        guids |= scene.foreign_guids()
        return State(
            foreign=self._foreign(),
            pairs=scene.pairs(),
            claims=scene.claims(),
            public={one.id: elastic.decide_public(_public_host(one), ANYWHERE).status for one in deployments},
            office={one.id: elastic.decide_public(_public_host(one), OFFICE).status for one in deployments},
            private={
                (one.id, guid): elastic.decide(one.private_host(), guid).status == OPEN
                for one in deployments
                for guid in guids
            },
            policies={one.id: one.guids for one in elastic.rulesets()},
            found={place.name for place in PLACES if find_it(scene, place)},
            holders=self._holders(),
            held={place.name: self._marked_for(place) for place in PLACES if _is_held(scene, place)},
        )

    def _not_handed_over(self, name: str, was: dict[str, Any], now: State) -> dict[str, Any]:
        """What was held, less the records of one that is gone which a living one of its network holds by now."""
        if name in self.scene.alive:
            return was
        living = {connection_id(place.id) for place in PLACES if place.name in self.scene.alive}
        taken = {zone for zone, holders in now.holders.items() if holders & living}
        kept = {
            zone: held for zone, held in was["holds"].items() if zone not in taken or zone in now.held[name]["holds"]
        }
        return {**was, "holds": kept}

    def _marked_for(self, place: Place) -> dict[str, Any]:
        """Everything that carries the mark of one endpoint's connection."""
        scene, own = self.scene, connection_id(place.id)
        holder = f"elastic-privatelink-holder-{own}"
        records = {one.id: one.record_sets[key].metadata for one in scene.zones() for key in one.record_sets}
        policies = [one for one in scene.policies(ours=True) if connection_of(one) == own]
        return {
            "holds": {zone: metadata[holder] for zone, metadata in records.items() if holder in metadata},
            "zones": {one.id for one in scene.zones() if one.tags.get(CONNECTION) == own},
            "links": {one.id for one in scene.links() if one.tags.get(CONNECTION) == own},
            "policies": {one.id: (one.name, one.description, _rules(one.rules)) for one in policies},
            "pairs": {pair for pair in scene.pairs() if pair[0] in {one.id for one in policies}},
        }

    def _holders(self) -> dict[str, set[str]]:
        beginning = "elastic-privatelink-holder-"
        return {
            zone.id: {
                name.removeprefix(beginning)
                for one in zone.record_sets.values()
                for name in one.metadata
                if name.startswith(beginning)
            }
            for zone in self.scene.zones()
        }

    def _foreign(self) -> dict[str, Any]:
        """Everything that carries no marker of ours, as a copy."""
        scene, found = self.scene, dict[str, Any]()
        for zone in scene.zones():
            if not marked(zone.tags):
                found[zone.id] = (dict(zone.tags), zone.location)
            for key, record in zone.record_sets.items():
                if key[0] != "SOA" and not marked(record.metadata):
                    found[f"{zone.id} {key}"] = (record.ttl, copy.deepcopy(record.records), dict(record.metadata))
        for link in scene.links():
            if not marked(link.tags):
                found[link.id] = (link.vnet.id, link.registration_enabled, dict(link.tags))
        for policy in scene.estate.elastic.rulesets():
            if not is_ours(policy):
                found[policy.id] = (policy.name, policy.description, policy.include_by_default, _rules(policy.rules))
            else:
                foreign = scene.foreign_guids()
                theirs = [rule for rule in policy.rules if rule.get("azure_endpoint_guid", "").lower() in foreign]
                found[f"rules of {policy.id}"] = _rules(theirs)
                found[f"default of {policy.id}"] = policy.include_by_default
        return {name: value for name, value in found.items() if value not in ([], False)}

    # -- what it demands -------------------------------------------------------------------------------------------

    def _check_foreign(self, before: State, now: State) -> None:
        for name in sorted({*before.foreign, *now.foreign}):
            was, is_ = before.foreign.get(name), now.foreign.get(name)
            if name.startswith("default of ") and name.removeprefix("default of ") not in now.policies:
                continue  # it was ours, and went
            if was != is_:
                raise Harm(f"{name} is foreign and was {was}, now {is_}; after {self._wrote}")

    def _check_policies(self, before: State, now: State) -> None:
        made = [one for one in self.scene.policies(ours=True) if one.id not in before.policies]
        for policy in made:
            others = [name for name, guids in before.policies.items() if guids & policy.guids]
            if others:
                raise Harm(f"a second policy {policy.id} for a GUID that {others} had already")
            if policy.include_by_default:
                raise Harm(f"S9: {policy.id} is applied by default")
        ours = Counter(guid for one in self.scene.policies(ours=True) for guid in one.guids)
        before_ours = Counter(
            guid for name, guids in before.policies.items() if name not in _foreign_ids(self.scene) for guid in guids
        )
        for guid, count in ours.items():
            if count > max(1, before_ours[guid]):
                raise Harm(f"{count} policies of ours for {guid}")

    def _check_made(self, made: set[Pair]) -> None:
        for policy_id, deployment_id in made:
            target = self.scene.estate.elastic.deployment(deployment_id)
            policy = next(one for one in self.scene.estate.elastic.rulesets() if one.id == policy_id)
            place = self._place_of(policy.guids)
            found = self.scene.endpoint(place.name) if place else None
            if target is None or place is None or found is None:
                raise Harm(f"{policy_id} was associated with {deployment_id}, for an endpoint that is not there")
            if found.status != "Approved" or target.region != policy.region:
                raise Harm(f"S3: {policy_id} was associated with {target.name} too early, or elsewhere")
            if target.status == "stopped" or target.hidden:
                raise Harm(f"{policy_id} was associated with {target.name}, which is stopped")
            if not consented(self.scene, target, place) or not wanted_by(self.scene, target, place):
                raise Harm(f"S8: {policy_id} was associated with {target.name}, which no person allowed or asked for")
            if self.scene.foreign_guids() & policy.guids:
                raise Harm(f"S8: {policy_id}, which lets others in, was associated with {target.name}")
        self.ours |= made
        self.ever_ours |= made

    def _check_taken(self, taken: set[Pair]) -> None:
        for pair in taken - self.scene.given_back:
            if pair not in self.ours:
                raise Harm(f"S4: the association {pair} was not ours")
        self.ours -= taken
        self.scene.given_back -= taken

    def _check_doors(self, deployment: Deployment, before: State, now: State) -> None:
        was, is_ = before.public.get(deployment.id), now.public.get(deployment.id)
        if was is None or was == is_:
            return
        which = "first" if was == OPEN else "last"
        if not opted_in(self.scene, deployment, which):
            what = "closed to the internet (S1)" if was == OPEN else "opened to the internet (S2)"
            raise Harm(f"{deployment.name} was {what} by {self._wrote}")

    def _check_clients(self, deployment: Deployment, before: State, now: State) -> None:
        closed = before.public.get(deployment.id) == OPEN and opted_in(self.scene, deployment, "first")
        if before.office.get(deployment.id) == OPEN and now.office.get(deployment.id) != OPEN and not closed:
            raise Harm(f"the office was cut off from {deployment.name} by {self._wrote}")
        for (one, guid), admitted in before.private.items():
            if one != deployment.id or not admitted or now.private.get((one, guid), True):
                continue
            place = self._place_of({guid})
            wanted = place is None or wanted_by(self.scene, deployment, place)
            if wanted and not closed:
                who = place.name if place else f"a foreign endpoint {guid}"
                raise Harm(f"{who} was cut off from {deployment.name} by {self._wrote}")

    def _place_of(self, guids: set[str] | frozenset[str]) -> Place | None:
        for name, known in self.scene.connection_guids.items():
            if known & guids:
                return next(place for place in PLACES if place.name == name)
        return None


def _is_held(scene: Scene, place: Place) -> bool:
    if place.name not in scene.alive:
        gone = scene.gone_at.get(place.name)
        return gone is not None and (scene.estate.clock.now() - gone).total_seconds() < GRACE
    found = scene.endpoint(place.name)
    mode = scene.estate.settings.get("MODE", "enforce")
    return found is not None and found.tags.get("elastic-privatelink", mode) in {"observe", "ignore"}


def _foreign_ids(scene: Scene) -> set[str]:
    return {one.id for one in scene.estate.elastic.rulesets() if not is_ours(one)}


def _public_host(deployment: Deployment) -> str:
    return deployment.alias_host("es") or deployment.uuid_host("es")


def _rules(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without their ids, which a PUT makes anew."""
    return [{name: value for name, value in rule.items() if name != "id"} for rule in rules]
