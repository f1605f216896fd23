"""How far a probe came and what that means. Pure; called by `shared.checks`.

The reading follows Elastic's guide, "Private connectivity with Azure Private Link", sections on testing and
troubleshooting: no route = connection not approved, certificate mismatch = wrong name, 403 `{"ok":false}` = policy
missing or not associated, 404 `{"ok":false}` = name unknown to Elastic's proxy, 401 or 200 from Elasticsearch = good.

One table says what each failure of the path means (`_FAILURES`), `answers` reads what came over HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from shared.core.diagnosis.answers import read_answer
from shared.core.diagnosis.evidence import Evidence, Failure, Reading, Verdict

_CHECK_DNS = (
    "Check that the zone has a * record, that it is linked to the virtual network, and that this network resolves "
    "through Azure (168.63.129.16) or forwards the zone to it."
)
_CHECK_APPROVAL = (
    "Check that the private endpoint's connection is Approved and that the policy in Elastic Cloud has exactly the "
    "endpoint's name and resource GUID; if it is Approved, check that this app runs inside the virtual network or a "
    "peered one."
)
_FAILURES: Mapping[Failure, Reading] = {
    Failure.NAME_NOT_FOUND: Reading(
        "unreachable", "NameNotFound", "{host} has no address for this virtual network: {detail}.", _CHECK_DNS
    ),
    Failure.RESOLVER_FAILED: Reading(
        "unknown",
        "ResolverFailed",
        "The name server gave no usable answer for {host}: {detail}.",
        "Check the DNS servers of the virtual network and whether this app can reach them.",
    ),
    Failure.PUBLIC_ADDRESS: Reading(
        "unreachable",
        "PublicAddress",
        "{host} resolves to the public address {seen}, not to the private endpoint at {expected}.",
        _CHECK_DNS,
    ),
    Failure.WRONG_ADDRESS: Reading(
        "unreachable",
        "WrongAddress",
        "{host} resolves to {seen}, not to the private endpoint at {expected}.",
        "Check which endpoint the zone's * record points to, and that no record of its own hides it for this name.",
    ),
    Failure.REFUSED: Reading(
        "unreachable", "NoRoute", "{expected} refused the connection to port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.UNREACHABLE: Reading(
        "unreachable", "NoRoute", "There is no route to {expected} port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.CONNECT_TIMEOUT: Reading(
        "unreachable", "NoRoute", "{expected} does not answer on port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.CERTIFICATE_MISMATCH: Reading(
        "unreachable",
        "CertificateMismatch",
        "The certificate at {expected} is not for {host}: {detail}.",
        "Check that the zone's region is the deployment's, and that the host is not from a Cloud ID or a CNAME.",
    ),
    Failure.CERTIFICATE_NOT_TRUSTED: Reading(
        "unreachable",
        "CertificateNotTrusted",
        "The certificate shown for {host} is not trusted: {detail}.",
        "Look for a proxy or firewall that replaces TLS certificates between this network and the private endpoint.",
    ),
    Failure.TLS_FAILED: Reading(
        "unreachable",
        "TlsFailed",
        "{expected} accepts connections but TLS with {host} failed: {detail}.",
        "Look for a firewall that interferes with TLS, and check that the connection is still Approved.",
    ),
    Failure.NO_ANSWER: Reading(
        "degraded",
        "NoAnswer",
        "TLS with {host} works but no HTTP answer came: {detail}.",
        "Check the deployment's health in the Elastic Cloud console.",
    ),
    Failure.NOT_HTTP: Reading(
        "degraded",
        "UnexpectedAnswer",
        "{host} answered with something that is not HTTP: {detail}.",
        "Check what listens at {expected} port {port}.",
    ),
    Failure.PROBE_FAILED: Reading(
        "unknown",
        "ProbeFailed",
        "The probe of {host} could not be carried out: {detail}.",
        "Check the app's own network permissions and limits; the next health check tries again.",
    ),
}
_OTHER_ADDRESSES = Reading(
    "degraded",
    "WrongAddress",
    "{host} resolves to {seen}; the private endpoint at {expected} works, but clients may be sent to the others.",
    "Remove the addresses of the zone's record that do not belong to a working private endpoint.",
)


def diagnose(evidence: Evidence, *, expect_unknown: bool = False, shared_with: Collection[str] = ()) -> Verdict:
    """Read `evidence`.

    With `expect_unknown` the name probed belongs to no deployment, so the proxy's refusal is the good answer.
    `shared_with` holds addresses of other endpoints that rightly are in the record too; any more in the answer
    degrade a healthy verdict.
    """
    if evidence.failure is not None:
        return _FAILURES[evidence.failure].verdict(evidence)
    reading, product = read_answer(evidence, expect_unknown=expect_unknown)
    allowed = {evidence.expected_address, *shared_with}
    if reading.status == "healthy" and not allowed.issuperset(evidence.addresses):
        reading = _OTHER_ADDRESSES
    return reading.verdict(evidence, product=product)
