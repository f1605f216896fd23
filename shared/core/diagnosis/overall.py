"""One verdict of a connection out of the verdicts of its names. Pure; called by `shared.health.check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from shared.core.diagnosis.evidence import Status, Verdict
from shared.core.diagnosis.hosts import PRIMARY
from shared.core.model.record import StandingVerdict, VerdictMemory

_GRAVITY: Mapping[Status, int] = {"healthy": 0, "unknown": 1, "degraded": 2, "blocked": 3, "unreachable": 4}


@dataclass(frozen=True, slots=True)
class HostVerdict:
    """What is concluded about one name."""

    host: str
    service: str
    verdict: Verdict

    @property
    def weighed(self) -> Verdict:
        """As it counts for the connection: without Kibana or Fleet it is degraded, not gone."""
        secondary = self.service != PRIMARY
        lesser = secondary and _GRAVITY[self.verdict.status] > _GRAVITY["degraded"]
        return replace(self.verdict, status="degraded") if lesser else self.verdict


def standing_of(memory: VerdictMemory) -> HostVerdict:
    """What counts for a name: its last result, or an earlier one that has not been outdone yet."""
    return _host_verdict(memory, memory.standing or memory)


def last_of(memory: VerdictMemory) -> HostVerdict:
    """The last result of a name, whether it counts or not."""
    return _host_verdict(memory, memory)


def _host_verdict(memory: VerdictMemory, counts: VerdictMemory | StandingVerdict) -> HostVerdict:
    status = cast("Status", counts.status)
    return HostVerdict(memory.host, memory.service, Verdict(status, counts.reason, counts.cause, counts.next_step))


def worst_of(verdicts: Sequence[HostVerdict]) -> HostVerdict:
    """The name that speaks for the connection: the gravest; of equals the first."""
    return max(verdicts, key=lambda one: _GRAVITY[one.weighed.status])


def told(verdicts: Sequence[HostVerdict]) -> str:
    """What the verdict is, in a sentence or two: the gravest name's, and how many others are not well."""
    worst = worst_of(verdicts)
    bad = [one for one in verdicts if one.verdict.status != "healthy" and one is not worst]
    rest = f" Not well either: {', '.join(one.host for one in bad)}." if bad else ""
    return f"{worst.host}: {worst.verdict.cause}{rest}"
