"""The request bodies of the Serverless API, checked strictly; called by the operations before they do anything."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from local.elastic.errors import ApiError, invalid_json
from local.elastic.schema import Field, check_object

if TYPE_CHECKING:
    from collections.abc import Collection

PRIVATE_ENDPOINT = "private_endpoint"
_TYPES = ("ip", "vpce", PRIVATE_ENDPOINT)
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_TAG_KEY = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_TAG_VALUE = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}")
_MOST_TAGS = 64
_NAME = {PRIVATE_ENDPOINT: (2, 80)}
_OTHER_NAME = (1, 128)
_DESCRIPTION = 512
_CREATE = {
    "name": Field(str, True),
    "description": Field(str),
    "type": Field(str, True),
    "include_by_default": Field(bool),
    "region": Field(str, True),
    "rules": Field(list),
}
_PATCH = {name: Field(_CREATE[name].type) for name in ("name", "description", "include_by_default", "rules")}
_RULE = {
    "description": Field(str),
    "source": Field(str),
    "azure_endpoint_name": Field(str),
    "azure_endpoint_guid": Field(str),
}


def create_request(body: Any, regions: Collection[str]) -> dict[str, Any]:
    """Body of "create traffic filter"."""
    request = check_object(body, _CREATE)
    if request["type"] not in _TYPES:
        raise invalid_json(f"type: required one of [{', '.join(_TYPES)}]", "type")
    if request["region"].removeprefix("azure-") not in regions or not request["region"].startswith("azure-"):
        raise ApiError(400, "region_not_found", f"The region [{request['region']}] cannot be found.", ("region",))
    _check(request, request["type"])
    return request


def patch_request(body: Any, kind: str) -> dict[str, Any]:
    """Body of "patch traffic filter"; type and region cannot be changed."""
    request = check_object(body, _PATCH)
    _check(request, kind)
    return request


def project_patch(body: Any) -> dict[str, Any]:
    """Body of "patch project", as far as the simulator changes it. What it does not know is refused."""
    if not isinstance(body, dict):
        raise invalid_json("body: object expected")
    for name in body:
        if name not in ("name", "alias", "metadata", "traffic_filters"):
            raise invalid_json(f"{name}: unknown property", name)
    filters = body.get("traffic_filters")
    if filters is not None:
        if not isinstance(filters, list):
            raise invalid_json("traffic_filters: array expected", "traffic_filters")
        for index, one in enumerate(filters):
            check_object(one, {"id": Field(str, True)}, f"traffic_filters[{index}]")
    tags = check_object(body.get("metadata", {}), {"tags": Field(dict)}, "metadata").get("tags", {})
    check_tags(tags)
    return body


def check_tags(tags: dict[str, Any]) -> None:
    """Refuse tags that a project cannot have; `null` takes one away."""
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key) or not (value is None or _TAG_VALUE.fullmatch(str(value))):
            raise invalid_json(f"metadata.tags.{key}: not a tag", "metadata.tags")
    if len(tags) > _MOST_TAGS:
        raise invalid_json("metadata.tags: too many", "metadata.tags")


def _check(request: dict[str, Any], kind: str) -> None:
    least, most = _NAME.get(kind, _OTHER_NAME)
    if not least <= len(request.get("name", "x" * least)) <= most:
        raise invalid_json(f"name: {least} to {most} characters expected", "name")
    if len(request.get("description", "")) > _DESCRIPTION:
        raise invalid_json(f"description: at most {_DESCRIPTION} characters expected", "description")
    for index, rule in enumerate(request.get("rules", [])):
        _check_rule(rule, kind, f"rules[{index}]")


def _check_rule(rule: Any, kind: str, where: str) -> None:
    check_object(rule, _RULE, where)
    if kind != PRIVATE_ENDPOINT:
        try:
            ipaddress.ip_network(rule.get("source", "")) if kind == "ip" else None
        except ValueError:
            raise invalid_json(f"{where}.source: an IP address or CIDR mask expected", f"{where}.source") from None
        return
    if "source" in rule:
        raise invalid_json(f"{where}.source: must not be set for type {kind}", f"{where}.source")
    if not rule.get("azure_endpoint_name"):
        raise invalid_json(f"{where}.azure_endpoint_name: required", f"{where}.azure_endpoint_name")
    if not _GUID.fullmatch(rule.get("azure_endpoint_guid", "")):
        raise invalid_json(f"{where}.azure_endpoint_guid: a lowercase UUID expected", f"{where}.azure_endpoint_guid")
