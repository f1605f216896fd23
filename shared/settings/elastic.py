"""Settings: how Elastic Cloud is reached. A group of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.options.declaration import setting
from shared.settings import values as value


@dataclass(frozen=True, slots=True)
class ElasticSettings:
    """How Elastic Cloud is reached."""

    url: str = setting(
        "ELASTIC_API_URL", value.url, "https://api.elastic-cloud.com", "Address of the Elastic Cloud API."
    )
    api_key: str = setting(
        "EC_API_KEY",
        value.optional_key,
        "",
        "API key of the Elastic Cloud organization, best as a Key Vault reference. The role deployment-editor on the "
        "deployments that are to be connected is enough. Required, unless ELASTIC_ORGANIZATIONS names organizations: "
        "then it is the key of the one named `default`, for endpoints that no other one includes.",
        secret=True,
        deployed=True,
    )
    organization_names: tuple[str, ...] = setting(
        "ELASTIC_ORGANIZATIONS",
        value.organizations,
        "",
        "Names of further Elastic Cloud organizations, separated by commas: lower case letters, digits and dashes, not "
        "`default`. Each needs two more settings, `EC_API_KEY_<NAME>` and `ELASTIC_SCOPE_<NAME>`.",
    )
