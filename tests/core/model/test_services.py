"""The table of Elastic's services against itself, and what an alias is recognised as."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

import pytest

from shared.core.model.services import (
    HOSTED_ALIAS,
    SERVERLESS_ALIAS,
    Service,
    ServiceKind,
    hosted_services,
    recognise,
    services,
)

HOSTED_REGIONS = {
    "australiaeast",
    "brazilsouth",
    "canadacentral",
    "centralindia",
    "centralus",
    "eastus",
    "eastus2",
    "francecentral",
    "japaneast",
    "northeurope",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "uksouth",
    "westeurope",
    "westus2",
}
SERVERLESS = tuple(service for service in services() if service.kind is ServiceKind.SERVERLESS)
COMPARED = "f0c49ab842c43d204fb4e53a709cc55143ed53f155db801e0d973dbf39337603"
GUID = re.compile(r"\.([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.")


def test_the_table_has_all_16_hosted_and_8_serverless_services() -> None:
    assert {service.region for service in hosted_services()} == HOSTED_REGIONS
    assert len(hosted_services()) == 16
    assert len(SERVERLESS) == 8
    assert len(services()) == 24


@pytest.mark.parametrize("service", hosted_services(), ids=lambda service: service.region)
def test_the_region_of_a_hosted_row_is_that_of_its_alias_and_its_zone(service: Service) -> None:
    found = HOSTED_ALIAS.match(service.alias)
    assert found is not None
    assert found["region"] == service.region
    assert service.alias.split(".")[2] == service.region
    assert service.zone == f"privatelink.{service.region}.azure.elastic-cloud.com"
    assert service.elastic_region == f"azure-{service.region}"


@pytest.mark.parametrize("service", SERVERLESS, ids=lambda service: service.region)
def test_the_region_of_a_serverless_row_is_that_of_its_alias_and_its_zone(service: Service) -> None:
    found = SERVERLESS_ALIAS.match(service.alias)
    assert found is not None
    assert found["region"] == service.region
    assert service.zone == f"private.{service.region}.azure.elastic.cloud"


def test_the_table_is_the_one_that_was_compared_with_elastics_guide() -> None:
    """One digit of a GUID that slips leaves a whole region unrecognised, and nothing else in the table tells.

    Whoever changes the table compares it with the guide again, row by row (`catalogue` says where it is), and only then
    puts the new digest here.
    """
    rows = sorted(f"{service.kind},{service.region},{service.alias},{service.zone}" for service in services())
    assert sha256("\n".join(rows).encode()).hexdigest() == COMPARED


def test_no_alias_no_guid_and_no_zone_stands_in_the_table_twice() -> None:
    aliases = [service.alias for service in services()]
    guids = [found for alias in aliases for found in GUID.findall(alias)]
    zones = [service.zone for service in services()]
    numbers = [service.alias.split("-prod-")[1][:3] for service in hosted_services()]
    assert len(set(aliases)) == len(set(guids)) == len(set(zones)) == len(services()) == len(guids)
    assert sorted(numbers) == [f"{number:03d}" for number in range(1, 17)]


def test_every_field_of_the_table_is_lower_case_without_blanks() -> None:
    for service in services():
        for field in (service.region, service.alias, service.zone):
            assert field
            assert field == field.strip().lower()


@pytest.mark.parametrize("service", services(), ids=lambda service: f"{service.kind}-{service.region}")
@pytest.mark.parametrize("spelled", [str, str.upper, str.title, lambda alias: f"  {alias}\n"])
def test_an_alias_of_the_table_is_recognised_however_it_is_spelled(
    service: Service, spelled: Callable[[str], str]
) -> None:
    found = recognise(spelled(service.alias))
    assert found.kind is service.kind
    assert found.service == service


GUID_OF_NOBODY = "12345678-1234-1234-1234-123456789abc"


@pytest.mark.parametrize(
    "alias",
    [
        f"mars-prod-099-privatelink-service.{GUID_OF_NOBODY}.mars.azure.privatelinkservice",
        f"eastus2-prod-002-privatelink-service.{GUID_OF_NOBODY}.eastus2.azure.privatelinkservice",
        f"MARS-prod-privatelink-serverless.{GUID_OF_NOBODY}.mars.azure.privatelinkservice",
    ],
)
def test_what_only_looks_like_one_of_elastics_aliases_is_unknown_and_has_no_service(alias: str) -> None:
    found = recognise(alias)
    assert (found.kind, found.service, found.alias) == (ServiceKind.UNKNOWN_ELASTIC, None, alias)


@pytest.mark.parametrize(
    "alias",
    [
        "",
        "privatelink",
        f"storage.{GUID_OF_NOBODY}.eastus2.azure.privatelinkservice",
        f"eastus2-prod-002-privatelink-service.{GUID_OF_NOBODY}.westus2.azure.privatelinkservice",
        f"eastus2-prod-2-privatelink-service.{GUID_OF_NOBODY}.eastus2.azure.privatelinkservice",
        f"eastus2-prod-002-privatelink-service.{GUID_OF_NOBODY}.eastus2.azure.privatelinkservice.evil.example",
        "eastus2-prod-002-privatelink-service.not-a-guid.eastus2.azure.privatelinkservice",
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/x.y/privateLinkServices/mine",
    ],
)
def test_anything_else_is_foreign(alias: str) -> None:
    found = recognise(alias)
    assert (found.kind, found.service) == (ServiceKind.FOREIGN, None)
