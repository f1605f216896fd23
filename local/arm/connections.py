"""Reads and checks the body of a private endpoint's PUT: its one connection and its subnet. Called by `endpoints`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.arm.errors import bad_request
from local.arm.ids import ResourcePath, parse, parse_resource
from local.arm.model import Connection

if TYPE_CHECKING:
    from local.arm.context import Call
    from local.arm.model import Subnet, VirtualNetwork
    from local.arm.store import Store

AUTOMATIC, MANUAL = "privateLinkServiceConnections", "manualPrivateLinkServiceConnections"
ALIAS = re.compile(
    r"[\w-]+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z0-9]+\.azure\.privatelinkservice", re.IGNORECASE
)
SUBNET = "virtualNetworks/subnets"


def read_connection(call: Call) -> Connection:
    """The connection that the body asks for: by alias it waits for approval, by resource id it has it."""
    properties = call.properties()
    wanted = [(field, item) for field in (AUTOMATIC, MANUAL) for item in properties.get(field) or []]
    if len(wanted) != 1:
        raise bad_request(
            "InvalidRequestFormat",
            f"A private endpoint has exactly one private link service connection; the request has {len(wanted)}.",
        )
    field, item = wanted[0]
    inner = item.get("properties") or {}
    service = inner.get("privateLinkServiceId") or ""
    where = f"properties.{field}[0].properties.privateLinkServiceId"
    _check_service(service, where, manual=field == MANUAL)
    message = inner.get("requestMessage") or ""
    if len(message) > 140:
        raise bad_request("InvalidRequestFormat", "The request message of a connection is restricted to 140 chars.")
    manual = field == MANUAL
    return Connection(
        name=item.get("name") or call.path.name,
        service=service,
        manual=manual,
        group_ids=list(inner.get("groupIds") or []),
        request_message=message,
        status="Pending" if manual else "Approved",
        description="Awaiting Approval" if manual else "",
    )


def _check_service(service: str, where: str, *, manual: bool) -> None:
    if (manual and ALIAS.fullmatch(service)) or service.lower().startswith("/subscriptions/"):
        return
    raise bad_request(
        "LinkedInvalidPropertyId",
        f"Property id '{service}' at path '{where}' is invalid. Expect fully qualified resource Id that start with "
        "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'"
        + (", or an alias of a private link service." if manual else "."),
    )


def read_subnet(
    call: Call, location: str, networks: Store[VirtualNetwork]
) -> tuple[ResourcePath, VirtualNetwork, Subnet]:
    """The subnet of the body, which must exist, in a network of the endpoint's own region."""
    text = (call.properties().get("subnet") or {}).get("id")
    if not text:
        raise bad_request(
            "InvalidRequestFormat", "The private endpoint has no subnet: properties.subnet.id is missing."
        )
    path = parse_resource(text, SUBNET)
    if path is None:
        raise bad_request("LinkedInvalidPropertyId", f"Property id '{text}' at path 'properties.subnet.id' is invalid.")
    network = networks.get(path.parent.id)
    subnet = network.subnet(path.name) if network else None
    if network is None or subnet is None or network.location != location:
        raise bad_request(
            "InvalidResourceReference",
            f"Resource {text} referenced by resource {call.path.id} was not found. Please make sure that the "
            "referenced resource exists, and that both resources are in the same region.",
        )
    found = parse(f"{network.id}/subnets/{subnet.name}") or path
    return found, network, subnet
