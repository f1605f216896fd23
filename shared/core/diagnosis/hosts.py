"""Which names of a connection are tested. Pure; called by `shared.checks`.

Every service of every deployment that the connection serves, by the names that Elastic Cloud's metadata gives (never
out of a Cloud ID); the path itself where there is no deployment to ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.connection import Connection
from shared.core.diagnosis.answers import TESTED
from shared.core.private_urls import path_test_host

PRIMARY = "elasticsearch"
"""What a deployment is for: when another service alone fails, the connection is degraded and not unreachable."""


@dataclass(frozen=True, slots=True)
class Tested:
    """One name to test."""

    host: str
    service: str = PRIMARY
    path_only: bool = False
    """The name belongs to no deployment: Elastic's proxy not knowing it is the good answer."""


def hosts_to_test(connection: Connection, zone_name: str) -> tuple[Tested, ...]:
    """The names to test, Elasticsearch's of every deployment first; a name that two services share once."""
    urls = [url for deployment in connection.deployments for url in deployment.urls if url.service in TESTED]
    urls.sort(key=lambda url: url.service != PRIMARY)
    found: dict[str, Tested] = {}
    for url in urls:
        found.setdefault(url.host, Tested(url.host, url.service))
    return tuple(found.values()) or (Tested(path_test_host(zone_name), path_only=True),)
