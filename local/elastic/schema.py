"""The request bodies of the Elastic Cloud API, checked strictly; called by the operations before they do anything.

Written from the field lists of Elastic's API reference, without its document. A field that the API does not know is
refused too: that is how a client's typing mistake shows here and not in production.
"""

from __future__ import annotations

import ipaddress
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from local.elastic.errors import ApiError, invalid_json
from local.elastic.model import AZURE_PRIVATE_ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

RULESET_TYPES = (
    "ip",
    "vpce",
    AZURE_PRIVATE_ENDPOINT,
    "gcp_private_service_connect_endpoint",
    "egress_firewall",
    "remote_cluster",
)


class Field(NamedTuple):
    """Type of one field, and whether it must be there."""

    type: type
    required: bool = False


_NAMES = {str: "string", bool: "boolean", int: "integer", list: "array", dict: "object"}
_RULESET = {
    "name": Field(str, True),
    "type": Field(str, True),
    "region": Field(str, True),
    "include_by_default": Field(bool, True),
    "rules": Field(list, True),
    "description": Field(str),
}
_RULE = {
    "id": Field(str),
    "description": Field(str),
    "source": Field(str),
    "azure_endpoint_name": Field(str),
    "azure_endpoint_guid": Field(str),
    "egress_rule": Field(dict),
    "remote_cluster_id": Field(str),
    "remote_cluster_org_id": Field(str),
}
_EGRESS = {"target": Field(str, True), "protocol": Field(str, True), "ports": Field(list)}
_ASSOCIATION = {"entity_type": Field(str, True), "id": Field(str, True)}
_CLAIM = {
    "region": Field(str, True),
    "link_id": Field(str),
    "azure_endpoint_name": Field(str),
    "azure_endpoint_guid": Field(str),
}
_DEPLOYMENT_UPDATE = {
    "name": Field(str),
    "alias": Field(str),
    "metadata": Field(dict),
    "prune_orphans": Field(bool, True),
}
# What each type of ruleset needs in each of its rules, and may have besides id and description.
_RULE_FIELDS = {
    "ip": ("source",),
    "vpce": ("source",),
    AZURE_PRIVATE_ENDPOINT: ("azure_endpoint_name", "azure_endpoint_guid"),
    "gcp_private_service_connect_endpoint": ("source",),
    "egress_firewall": ("egress_rule",),
    "remote_cluster": ("remote_cluster_id", "remote_cluster_org_id"),
}


def check_object(body: Any, fields: Mapping[str, Field], where: str = "") -> dict[str, Any]:
    """The body itself when it is an object with these fields and no others."""
    if not isinstance(body, dict):
        raise invalid_json(f"{where or 'body'}: object expected")
    prefix = f"{where}." if where else ""
    for name, field in fields.items():
        if name not in body:
            if field.required:
                raise invalid_json(f"object has missing required properties ([{name!r}])", prefix + name)
            continue
        value = body[name]
        # bool is an int to Python, not to JSON.
        if not isinstance(value, field.type) or (field.type is int and isinstance(value, bool)):
            raise invalid_json(f"{prefix}{name}: {_NAMES[field.type]} expected", prefix + name)
    for name in body:
        if name not in fields:
            raise invalid_json(f"{prefix}{name}: unknown property", prefix + name)
    return body


def ruleset_request(body: Any, regions: Collection[str]) -> dict[str, Any]:
    """Body of create and update."""
    request = check_object(body, _RULESET)
    if not request["name"].strip():
        raise invalid_json("name: must not be empty", "name")
    if request["type"] not in RULESET_TYPES:
        raise invalid_json(f"type: required one of [{', '.join(RULESET_TYPES)}]", "type")
    check_region(request["region"], regions)
    if not request["rules"]:
        raise invalid_json("rules: at least one rule is required", "rules")
    for index, rule in enumerate(request["rules"]):
        _check_rule(rule, request["type"], f"rules[{index}]")
    return request


def _check_rule(rule: Any, ruleset_type: str, where: str) -> None:
    check_object(rule, _RULE, where)
    wanted = _RULE_FIELDS[ruleset_type]
    for name in wanted:
        if not rule.get(name):
            raise invalid_json(f"{where}.{name}: required for type {ruleset_type}", f"{where}.{name}")
    for name in rule:
        if name not in (*wanted, "id", "description"):
            raise invalid_json(f"{where}.{name}: not allowed for type {ruleset_type}", f"{where}.{name}")
    if ruleset_type == AZURE_PRIVATE_ENDPOINT:
        _check_form(uuid.UUID, rule["azure_endpoint_guid"], "a GUID", f"{where}.azure_endpoint_guid")
    elif ruleset_type == "ip":
        _check_form(ipaddress.ip_network, rule["source"], "an IP address or CIDR mask", f"{where}.source")
    elif ruleset_type == "egress_firewall":
        check_object(rule["egress_rule"], _EGRESS, f"{where}.egress_rule")


def _check_form(parse: Callable[[str], object], value: str, form: str, where: str) -> None:
    try:
        parse(value)
    except ValueError:
        raise invalid_json(f"{where}: {form} expected", where) from None


def check_region(region: str, regions: Collection[str]) -> None:
    """Refuse a region that has no hosted deployments."""
    if region.removeprefix("azure-") not in regions or not region.startswith("azure-"):
        raise ApiError(400, "region_not_found", f"The region [{region}] cannot be found.", ("region",))


def association_request(body: Any) -> dict[str, Any]:
    """Body of "associate"."""
    request = check_object(body, _ASSOCIATION)
    if request["entity_type"] != "deployment":
        raise ApiError(400, "traffic_filter.invalid_association_type", "Invalid association type.", ("entity_type",))
    return request


def claim_request(body: Any, regions: Collection[str]) -> dict[str, Any]:
    """Body of claim and unclaim: an Azure endpoint by name and GUID."""
    request = check_object(body, _CLAIM)
    check_region(request["region"], regions)
    for name in ("azure_endpoint_name", "azure_endpoint_guid"):
        if not request.get(name):
            code = "traffic_filter_claimed_link_id.invalid_input"
            raise ApiError(400, code, f"{name} is required in an Azure region.", (name,))
    return request


def deployment_update(body: Any) -> dict[str, Any]:
    """Body of a deployment update, without the resources, which the simulator cannot change."""
    request = check_object(body, _DEPLOYMENT_UPDATE)
    metadata = check_object(request.get("metadata", {}), {"tags": Field(list)}, "metadata")
    _check_tags(metadata.get("tags", []), "metadata.tags")
    return request


def deployment_tags(body: Any) -> list[dict[str, str]]:
    """Body of "set deployment tags"."""
    request = check_object(body, {"tags": Field(list)})
    tags: list[dict[str, str]] = request.get("tags", [])
    _check_tags(tags, "tags")
    return tags


def _check_tags(tags: list[Any], where: str) -> None:
    for index, tag in enumerate(tags):
        check_object(tag, {"key": Field(str, True), "value": Field(str, True)}, f"{where}[{index}]")
