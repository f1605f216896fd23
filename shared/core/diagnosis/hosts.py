"""The names of a connection: which are tested, when a changed verdict of one counts, and one verdict out of all. Pure.

Called by `shared.health.check`. Tested are the services of every deployment that the connection serves, by the names
that Elastic Cloud's metadata gives (never out of a Cloud ID); the path itself where there is no deployment to ask.

A verdict changes only when it is seen again: one lost packet is no news. The first verdict counts at once, so that
nothing is called Ready untested. A good one counts at once too: a whole request was answered, which no accident
imitates. Anything else counts after `needed` results in a row unlike what stands, the latest of them; results that
taught nothing (`unknown`) and real failures are counted apart, so that neither is mistaken for the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import cast

from shared.core.diagnosis.evidence import Status, Verdict
from shared.core.diagnosis.http_answers import TESTED
from shared.core.model.private_urls import path_test_host
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import EffectiveVerdict, HostCheck

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


def hosts_to_test(connection: ConnectionRecord, zone_name: str) -> tuple[Subject, ...]:
    """The names to test, Elasticsearch's of every deployment first; a name that two services share once.

    Last come the deployments that are only asked for. Elastic's documents disagree on whether a policy lets an endpoint
    in before it is associated, so the app tests it: the person who is asked for consent reads what it would change.
    """
    urls = [url for deployment in connection.elastic.targets for url in deployment.urls if url.service in TESTED]
    urls.sort(key=lambda url: url.service != PRIMARY)
    found: dict[str, Subject] = {}
    for url in urls:
        found.setdefault(url.host, Subject(url.host, url.service))
    waiting = (
        Subject(url.host, associated=False, policies=deployment.policies)
        for deployment in connection.elastic.pending_targets
        for url in deployment.urls
        if url.service == PRIMARY and url.host not in found
    )
    return (*(found.values() or (Subject(path_test_host(zone_name), path_only=True),)), *waiting)


# -- when a changed verdict counts -------------------------------------------------------------------------------------

HISTORY = 10
"""Results of each name that are kept: twice the most that the setting can ask for."""


def outcome(verdict: Verdict) -> str:
    """A result in short, as it is kept."""
    return f"{verdict.status} {verdict.reason}"


def history(before: Sequence[str], latest: Verdict) -> tuple[str, ...]:
    """The results to keep, newest first."""
    return (outcome(latest), *before)[:HISTORY]


def debounce(standing: Verdict | None, recent: Sequence[str], needed: int) -> bool:
    """Whether the newest of `recent` counts now, in place of `standing`; None: nothing stood before."""
    if standing is None:
        return True
    newest, stood = recent[0], outcome(standing)
    if newest == stood or newest.startswith("healthy "):
        return True
    unlike = takewhile(lambda result: result != stood, recent)
    return sum(_taught(result) == _taught(newest) for result in unlike) >= needed


def _taught(result: str) -> bool:
    return not result.startswith("unknown ")


# -- one verdict out of all --------------------------------------------------------------------------------------------

_GRAVITY: Mapping[Status, int] = {"healthy": 0, "unknown": 1, "degraded": 2, "blocked": 3, "unreachable": 4}


def weighed(verdict: Verdict) -> Verdict:
    """A name's verdict as it counts for the connection: without Kibana or Fleet it is degraded, not gone."""
    lesser = verdict.service != PRIMARY and _GRAVITY[verdict.status] > _GRAVITY["degraded"]
    return replace(verdict, status="degraded") if lesser else verdict


def standing_of(memory: HostCheck) -> Verdict:
    """What counts for a name: its last result, or an earlier one that has not been outdone yet."""
    return _verdict(memory, memory.effective or memory)


def last_of(memory: HostCheck) -> Verdict:
    """The last result of a name, whether it counts or not."""
    return _verdict(memory, memory)


def _verdict(memory: HostCheck, counts: HostCheck | EffectiveVerdict) -> Verdict:
    status = cast("Status", counts.status)
    return Verdict(status, counts.reason, counts.cause, counts.next_step, memory.host, memory.service)


def worst_of(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that speaks for the connection: the gravest as they count; of equals the first."""
    return max(verdicts, key=lambda one: _GRAVITY[weighed(one).status])


def told(verdicts: Sequence[Verdict]) -> str:
    """What the verdict is, in a sentence or two: the gravest name's, and how many others are not well."""
    worst = worst_of(verdicts)
    bad = [one for one in verdicts if one.status != "healthy" and one is not worst]
    rest = f" Not well either: {', '.join(one.host for one in bad)}." if bad else ""
    return f"{worst.host}: {worst.cause}{rest}"
