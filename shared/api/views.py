"""What HTTP shows of a connection, field by field: a list row, the detail, and its parts. Used by `queries`; pure.

The OpenAPI document is made from these types too. A new field of the record is not public until a person puts it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from shared.api.offered import Offered, offered
from shared.api.remedies import RemedyView, names_of, remedy_view
from shared.core.diagnosis import Diagnosis, diagnosis_of
from shared.core.diagnosis import Status as VerdictStatus
from shared.core.model.conditions import Condition, Explanation, Phase, Status, WaitingFor
from shared.core.model.json_names import camel
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Hop
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import HostCheck, ResolvedBy
from shared.core.model.services import Family
from shared.settings import Settings

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class ConditionView:
    """One thing that must be true of a connection."""

    type: str
    status: Status
    reason: str
    message: str
    next_step: str
    remedy: RemedyView | None
    """What a person runs about it; None: nothing, or it holds."""
    needs: WaitingFor
    since: datetime | None


@dataclass(frozen=True, slots=True)
class OwnedView:
    """A resource in Azure that the connection uses, and whose it is."""

    id: str
    owner: Owner


@dataclass(frozen=True, slots=True)
class PolicyView:
    """The connection's policy."""

    id: str
    owner: Owner | None
    learned_at: datetime | None
    created_at: datetime | None
    guid: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """The organization's claim to the endpoint."""

    region: str
    endpoint_name: str
    guid: str
    owner: Owner


@dataclass(frozen=True, slots=True)
class AssociationView:
    """An association of the policy with a target."""

    target_id: str
    owner: Owner | None
    asked: str
    made_at: datetime | None
    seen: bool
    taken: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class FormerAssociationView:
    """An association with a policy of others that is no longer used."""

    policy_id: str
    target_id: str
    guid: str


@dataclass(frozen=True, slots=True)
class UrlView:
    """A private URL to use."""

    service: str
    url: str


@dataclass(frozen=True, slots=True)
class TargetView:
    """A deployment or project that the connection leads to."""

    id: str
    name: str
    urls: tuple[UrlView, ...]


@dataclass(frozen=True, slots=True)
class AdviceView:
    """What a person should know though nothing is wrong."""

    reason: str
    message: str
    next_step: str
    remedy: RemedyView | None


@dataclass(frozen=True, slots=True)
class StandingView:
    """A verdict that still counts though the last check said otherwise."""

    status: str
    reason: str
    cause: str
    next_step: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """The last health check of one host."""

    host: str
    status: str
    reason: str
    checked_at: datetime
    stages: tuple[tuple[str, float], ...]
    addresses: tuple[str, ...]
    resolved_by: ResolvedBy
    service: str
    associated: bool
    cause: str
    next_step: str
    recent: tuple[str, ...]
    standing: StandingView | None


@dataclass(frozen=True, slots=True)
class ReachedView:
    """The last time that the app could connect to the endpoint's address, and from where."""

    address: str
    network: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NetworkView:
    """What was read of the networks around the endpoint."""

    vnet_id: str
    read_at: datetime
    dns_servers: tuple[str, ...]
    peered: bool | None
    app_dns_servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What is wrong with the connection, or that nothing is."""

    status: VerdictStatus
    reason: str
    cause: str
    next_step: str
    remedy: RemedyView | None
    hop: Hop | None
    since: datetime | None
    evidence: tuple[str, ...]
    advice: tuple[AdviceView, ...]


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """One connection in full."""

    id: str
    endpoint_id: str
    name: str
    guid: str
    former_guids: tuple[str, ...]
    family: Family
    region: str
    alias: str
    location: str
    vnet_id: str
    address: str
    zone: OwnedView | None
    links: tuple[OwnedView, ...]
    record: OwnedView | None
    record_addresses: tuple[str, ...]
    policy: PolicyView
    claim: ClaimView | None
    associations: tuple[AssociationView, ...]
    former: tuple[FormerAssociationView, ...]
    targets: tuple[TargetView, ...]
    conditions: tuple[ConditionView, ...]
    advice: tuple[AdviceView, ...]
    checks: tuple[CheckView, ...]
    reached: ReachedView | None
    network: NetworkView | None
    phase: Phase
    generation: int
    attempts: int
    first_seen: datetime | None
    pending_since: datetime | None
    ready_since: datetime | None
    observed_at: datetime | None
    unread_since: datetime | None
    wake_at: datetime | None
    organization: str
    on_delete: str
    missing_since: datetime | None
    mode: str
    planned: tuple[str, ...]
    removing_since: datetime | None
    left: tuple[str, ...]
    verdict: VerdictView
    decisions: tuple[Offered, ...]


@dataclass(frozen=True, slots=True)
class TargetRowView:
    """A target in a list."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ConnectionRowView:
    """One connection in a list."""

    id: str
    name: str
    endpoint_id: str
    subscription: str
    family: Family | None
    """None: it is connected to no service of Elastic's that the app knows."""
    region: str
    phase: str
    mode: str
    ready: str | None
    reason: str | None
    message: str | None
    next_step: str | None
    since: str | None
    repaired_today: int
    targets: tuple[TargetRowView, ...]
    """The first of the deployments or projects that it leads to."""
    address: str
    vnet_id: str
    tested_at: str | None
    latency_ms: int | None
    """Of the slowest host in the last test."""


def connection_view(
    record: ConnectionRecord, mode: str, settings: Settings, checks: Sequence[HostCheck] = ()
) -> ConnectionView:
    """The detail of a connection in the mode that holds now, with the last check of each of its hosts."""
    names = names_of(record, settings)

    def remedied(told: Condition | Diagnosis | Explanation) -> RemedyView | None:
        return remedy_view(told, record, names)

    identity, dns, elastic, health = record.identity, record.dns, record.elastic, record.health
    schedule, removal = record.schedule, record.removal
    return ConnectionView(
        id=record.id,
        endpoint_id=record.endpoint_id,
        mode=mode,
        organization=elastic.organization,
        **_plain(identity, "name guid former_guids family region alias location vnet_id address on_delete"),
        zone=_maybe(OwnedView, dns.zone),
        links=_each(OwnedView, dns.links),
        record=_maybe(OwnedView, dns.record),
        record_addresses=dns.record_addresses,
        policy=_of(PolicyView, elastic.policy),
        claim=_maybe(ClaimView, elastic.claim),
        associations=_each(AssociationView, elastic.associations),
        former=_each(FormerAssociationView, elastic.former_associations),
        targets=tuple(TargetView(target.id, target.name, _each(UrlView, target.urls)) for target in elastic.targets),
        conditions=tuple(
            _of(ConditionView, one, remedy=None if one.true else remedied(one)) for one in record.status.conditions
        ),
        advice=tuple(_of(AdviceView, one, remedy=remedied(one)) for one in record.advice),
        checks=tuple(map(_check, checks)),
        reached=_maybe(ReachedView, health.last_reached),
        network=_maybe(NetworkView, health.network),
        **_plain(record.status, "phase generation first_seen ready_since planned"),
        **_plain(schedule, "attempts pending_since observed_at wake_at"),
        unread_since=schedule.stale_since,
        **_plain(removal, "missing_since removing_since"),
        left=removal.leftovers,
        verdict=_verdict(diagnosis_of(record, checks), remedied),
        decisions=offered(record),
    )


def _check(check: HostCheck) -> CheckView:
    counts = check.effective
    standing = None if counts is None else _of(StandingView, counts, cause=counts.message)
    return _of(CheckView, check, cause=check.message, standing=standing)


def _verdict(
    found: Diagnosis, remedied: Callable[[Condition | Diagnosis | Explanation], RemedyView | None]
) -> VerdictView:
    advice = tuple(_of(AdviceView, one, remedy=remedied(one)) for one in found.advice)
    remedy = None if found.status == "healthy" else remedied(found)
    return _of(VerdictView, found, cause=found.message, advice=advice, remedy=remedy)


def _plain(part: object, names: str) -> dict[str, Any]:
    """The named fields, which are shown as they are."""
    return {name: getattr(part, name) for name in names.split()}


def _of(kind: type[View], source: object, **instead: object) -> View:
    """A view of a value: the view's own fields, and none besides."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every view is a dataclass
    return kind(**{name: instead[name] if name in instead else getattr(source, name) for name in names})


def _maybe(kind: type[View], source: object | None) -> View | None:
    return None if source is None else _of(kind, source)


def _each(kind: type[View], sources: Iterable[object]) -> tuple[View, ...]:
    return tuple(_of(kind, source) for source in sources)


# -- as JSON -------------------------------------------------------------------------------------------------------


def as_json(value: Any) -> Any:
    """JSON values, with names as HTTP APIs in Azure spell them."""
    if hasattr(value, "__dataclass_fields__"):
        return {camel(field.name): as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {camel(str(name)): as_json(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(entry) for entry in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value
