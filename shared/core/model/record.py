"""A connection's record: all that the app keeps for one endpoint, in parts that are each reset as a part.

Made by the reconciler, stored as one document (`record_document`), shown over HTTP by views of its own. It is a cache
and a diary, never the truth: Azure and Elastic are read again before anything is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

from shared.core.model.arm_ids import connection_id
from shared.core.model.conditions import REMOVED, Condition, Explanation, Phase
from shared.core.model.notices import NotificationState
from shared.core.model.ownership import Owner
from shared.core.model.record_elastic import AssociationMemory, ElasticState, FormerAssociation, PolicyMemory
from shared.core.model.record_former import FormerThings
from shared.core.model.record_health import HealthState
from shared.core.model.record_parts import (
    DnsState,
    Identity,
    OperationMemory,
    RecordStatus,
    RemovalState,
    ScheduleState,
)

SCHEMA = 1
"""Version of the record's form; see `record_document`."""

FORMER_GUIDS = 20
ANSWERED_KEPT = 16
"""Operations that a record names, the last ones; of older ones its count of runs tells."""

_P = ParamSpec("_P")


def _changing(name: str, part: Callable[_P, object]) -> Callable[Concatenate[ConnectionRecord, _P], ConnectionRecord]:
    """The method that changes fields of one part; it takes what the part itself takes, by name."""

    def change(record: ConnectionRecord, /, *none: _P.args, **changes: _P.kwargs) -> ConnectionRecord:
        if none:
            raise TypeError(f"the fields of {part} are changed by name")
        present: Any = getattr(record, name)
        parts: dict[str, Any] = {name: replace(present, **changes)}
        return replace(record, **parts)

    return change


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """All that is kept for one endpoint."""

    endpoint_id: str
    identity: Identity = Identity()
    dns: DnsState = DnsState()
    elastic: ElasticState = ElasticState()
    health: HealthState = HealthState()
    removal: RemovalState = RemovalState()
    schedule: ScheduleState = ScheduleState()
    status: RecordStatus = RecordStatus()
    notifications: NotificationState = NotificationState()
    """What was sent about it, and what waits to be."""
    former_things: tuple[FormerThings, ...] = ()
    """What stands of its former regions and networks."""
    schema: int = SCHEMA

    with_identity = _changing("identity", Identity)
    with_dns = _changing("dns", DnsState)
    with_elastic = _changing("elastic", ElasticState)
    with_health = _changing("health", HealthState)
    with_removal = _changing("removal", RemovalState)
    with_schedule = _changing("schedule", ScheduleState)
    with_status = _changing("status", RecordStatus)
    with_notifications = _changing("notifications", NotificationState)

    @property
    def id(self) -> str:
        """The connection id that URLs show."""
        return connection_id(self.endpoint_id)

    def condition(self, type_: str) -> Condition | None:
        """One of its conditions."""
        return next((condition for condition in self.status.conditions if condition.type == type_), None)

    def having_answered(self, operations: Iterable[str]) -> ConnectionRecord:
        """The record of a run that answers what people asked for."""
        named = dict.fromkeys((*self.schedule.answered, *operations))
        return self.with_schedule(answered=tuple(named)[-ANSWERED_KEPT:])

    # -- what becomes of the endpoint ------------------------------------------------------------------------------

    def reset_for_recreated(self) -> ConnectionRecord:
        """What still holds when the endpoint was recreated under its old name: all that is used, not how it stands.

        The policy still has the old GUID, the DNS record the old address: both follow, and keep what hangs on them.
        """
        identity = self.identity
        former = tuple(dict.fromkeys((*identity.former_guids, identity.guid)))[-FORMER_GUIDS:]
        return replace(
            self,
            identity=replace(identity, guid="", former_guids=former, address=""),
            health=HealthState(network=self.health.network),  # the networks around it are the same
            schedule=ScheduleState(wake_at=self.schedule.wake_at, wait=self.schedule.wait),  # it still stands there
            status=replace(self.status, ready_since=None),
        ).mark_present()

    def mark_present(self) -> ConnectionRecord:
        """The same once the endpoint is there (again) and looked after: no removal is under way, none has ended.

        A run that dies after this leaves the record so, and with it what the run has made.
        """
        status = self.status
        ended = status.phase in {Phase.REMOVING, Phase.REMOVED, Phase.IGNORED}
        status = replace(
            status,
            conditions=tuple(condition for condition in status.conditions if condition.type != REMOVED),
            phase=Phase.PROVISIONING if ended else status.phase,
        )
        return replace(self, status=status, removal=RemovalState())

    # -- what is used ----------------------------------------------------------------------------------------------

    def with_policy(self, policy: PolicyMemory) -> ConnectionRecord:
        """The same with another policy: what we associated with the one before, others may have with this one (S4)."""
        elastic = self.elastic
        before = elastic.policy
        if before == policy:
            return self
        if before.id in {"", policy.id}:
            return self.with_elastic(policy=policy)
        theirs = tuple(
            replace(memory, owner=Owner.ADOPTED, taken=(), recovered=False) for memory in elastic.associations
        )
        made = [memory.target_id for memory in elastic.associations if memory.owner is Owner.OURS]
        # A policy of ours is found by its marker when the endpoint goes; one of others only by what is kept here.
        left = [FormerAssociation(before.id, one, before.guid) for one in made if before.owner is Owner.ADOPTED]
        former = tuple(dict.fromkeys((*elastic.former_associations, *left)))
        return self.with_elastic(policy=policy, associations=theirs, former_associations=former)

    def operation(self, step: str) -> OperationMemory | None:
        """What is remembered of an operation that was begun for a step."""
        return next((memory for memory in self.dns.operations if memory.step == step), None)

    def with_operation(self, step: str, url: str, begun_at: datetime | None = None) -> ConnectionRecord:
        """The same with one operation remembered; without an address, forgotten."""
        others = tuple(memory for memory in self.dns.operations if memory.step != step)
        return self.with_dns(operations=(*others, OperationMemory(step, url, begun_at)) if url else others)

    @property
    def advice(self) -> tuple[Explanation, ...]:
        """What a person should know though nothing is wrong."""
        return (*self.dns.advice, *self.status.advice)

    @property
    def own_guids(self) -> frozenset[str]:
        """The lower-cased GUIDs that the endpoint has, or had."""
        guids = (self.identity.guid, self.elastic.policy.guid, *self.identity.former_guids)
        return frozenset(guid.lower() for guid in guids if guid)

    def association(self, target_id: str) -> AssociationMemory | None:
        """What is remembered of the association with a target."""
        return next((one for one in self.elastic.associations if one.target_id == target_id), None)

    def with_association(self, memory: AssociationMemory) -> ConnectionRecord:
        """The same with one association remembered or updated."""
        others = self.without_association(memory.target_id).elastic.associations
        return self.with_elastic(associations=(*others, memory))

    def without_former(self, policy_id: str, target_id: str) -> ConnectionRecord:
        """The same once an association with a policy of before is gone."""
        gone = (policy_id, target_id)
        former = self.elastic.former_associations
        return self.with_elastic(
            former_associations=tuple(one for one in former if (one.policy_id, one.target_id) != gone)
        )

    def without_association(self, target_id: str) -> ConnectionRecord:
        """The same with one association forgotten."""
        kept = tuple(memory for memory in self.elastic.associations if memory.target_id != target_id)
        return self.with_elastic(associations=kept)


def owned_resources(record: ConnectionRecord) -> tuple[str, ...]:
    """All of ours by the record, for people and for counting: each is one destructive step when it is removed.

    What is really there is read again before anything is removed.
    """
    dns, elastic, noun = record.dns, record.elastic, record.identity.family.noun
    owned = [resource for resource in (dns.zone, *dns.links, dns.record) if resource is not None]
    found = [resource.id for resource in owned if resource.owner is Owner.OURS]
    if elastic.policy.id and elastic.policy.owner is Owner.OURS:
        found.append(f"policy {elastic.policy.id}")
    ours = (memory for memory in elastic.associations if memory.owner is Owner.OURS)
    found += [f"association with {noun} {memory.target_id}" for memory in ours]
    former = elastic.former_associations
    found += [
        f"association of policy {one.policy_id} with {record.identity.family.noun} {one.target_id}" for one in former
    ]
    if elastic.claim is not None and elastic.claim.owner is Owner.OURS:
        found.append(f"claim to {elastic.claim.endpoint_name}")
    return tuple(found)
