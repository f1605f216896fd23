"""What others change or delete of the app's own, and when it is put right. Pure; called by `plan` where there is any.

What has another value is put right as often as `ASSOCIATION_RESTORES` allows within seven days, and then left: two
writers that know nothing of each other would go on for ever. What is merely deleted is made again at once, and each
later time after twice as long, one hour at most. Both are counted, and told before a limit is reached.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case
from shared.core.model.conditions import Condition, Explanation
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import REPAIRED_KEPT, RESTORE_WINDOW, RESTORED_THINGS, Restored
from shared.core.model.resources import Policy, Zone
from shared.core.model.steps import (
    Associate,
    CreateLink,
    CreatePolicy,
    CreateZone,
    DnsStep,
    PutWildcardRecord,
    Step,
    UpdatePolicy,
)
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.associations import recent, taken_away
from shared.core.reasons import explain

LATER, LATEST = 60.0, 3600.0
"""Seconds between the first restore of what others deleted and the second, and at most; each wait is twice the last."""


@dataclass(frozen=True, slots=True)
class Restore:
    """What a step puts right that was as it should be before."""

    thing: str
    before: str
    after: str
    other_value: bool = False
    """Whether it has another value; else it is gone."""
    counted: bool = True
    """Whether its number is kept with the thing; that of associations is kept with these."""

    @property
    def sentence(self) -> str:
        """For the journal."""
        done = f"changed {self.thing} to {self.before}" if self.other_value else f"deleted {self.thing}"
        return f"Others {done}; the app has put it right: {self.after}."


@dataclass(frozen=True, slots=True)
class Held:
    """Why a restore is not made now, and in how many seconds it is; None: only once a person has settled it."""

    explanation: Explanation
    seconds: float | None = None


def restores_of(record: ConnectionRecord, thing: str, now: datetime) -> tuple[datetime, ...]:
    """When a thing was put right within the window."""
    known = next((one for one in record.status.restored if one.thing == thing), None)
    return () if known is None else tuple(at for at in known.at if now - at < RESTORE_WINDOW)


def held(restore: Restore, record: ConnectionRecord, most: int, now: datetime) -> Held | None:
    """Why the restore is not made now; None: it is. `most`: the setting's number for what has another value."""
    times = restores_of(record, restore.thing, now)
    if restore.other_value:
        return Held(_contested(restore, times, most)) if len(times) >= most else None
    if not times:
        return None
    due = times[-1] + timedelta(seconds=min(LATEST, LATER * 2.0 ** min(len(times) - 1, 20)))
    if now >= due:
        return None
    message = (
        f"Others deleted {restore.thing}, which the app has made again {c.count(len(times), 'time')} in "
        f"{RESTORE_WINDOW.days} days ({_moments(times)}). It makes it again at {due:%H:%M:%S} UTC."
    )
    return Held(explain(Reason.RESTORE_DELAYED, message), (due - now).total_seconds())


def _contested(restore: Restore, times: tuple[datetime, ...], most: int) -> Explanation:
    return explain(
        Reason.RESTORE_CONTESTED,
        f"Another manager keeps changing {restore.thing}: now it is {restore.before}, and should be {restore.after}. "
        f"The app restored it {len(times)} of {c.count(most, 'time')} "
        f"({_moments(times) or 'never: the settings forbid it'}), and it is now left alone.",
    )


def _moments(times: Collection[datetime]) -> str:
    return ", ".join(f"{at:%Y-%m-%d %H:%M} UTC" for at in list(times)[-5:])


def with_restore(record: ConnectionRecord, restore: Restore, now: datetime) -> ConnectionRecord:
    """The record once the restore is made."""
    kept = tuple(at for at in record.status.repaired if now - at < timedelta(days=2))
    record = record.with_status(repaired=(*kept, now)[-REPAIRED_KEPT:])
    if not restore.counted:
        return record
    others = tuple(one for one in record.status.restored if one.thing != restore.thing)
    times = (*restores_of(record, restore.thing, now), now)[-REPAIRED_KEPT:]
    mine = Restored(restore.thing, restore.other_value, times)
    return record.with_status(restored=(*others, mine)[-RESTORED_THINGS:])


@dataclass(frozen=True, slots=True)
class Restores:
    """What the steps of a plan put right, and what is held back of that."""

    of: Mapping[str, Restore] = field(default_factory=dict)
    """By the text of the step."""
    dropped: tuple[Step, ...] = ()
    """The steps that are not taken now."""
    why: Mapping[str, Explanation] = field(default_factory=dict)
    """By condition."""
    waits: Mapping[str, float] = field(default_factory=dict)
    """Seconds until a restore that is held back is made, by condition."""
    dns_advice: tuple[Explanation, ...] = ()
    elastic_advice: tuple[Explanation, ...] = ()

    def as_held(self, condition: Condition) -> Condition:
        """A condition whose restore is held back; of one that holds all the same (a label), only the advice tells."""
        why = self.why.get(condition.type)
        if why is None or condition.true:
            return condition
        needs = c.WaitingFor.TIME if condition.type in self.waits else c.WaitingFor.PERSON
        return replace(condition, explanation=why, needs=needs)


NO_RESTORES = Restores()


def plan_restores(
    steps: Iterable[Step],
    record: ConnectionRecord,
    zones: Collection[Zone],
    policies: Collection[Policy],
    options: PlanOptions,
    now: datetime,
) -> Restores:
    """Which of the steps are restores, and which of these are held back."""
    most = options.targets.association_restores
    restores: dict[str, Restore] = {}
    dropped: list[Step] = []
    why: dict[str, Explanation] = {}
    waits: dict[str, float] = {}
    for step in steps:
        restore = restore_of(step, record, zones, policies)
        if restore is not None:
            restores[str(step)] = restore
        back = held(restore, record, most, now) if restore is not None and restore.counted else None
        if back is not None:
            dropped.append(step)
            why[step.condition] = back.explanation
            waits |= {} if back.seconds is None else {step.condition: back.seconds}
        elif isinstance(step, DnsStep) and any(isinstance(one, DnsStep) for one in dropped):
            # The zone comes before the record, and the record before the links.
            dropped.append(step)
            waits[step.condition] = max(waits.values(), default=LATEST)
    advice = _advice(record, most, now)
    return Restores(
        restores,
        tuple(dropped),
        why,
        waits,
        tuple(one for thing, one in advice if not thing.startswith(POLICY)),
        tuple(one for thing, one in advice if thing.startswith(POLICY)) + _of_associations(record, most, now),
    )


def _advice(record: ConnectionRecord, most: int, now: datetime) -> list[tuple[str, Explanation]]:
    """What others change or delete, by thing, told before the limit is reached."""
    found = []
    for one in record.status.restored:
        times = restores_of(record, one.thing, now)
        if times and (one.other_value or len(times) > 1):
            done = f"{'changed' if one.other_value else 'deleted'} {one.thing}"
            found.append((one.thing, _again(done, times, most, limited=one.other_value)))
    return found


def _of_associations(record: ConnectionRecord, most: int, now: datetime) -> tuple[Explanation, ...]:
    """Associations that another manager takes away."""
    found = ((one.target_id, recent(one, now)) for one in record.elastic.associations)
    return tuple(
        _again(f"took away the association with {target}", times, most, limited=True)
        for target, times in found
        if times
    )


def _again(done: str, times: Collection[datetime], most: int, *, limited: bool) -> Explanation:
    often = f"{len(times)} of {c.count(most, 'time')}" if limited else c.count(len(times), "time")
    text = f"Others {done}, and the app restored it {often} in {RESTORE_WINDOW.days} days ({_moments(times)})."
    return explain(Reason.RESTORED_AGAIN, text)


POLICY = "the policy"


def restore_of(
    step: Step, record: ConnectionRecord, zones: Collection[Zone], policies: Collection[Policy]
) -> Restore | None:
    """What the step puts right, if others changed or deleted it: it was ours by the record, or was put right lately."""
    match step:
        case CreateZone():
            return _zone(step, record)
        case CreateLink():
            return _link(step, record)
        case PutWildcardRecord():
            return _record(step, record, next((one for one in zones if one.id.key == step.zone.key), None))
        case CreatePolicy() | UpdatePolicy():
            return _policy(step, record, policies)
        case Associate() if taken_away(record.association(step.target_id)):
            return Restore(f"the association with {step.target_name}", "not there", "there", counted=False)
    return None


def _made_again(thing: str, record: ConnectionRecord, *, ours: bool, after: str = "there") -> Restore | None:
    lately = any(one.thing == thing for one in record.status.restored)
    return Restore(thing, "not there", after) if ours or lately else None


def _is_ours(owned: Owned | None) -> bool:
    return owned is not None and owned.owner is Owner.OURS


def _zone(step: CreateZone, record: ConnectionRecord) -> Restore | None:
    known = record.dns.zone
    ours = known is not None and _is_ours(known) and lower_case(known.id) == step.zone.key
    return _made_again(f"zone {step.zone.name} in resource group {step.zone.resource_group}", record, ours=ours)


def _link(step: CreateLink, record: ConnectionRecord) -> Restore | None:
    key = lower_case(f"{step.zone.text}/virtualNetworkLinks/{step.name}")
    ours = any(_is_ours(one) and lower_case(one.id) == key for one in record.dns.links)
    return _made_again(f"the link of zone {step.zone.name} to {step.vnet_id}", record, ours=ours)


def _record(step: PutWildcardRecord, record: ConnectionRecord, zone: Zone | None) -> Restore | None:
    thing, after = f"the * record of {step.zone.name}", ", ".join(step.addresses)
    if step.etag is None:
        known = record.dns.record
        ours = known is not None and _is_ours(known) and lower_case(known.id).startswith(f"{step.zone.key}/")
        return _made_again(thing, record, ours=ours, after=after)
    there = zone.record if zone is not None else None
    if there is None or there.marker is None or there.marker.holder(record.id) is None:
        return None
    # The marker says what the app wrote: other addresses are another writer's.
    if set(there.addresses) == {one.address for one in there.marker.holders}:
        return None
    return Restore(thing, ", ".join(there.addresses) or "nothing", after, other_value=True)


def _policy(
    step: CreatePolicy | UpdatePolicy, record: ConnectionRecord, policies: Collection[Policy]
) -> Restore | None:
    known = record.elastic.policy
    same = known.guid.lower() == step.endpoint_guid.lower()
    if isinstance(step, CreatePolicy):
        ours = known.owner is Owner.OURS and bool(known.id) and same
        return _made_again(POLICY, record, ours=ours, after=step.name)
    seen = next((one for one in policies if one.id == step.policy_id), None)
    if seen is None or not same:
        return None
    rules = ", ".join(f"{one.endpoint_name} with {one.endpoint_guid}" for one in seen.rules)
    after = f"name {step.name}, {step.endpoint_name} with {step.endpoint_guid}"
    return Restore(f"{POLICY}'s name or rule", f"name {seen.name}, {rules}", after, other_value=True)
