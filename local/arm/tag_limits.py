"""How many tags a resource may have, and how long: refused by ARM's front end. Called by `app`.

50 tags, names of 512 and values of 256 characters; private DNS zones, links and record sets (whose tags are called
metadata) take 15: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources. The code for too
many is ours; the others were seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.arm.errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.arm.ids import ResourcePath

MAX_TAGS, MAX_DNS_TAGS = 50, 15
MAX_NAME, MAX_VALUE = 512, 256


def check_limits(target: ResourcePath, body: Any) -> None:
    """400 for a body with too many tags or too long ones."""
    given: Any = body if isinstance(body, dict) else {}
    properties = given.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    kind = "/".join(target.types)
    record = kind.startswith("privateDnsZones/") and kind != "privateDnsZones/virtualNetworkLinks"
    tags = properties.get("metadata") if record else properties.get("tags") if target.tags else given.get("tags")
    if isinstance(tags, dict):
        most = MAX_DNS_TAGS if kind.startswith("privateDns") else MAX_TAGS
        _check(tags, most, wrapped=not record)


def _check(tags: Mapping[str, Any], most: int, *, wrapped: bool) -> None:
    if len(tags) > most:
        message = f"The resource has {len(tags)} tags. The maximum number of tags allowed is {most}."
        raise ArmError(400, "TooManyTags", message, wrapped=wrapped)
    for name in (one for one in tags if len(one) > MAX_NAME):
        message = (
            f"Tag key too large. Following tag name '{name}' exceeded the maximum length. Maximum allowed length for "
            f"tag name - '{MAX_NAME}' characters."
        )
        raise ArmError(400, "InvalidTagName", message, wrapped=wrapped)
    for value in (str(one) for one in tags.values() if len(str(one)) > MAX_VALUE):
        message = (
            f"Tag value too large. Following tag value '{value}' exceeded the maximum length. Maximum allowed length "
            f"for tag value - '{MAX_VALUE}' characters."
        )
        raise ArmError(400, "InvalidTagValueLength", message, wrapped=wrapped)
