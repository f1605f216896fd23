"""Elastic's names: which alias belongs to which family, region and private DNS zone, and the hosts in that zone.

`Services` is a value: `settings` reads the table (`services.csv`), `installation.services` adds what Elastic's API
tells of Serverless, and the plan's options hold it, for `desired`, `triage` and the use cases. For hosted deployments
there is no such API. Source of the table and of the hosts' rule: Elastic's guide, "Private connectivity with Azure
Private Link" (elastic/docs-content, `deploy-manage/security/private-connectivity-azure.md`).

A deployment's private URLs are computed from what the Elastic Cloud API says about its public ones, by the client of
the family: the health check probes them, status pages show them. The rule: take the public host, by alias if there is
one, and put `privatelink` before the region; the labels before it stay. The certificates of the private service carry
exactly those names, so a host with another ending has no private URL: none is guessed, and none is read out of
`cloud_id`, whose host does not match the certificate. The API answers more loosely than it is described (lists and
objects are `null` or missing), so everything is optional.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from shared.core.model.json_values import mapping, mappings, text

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
        if alias in self._as_spelled:
            return self._as_spelled[alias]
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
    def _as_spelled(self) -> dict[str, Recognition]:
        return {one.alias: Recognition(ServiceKind(one.family.value), one.alias, one) for one in self.rows}

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


# -- private URLs of a deployment --------------------------------------------------------------------------------------


DEFAULT_PORT = 9243
"""Hosted deployments answer on 9243 and 443; the guide's test uses 9243."""
HTTPS_PORT = 443
"""The only port of projects."""

# Elasticsearch first: it is what the health check probes and what most people look for.
RESOURCE_KINDS = ("elasticsearch", "kibana", "integrations_server", "apm", "enterprise_search", "appsearch")

_OFF = frozenset({"stopped", "stopping"})
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_PUBLIC_HOST = re.compile(rf"(?P<labels>{_LABEL}(?:\.{_LABEL})*)\.(?P<region>[a-z0-9]+)\.azure\.elastic-cloud\.com")
_MAX_HOST = 253
_MAX_LABEL = 63


@dataclass(frozen=True, slots=True)
class PrivateUrl:
    """One address to use from inside the virtual network."""

    service: str
    """What answers there: `elasticsearch`, `kibana`, `apm`, `fleet`, ... as the API calls it."""
    host: str
    port: int
    by_id: str = ""
    """The same host with the resource's id in the place of the alias; empty: it has none."""

    @property
    def url(self) -> str:
        """The URL; the port is left out where it is HTTPS's own."""
        return f"https://{self.host}" if self.port == HTTPS_PORT else f"https://{self.host}:{self.port}"


def private_urls(deployment: Mapping[str, Any], *, port: int = DEFAULT_PORT) -> tuple[PrivateUrl, ...]:
    """Every private URL of `deployment` (the API's JSON), Elasticsearch's first."""
    found: dict[tuple[str, str], PrivateUrl] = {}
    for service, public, by_id in _public_hosts(deployment):
        host = private_host(public)
        if host is not None:
            other = private_host(by_id) or ""
            found.setdefault((service, host), PrivateUrl(service, host, port, other if other != host else ""))
    return tuple(found.values())


def private_host(public: str) -> str | None:
    """The private name of a public host (or URL); None where Elastic has no rule for its ending."""
    host = _host_of(public)
    match = _PUBLIC_HOST.fullmatch(host)
    if match is None or match["labels"].rpartition(".")[2] == "privatelink":
        return None
    private = f"{match['labels']}.privatelink.{match['region']}.azure.elastic-cloud.com"
    if len(private) > _MAX_HOST or any(len(label) > _MAX_LABEL for label in private.split(".")):
        return None
    return private


def path_test_host(zone: str) -> str:
    """A name in `zone` that belongs to no deployment: Elastic's proxy answers it with "unknown resource".

    It tests the path while there is no deployment to ask for (see `diagnose(..., expect_unknown=True)`).
    """
    return f"private-link-autopilot-path-test.es.{zone.rstrip('.').lower()}"


def region_of(deployment: Mapping[str, Any]) -> str | None:
    """The deployment's region as the API spells it (`azure-eastus2`): Elasticsearch's, else the first one named."""
    for _, resource in _resources(deployment):
        region = text(resource.get("region"))
        if region:
            return region
    return None


def _public_hosts(deployment: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Service, public host, and that by the resource's id: each one's own, then the services in it (Fleet, APM, ...).

    Elastic's managed intake (`ingest`) has none: it does not work over a private connection (Elastic's guide).
    """
    for kind, resource in _resources(deployment):
        resource_id = _stripped(resource.get("id")).lower()
        if text(mapping(resource.get("info")).get("status")).strip().lower() in _OFF:
            continue  # switched off: no server answers there
        metadata = mapping(mapping(resource.get("info")).get("metadata"))
        own = _stripped(metadata.get("aliased_endpoint")) or _stripped(metadata.get("endpoint"))
        if own:
            yield kind, own, _stripped(metadata.get("endpoint"))
        for entry in mappings(metadata.get("services_urls")):
            service, url = _stripped(entry.get("service")), _stripped(entry.get("url"))
            if service and url and service != "ingest":
                yield service, url, f"{resource_id}.{_host_of(url).partition('.')[2]}" if resource_id else ""


def _resources(deployment: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Pairs of kind and resource, from the object of a single deployment or the list of the deployments list."""
    resources = deployment.get("resources")
    if isinstance(resources, list):
        for kind in RESOURCE_KINDS:
            yield from ((kind, resource) for resource in mappings(resources) if resource.get("kind") == kind)
        return
    by_kind = mapping(resources)
    for kind in RESOURCE_KINDS:
        yield from ((kind, resource) for resource in mappings(by_kind.get(kind)))


def _host_of(url: str) -> str:
    """The lower-case host of a URL, of `host:port` or of a bare host; "" if there is none."""
    try:
        return (urlsplit(url if "//" in url else f"//{url}").hostname or "").rstrip(".")
    except ValueError:  # such as an unclosed bracket
        return ""


def _stripped(value: object) -> str:
    return text(value).strip()
