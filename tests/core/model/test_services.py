"""The table of Elastic's services against itself, and what an alias is recognised as."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from shared.core.model.services import (
    HOSTED_ALIAS,
    SERVERLESS_ALIAS,
    Family,
    Service,
    ServiceKind,
    Unknown,
    parse_services,
    service_of_alias,
)
from shared.settings.services import shipped_services, shipped_table

SERVICES = shipped_services()
HOSTED, SERVERLESS = SERVICES.of_family(Family.HOSTED), SERVICES.of_family(Family.SERVERLESS)
GUID = re.compile(r"\.([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.")


def test_the_table_has_services_of_both_families_and_a_row_for_each() -> None:
    assert HOSTED
    assert SERVERLESS
    assert (*HOSTED, *SERVERLESS) == tuple(SERVICES)
    assert len(tuple(SERVICES)) == len(shipped_table().strip().splitlines()) - 1


@pytest.mark.parametrize("service", HOSTED, ids=lambda service: service.region)
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


def test_no_alias_no_guid_no_zone_and_no_region_of_a_family_stands_in_the_table_twice() -> None:
    """One digit of a GUID that slips leaves a whole region unrecognised: compare a new row with Elastic's guide."""
    aliases = [service.alias for service in SERVICES]
    guids = [found for alias in aliases for found in GUID.findall(alias)]
    zones = [service.zone for service in SERVICES]
    regions = [(service.family, service.region) for service in SERVICES]
    numbers = [service.alias.split("-prod-")[1][:3] for service in HOSTED]
    assert len(set(aliases)) == len(set(guids)) == len(set(zones)) == len(set(regions)) == len(aliases) == len(guids)
    assert len(set(numbers)) == len(HOSTED)


def test_every_field_of_the_table_is_lower_case_without_blanks() -> None:
    for service in SERVICES:
        for field in (service.region, service.alias, service.zone):
            assert field
            assert field == field.strip().lower()


def test_a_row_of_another_family_is_refused() -> None:
    with pytest.raises(ValueError, match="dedicated"):
        parse_services(shipped_table() + "dedicated,mars,alias,zone\n")


# -- looking a service up -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES.rows, ids=lambda service: f"{service.family}-{service.region}")
def test_a_service_is_found_by_family_and_region_and_by_its_zone(service: Service) -> None:
    assert SERVICES.of(service.family, service.region) == service
    assert SERVICES.with_zone(service.zone.upper()) == service
    assert service.zone in SERVICES.zone_names


def test_a_family_is_not_in_every_region_and_there_are_other_zones() -> None:
    assert SERVICES.of(Family.HOSTED, "uaenorth") is None
    assert SERVICES.of(Family.SERVERLESS, "uksouth") is None
    assert SERVICES.of(Family.HOSTED, "") is None
    assert SERVICES.with_zone("privatelink.mars.azure.elastic-cloud.com") is None


@pytest.mark.parametrize("service", SERVICES.rows, ids=lambda service: f"{service.family}-{service.region}")
@pytest.mark.parametrize("spelled", [str, str.upper, str.title, lambda alias: f"  {alias}\n"])
def test_an_alias_of_the_table_is_recognised_however_it_is_spelled(
    service: Service, spelled: Callable[[str], str]
) -> None:
    found = SERVICES.recognise(spelled(service.alias))
    assert found.kind == service.family
    assert found.service == service


UNUSED_GUID = "12345678-1234-1234-1234-123456789abc"


@pytest.mark.parametrize(
    ("alias", "unknown"),
    [
        (f"mars-prod-099-privatelink-service.{UNUSED_GUID}.mars.azure.privatelinkservice", Unknown.REGION),
        (f"eastus2-prod-002-privatelink-service.{UNUSED_GUID}.eastus2.azure.privatelinkservice", Unknown.GUID),
        (f"MARS-prod-privatelink-serverless.{UNUSED_GUID}.mars.azure.privatelinkservice", Unknown.REGION),
        (f"uksouth-prod-privatelink-serverless.{UNUSED_GUID}.uksouth.azure.privatelinkservice", Unknown.REGION),
        (f"eastus2-prod-privatelink-serverless.{UNUSED_GUID}.eastus2.azure.privatelinkservice", Unknown.GUID),
        (f"eastus2-prod-002-privatelink-service.{UNUSED_GUID}.westus2.azure.privatelinkservice", Unknown.PATTERN),
        (f"eastus2-prod-2-privatelink-service.{UNUSED_GUID}.eastus2.azure.privatelinkservice", Unknown.PATTERN),
        (f"eastus2-prod-privatelink-dedicated.{UNUSED_GUID}.eastus2.azure.privatelinkservice", Unknown.PATTERN),
    ],
)
def test_what_only_looks_like_one_of_elastics_aliases_is_unknown_and_has_no_service(
    alias: str, unknown: Unknown
) -> None:
    found = SERVICES.recognise(alias)
    assert (found.kind, found.service, found.alias) == (ServiceKind.UNKNOWN_ELASTIC, None, alias)
    assert found.unknown is unknown
    assert (found.seems is None) == (unknown is Unknown.PATTERN)


@pytest.mark.parametrize(
    "alias",
    [
        "",
        "privatelink",
        f"storage.{UNUSED_GUID}.eastus2.azure.privatelinkservice",
        f"eastus2-prod-002-privatelink-service.{UNUSED_GUID}.eastus2.azure.privatelinkservice.evil.example",
        "eastus2-prod-002-privatelink-service.not-a-guid.eastus2.azure.privatelinkservice",
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/x.y/privateLinkServices/mine",
    ],
)
def test_anything_else_is_foreign(alias: str) -> None:
    found = SERVICES.recognise(alias)
    assert (found.kind, found.service) == (ServiceKind.FOREIGN, None)


@pytest.mark.parametrize("service", SERVICES.rows, ids=lambda service: f"{service.family}-{service.region}")
def test_an_alias_tells_family_region_and_zone(service: Service) -> None:
    assert service_of_alias(service.alias.upper()) == service


@pytest.mark.parametrize("alias", ["", "my-service.0.eastus2.azure.privatelinkservice", SERVICES.rows[0].alias + "x"])
def test_an_alias_of_others_stands_for_no_service(alias: str) -> None:
    assert service_of_alias(alias) is None


def test_a_regions_new_alias_is_known_beside_the_one_before() -> None:
    before = HOSTED[0]
    moved = service_of_alias(before.alias.replace(before.alias.split(".")[1], "0" * 8 + "-0000" * 3 + "-" + "0" * 12))
    assert moved is not None
    both = SERVICES.and_further([moved])
    assert [both.recognise(one.alias).service for one in (before, moved)] == [before, moved]
    assert both.of(Family.HOSTED, before.region) == moved
