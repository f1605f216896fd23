"""Projects and traffic filters as the Serverless API shows them; called by its operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.elastic.serverless.projects import PRODUCTS, SERVICES
from local.elastic.views import timestamp

if TYPE_CHECKING:
    from local.elastic.serverless.filters import TrafficFilter
    from local.elastic.serverless.projects import Project


def filter_body(one: TrafficFilter) -> dict[str, Any]:
    """A traffic filter; its rules have no ids, and who uses it is not said."""
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "type": one.type,
        "include_by_default": one.include_by_default,
        "region": one.region,
        "rules": [dict(rule) for rule in one.rules],
    }


def project_body(project: Project, filters: tuple[str, ...], *, private: bool, nulls: bool) -> dict[str, Any]:
    """A project; `private`: with its private URLs."""
    shown: dict[str, Any] = {
        "id": project.id,
        "name": project.name,
        "alias": project.alias,
        "region_id": f"azure-{project.region}",
        "type": project.type,
        "cloud_id": f"{project.name}:{project.id}",
        "traffic_filters": [{"id": one} for one in filters] or (None if nulls else []),
        "endpoints": _urls(project, private=False),
        "metadata": {
            "created_at": timestamp(project.made_at),
            "created_by": "1234567890",
            "organization_id": "1234567890",
            "tags": dict(project.tags),
        },
    }
    return shown | ({"private_endpoints": _urls(project, private=True)} if private else {})


def _urls(project: Project, *, private: bool) -> dict[str, str]:
    return {SERVICES[one]: f"https://{project.host(one, private=private)}" for one in PRODUCTS[project.type]}
