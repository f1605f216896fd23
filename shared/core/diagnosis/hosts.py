"""Which names of a connection are tested. Pure; called by `shared.health.check`.

Every service of every deployment that the connection serves, by the names that Elastic Cloud's metadata gives (never
out of a Cloud ID); the path itself where there is no deployment to ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.diagnosis.http_answers import TESTED
from shared.core.model.private_urls import path_test_host
from shared.core.model.record import Connection

PRIMARY = "elasticsearch"
"""What a deployment is for: when another service alone fails, the connection is degraded and not unreachable."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One name to test."""

    host: str
    service: str = PRIMARY
    path_only: bool = False
    """The name belongs to no deployment: Elastic's proxy not knowing it is the good answer."""
    associated: bool = True
    """The endpoint's policy is associated with the deployment, so that it should be let in."""
    policies: int | None = None
    """How many policies restrict who may connect to the deployment; None: not known."""


def hosts_to_test(connection: Connection, zone_name: str) -> tuple[Subject, ...]:
    """The names to test, Elasticsearch's of every deployment first; a name that two services share once.

    Last come the deployments that are only asked for. Elastic's documents disagree on whether a policy lets an endpoint
    in before it is associated, so it is found out: whoever is asked for consent can be told what it would change.
    """
    urls = [url for deployment in connection.deployments for url in deployment.urls if url.service in TESTED]
    urls.sort(key=lambda url: url.service != PRIMARY)
    found: dict[str, Subject] = {}
    for url in urls:
        found.setdefault(url.host, Subject(url.host, url.service))
    waiting = (
        Subject(url.host, associated=False, policies=deployment.policies)
        for deployment in connection.unserved
        for url in deployment.urls
        if url.service == PRIMARY and url.host not in found
    )
    return (*(found.values() or (Subject(path_test_host(zone_name), path_only=True),)), *waiting)
