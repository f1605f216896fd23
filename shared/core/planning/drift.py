"""Whether the world says something else about a connection than its record does. Pure.

Used by the sweep, and where an event tells that others changed private DNS (`reconciler.drift`).
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.core.guards.scope import EffectiveMode, not_carried_out
from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, lower_case, same_id
from shared.core.model.conditions import Condition, Phase
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import DnsState
from shared.core.model.resources import Link, WildcardRecord, Zone
from shared.core.planning.dns import DnsPlan
from shared.core.planning.plan import Plan

TOLD_IN_FULL = frozenset({c.POLICY_READY, c.ASSOCIATED})
"""Conditions whose text holds what a person should know even while they are True: drift that is left, new names."""


def differs_from_record(connection: ConnectionRecord, now: Condition) -> bool:
    """Whether a condition stands otherwise than on record; a True one has many reasons."""
    known = connection.condition(now.type)
    if known is None or known.status is not now.status:
        return True
    if now.true:
        return now.type in TOLD_IN_FULL and known.message != now.message
    return known.reason != now.reason


def calls_for_work(connection: ConnectionRecord, found: Plan) -> bool:
    """Whether a connection that needed nothing does now."""
    return bool(found.steps) or _reads_otherwise(connection, found, found.conditions)


def calls_for_another_look(
    connection: ConnectionRecord, found: Plan, effective: EffectiveMode, *, complete: bool
) -> bool:
    """Whether a connection for which nothing is carried out would be reported otherwise than it was.

    What is left to do is the same at every sweep, and no reason to look again. `complete`: everything could be read;
    a plan made of less has fewer steps.
    """
    conditions, planned = not_carried_out(found.conditions, found.all_steps, effective)
    replanned = complete and planned != connection.status.planned
    return replanned or _reads_otherwise(connection, found, conditions)


def _reads_otherwise(connection: ConnectionRecord, found: Plan, conditions: Iterable[Condition]) -> bool:
    """Whether conditions, targets or advice differ; targets have new addresses when an alias was changed."""
    elastic, dns = found.elastic, found.dns
    if dns is not None and dns.zone is not None and _dns_of(dns) != _dns_of(connection.dns):
        return True
    if dns is not None and dns.resolution is not None and not dns.resolution.says_as(connection.dns.resolution):
        return True
    if elastic is not None and (
        elastic.targets not in (None, connection.elastic.targets) or elastic.advice != connection.status.advice
    ):
        return True
    return any(differs_from_record(connection, condition) for condition in conditions)


def _dns_of(dns: DnsPlan | DnsState) -> tuple[object, ...]:
    """What checks and advice rest on besides the conditions."""
    zone = "" if dns.zone is None else lower_case(dns.zone.id)  # moved to another group, it is another one
    return zone, dns.record_addresses, dns.names, dns.linked, dns.advice


_AT_REST = frozenset({Phase.REMOVING, Phase.REMOVED, Phase.IGNORED})
"""Phases in which private DNS is not repaired for the connection."""


def concerned_by(record: ConnectionRecord, changed: ArmId, seen: Zone | Link | WildcardRecord | None) -> bool:
    """Whether a zone, link or `*` record that a connection uses, or waits for, is otherwise than on its record.

    `seen`: what is there now; None: nothing.
    """
    dns = record.dns
    if record.status.phase in _AT_REST or dns.zone is None or not same_id(dns.zone.id, changed.parent):
        return False
    if not changed.children:
        return seen is None or (dns.zone.owner is Owner.OURS and isinstance(seen, Zone) and seen.marker is None)
    if lower_case(changed.children).startswith("/a/"):
        addresses = set(seen.addresses) if isinstance(seen, WildcardRecord) else set()
        unmarked = isinstance(seen, WildcardRecord) and seen.marker is None
        ours = dns.record is not None and dns.record.owner is Owner.OURS
        return addresses != set(dns.record_addresses) or (ours and unmarked)
    used = next((one for one in dns.links if same_id(one.id, changed.text)), None)
    if not isinstance(seen, Link):
        return used is not None
    network = lower_case(seen.vnet_id)
    if used is None:  # one that it waits for, perhaps
        return network not in dns.linked and network in _networks(record)
    return network not in dns.linked or seen.failed or (used.owner is Owner.OURS and seen.marker is None)


def _networks(record: ConnectionRecord) -> set[str]:
    """The lower-cased ids of the networks that have to be linked."""
    resolution = record.dns.resolution
    return {lower_case(one) for one in (record.identity.vnet_id, *(resolution.networks if resolution else ()))}


def to_be_tested(record: ConnectionRecord, *, enforces: bool) -> bool:
    """What needs nothing is tested; and what no run looks after, as far as it has been tested once.

    That is what waits for a person: a tag with one wrong name must not hide that the way to the right ones breaks. And
    where nothing is carried out, all the rest.
    """
    if record.status.phase is Phase.READY:
        return True
    reachable = record.condition(c.REACHABLE)
    tested = reachable is not None and reachable.reason is not Reason.NOT_TESTED
    return tested and (record.status.phase in {Phase.BLOCKED, Phase.DEGRADED} or not enforces)
