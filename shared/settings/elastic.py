"""Settings: how Elastic Cloud is reached, and what may be connected there. A group of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings import values as value
from shared.settings.definition import setting


@dataclass(frozen=True)
class ElasticSettings:
    """How Elastic Cloud is reached, and what may be connected there."""

    elastic_url: str = setting(
        "ELASTIC_API_URL", value.url, "https://api.elastic-cloud.com", "Address of the Elastic Cloud API."
    )
    elastic_api_key: str = setting(
        "ELASTIC_API_KEY",
        value.optional_key,
        "",
        "API key of the Elastic Cloud organization, best as a Key Vault reference. The role deployment-editor on the "
        "deployments that are to be connected is enough. Required, unless ELASTIC_ORGANIZATIONS names organizations: "
        "then it is the key of the one named `default`, for endpoints that no other one includes.",
        secret=True,
    )
    organization_names: tuple[str, ...] = setting(
        "ELASTIC_ORGANIZATIONS",
        value.organizations,
        "",
        "Names of further Elastic Cloud organizations, separated by commas: lower case letters, digits and dashes, not "
        "`default`. Each needs two more settings, `ELASTIC_API_KEY_<NAME>` and `ELASTIC_SCOPE_<NAME>`.",
    )
    deployments_allowed: frozenset[str] = setting(
        "ELASTIC_DEPLOYMENTS_ALLOWED",
        value.deployments,
        "",
        "Ids or names of the deployments that an endpoint's tag `elastic-deployments` may ask for, separated by "
        "commas; `*` for all. A deployment can also consent itself, by its tag `elastic-privatelink-endpoints`.",
    )
    deployments_denied: frozenset[str] = setting(
        "ELASTIC_DEPLOYMENTS_DENIED",
        value.deployments,
        "",
        "Ids or names of deployments that no endpoint is ever connected to, whatever else allows it, separated by "
        "commas; `*` for all. Better ids: a name changes. An association that is there already stays.",
    )
    first_policy_allowed: frozenset[str] = setting(
        "ELASTIC_FIRST_POLICY_ALLOWED",
        value.deployments,
        "",
        "Ids or names of the deployments that may be given their first policy, separated by commas; `*` for all. The "
        "first policy closes a deployment to everything that no policy admits. A deployment can also opt in itself, "
        "by its tag `elastic-privatelink-first-policy` with the value `allow`.",
    )
