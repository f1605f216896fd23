"""An alias that is not known is told with what exactly is unknown about it."""

from __future__ import annotations

import pytest

from shared.core.model.services import Family
from shared.core.planning.desired import recognition_condition
from shared.settings.services import shipped_services
from tests.core.core_parts import endpoint

SERVICES = shipped_services()
GUID = "12345678-1234-4234-8234-123456789abc"


def alias(region: str, kind: str, of: str = "") -> str:
    return f"{region}-prod-{kind}.{GUID}.{of or region}.azure.privatelinkservice"


@pytest.mark.parametrize(
    ("name", "said", "step"),
    [
        (alias("mars", "099-privatelink-service"), "for deployments in region mars is known.", "eastus2"),
        (
            alias("mars", "privatelink-serverless"),
            "for Serverless projects in region mars is known.",
            "spain",
        ),
        (
            alias("uaenorth", "001-privatelink-service"),
            "The region has one for Serverless projects.",
            "Name it",
        ),
        (alias("uksouth", "privatelink-serverless"), "The region has one for deployments.", "Name it"),
        (alias("eastus2", "002-privatelink-service"), "another GUID or number", "the GUID"),
        (alias("eastus2", "privatelink-serverless"), "for Serverless projects in eastus2 has the alias", "the GUID"),
        (alias("eastus2", "privatelink-dedicated"), "another pattern", "table in Elastic's guide"),
        (alias("eastus2", "002-privatelink-service", "westus2"), "another pattern", "table in Elastic's guide"),
    ],
)
def test_it_is_said_what_is_unknown_about_an_alias(name: str, said: str, step: str) -> None:
    found = recognition_condition(endpoint(alias=name), SERVICES)
    assert (found.reason, said in found.message, step in found.next_step) == ("UnknownElasticAlias", True, True)
    serverless = Family.SERVERLESS.value in name
    assert ("asks Elastic Cloud" in found.message) == serverless
