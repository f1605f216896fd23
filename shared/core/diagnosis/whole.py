"""The diagnosis of a connection out of all evidence on record: control plane, resolver, TCP, TLS, HTTP. Pure.

Called by the pages that explain a connection. The control plane comes first: where a condition wants something, a test
of the path would only show its consequences. Where all is as it should be, the health check has the word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from shared.core.diagnosis.evidence import Status
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Explained, Explanation, Phase
from shared.core.model.reasons import Hop, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import HostCheck, NetworkMemory, ResolvedBy
from shared.core.planning.advice import network_advice
from shared.core.reasons import hop_of, owns

_NO_CONNECTION = frozenset({Phase.IGNORED, Phase.REMOVING, Phase.REMOVED})


@dataclass(frozen=True, slots=True)
class Diagnosis(Explained):
    """What is wrong with a connection, or that nothing is."""

    status: Status
    explanation: Explanation
    since: datetime | None
    evidence: tuple[str, ...]
    """All that this rests on, a line each."""
    advice: tuple[Explanation, ...]
    """What a person should know besides."""

    @property
    def hop(self) -> Hop | None:
        """Where on the path it is broken, or not known; None: nowhere."""
        return self.explanation.hop


def diagnosis_of(connection: ConnectionRecord, checks: Sequence[HostCheck] = ()) -> Diagnosis:
    """Read a connection's record; `checks`: the last ones of its hosts, which are evidence."""
    told = _speaker(connection)
    dns = network_advice(connection)
    advice = connection.advice if dns is None else (*connection.advice, dns)
    evidence = tuple(_evidence(connection, checks))
    if told is None:
        nothing = Explanation(Reason.NOT_OBSERVED, "Nothing is known about the connection yet.", hop=Hop.APP)
        return Diagnosis("unknown", nothing, None, evidence, advice)
    status = _status(connection, told)
    hop = None if status == "healthy" else hop_of(told.type, told.reason)
    return Diagnosis(status, replace(told.explanation, hop=hop), told.since, evidence, advice)


def _speaker(connection: ConnectionRecord) -> Condition | None:
    """The condition that decides: the first that wants something, a person's turn first; else the health check's.

    One that only passes another's reason on leaves the word to that one, as an unlinked network does to its record.
    """
    others = [condition for condition in connection.status.conditions if condition.type != c.READY]
    pending = [condition for condition in others if condition.pending]
    first = next((one for one in pending if one.needs is c.WaitingFor.PERSON), None) or next(iter(pending), None)
    if first is None:
        return connection.condition(c.REACHABLE) or _last_of(others)
    owners = (one for one in pending if one.reason == first.reason and owns(one.type, one.reason))
    return next(owners, first)


def _last_of(conditions: list[Condition]) -> Condition | None:
    return conditions[-1] if conditions else None


def _status(connection: ConnectionRecord, told: Condition) -> Status:
    health = connection.health.summary
    if told.type == c.REACHABLE and told.reason is not Reason.NOT_TESTED and health is not None and health.status:
        return cast("Status", health.status)
    if told.needs is c.WaitingFor.PERSON:
        return "blocked"
    if connection.status.phase in _NO_CONNECTION:
        return "unknown"
    # Something is missing that needs no person: of a connection that worked, traffic may suffer meanwhile.
    return "degraded" if connection.status.ready_since is not None else "unknown"


def _evidence(connection: ConnectionRecord, checks: Sequence[HostCheck]) -> list[str]:
    lines = [f"{one.type} {one.status}, {one.reason}: {one.message}" for one in connection.status.conditions]
    lines += [_tested(memory) for memory in checks]
    return lines + ([_network(connection.health.network)] if connection.health.network else [])


_SOURCES: Mapping[ResolvedBy, str] = {
    ResolvedBy.ZONE: "by the zone's records",
    ResolvedBy.RESOLVER: "by the app's name server",
}


def _tested(memory: HostCheck) -> str:
    stages = ", ".join(f"{name} {milliseconds:g} ms" for name, milliseconds in memory.stages)
    addresses = f"{', '.join(memory.addresses) or 'no address'} {_SOURCES[memory.resolved_by]}"
    asked = "" if memory.associated else ", not associated"
    who = f"{memory.host} ({memory.service}{asked})"
    text = f"{who} {memory.status}, {memory.reason}: {addresses}; {stages}. {memory.message}"
    return text if memory.effective is None else f"{text} What counts is still {memory.effective.reason}."


def _network(network: NetworkMemory) -> str:
    peered = {True: "peered with the app's, or the same", False: "not peered with the app's", None: "where, not known"}
    servers = ", ".join(network.dns_servers) or "Azure's name server, as far as is known"
    own = ", ".join(network.app_dns_servers)
    apps = f"; the app's network asks {own}" if own else ""
    read = f"read {network.read_at:%Y-%m-%d %H:%M} UTC"
    return f"Network {network.vnet_id}: {peered[network.peered]}; asks {servers}{apps} ({read})."
