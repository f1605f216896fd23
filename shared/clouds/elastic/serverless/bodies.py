"""The Serverless API's JSON as the model's values, and request bodies; used by the client of this family.

Source: Elastic's guide "Network security through the Elastic Cloud API" (elastic/docs-content) and the description of
the Serverless project API. Anything may be missing or `null`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.clouds.elastic.transport import is_unread
from shared.core.model.json_values import identifier, mapping, mappings, text
from shared.core.model.markers import marker_from_description, updated_description
from shared.core.model.resources import POLICY_TYPE, Policy, Rule, Target
from shared.core.model.services import HTTPS_PORT, SERVERLESS_ALIAS, Family, PrivateUrl, Service
from shared.core.model.steps import CreatePolicy, UpdatePolicy

FILTER_TYPE = "private_endpoint"
"""What this family's API calls a private connection policy."""
LONGEST_NAME = 80
"""Characters in the name of such a filter; at least two."""
_ENDING = ".azure.elastic.cloud"
_PRIVATE = "private"


def policy_of(body: Mapping[str, Any], projects: tuple[str, ...]) -> Policy | None:
    """A traffic filter, which these projects have; None where it has no id.

    A rule that cannot be read counts as one of others: it is there, and is nothing of ours.
    """
    policy_id, rules = identifier(body.get("id")), _listed(body.get("rules"))
    if not policy_id:
        return None
    named = [rule for rule in mappings(rules) if text(rule.get("azure_endpoint_guid"))]
    kind = text(body.get("type"))
    return Policy(
        id=policy_id,
        name=text(body.get("name")),
        type=POLICY_TYPE if kind == FILTER_TYPE else kind,
        region=text(body.get("region")),
        include_by_default=bool(body.get("include_by_default")),
        description=text(body.get("description")),
        rules=tuple(Rule(text(rule.get("azure_endpoint_name")), text(rule["azure_endpoint_guid"])) for rule in named),
        associations=projects,
        marker=marker_from_description(body.get("description")),
        other_rules=len(rules) - len(named),
        unreadable=any(map(is_unread, rules)),
        counted=False,
    )


def create_body(step: CreatePolicy) -> dict[str, Any]:
    """The request for a new filter: the GUID in lower case, and no `source`, which this family refuses."""
    return {
        "name": _name(step.name),
        "description": step.marker.description(),
        "type": FILTER_TYPE,
        "region": step.region,
        "include_by_default": False,
        "rules": [_rule(step)],
    }


def update_body(current: Mapping[str, Any], step: UpdatePolicy) -> dict[str, Any]:
    """The request that lets a filter follow its endpoint: rules are replaced as a whole, those of others go along."""
    guids = {*step.replaces, step.endpoint_guid.lower()}
    others = [
        {name: value for name, value in rule.items() if value is not None}
        for rule in mappings(current.get("rules"))
        if text(rule.get("azure_endpoint_guid")).lower() not in guids
    ]
    return {
        "name": _name(step.name),
        "description": updated_description(text(current.get("description")), step.marker),
        "rules": [_rule(step), *others],
    }


def filters_of(project: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Ids of the filters that a project has; None: it does not say, or an entry of its list cannot be read."""
    listed = project.get("traffic_filters")
    if not isinstance(listed, list):
        return None
    found = tuple(identifier(mapping(entry).get("id")) for entry in listed)
    return found if all(found) else None


def project_of(body: Mapping[str, Any]) -> Target | None:
    """A project as a target; None where it has no id, or tags that cannot be read: they say no, too.

    Its list does not say whether it runs.
    """
    project_id, tags = identifier(body.get("id")), _tags(mapping(body.get("metadata")).get("tags"))
    if not project_id or tags is None:
        return None
    return Target(
        id=project_id,
        name=text(body.get("name")),
        region=text(body.get("region_id")),
        running=True,
        attached=filters_of(body),
        tags=tags,
        urls=private_urls(body),
        family=Family.SERVERLESS,
        project_type=text(body.get("type")),
    )


def _listed(found: object) -> list[Any]:
    """A list; what stands in its place and is none is an entry that cannot be read."""
    return [] if found is None else found if isinstance(found, list) else [found]


def _tags(found: object) -> dict[str, str] | None:
    tags = {} if found is None else found
    if not isinstance(tags, dict) or any(value != "" and not text(value) for value in tags.values()):
        return None
    return tags


def private_urls(project: Mapping[str, Any]) -> tuple[PrivateUrl, ...]:
    """A project's private URLs, Elasticsearch's first: as the API gives them, else computed from the public ones."""
    given = mapping(project.get("private_endpoints"))
    urls = given or {name: _private(text(url)) for name, url in mapping(project.get("endpoints")).items()}
    found = [PrivateUrl(name, host, HTTPS_PORT) for name, url in urls.items() if (host := _host(text(url)))]
    return tuple(
        sorted((one for one in found if _is_private(one.host)), key=lambda one: one.service != "elasticsearch")
    )


def service_of(body: Mapping[str, Any]) -> Service | None:
    """A service of the metadata; None for what is not Azure's, or is not what it should be: nothing is made for it."""
    region, alias = text(body.get("region")), text(body.get("private_service_name")).lower()
    zone = text(body.get("private_hosted_zone_domain_name")).lower().rstrip(".")
    match = SERVERLESS_ALIAS.match(alias)
    if match is None or region != f"azure-{match['region']}" or zone != f"{_PRIVATE}.{match['region']}{_ENDING}":
        return None
    return Service(Family.SERVERLESS, match["region"], alias, zone)


def _name(name: str) -> str:
    return name[:LONGEST_NAME]


def _rule(step: CreatePolicy | UpdatePolicy) -> dict[str, str]:
    return {"azure_endpoint_name": step.endpoint_name, "azure_endpoint_guid": step.endpoint_guid.lower()}


def _private(public: str) -> str:
    """The private URL of a public one: `private` before the region; empty where that rule does not apply."""
    labels, dot, region = _host(public).removesuffix(_ENDING).rpartition(".")
    return f"https://{labels}.{_PRIVATE}.{region}{_ENDING}" if dot and _host(public).endswith(_ENDING) else ""


def _is_private(host: str) -> bool:
    return host.endswith(_ENDING) and host.removesuffix(_ENDING).split(".")[-2:-1] == [_PRIVATE]


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # such as an unclosed bracket
        return ""
