"""Azure resource ids: parse, compare, and the short connection id that URLs and table rows show.

Called by everything that handles an id. Azure spells the same id in several ways (`/resourcegroups/` in write events,
`/resourceGroups/` in delete events), so ids are compared in lower case and kept as ARM spelled them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from shared.core.model.errors import InvalidInput

PRIVATE_ENDPOINT_TYPE = "microsoft.network/privateendpoints"

# Resource names of the types we follow: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_ID = re.compile(
    r"^/subscriptions/(?P<subscription>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
    r"/resourcegroups/(?P<group>[^/?#%\s]{1,90})"
    r"/providers/(?P<provider>[a-z0-9.]+)/(?P<type>[a-z]+)/(?P<name>[^/?#%\s]{1,80})"
    r"(?P<children>(?:/[a-z]+/[^/?#%\s]+)*)$",
    re.IGNORECASE | re.ASCII,
)
_OTHER_PATH = re.compile(r"/\.{1,2}(?:/|$)")
MAX_ID_LENGTH = 512
_KELVIN = "\u212a"


@dataclass(frozen=True, slots=True)
class ArmId:
    """The parts of an Azure resource id, as spelled."""

    text: str
    subscription_id: str
    resource_group: str
    type: str
    """`provider/type` in lower case, of the top-level resource."""
    name: str
    children: str = ""
    """What follows the top-level resource's name, for example `/subnets/default`."""

    @property
    def key(self) -> str:
        """The form to compare by."""
        return lower_case(self.text)

    @property
    def is_private_endpoint(self) -> bool:
        """Whether this names a private endpoint itself, not a child of one."""
        return self.type == PRIVATE_ENDPOINT_TYPE and not self.children

    @property
    def parent(self) -> str:
        """The id of the top-level resource: a subnet's virtual network, a link's zone."""
        return self.text.removesuffix(self.children) if self.children else self.text


def parse_arm_id(text: object) -> ArmId:
    """Parse an id; raises InvalidInput for anything that is not a resource in a resource group."""
    found = _ID.fullmatch(text) if isinstance(text, str) and _plain(text) else None
    if found is None:
        shown = text[:120] if isinstance(text, str) else type(text).__name__
        raise InvalidInput("This is no Azure resource id.", on=shown)
    return ArmId(
        text=found.group(0),
        subscription_id=found["subscription"].lower(),
        resource_group=found["group"],
        type=f"{found['provider']}/{found['type']}".lower(),
        name=found["name"],
        children=found["children"],
    )


def _plain(text: str) -> bool:
    """Whether the text can stand in a URL path and a log line as it is: no control characters, no `..` segments."""
    return len(text) <= MAX_ID_LENGTH and text.isprintable() and not _OTHER_PATH.search(text)


def parse_endpoint_id(text: object) -> ArmId:
    """Parse the id of a private endpoint; raises InvalidInput for any other resource."""
    arm_id = parse_arm_id(text)
    if not arm_id.is_private_endpoint:
        raise InvalidInput("This is no private endpoint.", on=arm_id.text)
    return arm_id


def lower_case(text: str) -> str:
    """The text in lower case, for ids that are compared. Only letters of ASCII become letters of ASCII.

    The sign for Kelvin lower-cases to a plain k: an id that is spelled with it is another one, as for Azure.
    """
    return text.lower() if _KELVIN not in text else _KELVIN.join(part.lower() for part in text.split(_KELVIN))


def in_subscription(resource: ArmId, subscription_id: str) -> ArmId:
    """The id of what has the same group and name in another subscription."""
    text = resource.text.replace(resource.text.split("/")[2], subscription_id, 1)
    return replace(resource, text=text, subscription_id=subscription_id.lower())


def record_id(zone: ArmId) -> str:
    """The id of a zone's `*` record."""
    return f"{zone.text}/A/*"


def same_id(one: str, other: str) -> bool:
    """Whether two spellings name one resource."""
    return lower_case(one) == lower_case(other)


def connection_id(endpoint_id: str) -> str:
    """The short, stable id of an endpoint's connection: 16 hex characters of the lower-cased ARM id's SHA-256.

    Table keys cannot hold `/`, and URLs should be short.
    """
    return short_id(endpoint_id)


def short_id(resource_id: str) -> str:
    """An id in 16 characters, the same for every spelling of it."""
    return hashlib.sha256(lower_case(resource_id).encode()).hexdigest()[:16]


def plain_location(text: str) -> str:
    """A location's short name: `East US 2` and `eastus2` are one."""
    return text.replace(" ", "").lower()
