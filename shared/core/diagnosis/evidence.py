"""What a health check saw and concluded, as values: evidence, verdicts, and which of these count.

Made by `shared.probe`, read by the rest of this package.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import Literal, cast

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Explained, Explanation
from shared.core.model.reasons import Reason
from shared.core.model.record_health import EffectiveVerdict, HealthSummary, HostCheck, ResolvedBy
from shared.core.model.resources import NamedRecords
from shared.core.reasons import remedy_of

Stage = Literal["resolve", "connect", "tls", "http"]
Status = Literal["healthy", "degraded", "unreachable", "blocked", "unknown"]


PRIMARY = "elasticsearch"
"""What a deployment is for: when another service alone fails, the connection is degraded and not unreachable."""


class Failure(StrEnum):
    """What stopped a probe, as seen from inside the virtual network."""

    NAME_NOT_FOUND = "name-not-found"
    RESOLVER_FAILED = "resolver-failed"
    PUBLIC_ADDRESS = "public-address"
    WRONG_ADDRESS = "wrong-address"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect-timeout"
    CERTIFICATE_MISMATCH = "certificate-mismatch"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    TLS_FAILED = "tls-failed"
    RESET = "reset"
    """The connection opened, and was reset when TLS began."""
    NO_ANSWER = "no-answer"
    NOT_HTTP = "not-http"
    PROBE_FAILED = "probe-failed"
    """The probe could not do its work for a reason of its own machine, such as no free sockets."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of a probe."""

    name: Stage
    ok: bool
    milliseconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one probe saw. Stages after the failed one are absent: they were not tried."""

    host: str
    port: int
    expected_address: str
    """The private endpoint's own address; the only one that is ever connected to."""
    service: str = "elasticsearch"
    """What should answer there, as the Elastic Cloud API calls it."""
    addresses: tuple[str, ...] = ()
    """Every A record of the name."""
    resolved_by: ResolvedBy = ResolvedBy.RESOLVER
    hidden_by: str = ""
    """The name in the zone that keeps its `*` record from answering; empty: none does, or it is not known."""
    stages: tuple[StageResult, ...] = ()
    failure: Failure | None = None
    http_status: int | None = None
    body: str = ""
    """The first part of the answer's body."""
    elastic_product: bool = False
    """The answer carried `X-Elastic-Product: Elasticsearch`."""
    kibana: bool = False
    """The answer carried `kbn-name`."""
    location: str = ""
    """Where a redirect would lead; it is not followed."""

    @property
    def failed_stage(self) -> StageResult | None:
        """The stage that stopped the probe."""
        return next((stage for stage in self.stages if not stage.ok), None)

    @property
    def connected(self) -> bool:
        """Whether the endpoint's address took the TCP connection; what came after does not count.

        One that is reset before anything was said may never have come there: a firewall takes connections to read
        the name first.
        """
        return self.failure is not Failure.RESET and any(one.name == "connect" and one.ok for one in self.stages)

    @property
    def milliseconds(self) -> float:
        """Time of all stages together."""
        return sum(stage.milliseconds for stage in self.stages)


@dataclass(frozen=True, slots=True)
class Verdict(Explained):
    """The outcome of a health check, for a person and for alerts."""

    status: Status
    explanation: Explanation
    host: str = ""
    """The name that it is about."""
    service: str = "elasticsearch"
    """What should answer there, as the Elastic Cloud API calls it."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A verdict whose texts still hold the names of what `verdict` fills in."""

    status: Status
    reason: Reason
    message: str
    """One sentence."""
    next_step: str = ""
    """Empty: what is done about the reason in every case."""

    def verdict(self, evidence: Evidence, **more: str) -> Verdict:
        """Fill the texts in from `evidence`, and from `more`."""
        failed = evidence.failed_stage
        words = {
            "host": evidence.host,
            "port": evidence.port,
            "expected": evidence.expected_address,
            "seen": ", ".join(evidence.addresses) or "no address",
            "detail": failed.detail if failed else "",
            "hidden": f"; the name {evidence.hidden_by} in the zone hides its * record" if evidence.hidden_by else "",
            "status": evidence.http_status,
            **more,
        }
        # Where all is well there is nothing to do, and no remedy is looked up.
        remedy = "" if self.status == "healthy" else remedy_of(self.reason)
        next_step = (self.next_step or remedy).format(**words)
        told = Explanation(self.reason, self.message.format(**words), next_step)
        return Verdict(self.status, told, evidence.host, evidence.service)


def address_failure(expected: str, addresses: Collection[str]) -> Failure | None:
    """What is wrong with a resolver's answer for an endpoint at `expected`; None if that address is in it."""
    if expected in addresses:
        return None
    if not addresses:
        return Failure.NAME_NOT_FOUND
    return Failure.PUBLIC_ADDRESS if any(_is_public(address) for address in addresses) else Failure.WRONG_ADDRESS


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


# -- what a zone answers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ZoneAnswer:
    """What those who are served by the zone get for a name."""

    addresses: tuple[str, ...] = ()
    """A records; empty: there is none."""
    hidden_by: str = ""
    """The name in the zone that keeps its `*` from answering; empty: none does."""


def authoritative(
    host: str, zone_name: str, record_addresses: tuple[str, ...], names: Iterable[NamedRecords]
) -> ZoneAnswer:
    """The zone's answer for `host`, out of its `*` record and the names besides it, by RFC 4592's rules.

    A zone's `*` record stands for every name that does not exist. A name that exists, because it or one below it has a
    record of its own, hides the `*` for itself and for all that is below it: a record at `neighbour.es` makes `es`
    exist. https://www.rfc-editor.org/rfc/rfc4592#section-3.3.1
    """
    name, zone = host.lower().rstrip("."), zone_name.lower().rstrip(".")
    if not zone or not name.endswith(f".{zone}"):
        return ZoneAnswer()
    wanted = name.removesuffix(f".{zone}")
    known = {one.name.lower(): one.addresses for one in names}
    if wanted in known:
        return ZoneAnswer(known[wanted], wanted)
    # What is above a name exists as well, though it has no records.
    existing = {above for one in known for above in _with_ancestors(one)}
    closest = next((above for above in _with_ancestors(wanted) if above in existing), "")
    if not closest:
        return ZoneAnswer(record_addresses)
    below = "" if closest == wanted else f"*.{closest}"
    return ZoneAnswer(known.get(below, ()), closest)


def _with_ancestors(name: str) -> Iterable[str]:
    """The name and those above it, up to the zone's own; the longest first."""
    while name:
        yield name
        name = name.partition(".")[2]


# -- when a changed verdict counts -------------------------------------------------------------------------------------

HISTORY = 10
"""Results of each name that are kept: twice the most that the setting can ask for."""


def outcome(verdict: Verdict) -> str:
    """A result in short, as it is kept."""
    return f"{verdict.status} {verdict.reason}"


def history(before: Sequence[str], latest: Verdict) -> tuple[str, ...]:
    """The results to keep, newest first."""
    return (outcome(latest), *before)[:HISTORY]


def debounce(standing: Verdict | None, recent: Sequence[str], needed: int) -> bool:
    """Whether the newest of `recent` counts now, in place of `standing`; None: nothing stood before."""
    if standing is None:
        return True
    newest, stood = recent[0], outcome(standing)
    if newest == stood or newest.startswith("healthy "):
        return True
    unlike = takewhile(lambda result: result != stood, recent)
    return sum(_taught(result) == _taught(newest) for result in unlike) >= needed


def _taught(result: str) -> bool:
    return not result.startswith("unknown ")


# -- one verdict out of all --------------------------------------------------------------------------------------------

_GRAVITY: Mapping[Status, int] = {"healthy": 0, "unknown": 1, "degraded": 2, "blocked": 3, "unreachable": 4}


def weighed(verdict: Verdict) -> Verdict:
    """A name's verdict as it counts for the connection: without Kibana or Fleet it is degraded, not gone."""
    lesser = verdict.service != PRIMARY and _GRAVITY[verdict.status] > _GRAVITY["degraded"]
    return replace(verdict, status="degraded") if lesser else verdict


def standing_of(memory: HostCheck) -> Verdict:
    """What counts for a name: its last result, or an earlier one that has not been outdone yet."""
    return _verdict(memory, memory.effective or memory)


def last_of(memory: HostCheck) -> Verdict:
    """The last result of a name, whether it counts or not."""
    return _verdict(memory, memory)


def _verdict(memory: HostCheck, counts: HostCheck | EffectiveVerdict) -> Verdict:
    return Verdict(cast("Status", counts.status), counts.explanation, memory.host, memory.service)


def worst_of(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that speaks for the connection: the gravest as they count; of equals the first."""
    return max(verdicts, key=lambda one: _GRAVITY[weighed(one).status])


def summarize(verdicts: Sequence[Verdict]) -> str:
    """What the verdict is, in a sentence or two: the gravest name's, and how many others are not well."""
    worst = worst_of(verdicts)
    bad = [one for one in verdicts if one.status != "healthy" and one is not worst]
    rest = f" Not well either: {c.listed([one.host for one in bad])}." if bad else ""
    return f"{worst.host}: {worst.message}{rest}"


# -- what is kept of a check -------------------------------------------------------------------------------------------

UNTESTABLE = frozenset({Reason.NO_ROUTE_FROM_APP, Reason.REFUSED_ON_THE_WAY})
"""The app cannot see the connection from where it stands: nothing that looking again soon would change."""


def host_check(
    evidence: Evidence, verdict: Verdict, before: HostCheck | None, now: datetime, *, associated: bool, needed: int
) -> HostCheck:
    """The last check of a name; `needed`: so many in a row that fail count."""
    stood = standing_of(before) if before is not None else None
    recent = history(before.recent if before else (), verdict)
    settled = stood is None or debounce(stood, recent, needed)
    return HostCheck(
        host=evidence.host,
        status=str(verdict.status),
        explanation=verdict.explanation,
        checked_at=now,
        stages=tuple((str(stage.name), round(stage.milliseconds, 1)) for stage in evidence.stages),
        addresses=evidence.addresses,
        resolved_by=evidence.resolved_by,
        service=verdict.service,
        associated=associated,
        recent=recent,
        effective=None if settled or stood is None else EffectiveVerdict(str(stood.status), stood.explanation),
    )


def total_ms(check: HostCheck) -> float:
    """Time of all its stages."""
    return sum(milliseconds for _, milliseconds in check.stages)


def summary_of(checks: Sequence[HostCheck], tested: Sequence[HostCheck], hosts: int, now: datetime) -> HealthSummary:
    """What all checks say together: `tested` were made now, `checks` are these and what stands of the others."""
    counting = [standing_of(one) for one in checks if one.associated]
    return HealthSummary(
        tested_at=now,
        hosts=hosts,
        tested=len(tested),
        failed=sum(one.status != "healthy" for one in counting),
        status=weighed(worst_of(counting)).status if counting else "",
        latency_ms=round(max(map(total_ms, tested), default=0.0), 1),
    )


def reachable(tested: Sequence[HostCheck], checks: Sequence[HostCheck], *, was_ready: bool, needed: int) -> Condition:
    """The condition of the names that count: those that were tested now, and with them what stands of the others."""
    seen, standing = list(map(last_of, tested)), list(map(standing_of, checks))
    verdict, message = weighed(worst_of(standing)), summarize(standing)
    if verdict.status == "healthy":
        return c.satisfied(c.REACHABLE, verdict.reason, f"{message}{_remark(seen, tested, len(standing), needed)}")
    told = replace(verdict.explanation, message=message)
    if verdict.status == "unknown":
        # Not knowing is no alarm: what worked counts as working until something says otherwise.
        needs = c.WaitingFor.NONE if verdict.reason in UNTESTABLE or was_ready else c.WaitingFor.WORK
        return Condition(c.REACHABLE, c.Status.UNKNOWN, told, needs)
    return Condition(c.REACHABLE, c.Status.FALSE, told, c.WaitingFor.WORK)


def _remark(seen: Sequence[Verdict], tested: Sequence[HostCheck], names: int, needed: int) -> str:
    """What is said of a good verdict besides: how long it took, or that the last check was not good."""
    if weighed(worst_of(seen)).status != "healthy":
        return f" The last check was not good ({summarize(seen)}); that counts after {needed} in a row."
    others = f", {names - 1} more are well" if names > 1 else ""
    return f" ({max(map(total_ms, tested)):.0f} ms{others})"
