"""The shapes of the bodies that callers may send: checked by `app` before a handler reads anything out of one.

Only types are looked at here; what must be there, and what it may say, is each handler's own business. A field that no
shape names is let through: Azure's SDKs send back what they once read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.arm.errors import ArmError

if TYPE_CHECKING:
    from local.arm.context import Call

_REFERENCE = {"id": str}
_PEERING = {"remoteVirtualNetwork": _REFERENCE}
_SUBNET = {"addressPrefix": str, "addressPrefixes": [str]}
_CONNECTIONS = [
    {"name": str, "properties": {"privateLinkServiceId": str, "groupIds": [str], "requestMessage": str}},
]
_RECORDS = {
    "ttl": int,
    "metadata": dict,
    "aRecords": [{"ipv4Address": str}],
    "aaaaRecords": [{"ipv6Address": str}],
    "cnameRecord": {"cname": str},
    "mxRecords": [{"preference": int, "exchange": str}],
    "ptrRecords": [{"ptrdname": str}],
    "srvRecords": [{"priority": int, "weight": int, "port": int, "target": str}],
    "txtRecords": [{"value": [str]}],
}
_SHAPES: dict[str, dict[str, Any]] = {
    "virtualNetworks": {
        "addressSpace": {"addressPrefixes": [str]},
        "dhcpOptions": {"dnsServers": [str]},
        "subnets": [{"name": str, "properties": _SUBNET}],
        "virtualNetworkPeerings": [{"name": str, "properties": _PEERING}],
    },
    "virtualNetworks/subnets": _SUBNET,
    "virtualNetworks/virtualNetworkPeerings": _PEERING,
    "privateEndpoints": {
        "subnet": _REFERENCE,
        "customNetworkInterfaceName": str,
        "ipVersionType": str,
        "ipConfigurations": [{"name": str, "properties": {"groupId": str, "memberName": str, "privateIPAddress": str}}],
        "applicationSecurityGroups": [_REFERENCE],
        "privateLinkServiceConnections": _CONNECTIONS,
        "manualPrivateLinkServiceConnections": _CONNECTIONS,
    },
    "privateDnsZones/virtualNetworkLinks": {
        "virtualNetwork": _REFERENCE,
        "registrationEnabled": bool,
        "resolutionPolicy": str,
    },
}
_NAMES = {bool: "true or false", dict: "an object", int: "a number", list: "a list", str: "a text"}


def check_shape(call: Call) -> None:
    """Refuse a body in which something is of another type than its resource type has it."""
    kind, document = call.path.kind, call.document()
    record = kind.startswith("privateDnsZones/") and kind not in _SHAPES
    shape = _RECORDS if record else _SHAPES.get(kind, {})
    problem = _problem(document.get("properties"), shape, "properties")
    if problem is None:
        return
    code = "BadRequest" if kind.startswith("privateDns") else "InvalidRequestFormat"
    raise ArmError(400, code, f"Cannot parse the request. {problem}", wrapped=not record)


def _problem(value: Any, shape: Any, where: str) -> str | None:
    """What does not fit, in words; null stands for "not given" everywhere but in a list."""
    if value is None:
        return None
    expected: Any = shape if isinstance(shape, type) else type(shape)
    if type(value) is not expected:  # JSON's types, and true is no number
        return f"The value at '{where}' is not {_NAMES[expected]}."
    if isinstance(shape, dict):
        problems = (_problem(value.get(name), inner, f"{where}.{name}") for name, inner in shape.items())
        return next(filter(None, problems), None)
    if isinstance(shape, list):
        problems = (_item_problem(one, shape[0], f"{where}[{number}]") for number, one in enumerate(value))
        return next(filter(None, problems), None)
    return None


def _item_problem(item: Any, shape: Any, where: str) -> str | None:
    return f"The value at '{where}' is null." if item is None else _problem(item, shape, where)
