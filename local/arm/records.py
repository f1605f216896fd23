"""Record sets: synchronous, and with unwrapped errors of their own. Called by `app`."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from local.arm.context import Answer, Call, Context, Handler
from local.arm.errors import ArmError
from local.arm.model import PrivateDnsZone, RecordSet
from local.arm.paging import page
from local.arm.preconditions import failed_precondition

if TYPE_CHECKING:
    from local.arm.zones import Zones

FIELDS = {
    "A": "aRecords",
    "AAAA": "aaaaRecords",
    "CNAME": "cnameRecord",
    "MX": "mxRecords",
    "PTR": "ptrRecords",
    "SOA": "soaRecord",
    "SRV": "srvRecords",
    "TXT": "txtRecords",
}


def refused(message: str) -> ArmError:
    """The record service's own validation error."""
    return ArmError(400, "BadRequest", message, wrapped=False)


class Records(Handler):
    """PUT, PATCH, GET, DELETE of record sets; lists by type, and of all types under the name ALL."""

    def __init__(self, context: Context, zones: Zones) -> None:
        self._context, self._zones = context, zones

    def get(self, call: Call) -> Answer:
        """Read one."""
        zone = self._zones.find(call)
        return Answer(200, render(zone, self._find(call, zone)))

    def list_all(self, call: Call) -> Answer:
        """Those of a type, or all."""
        zone, kind = self._zones.find(call), call.path.types[-1]
        found = [render(zone, item) for item in zone.record_sets.values() if kind in ("ALL", item.type)]
        return page(call, found, self._context.settings.page_size)

    def put(self, call: Call) -> Answer:
        """Replace the whole set."""
        zone, kind, name = self._zones.find(call), call.path.types[-1], call.path.name.lower()
        properties = call.properties()
        ttl = _ttl(properties.get("ttl"))
        records = _records(kind, properties.get(FIELDS[kind]))
        old = zone.record_sets.get((kind, name))
        self._check(call, old)
        metadata = _metadata(properties.get("metadata"))
        item = RecordSet(type=kind, name=name, etag=self._context.guid(), ttl=ttl, records=records, metadata=metadata)
        zone.record_sets[kind, name] = item
        self._context.emit(call, "Succeeded")
        return Answer(200 if old else 201, render(zone, item))

    def patch(self, call: Call) -> Answer:
        """Change what the body names."""
        zone, kind = self._zones.find(call), call.path.types[-1]
        item, properties = self._find(call, zone), call.properties()
        self._check(call, item)
        if "ttl" in properties:
            item.ttl = _ttl(properties["ttl"])
        if FIELDS[kind] in properties:
            item.records = _records(kind, properties[FIELDS[kind]])
        if "metadata" in properties:
            item.metadata = _metadata(properties["metadata"])
        item.etag = self._context.guid()
        self._context.emit(call, "Succeeded")
        return Answer(200, render(zone, item))

    def delete(self, call: Call) -> Answer:
        """Remove; 204 if it is not there."""
        zone = self._zones.find(call)
        key = (call.path.types[-1], call.path.name.lower())
        item = zone.record_sets.get(key)
        if item is None:
            return Answer(204)
        if item.type == "SOA":
            raise refused("The record set of type SOA cannot be deleted.")
        self._check(call, item)
        del zone.record_sets[key]
        self._context.emit(call, "Succeeded")
        return Answer(200)

    def _find(self, call: Call, zone: PrivateDnsZone) -> RecordSet:
        item = zone.record_sets.get((call.path.types[-1], call.path.name.lower()))
        if item is None:
            raise ArmError(
                404,
                "NotFound",
                f"The resource record '{call.path.name}' does not exist in resource group "
                f"'{call.path.resource_group}' of subscription '{call.path.subscription_id}'.",
                wrapped=False,
            )
        return item

    def _check(self, call: Call, item: RecordSet | None) -> None:
        what, accept = f"Record set {call.path.name}", self._context.settings.accept_quoted_etags
        problem = failed_precondition(call, what, item.etag if item else None, accept_quoted=accept)
        if problem:
            raise ArmError(412, "PreconditionFailed", problem, wrapped=False)


def render(zone: PrivateDnsZone, item: RecordSet) -> dict[str, Any]:
    """A record set as the service answers it; empty metadata is left out."""
    fqdn = f"{zone.name}." if item.name == "@" else f"{item.name}.{zone.name}."
    return {
        "id": f"{zone.id}/{item.type}/{item.name}",
        "name": item.name,
        "type": f"Microsoft.Network/privateDnsZones/{item.type}",
        "etag": item.etag,
        "properties": {
            **({"metadata": item.metadata} if item.metadata else {}),
            "ttl": item.ttl,
            "fqdn": fqdn,
            "isAutoRegistered": False,
            **item.records,
        },
    }


def _ttl(value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= 2147483647:
        raise refused(f"The TTL '{value}' is not between 1 and 2147483647.")
    return value


def _metadata(value: Any) -> dict[str, str]:
    metadata = value or {}
    if not all(isinstance(text, str) for text in metadata.values()):
        raise refused("The metadata of a record set are texts by name.")
    return dict(metadata)


def _records(kind: str, value: Any) -> dict[str, Any]:
    """The type's field; an empty set of addresses is allowed."""
    if kind == "SOA":
        raise refused("The record set of type SOA cannot be written.")
    if kind != "A":
        return {} if value is None else {FIELDS[kind]: value}
    addresses = [item.get("ipv4Address") for item in value or []]
    for address in addresses:
        try:
            ipaddress.IPv4Address(address or "")
        except ValueError as error:
            raise refused(f"The value '{address}' is not a valid IPv4 address.") from error
    if len(addresses) > 20:
        raise refused("A record set cannot have more than 20 records.")
    if len(set(addresses)) != len(addresses):
        raise refused("A record set cannot have the same record twice.")
    return {"aRecords": [{"ipv4Address": address} for address in addresses]}
