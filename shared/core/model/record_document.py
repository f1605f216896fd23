"""A connection's record as JSON, and back: what the table holds. Used by the use cases that read or store a record.

A record that a newer version of the app wrote is refused. Of one of its own schema this version keeps what it does not
know (`carry_over_unknown`): a newer version may have added it, and may be back tomorrow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from shared.core.model.arm_ids import parse_arm_id, short_id
from shared.core.model.conditions import READY, Condition, Phase
from shared.core.model.errors import InvalidInput
from shared.core.model.json_values import AHEAD, identifier, is_newer, mapping, stored_instant, text
from shared.core.model.record import SCHEMA, ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, FormerAssociation, PolicyMemory
from shared.core.model.record_health import STATUSES, EffectiveVerdict, HostCheck
from shared.core.model.record_parts import DnsState

if TYPE_CHECKING:
    from cattrs import Converter


class UnreadableRecord(InvalidInput):
    """A record that this version of the app cannot read; no caller's fault."""


class NewerRecord(UnreadableRecord):
    """A record that a newer version of the app wrote, which runs beside this one while it takes this one's place."""


_latest: ContextVar[datetime | None] = ContextVar("latest", default=None)
"""After this no instant of the record that is being read can be one that this app has written."""


def _finite(number: Any) -> float:
    found = float(number)
    if not isfinite(found):  # no JSON could hold it
        raise ValueError(number)
    return found


def _whole(value: Any) -> str:
    found = str(value)
    if not found.isascii():
        found.encode()  # raises of half a letter, which is in no id and goes into no request
    return found


@cache
def _converter() -> Converter:
    # Loaded when first used: a trigger that only enqueues starts without it.
    from cattrs.preconf.json import make_converter  # noqa: PLC0415 - see above

    # The first thing that is wrong decides; a text of 70,000 letters where a list belongs would be as many errors.
    converter = make_converter(detailed_validation=False)
    converter.register_structure_hook(str, lambda value, kind: _whole(value) if kind is str else kind(value))  # an enum
    converter.register_structure_hook(float, lambda number, _: _finite(number))
    converter.register_structure_hook(datetime, lambda text, _: stored_instant(text, latest=_latest.get()))
    for kind, ensure in _SOUND.items():
        _read_soundly(converter, kind, ensure)
    for kind, names in _STORED.items():
        _store_flat(converter, kind, names.split())
    return converter


def _damage() -> tuple[type[Exception], ...]:
    """What reading a value of a wrong form raises."""
    from cattrs.errors import CattrsError  # noqa: PLC0415 - see _converter

    return (CattrsError, InvalidInput, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def _zone_is_one(state: DnsState) -> None:
    if state.zone is not None:
        parse_arm_id(state.zone.id)


def _are_ids(*ids: str) -> None:
    if any(one and not identifier(one) for one in ids):
        raise ValueError(ids)


_SOUND: Mapping[type, Callable[[Any], None]] = {
    DnsState: _zone_is_one,
    PolicyMemory: lambda policy: _are_ids(policy.id),
    AssociationMemory: lambda one: _are_ids(one.target_id),
    FormerAssociation: lambda one: _are_ids(one.policy_id, one.target_id),
}
"""What is asked for by its id: with one that can be none each run would end there, and the doctor see nothing wrong."""


def _read_soundly(converter: Converter, kind: type, ensure: Callable[[Any], None]) -> None:
    from cattrs.gen import make_dict_structure_fn  # noqa: PLC0415 - see _converter

    read: Callable[[Mapping[str, Any], type], object] = make_dict_structure_fn(kind, converter)

    def structured(document: Mapping[str, Any], wanted: type) -> object:
        found = read(document, wanted)
        ensure(found)
        return found

    converter.register_structure_hook(kind, structured)


_STORED: Mapping[type, str] = {
    Condition: "type status reason message next_step about needs since",
    EffectiveVerdict: "status reason cause next_step",
    HostCheck: "host status reason checked_at stages addresses resolved_by service associated cause next_step recent "
    "effective",
}
"""What has an explanation, and its stored fields. Cause and hop of the explanation are the catalogue's: not stored."""


def _store_flat(converter: Converter, kind: type, stored: Sequence[str]) -> None:
    """Store reason, message (or cause) and next step among the other fields, not in an explanation of their own."""
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn  # noqa: PLC0415 - see _converter

    names = {"reason": "reason", "message": "cause" if "cause" in stored else "message", "next_step": "next_step"}
    names |= {"about": "about"} if "about" in stored else {}
    write: Callable[[object], dict[str, Any]] = make_dict_unstructure_fn(kind, converter)
    read: Callable[[Mapping[str, Any], type], object] = make_dict_structure_fn(kind, converter)

    def written(value: object) -> dict[str, Any]:
        fields = write(value)
        told = fields.pop("explanation")
        fields |= {name: told[part] for part, name in names.items()}
        return {name: fields.pop(name) for name in stored} | fields

    def structured(document: Mapping[str, Any], _: type) -> object:
        told = {part: document[name] for part, name in names.items() if name in document}
        return read({**document, "explanation": told}, kind)

    converter.register_unstructure_hook(kind, written)
    converter.register_structure_hook(kind, structured)


def to_document(connection: ConnectionRecord) -> dict[str, Any]:
    """The record as JSON values."""
    return cast("dict[str, Any]", _converter().unstructure(connection))


def from_document(document: Mapping[str, Any], *, written_at: datetime | None = None) -> ConnectionRecord:
    """Read a record back; raises NewerRecord, or UnreadableRecord for one that is damaged.

    `written_at`: when its row was, where that is known; no instant in it is far ahead of that.
    """
    ensure_not_newer(document)
    schema, on = document.get("schema"), text(document.get("endpoint_id"))[:300]
    if type(schema) is not int or schema != SCHEMA:
        raise damaged_record(on)
    reading = _latest.set(None if written_at is None else written_at + AHEAD)
    try:
        found = _converter().structure(document, ConnectionRecord)
    except _damage() as error:
        raise damaged_record(on) from error
    finally:
        _latest.reset(reading)
    return found


def host_document(check: HostCheck) -> dict[str, Any]:
    """The last check of a host as JSON values: a row of table `hosts`."""
    return cast("dict[str, Any]", _converter().unstructure(check))


def host_in(document: object) -> HostCheck | None:
    """Read that back; None for what no version of the app has written: then it counts as never tested."""
    if is_newer(document):
        return None
    try:
        found = _converter().structure(document, HostCheck)
    except _damage():
        return None
    told = {found.status} if found.effective is None else {found.status, found.effective.status}
    return found if told <= STATUSES else None


def unknown_of_host(document: object) -> dict[str, Any]:
    """What this version does not know in the stored last check of a host, as its row has it under `document`."""
    known = _STORED[HostCheck].split()
    unknown = {name: value for name, value in mapping(document).items() if name not in known}
    return {"document": unknown} if unknown else {}


def damaged_record(on: str, row: str = "<connection id>") -> UnreadableRecord:
    """The error of a record that no version of the app has written; `row`: its row's name, where that is known."""
    return UnreadableRecord(
        "This connection's record is damaged.",
        on=on,
        next_step='Send POST /api/decisions {"decision": "take-over-row", "table": "connections", '
        f'"row": "{row}"}}: the record is made anew from Azure and Elastic Cloud.',
    )


_NAMED_BY = ("id", "target_id", "type", "host", "guid", "step", "policy_id", "name")
"""What tells of an object whether it is about the same thing as before."""


def carry_over_unknown(before: object, after: dict[str, Any]) -> dict[str, Any]:
    """The document that replaces another, with what this version does not know of that one.

    A field that is in no object of the new document is none of this version's: it writes all of its own.
    """
    if not isinstance(before, Mapping) or not _same_thing(before, after):
        return after
    kept = {name: _carried(before.get(name), value) for name, value in after.items()}
    return kept | {name: value for name, value in before.items() if name not in after}


def _carried(before: object, after: object) -> object:
    if before == after:
        return after
    if isinstance(after, dict):
        return carry_over_unknown(before, after)
    if isinstance(after, list | tuple) and isinstance(before, list):
        by_name: dict[str, list[object]] = {}  # a list of a thousand is not searched a thousand times
        for old in before:
            by_name.setdefault(_first_name(old), []).append(old)
        return [
            _carried(next((old for old in by_name.get(_first_name(one), ()) if _same_entry(old, one)), None), one)
            for one in after
        ]
    return after


def _first_name(entry: object) -> str:
    """What tells an entry from most others."""
    if not isinstance(entry, Mapping):
        return ""
    return next((repr(entry[name]) for name in _NAMED_BY if name in entry), "")


def _same_entry(before: object, after: object) -> bool:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return False
    return any(name in after for name in _NAMED_BY) and _same_thing(before, after)


def _same_thing(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return all(before.get(name) == after[name] for name in _NAMED_BY if name in after and name in before)


def ensure_not_newer(document: Mapping[str, Any]) -> None:
    """Raise NewerRecord for what this version must leave alone: written back, it would lose what it does not know."""
    schema = document.get("schema")
    if type(schema) is int and schema > SCHEMA:
        raise NewerRecord(
            f"This connection's record has schema {schema}; this version of the app knows {SCHEMA}.",
            on=text(document.get("endpoint_id"))[:300],
            next_step="Deploy the newer version of the app again.",
        )


LONGEST = 8_000
"""Characters of a text: a page of 1,000 rows stays small, and a column below its 64 KiB."""


TARGETS_LISTED = 20
"""Targets that a list shows of a connection, at most."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One connection in short; every value is a text, empty where there is nothing to say."""

    subscription: str = ""
    """In lower case; what a list of one subscription's connections is filtered by."""
    endpoint_id: str = ""
    name: str = ""
    family: str = ""
    """Of the service that it is connected to; empty with the region: it is none that the app knows."""
    region: str = ""
    phase: str = ""
    mode: str = ""
    """What the endpoint asks for; what holds depends on the pause and the setting too."""
    ready: str = ""
    """The status of the summary condition; reason, message, next step and since are its own too."""
    reason: str = ""
    message: str = ""
    next_step: str = ""
    since: str = ""
    zone: str = ""
    """The zone in use, as `short_id` tells it."""
    networks: str = ""
    """The endpoint's network, and those that matter to it and are linked to the zone; each as `short_id`."""
    repaired: str = ""
    """The last day on which something was put right that others had changed, and how often: `2026-01-05 2`."""
    targets: str = ""
    """Id and name of each target that it leads to, as JSON; the first `TARGETS_LISTED` of them."""
    address: str = ""
    vnet_id: str = ""
    tested_at: str = ""
    latency_ms: str = ""
    """Of the slowest host in its last test."""

    @property
    def shown_phase(self) -> str:
        """The phase in a list; the same as a new one's where the columns are lost, until a run writes them again."""
        return self.phase or str(Phase.PROVISIONING)

    @property
    def target_list(self) -> tuple[tuple[str, str], ...]:
        """Id and name of each target."""
        try:
            return tuple((str(one), str(name)) for one, name in json.loads(self.targets or "[]"))
        except (ValueError, TypeError, RecursionError):
            return ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All that a list shows of it in words."""
        return (
            self.name,
            self.endpoint_id,
            self.family,
            self.region,
            self.phase,
            self.reason,
            self.message,
            self.next_step,
            self.address,
            self.vnet_id,
            *(name for one in self.target_list for name in one),
        )


def columns_of(record: ConnectionRecord) -> Columns:
    """The columns of a record."""
    ready = record.condition(READY)
    return Columns(
        subscription=_subscription(record.endpoint_id),
        endpoint_id=record.endpoint_id,
        name=record.identity.name,
        family=str(record.identity.family) if record.identity.region else "",
        region=record.identity.region,
        phase=str(record.status.phase),
        mode=str(record.identity.mode),
        ready=str(ready.status) if ready else "",
        reason=str(ready.reason) if ready else "",
        message=ready.message[:LONGEST] if ready else "",
        next_step=ready.next_step[:LONGEST] if ready else "",
        since=ready.since.isoformat() if ready and ready.since else "",
        zone=short_id(record.dns.zone.id) if record.dns.zone else "",
        networks=_networks(record),
        repaired=_repaired(record),
        targets=_targets(record),
        address=record.identity.address,
        vnet_id=record.identity.vnet_id,
        **_tested(record),
    )


def _targets(record: ConnectionRecord) -> str:
    named = [[one.id, one.name[:128]] for one in record.elastic.targets[:TARGETS_LISTED]]
    return json.dumps(named, separators=(",", ":")) if named else ""


def _tested(record: ConnectionRecord) -> dict[str, str]:
    found = record.health.summary
    return (
        {} if found is None else {"tested_at": found.tested_at.isoformat(), "latency_ms": str(round(found.latency_ms))}
    )


def _networks(record: ConnectionRecord) -> str:
    found = dict.fromkeys(short_id(one) for one in (record.identity.vnet_id, *record.dns.linked) if one)
    return " ".join(found)[:LONGEST]


def _repaired(record: ConnectionRecord) -> str:
    days = [at.date() for at in record.status.repaired]
    return f"{days[-1]} {days.count(days[-1])}" if days else ""


def repaired_on(columns: Columns, day: date) -> int:
    """How often something was put right on a day."""
    last, _, count = columns.repaired.partition(" ")
    return int(count) if last == str(day) and count.isdecimal() else 0


def _subscription(endpoint_id: str) -> str:
    try:
        return parse_arm_id(endpoint_id).subscription_id.lower()
    except InvalidInput:
        return ""
