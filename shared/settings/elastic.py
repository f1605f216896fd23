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
        "API key of the Elastic Cloud organization, best as a Key Vault reference ([its "
        "role](security.md#rights-in-elastic-cloud)). Required, unless [other "
        "organizations](#several-elastic-cloud-organizations) are named.",
        secret=True,
        deployed=True,
    )
    organization_names: tuple[str, ...] = setting(
        "ELASTIC_ORGANIZATIONS",
        value.organizations,
        "",
        "Names of [further Elastic Cloud organizations](#several-elastic-cloud-organizations), separated by commas: "
        "lower case letters, digits and dashes, not `default`.",
    )
