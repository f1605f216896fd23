"""From what the product asks of Azure Resource Manager to the rights that Azure wants for it.

The one table to extend when the product learns to ask for more: an operation that is not in it fails the tests, and so
does one of a role that nothing here needs. Actions: "Azure resource provider operations", Microsoft.Network,
https://learn.microsoft.com/azure/role-based-access-control/permissions/networking.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from local.arm.ids import parse

NETWORK = "Microsoft.Network"
TOPICS = "Microsoft.EventGrid/systemTopics"
ACTIONS = {
    "GET privateEndpoints": f"{NETWORK}/privateEndpoints/read",
    "GET networkInterfaces": f"{NETWORK}/networkInterfaces/read",
    "GET virtualNetworks": f"{NETWORK}/virtualNetworks/read",
    "GET privateDnsZones": f"{NETWORK}/privateDnsZones/read",
    "PUT privateDnsZones": f"{NETWORK}/privateDnsZones/write",
    "DELETE privateDnsZones": f"{NETWORK}/privateDnsZones/delete",
    "GET privateDnsZones/virtualNetworkLinks": f"{NETWORK}/privateDnsZones/virtualNetworkLinks/read",
    "PUT privateDnsZones/virtualNetworkLinks": f"{NETWORK}/privateDnsZones/virtualNetworkLinks/write",
    "DELETE privateDnsZones/virtualNetworkLinks": f"{NETWORK}/privateDnsZones/virtualNetworkLinks/delete",
    "GET privateDnsZones/ALL": f"{NETWORK}/privateDnsZones/ALL/read",
    "PUT privateDnsZones/A": f"{NETWORK}/privateDnsZones/A/write",
    "DELETE privateDnsZones/A": f"{NETWORK}/privateDnsZones/A/delete",
    "GET privateDnsOperationStatuses": f"{NETWORK}/privateDnsOperationStatuses/read",
    "GET permissions": "Microsoft.Authorization/permissions/read",
    "GET roleAssignments": "Microsoft.Authorization/roleAssignments/read",
    "GET systemTopics": f"{TOPICS}/read",
    "GET systemTopics/eventSubscriptions": f"{TOPICS}/eventSubscriptions/read",
}
LINKED_ACTIONS = {
    "PUT privateDnsZones/virtualNetworkLinks": f"{NETWORK}/virtualNetworks/join/action",
}
"""What Azure asks for besides, on another resource that the request points to."""


def actions_of(request: str) -> list[str]:
    """The actions for one request (`METHOD URL`); KeyError for one that the table does not know."""
    method, url = request.split(" ", 1)
    path = unquote(urlsplit(url).path)
    if f"/{TOPICS}" in path:
        return [ACTIONS[f"{method} systemTopics{'/eventSubscriptions' if '/eventSubscriptions/' in path else ''}"]]
    kind = path.rpartition("/providers/Microsoft.Authorization/")[2]
    if kind in {"permissions", "roleAssignments"}:
        return [ACTIONS[f"{method} {kind}"]]
    target = parse(path)
    assert target is not None, request
    operation = f"{method} {target.kind}"
    return [ACTIONS[operation], *([LINKED_ACTIONS[operation]] if operation in LINKED_ACTIONS else [])]
