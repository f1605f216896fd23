"""Which names are tested, how far a probe of each came and what that means, and one verdict out of all. Pure.

Called by `shared.health.check`.

The reading follows Elastic's guide, "Private connectivity with Azure Private Link", sections on testing and
troubleshooting: no route = connection not approved, certificate mismatch = wrong name, 403 `{"ok":false}` = policy
missing or not associated, 404 `{"ok":false}` = name unknown to Elastic's proxy, 401 or 200 from Elasticsearch = good.

One table says what each failure of the path means (`_FAILURES`), `http_answers` reads what came over HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import cast

from shared.core.diagnosis.evidence import Evidence, Failure, Status, Verdict, Wording
from shared.core.diagnosis.http_answers import TESTED, read_answer
from shared.core.diagnosis.surroundings import Surroundings
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import EffectiveVerdict, HostCheck
from shared.core.model.services import path_test_host

_FAILURES: Mapping[Failure, Wording] = {
    Failure.NAME_NOT_FOUND: Wording("unreachable", Reason.NAME_NOT_FOUND, "{host} has no address: {detail}{hidden}."),
    Failure.RESOLVER_FAILED: Wording(
        "unknown",
        Reason.RESOLVER_FAILED,
        "The name server gave no usable answer for {host}: {detail}.",
    ),
    Failure.PUBLIC_ADDRESS: Wording(
        "unreachable",
        Reason.PUBLIC_ADDRESS,
        "{host} resolves to the public address {seen}, not to the private endpoint at {expected}{hidden}.",
    ),
    Failure.WRONG_ADDRESS: Wording(
        "unreachable",
        Reason.WRONG_ADDRESS,
        "{host} resolves to {seen}, not to the private endpoint at {expected}{hidden}.",
    ),
    Failure.REFUSED: Wording(
        "unreachable", Reason.NO_ROUTE, "{expected} refused the connection to port {port}: {detail}."
    ),
    Failure.UNREACHABLE: Wording(
        "unreachable", Reason.NO_ROUTE, "There is no route to {expected} port {port}: {detail}."
    ),
    Failure.CONNECT_TIMEOUT: Wording(
        "unreachable", Reason.NO_ROUTE, "{expected} does not answer on port {port}: {detail}."
    ),
    Failure.CERTIFICATE_MISMATCH: Wording(
        "unreachable",
        Reason.CERTIFICATE_MISMATCH,
        "The certificate at {expected} is not for {host}: {detail}.",
    ),
    Failure.CERTIFICATE_NOT_TRUSTED: Wording(
        "unreachable",
        Reason.CERTIFICATE_NOT_TRUSTED,
        "The certificate shown for {host} is not trusted: {detail}.",
    ),
    Failure.TLS_FAILED: Wording(
        "unreachable",
        Reason.TLS_FAILED,
        "{expected} accepts connections but TLS with {host} failed: {detail}.",
    ),
    Failure.RESET: Wording(
        "unreachable",
        Reason.TLS_FAILED,
        "{expected} accepts connections and resets them when TLS with {host} begins: {detail}.",
    ),
    Failure.NO_ANSWER: Wording(
        "degraded",
        Reason.NO_ANSWER,
        "TLS with {host} works but no HTTP answer came: {detail}.",
    ),
    Failure.NOT_HTTP: Wording(
        "degraded",
        Reason.UNEXPECTED_ANSWER,
        "{host} answered with something that is not HTTP: {detail}.",
        "Check what listens at {expected} port {port}.",
    ),
    Failure.PROBE_FAILED: Wording(
        "unknown",
        Reason.PROBE_FAILED,
        "The probe of {host} could not be carried out: {detail}.",
    ),
}
_OTHER_ADDRESSES = Wording(
    "degraded",
    Reason.WRONG_ADDRESS,
    "{host} resolves to {seen}; the private endpoint at {expected} works, but clients may be sent to the others.",
)

_SILENT = frozenset({Failure.UNREACHABLE, Failure.CONNECT_TIMEOUT})
_TURNED_AWAY = frozenset({Failure.REFUSED, Failure.RESET})
_ALTHOUGH_APPROVED = Wording(
    "unreachable",
    Reason.NO_ROUTE_ALTHOUGH_APPROVED,
    "{expected} does not answer on port {port} ({detail}), although Azure says that the connection is Approved; {how}.",
)
_FROM_APP = Wording(
    "unknown",
    Reason.NO_ROUTE_FROM_APP,
    "This app gets no answer from {expected} port {port} ({detail}), and never has: {how}. Azure says Approved and the "
    "policy is right, so clients in the endpoint's network may well be served.",
    "Peer {app} with {network}, or route between them, and let firewalls pass port {port} to {expected}, if the app is "
    "to test it.",
)
_REFUSED_ON_THE_WAY = Wording(
    "unknown",
    Reason.REFUSED_ON_THE_WAY,
    "The connection to {expected} port {port} is turned away ({detail}), although Azure says Approved; {how}.",
    "Allow port {port} from {app} to {expected} in {network}, in the firewalls on the way.",
)
_NOTHING = Surroundings()


def diagnose(
    evidence: Evidence,
    tested: Subject | None = None,
    *,
    shared_with: Collection[str] = (),
    around: Surroundings = _NOTHING,
) -> Verdict:
    """Read `evidence` of a name in the light of what is known `around` it.

    `tested` says what the name is for; left out, a deployment's that is associated.
    `shared_with` holds addresses of other endpoints that rightly are in the record too; any more in the answer degrade
    a healthy verdict.
    """
    tested = tested or Subject(evidence.host, evidence.service)
    failure = evidence.failure
    if failure in _SILENT and around.approved:
        return _no_route(evidence, around)
    if failure in _TURNED_AWAY and around.approved and not around.in_own_network:
        return _turned_away(evidence, around)
    if failure is Failure.REFUSED and around.approved:
        return _ALTHOUGH_APPROVED.verdict(evidence, how=_IN_OWN_NETWORK)
    if failure is not None:
        return _FAILURES[failure].verdict(evidence)
    reading, product = read_answer(
        evidence,
        expect_unknown=tested.path_only,
        associated=tested.associated,
        policies=tested.policies,
        state=tested.state,
        answers_by_id=tested.answers_by_id,
    )
    allowed = {evidence.expected_address, *shared_with}
    if reading.status == "healthy" and not allowed.issuperset(evidence.addresses):
        reading = _OTHER_ADDRESSES
    return reading.verdict(evidence, product=product, state=tested.state, by_id=tested.by_id)


_IN_OWN_NETWORK = "this app is in the endpoint's own network, where nothing lies between"
_REACHED_BEFORE = "this app has reached it before"


def _no_route(evidence: Evidence, around: Surroundings) -> Verdict:
    """No answer from an address that Azure says is good: is it the endpoint, or the place that we look from?

    A peering is no proof of a way: firewalls and routes decide. Nor is there none without: networks reach each other
    through a hub's firewall or a Virtual WAN.
    """
    if around.reached_before:
        return _ALTHOUGH_APPROVED.verdict(evidence, how=_REACHED_BEFORE)
    if around.in_own_network:
        return _ALTHOUGH_APPROVED.verdict(evidence, how=_IN_OWN_NETWORK)
    return _FROM_APP.verdict(evidence, how=_between(around), **_places(around))


def _turned_away(evidence: Evidence, around: Surroundings) -> Verdict:
    """A refusal or a reset: neither the endpoint nor Elastic gives one once it is Approved, a firewall does."""
    told = replace(_REFUSED_ON_THE_WAY, status="unreachable") if around.reached_before else _REFUSED_ON_THE_WAY
    how = _REACHED_BEFORE if around.reached_before else _between(around)
    return told.verdict(evidence, how=how, **_places(around))


def _between(around: Surroundings) -> str:
    """What is known of the way."""
    if not around.app_network:
        return f"which network it is in is not known (APP_VNET), the endpoint's is {around.network}"
    peered = {True: "are peered, which alone makes no way", False: "are not peered", None: "may be peered or not"}
    return f"its network ({around.app_network}) and the endpoint's ({around.network}) {peered[around.peered]}"


def _places(around: Surroundings) -> dict[str, str]:
    """The two ends, by name."""
    return {"app": around.app_network or "the app's network", "network": around.network or "the endpoint's network"}


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
    state: str = ""
    """What Elastic Cloud says that the deployment does, where it does not simply run."""
    by_id: str = ""
    """The name with the resource's id in the place of the alias; empty: it has none."""
    answers_by_id: bool = False
    """Whether the product answered by that name."""


def hosts_to_test(connection: ConnectionRecord, zone_name: str) -> tuple[Subject, ...]:
    """The names to test, Elasticsearch's of every deployment first; a name that two services share once.

    Last come the deployments that are only asked for. Elastic's documents disagree on whether a policy lets an endpoint
    in before it is associated, so the app tests it: the person who is asked for consent reads what it would change.
    """
    urls = [(url, one.state) for one in connection.elastic.targets for url in one.urls if url.service in TESTED]
    urls.sort(key=lambda pair: pair[0].service != PRIMARY)
    found: dict[str, Subject] = {}
    for url, state in urls:
        found.setdefault(url.host, Subject(url.host, url.service, state=state, by_id=url.by_id))
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
    return Verdict(cast("Status", counts.status), counts.explanation, memory.host, memory.service)


def worst_of(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that speaks for the connection: the gravest as they count; of equals the first."""
    return max(verdicts, key=lambda one: _GRAVITY[weighed(one).status])


def summarize(verdicts: Sequence[Verdict]) -> str:
    """What the verdict is, in a sentence or two: the gravest name's, and how many others are not well."""
    worst = worst_of(verdicts)
    bad = [one for one in verdicts if one.status != "healthy" and one is not worst]
    rest = f" Not well either: {', '.join(one.host for one in bad)}." if bad else ""
    return f"{worst.host}: {worst.message}{rest}"
