"""A connection's record as JSON, and back: what the table holds. Used by the use cases that read or store a record.

A record that a newer version of the app wrote is refused: writing it back would lose what this version does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.conditions import READY, Condition
from shared.core.model.errors import InvalidInput
from shared.core.model.record import SCHEMA, ConnectionRecord
from shared.core.model.record_health import EffectiveVerdict, HostCheck

if TYPE_CHECKING:
    from cattrs import Converter


class UnreadableRecord(InvalidInput):
    """A record that this version of the app cannot read; no caller's fault."""


class NewerRecord(UnreadableRecord):
    """A record that a newer version of the app wrote, which runs beside this one while it takes this one's place."""


@cache
def _converter() -> Converter:
    # Loaded when first used: a trigger that only enqueues starts without it.
    from cattrs.preconf.json import make_converter  # noqa: PLC0415 - see above

    converter = make_converter()
    for kind, names in _STORED.items():
        _store_flat(converter, kind, names.split())
    return converter


_STORED: Mapping[type, str] = {
    Condition: "type status reason message next_step needs since",
    EffectiveVerdict: "status reason cause next_step",
    HostCheck: "host status reason checked_at stages addresses resolved_by service associated cause next_step recent "
    "effective",
}
"""What has an explanation, and its stored fields. Cause and hop of the explanation are the catalogue's: not stored."""


def _store_flat(converter: Converter, kind: type, stored: Sequence[str]) -> None:
    """Store reason, message (or cause) and next step among the other fields, not in an explanation of their own."""
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn  # noqa: PLC0415 - see _converter

    names = {"reason": "reason", "message": "cause" if "cause" in stored else "message", "next_step": "next_step"}
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


def from_document(document: Mapping[str, Any]) -> ConnectionRecord:
    """Read a record back; raises NewerRecord, or UnreadableRecord for one that is damaged."""
    ensure_not_newer(document)
    schema = document.get("schema")
    if type(schema) is not int or schema != SCHEMA:
        raise _of_another_schema(UnreadableRecord, document)
    from cattrs.errors import BaseValidationError  # noqa: PLC0415 - see _converter

    try:
        return _converter().structure(document, ConnectionRecord)
    except (BaseValidationError, KeyError, TypeError, ValueError) as error:
        raise UnreadableRecord(
            "This connection's record is damaged.",
            on=str(document.get("endpoint_id", ""))[:300],
            next_step="Delete the row; the next sweep rebuilds it from Azure and Elastic.",
        ) from error


def ensure_not_newer(document: Mapping[str, Any]) -> None:
    """Raise NewerRecord for what this version must leave alone: written back, it would lose what it does not know."""
    schema = document.get("schema")
    if type(schema) is int and schema > SCHEMA:
        raise _of_another_schema(NewerRecord, document)


def _of_another_schema(kind: type[UnreadableRecord], document: Mapping[str, Any]) -> UnreadableRecord:
    return kind(
        f"This connection's record has schema {document.get('schema')}; this version of the app knows {SCHEMA}.",
        on=str(document.get("endpoint_id", ""))[:300],
        next_step="Deploy the newer version of the app again.",
    )


LONGEST = 8_000
"""Characters of a text: a page of 1,000 rows stays small, and a column below its 64 KiB."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One connection in short; every value is a text, empty where there is nothing to say."""

    subscription: str = ""
    """In lower case; what a list of one subscription's connections is filtered by."""
    endpoint_id: str = ""
    name: str = ""
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


def columns_of(record: ConnectionRecord) -> Columns:
    """The columns of a record."""
    ready = record.condition(READY)
    return Columns(
        subscription=_subscription(record.endpoint_id),
        endpoint_id=record.endpoint_id,
        name=record.identity.name,
        region=record.identity.region,
        phase=str(record.status.phase),
        mode=str(record.identity.mode),
        ready=str(ready.status) if ready else "",
        reason=str(ready.reason) if ready else "",
        message=ready.message[:LONGEST] if ready else "",
        next_step=ready.next_step[:LONGEST] if ready else "",
        since=ready.since.isoformat() if ready and ready.since else "",
    )


def _subscription(endpoint_id: str) -> str:
    try:
        return parse_arm_id(endpoint_id).subscription_id.lower()
    except InvalidInput:
        return ""
