"""A third family of targets, in memory: the port needs no API behind it. Used by the suite of the port."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from shared.core.model.errors import Blocked, LostRace, NotFound
from shared.core.model.reasons import Reason
from shared.core.model.resources import POLICY_TYPE, Attached, Policy, Rule, Target
from shared.core.reasons import explain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.core.model.services import Service
    from shared.core.model.steps import Associate, CreatePolicy, UpdatePolicy


@dataclass
class MemoryConnections:
    """One organization of a family that exists nowhere else."""

    made: dict[str, Policy] = field(default_factory=dict)
    known: dict[str, Target] = field(default_factory=dict)
    server_date: str | None = None
    key_expires = None
    key_mark = "memory"
    key_renewal = "restart the test."
    claims = None

    async def services(self) -> tuple[Service, ...]:
        return ()

    async def ensure_key(self, _target_id: str = "") -> None:
        pass

    prepare_change = read_key = aclose = ensure_key

    async def policies(self, region: str | None = None) -> tuple[Policy, ...]:
        return tuple(self._used(one) for one in self.made.values() if region in (None, one.region))

    async def policy(self, policy_id: str) -> Policy | None:
        return self._used(self.made[policy_id]) if policy_id in self.made else None

    async def create_policy(self, step: CreatePolicy) -> str:
        new = f"policy-{len(self.made)}"
        about = (step.region, False, step.marker.description(), (_rule(step),))
        self.made[new] = Policy(new, step.name, POLICY_TYPE, *about, marker=step.marker)
        return new

    async def update_policy(self, step: UpdatePolicy) -> None:
        old = self.made[step.policy_id]
        if old.marker is None or old.marker.connection_id != step.marker.connection_id:
            raise LostRace("The policy no longer carries this connection's marker.", on=step.policy_id)
        guids = {*step.replaces, step.endpoint_guid}
        others = [rule for rule in old.rules if rule.endpoint_guid not in guids]
        self.made[old.id] = replace(old, name=step.name, rules=(_rule(step), *others))

    async def delete_policy(self, policy_id: str) -> None:
        if any(policy_id in (target.attached or ()) for target in self.known.values()):
            raise Blocked(explain(Reason.ELASTIC_REFUSED, "The policy is in use."), on=policy_id)
        self.made.pop(policy_id, None)

    async def targets(self, ids_or_names: Iterable[str], *, tag: str = "") -> tuple[Target, ...]:
        wanted = set(ids_or_names)
        return tuple(one for one in self.known.values() if {one.id, one.name} & wanted or (tag and tag in one.tags))

    async def all_targets(self) -> tuple[Target, ...]:
        return tuple(self.known.values())

    async def is_unknown(self, target_id: str) -> bool:
        return target_id not in self.known

    async def state_of(self, target_id: str) -> str:
        return ""

    async def attached_to(self, target_id: str) -> Attached:
        if target_id not in self.known:
            raise NotFound("There is no such target.", on=target_id)
        return Attached(self.known[target_id].attached or ())

    async def associate(self, step: Associate, seen: Attached | None = None) -> bool:
        attached = (await self.attached_to(step.target_id)).policies
        both = tuple(dict.fromkeys((*attached, step.policy_id)))
        self.known[step.target_id] = replace(self.known[step.target_id], attached=both)
        return step.policy_id not in attached

    async def disassociate(self, policy_id: str, target_id: str, seen: Attached | None = None) -> None:
        attached = (await self.attached_to(target_id)).policies
        left = tuple(one for one in attached if one != policy_id)
        self.known[target_id] = replace(self.known[target_id], attached=left)

    def _used(self, policy: Policy) -> Policy:
        users = tuple(one.id for one in self.known.values() if policy.id in (one.attached or ()))
        return replace(policy, associations=users)


def _rule(step: CreatePolicy | UpdatePolicy) -> Rule:
    return Rule(step.endpoint_name, step.endpoint_guid)
