"""What a client asks before its first real request: which cloud this is, and what it has. Called by `app` and `groups`.

Azure's CLI takes all addresses of a cloud from `/metadata/endpoints` (`az cloud register`), which needs no token, and
from a provider the api-version of a type (`az resource`).
"""

from __future__ import annotations

from typing import Any

from local.arm.versions import versions_of

METADATA_PATH = "/metadata/endpoints"
_TYPES = (
    "virtualNetworks",
    "privateEndpoints",
    "networkInterfaces",
    "privateDnsZones",
    "privateDnsZones/virtualNetworkLinks",
    *(f"privateDnsZones/{kind}" for kind in ("A", "AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT", "ALL")),
)


def cloud(base_url: str, tenant_id: str) -> dict[str, Any]:
    """The addresses of this cloud; it has Resource Manager and managed identities, and no place to sign in."""
    return {
        "name": "Local",
        "resourceManager": f"{base_url}/",
        "portal": base_url,
        "authentication": {
            "loginEndpoint": base_url,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": tenant_id,
            "identityProvider": "AAD",
        },
        "suffixes": {},
    }


def provider(subscription: str) -> dict[str, Any]:
    """Microsoft.Network, as registered in the subscription."""
    types = [
        {"resourceType": kind, "locations": [], "apiVersions": list(reversed(versions_of(kind)))} for kind in _TYPES
    ]
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.Network",
        "namespace": "Microsoft.Network",
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": types,
    }
