"""A value of every field, of any of our types, and everything that this version of the app writes, made of them.

`forms` is what is kept in a file for each version. It depends on the types alone: the same code makes the same.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from shared.core.model.arm_ids import parse_arm_id, parse_endpoint_id
from shared.core.model.messages import Cause, CheckMessage, DriftMessage, WorkMessage
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import to_document
from shared.core.model.record_health import HostCheck
from shared.state import codec
from shared.state.rows import CheckEntry, ConnectionRow, HostRow, JournalEntry, ThingRow

AT = datetime(2026, 1, 5, 9, 0, 30, 250000, tzinfo=UTC)
SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000beef"
ENDPOINT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"
ZONE = "privatelink.eastus2.azure.elastic-cloud.com"
ZONE_ID = f"{ENDPOINT.rpartition('/providers/')[0]}/providers/Microsoft.Network/privateDnsZones/{ZONE}"
_PLAIN: dict[Any, Any] = {str: "text", int: 3, float: 1.5, bool: True, datetime: AT, Any: {"any": ["value", 1, None]}}
_PLAIN[Owned] = Owned(ZONE_ID, Owner.ADOPTED)


def sample(hint: Any) -> Any:
    """A value of this type in which no field is empty."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    return _filled(hint) if is_dataclass(hint) else _sample_of_many(hint)


def _sample_of_many(hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return sample(next(one for one in arguments if one is not type(None)))
    if origin is tuple:
        return tuple(sample(one) for one in arguments if one is not Ellipsis)
    if origin is frozenset:
        return frozenset({sample(arguments[0])})
    if origin is not None and issubclass(origin, Mapping):
        return {sample(arguments[0]): sample(arguments[1])}
    raise TypeError(f"no sample of {hint!r}: add one here")


def _filled(kind: Any) -> Any:
    hints = get_type_hints(kind, vars(sys.modules[kind.__module__]) | {"datetime": datetime})
    return kind(**{one.name: sample(hints[one.name]) for one in fields(kind) if one.init})


@cache
def record() -> ConnectionRecord:
    """A record in which every field says something, of the endpoint that the messages name."""
    full = sample(ConnectionRecord)
    return ConnectionRecord(
        ENDPOINT,
        *(getattr(full, one.name) for one in fields(ConnectionRecord) if one.name not in {"endpoint_id", "schema"}),
    )


def words(kind: Any, found: dict[str, list[str]] | None = None) -> dict[str, list[str]]:
    """The words of every enum that a value of this type can hold, by the enum's name.

    Not those of `Reason`: a word that a newer version added is read as it stands.
    """
    found = {} if found is None else found
    if isinstance(kind, type) and issubclass(kind, Enum) and kind is not Reason:
        found[kind.__name__] = sorted(str(one.value) for one in kind)
    elif is_dataclass(kind) and isinstance(kind, type):
        for hint in get_type_hints(kind, vars(sys.modules[kind.__module__]) | {"datetime": datetime}).values():
            words(hint, found)
    for one in get_args(kind):
        words(one, found)
    return dict(sorted(found.items()))


def host() -> HostCheck:
    """The last check of a host, in which every field says something."""
    full = sample(HostCheck)
    return replace(full, status="healthy", effective=replace(full.effective, status="degraded"))


def messages() -> list[str]:
    """Every kind of message, with every cause."""
    endpoint = parse_endpoint_id(ENDPOINT)
    waits = [WorkMessage(endpoint, cause, "c-1", wake_at) for cause in Cause for wake_at in (None, AT)]
    work = [*waits, WorkMessage(endpoint, Cause.MANUAL, "c-1", put_backs=2)]
    zone = parse_arm_id(ZONE_ID)
    drift = [DriftMessage(zone, "c-1"), DriftMessage(zone, "c-1", put_backs=2)]
    return [*(one.encode() for one in (*work, *drift)), CheckMessage(SUBSCRIPTION, "c-1", AT).encode()]


def forms() -> dict[str, Any]:
    """Everything that this version writes, as JSON values."""
    row = codec.holding(ConnectionRow(record().id), record())
    written = {
        "record": to_document(record()),
        "words": words(ConnectionRecord),
        "connections": codec.connection_entity(row),
        "things": codec.thing_entity(ThingRow("scope", "/a/thing", "made", {"connections": ["c"], "version": "e"})),
        "journal": codec.JOURNAL.entity("connection", "row", sample(JournalEntry)),
        "checks": codec.CHECKS.entity("connection", "row", sample(CheckEntry)),
        "hosts": codec.host_entity("connection", HostRow(host().host, host(), guid="guid")),
        "messages": messages(),
    }
    return dict(json.loads(json.dumps(written, default=plain)))


def plain(value: Any) -> Any:
    """What JSON cannot say: a time of a table's row."""
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    raise TypeError(f"no JSON for {value!r}")


def unplain(entity: Mapping[str, Any]) -> dict[str, Any]:
    """A table's row as it was before `plain`."""
    return {
        name: datetime.fromisoformat(value["$time"]) if isinstance(value, dict) else value
        for name, value in entity.items()
    }
