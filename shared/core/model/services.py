"""Elastic's Private Link Services: which alias belongs to which region and private DNS zone.

Called by `desired` (which service does an endpoint connect to) and by the tests, which check the table against itself.
The table is data (`services.csv`): Elastic has no API that answers it for hosted deployments. Source: Elastic's guide,
"Private connectivity with Azure Private Link" (elastic/docs-content,
`deploy-manage/security/private-connectivity-azure.md`).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

_GUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
HOSTED_ALIAS = re.compile(
    rf"^(?P<region>[a-z0-9]+)-prod-\d{{3}}-privatelink-service\.{_GUID}\.(?P=region)\.azure\.privatelinkservice$"
)
SERVERLESS_ALIAS = re.compile(
    rf"^(?P<region>[a-z0-9]+)-prod-privatelink-serverless\.{_GUID}\.(?P=region)\.azure\.privatelinkservice$"
)


class ServiceKind(StrEnum):
    """What an alias stands for."""

    HOSTED = "hosted"
    SERVERLESS = "serverless"
    UNKNOWN_ELASTIC = "unknown-elastic"
    """Shaped like Elastic's aliases but not in the table: a new region, or somebody imitating one."""
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Service:
    """Elastic's Private Link Service of one region."""

    kind: ServiceKind
    region: str
    """Azure region of the deployments behind it, for example `eastus2`."""
    alias: str
    zone: str
    """Name of the private DNS zone; Elastic's certificates need exactly this name."""

    @property
    def elastic_region(self) -> str:
        """The region's name in the Elastic Cloud API."""
        return f"azure-{self.region}"


@dataclass(frozen=True, slots=True)
class Recognition:
    """What an alias turned out to be; `service` is there for hosted and serverless ones of the table."""

    kind: ServiceKind
    alias: str
    service: Service | None = None


@cache
def services() -> tuple[Service, ...]:
    """Every row of the table, hosted ones first."""
    text = resources.files("shared.core.model").joinpath("services.csv").read_text(encoding="utf-8")
    return tuple(
        Service(ServiceKind(row["kind"]), row["region"], row["alias"], row["zone"])
        for row in csv.DictReader(text.splitlines())
    )


@cache
def hosted_services() -> tuple[Service, ...]:
    """The services that this app connects endpoints to."""
    return tuple(service for service in services() if service.kind is ServiceKind.HOSTED)


def zone_of(region: str) -> str:
    """The private DNS zone of a region's hosted service; empty for a region that has none."""
    return next((service.zone for service in hosted_services() if service.region == region), "")


def recognise(alias: str) -> Recognition:
    """Say what `alias` is; compared without regard to case, as Azure does."""
    wanted = alias.strip().lower()
    for service in services():
        if service.alias == wanted:
            return Recognition(service.kind, alias, service)
    if HOSTED_ALIAS.match(wanted) or SERVERLESS_ALIAS.match(wanted):
        return Recognition(ServiceKind.UNKNOWN_ELASTIC, alias)
    return Recognition(ServiceKind.FOREIGN, alias)
