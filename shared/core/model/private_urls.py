"""The private URLs of a deployment, computed from what the Elastic Cloud API says about its public ones.

Called by `desired` and the health check (which name to probe) and by the status pages (which URLs to use). The rule,
from Elastic's guide "Private connectivity with Azure Private Link": take the public host, by alias if there is one, and
put `privatelink` before the region; the labels before it stay. The certificates of the private service carry exactly
those names, so a host with another ending has no private URL: none is guessed, and none is read out of `cloud_id`,
whose host does not match the certificate.

The API answers more loosely than it is described (lists and objects are `null` or missing), so everything is optional.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.core.model.json_values import mapping, mappings, text

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


def private_urls(
    deployment: Mapping[str, Any], *, port: int = DEFAULT_PORT, zone: str | None = None
) -> tuple[PrivateUrl, ...]:
    """Every private URL of `deployment` (the API's JSON), Elasticsearch's first; with `zone` only those inside it."""
    found: dict[tuple[str, str], PrivateUrl] = {}
    for service, public, by_id in _public_hosts(deployment):
        host = private_host(public)
        if host is not None and (zone is None or in_zone(host, zone)):
            other = private_host(by_id) or ""
            found.setdefault((service, host), PrivateUrl(service, host, port, other if other != host else ""))
    return tuple(found.values())


def elasticsearch_url(
    deployment: Mapping[str, Any], *, port: int = DEFAULT_PORT, zone: str | None = None
) -> PrivateUrl | None:
    """The private URL of the deployment's Elasticsearch: the one that the health check probes."""
    urls = private_urls(deployment, port=port, zone=zone)
    return next((url for url in urls if url.service == "elasticsearch"), None)


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


def in_zone(host: str, zone: str) -> bool:
    """Whether the private DNS zone `zone` answers for `host`."""
    return host.rstrip(".").lower().endswith(f".{zone.rstrip('.').lower()}")


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
