"""How far a probe came and what that means. Pure; called by `shared.health.check`.

The reading follows Elastic's guide, "Private connectivity with Azure Private Link", sections on testing and
troubleshooting: no route = connection not approved, certificate mismatch = wrong name, 403 `{"ok":false}` = policy
missing or not associated, 404 `{"ok":false}` = name unknown to Elastic's proxy, 401 or 200 from Elasticsearch = good.

One table says what each failure of the path means (`_FAILURES`), `answers` reads what came over HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from shared.core.diagnosis.evidence import Evidence, Failure, Verdict, Wording
from shared.core.diagnosis.hosts import Subject
from shared.core.diagnosis.http_answers import read_answer
from shared.core.diagnosis.surroundings import Surroundings
from shared.core.model.reasons import Reason

_CHECK_DNS = (
    "Check that the zone has a * record, that it is linked to the virtual network, and that this network resolves "
    "through Azure (168.63.129.16) or forwards the zone to it."
)
_CHECK_APPROVAL = (
    "This is what an endpoint that is not Approved looks like: check that the policy in Elastic Cloud has exactly its "
    "name and resource GUID."
)
_FAILURES: Mapping[Failure, Wording] = {
    Failure.NAME_NOT_FOUND: Wording(
        "unreachable", Reason.NAME_NOT_FOUND, "{host} has no address for this virtual network: {detail}.", _CHECK_DNS
    ),
    Failure.RESOLVER_FAILED: Wording(
        "unknown",
        Reason.RESOLVER_FAILED,
        "The name server gave no usable answer for {host}: {detail}.",
    ),
    Failure.PUBLIC_ADDRESS: Wording(
        "unreachable",
        Reason.PUBLIC_ADDRESS,
        "{host} resolves to the public address {seen}, not to the private endpoint at {expected}.",
        _CHECK_DNS,
    ),
    Failure.WRONG_ADDRESS: Wording(
        "unreachable",
        Reason.WRONG_ADDRESS,
        "{host} resolves to {seen}, not to the private endpoint at {expected}.",
        "Check which endpoint the zone's * record points to, and that no record of its own hides it for this name.",
    ),
    Failure.REFUSED: Wording(
        "unreachable", Reason.NO_ROUTE, "{expected} refused the connection to port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.UNREACHABLE: Wording(
        "unreachable", Reason.NO_ROUTE, "There is no route to {expected} port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.CONNECT_TIMEOUT: Wording(
        "unreachable", Reason.NO_ROUTE, "{expected} does not answer on port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.CERTIFICATE_MISMATCH: Wording(
        "unreachable",
        Reason.CERTIFICATE_MISMATCH,
        "The certificate at {expected} is not for {host}: {detail}.",
        "Check that the zone's region is the deployment's, and that the host is not from a Cloud ID or a CNAME.",
    ),
    Failure.CERTIFICATE_NOT_TRUSTED: Wording(
        "unreachable",
        Reason.CERTIFICATE_NOT_TRUSTED,
        "The certificate shown for {host} is not trusted: {detail}.",
        "Look for a proxy or firewall that replaces TLS certificates between this network and the private endpoint.",
    ),
    Failure.TLS_FAILED: Wording(
        "unreachable",
        Reason.TLS_FAILED,
        "{expected} accepts connections but TLS with {host} failed: {detail}.",
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
        "Check the app's own network permissions and limits; the next health check tries again.",
    ),
}
_OTHER_ADDRESSES = Wording(
    "degraded",
    Reason.WRONG_ADDRESS,
    "{host} resolves to {seen}; the private endpoint at {expected} works, but clients may be sent to the others.",
    "Remove the addresses of the zone's record that do not belong to a working private endpoint.",
)

_ELSEWHERE = frozenset({Failure.NAME_NOT_FOUND, Failure.PUBLIC_ADDRESS, Failure.WRONG_ADDRESS})
_NO_ROUTE = frozenset({Failure.REFUSED, Failure.UNREACHABLE, Failure.CONNECT_TIMEOUT})
_ALTHOUGH_APPROVED = Wording(
    "unreachable",
    Reason.NO_ROUTE_ALTHOUGH_APPROVED,
    "{expected} does not answer on port {port} ({detail}), although Azure says that the connection is Approved; {how}.",
)
_FROM_APP = Wording(
    "unknown",
    Reason.NO_ROUTE_FROM_APP,
    "This app has no way to {expected} ({detail}), and has never had one: {how}. Azure says Approved and the zone, "
    "record and policy are right, so clients in the endpoint's network may well be served.",
)
_NOT_LINKED_TO_APP = Wording(
    "unknown",
    Reason.ZONE_NOT_LINKED_TO_APP,
    "{host} cannot be tested: the zone is not linked to the network that this app is in ({network}), where the name "
    "comes to {seen}.",
)
_CUSTOM_DNS = Wording(
    "unreachable",
    Reason.CUSTOM_DNS_SERVERS,
    "{host} resolves to {seen}: virtual network {network} asks its own name servers ({servers}), and these do not know "
    "the private zone.",
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
    if failure in _NO_ROUTE and around.approved:
        return _no_route(evidence, around)
    if failure in _ELSEWHERE:
        explained = _explained_by_dns(evidence, around)
        if explained is not None:
            return explained
    if failure is not None:
        return _FAILURES[failure].verdict(evidence)
    reading, product = read_answer(
        evidence, expect_unknown=tested.path_only, associated=tested.associated, policies=tested.policies
    )
    allowed = {evidence.expected_address, *shared_with}
    if reading.status == "healthy" and not allowed.issuperset(evidence.addresses):
        reading = _OTHER_ADDRESSES
    return reading.verdict(evidence, product=product)


def _no_route(evidence: Evidence, around: Surroundings) -> Verdict:
    """No answer from an address that Azure says is good: is it the endpoint, or the place that we look from?"""
    if around.reached_before:
        return _ALTHOUGH_APPROVED.verdict(evidence, how="this app has reached it before")
    if around.peered:
        return _ALTHOUGH_APPROVED.verdict(evidence, how="its network and the app's are one or peered")
    how = "it is not known to be peered with the endpoint's network"
    if around.peered is False:
        how = f"its network ({around.app_network}) is not peered with the endpoint's ({around.network})"
    return _FROM_APP.verdict(evidence, how=how)


def _explained_by_dns(evidence: Evidence, around: Surroundings) -> Verdict | None:
    """Why a name leads nowhere, or elsewhere, though zone, link and record are right.

    Own name servers come first: where they answer, it does not matter which zones the asking network is linked to.
    """
    known = bool(around.app_network)
    network, servers = (around.app_network, around.app_dns_servers) if known else (around.network, around.dns_servers)
    if servers:
        if evidence.failure is Failure.WRONG_ADDRESS:
            return None  # they know some private zone
        return _CUSTOM_DNS.verdict(evidence, network=network, servers=", ".join(servers))
    if around.app_linked is False:
        return _NOT_LINKED_TO_APP.verdict(evidence, network=around.app_network)
    return None
