"""Deployments as the API shows them; called by the deployments operations and by the search, which looks into them.

Looser than Elastic's own reference, as recorded answers are: `null` where a list is empty, required parts left out.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from local.elastic.deployments import Deployment
    from local.elastic.settings import ElasticSettings


@lru_cache(1000)
def timestamp(moment: datetime) -> str:
    """As Elastic writes times: milliseconds and Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def cloud_id(deployment: Deployment) -> str:
    """The encoded address; it names the public hosts only, so private ones must not be derived from it."""
    parts = f"{deployment.azure_region}.azure.elastic-cloud.com$"
    parts += f"{deployment.elasticsearch_id}${deployment.kibana_id}"
    return f"{deployment.name}:{base64.b64encode(parts.encode()).decode()}"


def tags(deployment: Deployment) -> list[dict[str, str]]:
    """The tags as the API lists them."""
    return [{"key": key, "value": value} for key, value in deployment.tags.items()]


def listing(deployment: Deployment) -> dict[str, Any]:
    """An entry of `GET /deployments`: ids and regions, no alias, tags or endpoints."""
    resources: list[dict[str, Any]] = [
        {
            "ref_id": f"main-{kind}",
            "id": resource_id,
            "kind": kind,
            "region": deployment.region,
            "cloud_id": cloud_id(deployment) if kind == "elasticsearch" else None,
        }
        for kind, resource_id in (
            ("elasticsearch", deployment.elasticsearch_id),
            ("kibana", deployment.kibana_id),
            ("integrations_server", deployment.integrations_id),
        )
    ]
    for resource in resources[1:]:
        del resource["cloud_id"]
        resource["elasticsearch_cluster_ref_id"] = "main-elasticsearch"
    return {"id": deployment.id, "name": deployment.name, "resources": resources}


def document(
    deployment: Deployment,
    rulesets: list[str],
    settings: ElasticSettings,
    *,
    show_settings: bool = True,
    show_plans: bool = False,
) -> dict[str, Any]:
    """A deployment in full, as `GET /deployments/{id}` and the search show it."""
    shown: dict[str, Any] = {
        "id": deployment.id,
        "name": deployment.name,
        "healthy": deployment.healthy,
        "resources": {
            "elasticsearch": [_elasticsearch(deployment, settings, show_plans=show_plans)],
            "kibana": [_kibana(deployment, settings)],
            "apm": [],
            "appsearch": [],
            "enterprise_search": [_enterprise_search(deployment, settings)] if deployment.enterprise_search_id else [],
            "integrations_server": [_integrations(deployment)],
        },
        "metadata": {
            "tags": tags(deployment) or (None if settings.nulls else []),
            "hidden": deployment.hidden,
            "last_modified": timestamp(deployment.changed_at),
        },
    }
    if deployment.alias:
        shown["alias"] = deployment.alias
    if show_settings and not settings.settings_absent:
        shown["settings"] = {
            "autoscaling_enabled": False,
            "traffic_filter_settings": {"rulesets": rulesets},
        }
    return shown


def _metadata(deployment: Deployment, product: str, settings: ElasticSettings | None) -> dict[str, Any]:
    endpoint, aliased = deployment.uuid_host(product), deployment.alias_host(product)
    shown: dict[str, Any] = {
        "version": deployment.version,
        "last_modified": timestamp(deployment.changed_at),
        "endpoint": endpoint,
        "service_url": f"https://{endpoint}:443",
        "ports": {"http": 9200, "https": 443, "transport_passthrough": 9400},
    }
    if aliased:
        shown |= {"aliased_endpoint": aliased, "aliased_url": f"https://{aliased}:443"}
    if settings is not None and settings.nulls:
        shown["services_urls"] = None
    return shown


def _common(deployment: Deployment, product: str) -> dict[str, Any]:
    return {
        "deployment_id": deployment.id,
        "healthy": deployment.healthy,
        "status": deployment.status_of(product),
        "region": deployment.region,
        "external_links": [],
        "plan_info": {"healthy": True, "history": []},
        "topology": {"healthy": deployment.healthy, "instances": []},
    }


def _resource(deployment: Deployment, kind: str, resource_id: str, info: dict[str, Any]) -> dict[str, Any]:
    shown = {"ref_id": f"main-{kind}", "id": resource_id, "region": deployment.region, "info": info}
    if kind != "elasticsearch":
        shown["elasticsearch_cluster_ref_id"] = "main-elasticsearch"
    return shown


def _elasticsearch(deployment: Deployment, settings: ElasticSettings, *, show_plans: bool) -> dict[str, Any]:
    healthy = deployment.healthy
    info = _common(deployment, "es") | {
        "cluster_id": deployment.elasticsearch_id,
        "cluster_name": deployment.name,
        "metadata": _metadata(deployment, "es", settings) | {"cloud_id": cloud_id(deployment)},
        "associated_apm_clusters": [],
        "associated_appsearch_clusters": [],
        "associated_enterprise_search_clusters": [],
        "associated_kibana_clusters": [],
        "elasticsearch": {
            "healthy": healthy,
            "shard_info": {
                "healthy": healthy, "available_shards": [], "unavailable_shards": [], "unavailable_replicas": [],
            },
            "shards_status": {"status": "green" if healthy else "red"},
            "master_info": {"healthy": healthy, "masters": [], "instances_with_no_master": []},
            "blocking_issues": {"healthy": True, "cluster_level": [], "index_level": []},
        },
        "snapshots": {"count": 0, "healthy": True, "recent_success": True},
    }  # fmt: skip
    if show_plans:
        info["plan_info"]["current"] = {"healthy": True, "plan_attempt_log": [], "warnings": []}
    return _resource(deployment, "elasticsearch", deployment.elasticsearch_id, info)


def _kibana(deployment: Deployment, settings: ElasticSettings) -> dict[str, Any]:
    info = _common(deployment, "kb") | {
        "cluster_id": deployment.kibana_id,
        "cluster_name": deployment.name,
        "elasticsearch_cluster": {"elasticsearch_id": deployment.elasticsearch_id},
        "metadata": _metadata(deployment, "kb", settings),
    }
    return _resource(deployment, "kibana", deployment.kibana_id, info)


def _integrations(deployment: Deployment) -> dict[str, Any]:
    urls = [
        {"service": service, "url": f"https://{deployment.alias_host(service) or deployment.uuid_host(service)}"}
        for service in ("apm", "fleet", "ingest")
    ]
    info = _common(deployment, "apm") | {
        "id": deployment.integrations_id,
        "name": deployment.name,
        "elasticsearch_cluster": {"elasticsearch_id": deployment.elasticsearch_id},
        "metadata": _metadata(deployment, "apm", None) | {"services_urls": urls},
        "apm_server_mode": "managed",
    }
    return _resource(deployment, "integrations_server", deployment.integrations_id, info)


def _enterprise_search(deployment: Deployment, settings: ElasticSettings) -> dict[str, Any]:
    info = _common(deployment, "ent") | {
        "id": deployment.enterprise_search_id,
        "name": deployment.name,
        "elasticsearch_cluster": {"elasticsearch_id": deployment.elasticsearch_id},
        "metadata": _metadata(deployment, "ent", settings),
    }
    return _resource(deployment, "enterprise_search", deployment.enterprise_search_id, info)
