"""Which names are tested, and what a probe of each means: how far it came, and who answered over HTTP. Pure.

Called by `shared.health.check`.

The reading follows Elastic's guide, "Private connectivity with Azure Private Link", sections on testing and
troubleshooting: no route = connection not approved, certificate mismatch = wrong name, 403 `{"ok":false}` = policy
missing or not associated, 404 `{"ok":false}` = name unknown to Elastic's proxy, 401 or 200 from Elasticsearch = good.
One table says what each failure of the path means (`wordings.FAILURES`).

Over HTTP a probe asks each product for one page (`page_of`); the answers, and where they are documented:

    Elasticsearch      /            401, or 200 for anonymous users, with X-Elastic-Product (Private Link guide)
    Kibana             /            a redirect to its login page; 401 or 403 where sign-in is done elsewhere (seen)
    APM Server         /            200, empty without credentials ("APM Server information API")
    Fleet Server       /api/status  200 {"name":"fleet-server"}; 503 while it starts or fails (fleet-server's OpenAPI)
    Enterprise Search  /            a redirect or a page (not documented: any page that it gives counts)

Elastic's proxy, which stands before all of them, refuses in two ways, both `{"ok":false,...}`: 403 when no policy of
the deployment admits the endpoint, 404 when it knows no such name. What is neither the product's nor the proxy's is
reported as unexpected: something else may be listening.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from shared.core.diagnosis import wordings as w
from shared.core.diagnosis.evidence import PRIMARY, Evidence, Failure, Verdict, Wording
from shared.core.diagnosis.surroundings import Surroundings
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import HostCheck
from shared.core.model.services import path_test_host

# -- how far a probe came ----------------------------------------------------------------------------------------------


_SILENT = frozenset({Failure.UNREACHABLE, Failure.CONNECT_TIMEOUT})
_TURNED_AWAY = frozenset({Failure.REFUSED, Failure.RESET})
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
        return w.ALTHOUGH_APPROVED.verdict(evidence, how=_IN_OWN_NETWORK)
    if failure is not None:
        return w.FAILURES[failure].verdict(evidence)
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
        reading = w.OTHER_ADDRESSES
    return reading.verdict(evidence, product=product, state=tested.state, by_id=tested.by_id)


_IN_OWN_NETWORK = "this app is in the endpoint's own network, where nothing lies between"
_REACHED_BEFORE = "this app has reached it before"


def _no_route(evidence: Evidence, around: Surroundings) -> Verdict:
    """No answer from an address that Azure says is good: is it the endpoint, or the place that we look from?

    A peering is no proof of a way: firewalls and routes decide. Nor is there none without: networks reach each other
    through a hub's firewall or a Virtual WAN.
    """
    if around.reached_before:
        return w.ALTHOUGH_APPROVED.verdict(evidence, how=_REACHED_BEFORE)
    if around.in_own_network:
        return w.ALTHOUGH_APPROVED.verdict(evidence, how=_IN_OWN_NETWORK)
    return w.FROM_APP.verdict(evidence, how=_between(around), **_places(around))


def _turned_away(evidence: Evidence, around: Surroundings) -> Verdict:
    """A refusal or a reset: neither the endpoint nor Elastic gives one once it is Approved, a firewall does."""
    told = replace(w.REFUSED_ON_THE_WAY, status="unreachable") if around.reached_before else w.REFUSED_ON_THE_WAY
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


# -- an answer over HTTP -----------------------------------------------------------------------------------------------


_STOPPED = frozenset({"suspended", "suspending", "deleting"})
"""States that do not pass by themselves."""
_REFUSALS: Mapping[int, Wording] = {HTTPStatus.FORBIDDEN: w.FORBIDDEN, HTTPStatus.NOT_FOUND: w.UNKNOWN_RESOURCE}
_ARRIVED = frozenset({HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""Statuses that say that the request came to the product, which may well ask for credentials."""


def _from_elasticsearch(evidence: Evidence) -> bool:
    """Whether Elasticsearch itself answered; versions before 7.14 do not say so in a header."""
    return evidence.elastic_product or "security_exception" in evidence.body or "You Know, for Search" in evidence.body


def _from_kibana(evidence: Evidence) -> bool:
    """Kibana names itself in a header, else in the form of its errors; a redirect has to stay in its house."""
    document = json_object(evidence.body)
    own_error = document is not None and "statusCode" in document
    return evidence.kibana or own_error or _redirects(evidence)


def _from_apm(evidence: Evidence) -> bool:
    return not evidence.body.strip() or json_object(evidence.body) is not None


def _from_fleet(evidence: Evidence) -> bool:
    document = json_object(evidence.body)
    named = document is not None and document.get("name") == "fleet-server"
    return named or (document is not None and evidence.http_status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def _from_any(evidence: Evidence) -> bool:
    return not _leads_away(evidence)


@dataclass(frozen=True, slots=True)
class _Product:
    name: str
    answered: Callable[[Evidence], bool]
    """Whether an answer is this product's own."""
    page: str = "/"
    redirects: bool = False
    """Whether a redirect is how it greets a stranger."""


_ELASTICSEARCH = _Product("Elasticsearch", _from_elasticsearch)
_PRODUCTS: Mapping[str, _Product] = {
    "elasticsearch": _ELASTICSEARCH,
    "kibana": _Product("Kibana", _from_kibana, redirects=True),
    "integrations_server": _Product("APM Server", _from_apm),
    "apm": _Product("APM Server", _from_apm),
    "fleet": _Product("Fleet Server", _from_fleet, page="/api/status"),
    "enterprise_search": _Product("Enterprise Search", _from_any, redirects=True),
    "appsearch": _Product("App Search", _from_any, redirects=True),
}
TESTED = tuple(_PRODUCTS)
"""The services that are tested, as the API calls them.

Elastic's managed intake (`ingest`) is not: a deployment's does not work over a private connection (Elastic's guide,
limitations), and what a project's answers without credentials is not documented.
"""


def page_of(service: str) -> str:
    """The page that a probe asks a service for."""
    return _PRODUCTS.get(service, _ELASTICSEARCH).page


def read_answer(
    evidence: Evidence,
    *,
    expect_unknown: bool = False,
    associated: bool = True,
    policies: int | None = None,
    state: str = "",
    answers_by_id: bool = False,
) -> tuple[Wording, str]:
    """Tell from an HTTP answer who gave it and what it means; with it the name of the product for the texts.

    Both the proxy (`{"ok":false}`) and Elasticsearch (`security_exception`) answer with 403; Elasticsearch's is as good
    as its 401: the request arrived there. `associated` and `policies` say what the proxy's 403 is to be blamed on;
    `answers_by_id` and `state` (the deployment's, where it does not simply run) what its 404 is.
    """
    product = _PRODUCTS.get(evidence.service, _ELASTICSEARCH)
    reading = _read(product, evidence, expect_unknown=expect_unknown)
    if reading is w.FORBIDDEN and not associated:
        reading = w.ONLY_OTHER_POLICIES if policies else w.NOT_ASSOCIATED
    if reading.status != "healthy" and state in _STOPPED:
        reading = w.NOT_RUNNING
    if reading is w.UNKNOWN_RESOURCE and (answers_by_id or state):
        reading = w.ALIAS_NOT_SERVED if answers_by_id else w.CHANGING
    return reading, product.name


def _read(product: _Product, evidence: Evidence, *, expect_unknown: bool) -> Wording:
    status = evidence.http_status
    if status is None:
        return w.INCOMPLETE
    if status in _REFUSALS and _proxy_refused(evidence):
        return w.PATH_WORKS if expect_unknown else _REFUSALS[status]
    own = product.answered(evidence)
    if own and (status in _ARRIVED or (product.redirects and _redirects(evidence))):
        return w.REACHABLE
    busy = own and status == HTTPStatus.TOO_MANY_REQUESTS
    if busy or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return w.ELASTICSEARCH_ERROR if product is _ELASTICSEARCH else w.SERVICE_ERROR
    return w.UNEXPECTED


def _proxy_refused(evidence: Evidence) -> bool:
    """Whether the answer has the form of Elastic's proxy: `{"ok":false,...}`, or for its 403 also plain text."""
    if evidence.elastic_product or evidence.kibana:
        return False
    document = json_object(evidence.body)
    if document is not None:
        return document.get("ok") is False
    plain = evidence.body.strip(' \r\n"')
    return evidence.http_status == HTTPStatus.FORBIDDEN and plain.startswith("Forbidden")


def _redirects(evidence: Evidence) -> bool:
    status = evidence.http_status or 0
    moved = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return moved and bool(evidence.location) and not _leads_away(evidence)


def _leads_away(evidence: Evidence) -> bool:
    """Whether a redirect names another host, as a captive portal's does."""
    try:
        host = urlsplit(evidence.location).hostname
    except ValueError:  # such as an unclosed bracket
        return True
    return host is not None and host.rstrip(".") != evidence.host.lower().rstrip(".")


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


# -- which names are tested --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """One name to test."""

    host: str
    service: str = PRIMARY
    path_only: bool = False
    """The name belongs to no deployment: Elastic's proxy not knowing it is the good answer."""
    main: bool = True
    """The name of the service that its target is for, which every check tests; others have their turn."""
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
    urls = []
    for one in connection.elastic.targets:
        tested = sorted((url for url in one.urls if url.service in TESTED), key=lambda url: url.service != PRIMARY)
        urls += [(url, one.state, url is tested[0]) for url in tested]
    urls.sort(key=lambda found: found[0].service != PRIMARY)
    found: dict[str, Subject] = {}
    for url, state, main in urls:
        found.setdefault(url.host, Subject(url.host, url.service, state=state, by_id=url.by_id, main=main))
    waiting = (
        Subject(url.host, associated=False, policies=deployment.policies, main=False)
        for deployment in connection.elastic.pending_targets
        for url in deployment.urls
        if url.service == PRIMARY and url.host not in found
    )
    return (*(found.values() or (Subject(path_test_host(zone_name), path_only=True),)), *waiting)


def in_turn(
    subjects: Sequence[Subject], known: Mapping[str, HostCheck], others: int, most: int | None = None
) -> tuple[Subject, ...]:
    """The names that one check tests, in their order: the main one of every target, and so many of the others.

    `most`: all of them together, where the check is part of a run, whose time has a bound.
    """
    most = len(subjects) if most is None else most
    main = _turn([one.host for one in subjects if one.main], known, most)
    chosen = main | _turn([one.host for one in subjects if not one.main], known, min(others, most - len(main)))
    return tuple(one for one in subjects if one.host in chosen)


def _turn(hosts: Sequence[str], known: Mapping[str, HostCheck], places: int) -> set[str]:
    """Those whose turn it is: in up to half of the places what was not well, else what was tested longest ago."""
    if len(hosts) <= places:
        return set(hosts)
    waiting = sorted(hosts, key=lambda one: known[one].checked_at.timestamp() if one in known else 0.0)
    bad = [one for one in waiting if one in known and known[one].status != "healthy"][: places // 2]
    return {*bad, *[one for one in waiting if one not in set(bad)][: places - len(bad)]}
