"""Which changes the app's event subscription has to let through, and which of them a filter leaves out.

An upgrade of the code alone leaves the filter as an older template wrote it. Used by `clouds.azure.event_topics`; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from shared.core.model.json_values import mapping, mappings, text, texts

_ENDPOINT = "/providers/Microsoft.Network/privateEndpoints/pe"
_ZONES = (
    "/providers/Microsoft.Network/privateDnsZones/privatelink.eastus2.azure.elastic-cloud.com",
    "/providers/Microsoft.Network/privateDnsZones/private.eastus2.azure.elastic.cloud",
)
_TAGS = "/providers/Microsoft.Resources/tags/default"
_TYPES = {
    "write": "Microsoft.Resources.ResourceWriteSuccess",
    "delete": "Microsoft.Resources.ResourceDeleteSuccess",
}
_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "Microsoft.Network/privateEndpoints": (_ENDPOINT,),
    "Microsoft.Network/privateEndpoints/privateLinkServiceProxies": (f"{_ENDPOINT}/privateLinkServiceProxies/one",),
    "Microsoft.Resources/tags": tuple(f"{one}{_TAGS}" for one in (_ENDPOINT, *_ZONES)),
    "Microsoft.Network/privateDnsZones": _ZONES,
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": tuple(f"{one}/virtualNetworkLinks/one" for one in _ZONES),
    "Microsoft.Network/privateDnsZones/A": tuple(f"{one}/A/*" for one in _ZONES),
}
WANTED: Mapping[str, tuple[str, ...]] = {
    f"{about}/{change}": subjects for (about, subjects), change in product(_SUBJECTS.items(), _TYPES)
}
"""Each operation that the app makes something of, and how subjects of its events end, one for each kind."""


def left_out(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The operations of which an event subscription's filter lets not every event through that the app wants."""
    return tuple(
        operation
        for operation, subjects in WANTED.items()
        if not all(_passes(given, operation, subject) for subject in subjects)
    )


def _passes(given: Mapping[str, Any], operation: str, subject: str) -> bool:
    """As Event Grid decides, without regard to case; a filter of another kind than ours is taken to let through."""
    types = _lowered(given.get("includedEventTypes"))
    if types and _TYPES[operation.rpartition("/")[2]].lower() not in types:
        return False
    return all(_one_passes(one, operation.lower(), subject.lower()) for one in mappings(given.get("advancedFilters")))


def _one_passes(one: Mapping[str, Any], operation: str, subject: str) -> bool:
    values, kind = _lowered(one.get("values")), (text(one.get("operatorType")), text(one.get("key")))
    if kind == ("StringIn", "data.operationName"):
        return operation in values
    if kind == ("StringContains", "subject"):
        return any(value in subject for value in values)
    return True


def _lowered(values: object) -> tuple[str, ...]:
    return tuple(one.lower() for one in texts(values))


def filter_of(subscribed: Mapping[str, Any]) -> Mapping[str, Any]:
    """The filter of an event subscription, from its properties."""
    return mapping(subscribed.get("filter"))
