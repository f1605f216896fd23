"""The Elastic Cloud API's JSON, turned into the product's values and back. Used by `elastic`; pure.

The API answers more loosely than it is described: nulls may stand anywhere, and whole objects may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.core.model.markers import marker_from_description, updated_description
from shared.core.model.private_urls import private_urls, region_of
from shared.core.model.resources import Claim, Deployment, Policy, Rule
from shared.core.model.steps import UpdatePolicy


def policy_of(body: Mapping[str, Any]) -> Policy:
    """A policy from the API's JSON, which may have nulls anywhere."""
    rules = [rule for rule in body.get("rules") or [] if isinstance(rule, Mapping)]
    associations = (entry for entry in body.get("associations") or [] if isinstance(entry, Mapping))
    return Policy(
        id=str(body.get("id") or ""),
        name=str(body.get("name") or ""),
        type=str(body.get("type") or ""),
        region=str(body.get("region") or ""),
        include_by_default=bool(body.get("include_by_default")),
        description=str(body.get("description") or ""),
        rules=tuple(
            Rule(str(rule.get("azure_endpoint_name") or ""), str(rule["azure_endpoint_guid"]))
            for rule in rules
            if rule.get("azure_endpoint_guid")
        ),
        associations=tuple(str(a["id"]) for a in associations if a.get("entity_type") == "deployment" and a.get("id")),
        marker=marker_from_description(body.get("description")),
        other_rules=sum(not rule.get("azure_endpoint_guid") for rule in rules),
        hidden_associations=_hidden(body),
    )


def _hidden(body: Mapping[str, Any]) -> int:
    """How many associations are counted but not listed: with deployments that the key may not see."""
    total, listed = body.get("total_associations"), body.get("associations") or []
    return max(0, total - len(listed)) if isinstance(total, int) else 0


def claim_of(body: Mapping[str, Any]) -> Claim:
    """A claim from the API's JSON."""
    name, guid = body.get("azure_endpoint_name"), body.get("azure_endpoint_guid")
    return Claim(str(body.get("region") or ""), str(name or ""), str(guid or ""))


def updated_ruleset(current: Mapping[str, Any], step: UpdatePolicy) -> dict[str, Any]:
    """The complete body of a PUT that changes only what the step says: the API removes what is left out.

    Rules of others are sent back as they are, without their ids, which a PUT makes anew. Where none of the rules is one
    to be replaced, the endpoint's rule is added.
    """
    mine = {"azure_endpoint_name": step.endpoint_name, "azure_endpoint_guid": step.endpoint_guid}
    guids = {*step.replaces, step.endpoint_guid.lower()}
    others = [
        {name: value for name, value in rule.items() if name != "id" and value is not None}
        for rule in current.get("rules") or []
        if str(rule.get("azure_endpoint_guid") or "").lower() not in guids
    ]
    return {
        "name": step.name,
        "description": updated_description(str(current.get("description") or ""), step.marker),
        "type": current["type"],
        "region": current["region"],
        "include_by_default": bool(current.get("include_by_default")),
        "rules": [mine, *others],
    }


def deployment_of(body: Mapping[str, Any], port: int) -> Deployment:
    """A deployment from a search hit."""
    metadata = body.get("metadata") or {}
    filters = (body.get("settings") or {}).get("traffic_filter_settings")
    attached = filters.get("rulesets") if isinstance(filters, Mapping) else None
    tags = (tag for tag in metadata.get("tags") or [] if isinstance(tag, Mapping))
    return Deployment(
        id=str(body.get("id") or ""),
        name=str(body.get("name") or ""),
        region=region_of(body) or "",
        running=not metadata.get("hidden") and not _stopped(body),
        # Absent settings mean "unknown", never "no policies": the safety of S1 rests on the difference.
        attached=None if attached is None else tuple(str(policy_id) for policy_id in attached),
        tags={str(tag.get("key")): str(tag.get("value")) for tag in tags},
        urls=private_urls(body, port=port),
    )


def _stopped(body: Mapping[str, Any]) -> bool:
    clusters = (body.get("resources") or {}).get("elasticsearch") or []
    states = {str(((cluster or {}).get("info") or {}).get("status") or "").lower() for cluster in clusters}
    return bool(states) and states <= {"stopped", "stopping"}
