"""Elastic's Private Link Services: which alias belongs to which family, region and private DNS zone.

`Services` is a value: `settings` reads the table (`services.csv`), `installation.services` adds what Elastic's API
tells of Serverless, and the plan's options hold it, for `desired`, `triage` and the use cases. For hosted deployments
there is no such API. Source of the table:
Elastic's guide, "Private connectivity with Azure Private Link" (elastic/docs-content,
`deploy-manage/security/private-connectivity-azure.md`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

_GUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
HOSTED_ALIAS = re.compile(
    rf"^(?P<region>[a-z0-9]+)-prod-\d{{3}}-privatelink-service\.{_GUID}\.(?P=region)\.azure\.privatelinkservice$"
)
SERVERLESS_ALIAS = re.compile(
    rf"^(?P<region>[a-z0-9]+)-prod-privatelink-serverless\.{_GUID}\.(?P=region)\.azure\.privatelinkservice$"
)

ELASTIC_LIKE = re.compile(rf"^[^.]*-prod-[^.]*privatelink[^.]*\.{_GUID}\.[a-z0-9]+\.azure\.privatelinkservice$")
"""Named as Elastic names its services."""


class Family(StrEnum):
    """What stands behind a service: the targets that an endpoint can be connected to."""

    HOSTED = "hosted"
    """Deployments of Elastic Cloud Hosted."""
    SERVERLESS = "serverless"
    """Projects of Elastic Cloud Serverless."""

    @property
    def noun(self) -> str:
        """What people call a target of the family."""
        return "deployment" if self is Family.HOSTED else "project"


ENDINGS = {
    Family.HOSTED: ("privatelink.", ".azure.elastic-cloud.com"),
    Family.SERVERLESS: ("private.", ".azure.elastic.cloud"),
}
"""What stands before and after the region in the name of a family's private DNS zone."""


class ServiceKind(StrEnum):
    """What an alias stands for."""

    HOSTED = "hosted"
    SERVERLESS = "serverless"
    UNKNOWN_ELASTIC = "unknown-elastic"
    """Shaped like Elastic's aliases but not known: a new region, or an imitation."""
    FOREIGN = "foreign"


class Unknown(StrEnum):
    """What is not known about an alias that looks like one of Elastic's."""

    REGION = "region"
    """Its family has no service in its region, by what is known."""
    GUID = "guid"
    """Its region's service has another alias."""
    PATTERN = "pattern"
    """It has the form of neither family's aliases."""


@dataclass(frozen=True, slots=True)
class Service:
    """Elastic's Private Link Service of one family in one region."""

    family: Family
    region: str
    """Azure region of the targets behind it, for example `eastus2`."""
    alias: str
    zone: str
    """Name of the private DNS zone; Elastic's certificates need exactly this name."""

    @property
    def elastic_region(self) -> str:
        """The region's name in the Elastic Cloud API."""
        return f"azure-{self.region}"


@dataclass(frozen=True, slots=True)
class Recognition:
    """What an alias turned out to be; `service` is there for those that are known."""

    kind: ServiceKind
    alias: str
    service: Service | None = None
    unknown: Unknown | None = None
    """What is not known of an alias that looks like one of Elastic's."""
    seems: Service | None = None
    """The service that such an alias would be, by its form."""


@dataclass(frozen=True)
class Services:
    """Every service that is known."""

    rows: tuple[Service, ...]

    def __iter__(self) -> Iterator[Service]:
        """In the order of the table, hosted ones first."""
        return iter(self.rows)

    def of_family(self, family: Family) -> tuple[Service, ...]:
        """The services of one family."""
        return tuple(service for service in self.rows if service.family is family)

    def and_further(self, services: Iterable[Service]) -> Services:
        """These and others; of two for one region the latter is the region's, and both aliases are known."""
        return Services((*self.rows, *services))

    @cached_property
    def zone_names(self) -> frozenset[str]:
        """Names of all their private DNS zones."""
        return frozenset(self._by_zone)

    def of(self, family: Family, region: str) -> Service | None:
        """The service of a family in a region, if it has one there."""
        return self._by_region.get((family, region))

    def with_zone(self, zone_name: str) -> Service | None:
        """The service whose private DNS zone has this name."""
        return self._by_zone.get(zone_name.lower())

    def recognise(self, alias: str) -> Recognition:
        """Say what `alias` is; compared without regard to case, as Azure does."""
        wanted = alias.strip().lower()
        service = self._by_alias.get(wanted)
        if service is not None:
            return Recognition(ServiceKind(service.family.value), alias, service)
        seems = service_of_alias(wanted)
        if seems is not None:
            known = self.of(seems.family, seems.region)
            unknown = Unknown.REGION if known is None else Unknown.GUID
            return Recognition(ServiceKind.UNKNOWN_ELASTIC, alias, unknown=unknown, seems=seems)
        if ELASTIC_LIKE.match(wanted):
            return Recognition(ServiceKind.UNKNOWN_ELASTIC, alias, unknown=Unknown.PATTERN)
        return Recognition(ServiceKind.FOREIGN, alias)

    @cached_property
    def _by_alias(self) -> dict[str, Service]:
        return {service.alias: service for service in self.rows}

    @cached_property
    def _by_region(self) -> dict[tuple[Family, str], Service]:
        return {(service.family, service.region): service for service in self.rows}

    @cached_property
    def _by_zone(self) -> dict[str, Service]:
        return {service.zone: service for service in self.rows}


def service_of_alias(alias: str) -> Service | None:
    """The service that an alias of Elastic's form stands for, with the zone that its family and region have."""
    alias = alias.lower()
    for family, form in {Family.HOSTED: HOSTED_ALIAS, Family.SERVERLESS: SERVERLESS_ALIAS}.items():
        match = form.match(alias)
        if match is not None:
            return Service(family, match["region"], alias, zone_name(family, match["region"]))
    return None


def zone_name(family: Family, region: str) -> str:
    """The name of the private DNS zone that a family has for a region, known or not; empty for none."""
    begin, end = ENDINGS[family]
    return f"{begin}{region}{end}" if region else ""


def parse_services(table: str) -> Services:
    """The services that a table as in `services.csv` lists, one in each row."""
    return Services(
        tuple(
            Service(Family(row["family"]), row["region"], row["alias"], row["zone"])
            for row in csv.DictReader(table.splitlines())
        )
    )
