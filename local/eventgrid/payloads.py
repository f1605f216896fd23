"""The events themselves, in both schemas, as Microsoft documents those of an Azure subscription.

Called by `local.eventgrid.grid`. A write names the resource group in lower case (`/resourcegroups/`) and has no
`httpRequest`, a delete spells it as ARM does; neither holds the resource. `claims` holds (invented) personal data, as
real events do, so that a test can look for it where it must never turn up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime

Schema = Literal["EventGridSchema", "CloudEventSchemaV1_0"]

_UPN = "ada.lovelace@example.com"
_NAME = "Ada Lovelace"
_IP_ADDRESS = "203.0.113.77"
_OBJECT_ID = "5ee1f1ce-0b5e-4c0d-8a5d-ada000000001"
PERSONAL_DATA = (_UPN, _NAME, _IP_ADDRESS, _OBJECT_ID)
"""Texts of the events that belong in no log, table or queue."""

_ROLES = {"write": "Write", "delete": "Delete", "action": "Action"}
_RESULTS = {"Succeeded": "Success", "Failed": "Failure", "Canceled": "Cancel"}


class ResourceChange(Protocol):
    """What is known of one change in ARM; `local.arm.ResourceEvent` is one."""

    @property
    def operation(self) -> str: ...  # noqa: D102 - write, delete
    @property
    def status(self) -> str: ...  # noqa: D102 - Succeeded, Failed
    @property
    def resource_id(self) -> str: ...  # noqa: D102
    @property
    def resource_type(self) -> str: ...  # noqa: D102 - Microsoft.Network/privateEndpoints
    @property
    def subscription_id(self) -> str: ...  # noqa: D102
    @property
    def tenant_id(self) -> str: ...  # noqa: D102
    @property
    def correlation_id(self) -> str: ...  # noqa: D102
    @property
    def at(self) -> datetime: ...  # noqa: D102
    @property
    def client_id(self) -> str: ...  # noqa: D102 - of an application; empty for a person


def event_time(at: datetime) -> str:
    """Seven digits of a second, as Event Grid writes them."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0Z"


def resource_event(change: ResourceChange, event_id: str, schema: Schema, *, bare: bool) -> dict[str, Any]:
    """One event about `change`; `bare` leaves out who did it."""
    subject = change.resource_id
    if change.operation == "write":
        subject = re.sub("/resourceGroups/", "/resourcegroups/", subject, flags=re.IGNORECASE)
    kind = f"Microsoft.Resources.Resource{_ROLES[change.operation]}{_RESULTS[change.status]}"
    source = f"/subscriptions/{change.subscription_id}"
    data = _data(change, subject, bare=bare)
    if schema == "CloudEventSchemaV1_0":
        return {
            "subject": subject,
            "source": source,
            "type": kind,
            "time": event_time(change.at),
            "id": event_id,
            "data": data,
            "specversion": "1.0",
        }
    return {
        "subject": subject,
        "eventType": kind,
        "eventTime": event_time(change.at),
        "id": event_id,
        "data": data,
        "dataVersion": "2",
        "metadataVersion": "1",
        "topic": source,
    }


def _data(change: ResourceChange, subject: str, *, bare: bool) -> dict[str, Any]:
    name = f"{change.resource_type}/{change.operation}"
    scope = f"/subscriptions/{change.subscription_id}"
    evidence = {"role": "Contributor", "roleAssignmentScope": scope, "principalType": "User"}
    data: dict[str, Any] = {
        "authorization": {"scope": subject, "action": name, "evidence": [] if bare else evidence},
        "claims": {} if bare else _claims(change.tenant_id, change.client_id),
        "correlationId": change.correlation_id,
    }
    if change.operation == "delete":
        data["httpRequest"] = {
            "clientRequestId": change.correlation_id,
            "clientIpAddress": _IP_ADDRESS,
            "method": "DELETE",
            "url": f"https://management.azure.com{change.resource_id}?api-version=2024-05-01",
        }
    return data | {
        "resourceProvider": change.resource_type.split("/")[0],
        "resourceUri": subject,
        "operationName": name,
        "status": change.status,
        "subscriptionId": change.subscription_id,
        "tenantId": change.tenant_id,
    }


def _claims(tenant_id: str, client_id: str) -> dict[str, str]:
    claims = {
        "aud": "https://management.core.windows.net/",
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "iat": "1767225600",
        "nbf": "1767225600",
        "exp": "1767229200",
        "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "appidacr": "2",
        "ipaddr": _IP_ADDRESS,
        "name": _NAME,
        "http://schemas.microsoft.com/identity/claims/objectidentifier": _OBJECT_ID,
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": _UPN,
        "ver": "1.0",
    }
    if not client_id:
        return claims
    of_people = ("ipaddr", "name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn")
    return {name: value for name, value in claims.items() if name not in of_people} | {"appid": client_id}


def validation_event(topic: str, event_id: str, code: str, at: datetime) -> dict[str, Any]:
    """The event that a webhook proves its consent with."""
    return {
        "id": event_id,
        "topic": topic,
        "subject": "",
        "data": {
            "validationCode": code,
            "validationUrl": f"https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/local/validate?id={code}",
        },
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": event_time(at),
        "metadataVersion": "1",
        "dataVersion": "2",
    }
