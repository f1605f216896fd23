"""Settings: how Elastic Cloud is reached. A group of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.model.services import Service
from shared.core.options import values as core_value
from shared.core.options.declaration import setting
from shared.settings import values as value


@dataclass(frozen=True, slots=True)
class ElasticSettings:
    """How Elastic Cloud is reached."""

    url: str = setting(
        "ELASTIC_API_URL",
        value.api_url,
        "https://api.elastic-cloud.com",
        "Address of the Elastic Cloud API: a host without a path.",
    )
    api_key: str = setting(
        "EC_API_KEY",
        value.optional_key,
        "",
        "API key of the Elastic Cloud organization ([its role](security.md#rights-in-elastic-cloud)), for local use "
        "and small installations. Required, unless `ELASTIC_KEY_VAULT_URI` or [other "
        "organizations](#several-elastic-cloud-organizations) are named.",
        secret=True,
        deployed=True,
    )
    key_vault_uri: str = setting(
        "ELASTIC_KEY_VAULT_URI",
        value.optional_url,
        "",
        "Address of the key vault that the app reads [the API keys](#secrets) from by itself, those of all "
        "organizations whose key no setting holds; empty for none.",
    )
    key_vault_domain_check: bool = setting(
        "ELASTIC_KEY_VAULT_DOMAIN_CHECK",
        core_value.yes_or_no,
        "true",
        "`false`: the vault's address may be outside the domain that it names when it asks for a sign-in, such as "
        "behind a proxy with a name of its own. Its certificate is checked all the same.",
    )
    default_organization: bool = setting(
        "DEFAULT_ORGANIZATION",
        core_value.yes_or_no,
        "true",
        "`false`: no organization for the endpoints that no scope includes, and no key of it in the vault.",
        deployed=True,
    )
    further_services: tuple[Service, ...] = setting(
        "ELASTIC_SERVICES",
        value.services,
        "",
        "Aliases of Elastic's Private Link Services that this version does not know yet, separated by commas: a new "
        "region, or a region's new alias. Take them from Elastic's guide; family, region and zone follow from "
        "the alias. Those of Serverless projects the app finds by itself.",
    )
    organization_names: tuple[str, ...] = setting(
        "ELASTIC_ORGANIZATIONS",
        value.organizations,
        "",
        "Names of [further Elastic Cloud organizations](#several-elastic-cloud-organizations), separated by commas: "
        "lower case letters, digits and dashes, not `default`.",
    )

    @property
    def has_default_organization(self) -> bool:
        """Whether there is a key, or a place for one, of the organization for all endpoints without another."""
        return bool(self.api_key) or bool(self.key_vault_uri and self.default_organization)
