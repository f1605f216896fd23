"""Whether the world says something else about a connection than its record does. Pure; used by the sweep."""

from __future__ import annotations

from collections.abc import Iterable

from shared.core.guards.scope import EffectiveMode, not_carried_out
from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case
from shared.core.model.conditions import Condition, Phase
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import DnsState
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
