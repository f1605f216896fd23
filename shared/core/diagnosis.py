"""What a health check's evidence means: verdict, cause and next step. Pure: no network, no clock.

`shared.probe` collects an `Evidence`; `reconcile` and `sweep` ask `diagnose` for the `Verdict` that is recorded, shown
and notified. The reading follows Elastic's guide, "Private connectivity with Azure Private Link", sections on testing
and troubleshooting: no route = connection not approved, certificate mismatch = wrong name, 403 `{"ok":false}` = policy
missing or not associated, 404 `{"ok":false}` = name unknown to Elastic's proxy, 401 or 200 from Elasticsearch = good.

One table says what each failure of the path means (`_FAILURES`), one function reads an HTTP answer (`_read_answer`): a
new kind of evidence becomes a row or a branch there, and callers stay as they are.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Stage = Literal["resolve", "connect", "tls", "http"]
Status = Literal["healthy", "degraded", "unreachable", "blocked", "unknown"]


class Failure(StrEnum):
    """What stopped a probe, as seen from inside the virtual network."""

    NAME_NOT_FOUND = "name-not-found"
    RESOLVER_FAILED = "resolver-failed"
    PUBLIC_ADDRESS = "public-address"
    WRONG_ADDRESS = "wrong-address"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect-timeout"
    CERTIFICATE_MISMATCH = "certificate-mismatch"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    TLS_FAILED = "tls-failed"
    NO_ANSWER = "no-answer"
    NOT_HTTP = "not-http"
    PROBE_FAILED = "probe-failed"
    """The probe could not do its work for a reason of its own machine, such as no free sockets."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of a probe."""

    name: Stage
    ok: bool
    milliseconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one probe saw. Stages after the failed one are absent: they were not tried."""

    host: str
    port: int
    expected_address: str
    """The private endpoint's own address; the only one that is ever connected to."""
    addresses: tuple[str, ...] = ()
    """Every A record that the resolver answered."""
    stages: tuple[StageResult, ...] = ()
    failure: Failure | None = None
    http_status: int | None = None
    body: str = ""
    """The first part of the answer's body."""
    elastic_product: bool = False
    """The answer carried `X-Elastic-Product: Elasticsearch`."""

    @property
    def failed_stage(self) -> StageResult | None:
        """The stage that stopped the probe."""
        return next((stage for stage in self.stages if not stage.ok), None)

    @property
    def milliseconds(self) -> float:
        """Time of all stages together."""
        return sum(stage.milliseconds for stage in self.stages)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a health check, for a person and for alerts."""

    status: Status
    reason: str
    """One CamelCase word, for conditions and queries."""
    cause: str
    """One sentence."""
    next_step: str
    """What a person can do; empty when nothing is to be done."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A verdict whose texts still hold the names of what `verdict` fills in."""

    status: Status
    reason: str
    cause: str
    next_step: str

    def verdict(self, evidence: Evidence) -> Verdict:
        """Fill the texts in from `evidence`."""
        failed = evidence.failed_stage
        words = {
            "host": evidence.host,
            "port": evidence.port,
            "expected": evidence.expected_address,
            "seen": ", ".join(evidence.addresses) or "no address",
            "detail": failed.detail if failed else "",
            "status": evidence.http_status,
        }
        return Verdict(self.status, self.reason, self.cause.format(**words), self.next_step.format(**words))


_CHECK_DNS = (
    "Check that the zone has a * record, that it is linked to the virtual network, and that this network resolves "
    "through Azure (168.63.129.16) or forwards the zone to it."
)
_CHECK_APPROVAL = (
    "Check that the private endpoint's connection is Approved and that the policy in Elastic Cloud has exactly the "
    "endpoint's name and resource GUID; if it is Approved, check that this app runs inside the virtual network or a "
    "peered one."
)
_FAILURES: Mapping[Failure, _Reading] = {
    Failure.NAME_NOT_FOUND: _Reading(
        "unreachable", "NameNotFound", "{host} has no address for this virtual network: {detail}.", _CHECK_DNS
    ),
    Failure.RESOLVER_FAILED: _Reading(
        "unknown",
        "ResolverFailed",
        "The name server gave no usable answer for {host}: {detail}.",
        "Check the DNS servers of the virtual network and whether this app can reach them.",
    ),
    Failure.PUBLIC_ADDRESS: _Reading(
        "unreachable",
        "PublicAddress",
        "{host} resolves to the public address {seen}, not to the private endpoint at {expected}.",
        _CHECK_DNS,
    ),
    Failure.WRONG_ADDRESS: _Reading(
        "unreachable",
        "WrongAddress",
        "{host} resolves to {seen}, not to the private endpoint at {expected}.",
        "Check which endpoint the zone's * record points to, and that no record of its own hides it for this name.",
    ),
    Failure.REFUSED: _Reading(
        "unreachable", "NoRoute", "{expected} refused the connection to port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.UNREACHABLE: _Reading(
        "unreachable", "NoRoute", "There is no route to {expected} port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.CONNECT_TIMEOUT: _Reading(
        "unreachable", "NoRoute", "{expected} does not answer on port {port}: {detail}.", _CHECK_APPROVAL
    ),
    Failure.CERTIFICATE_MISMATCH: _Reading(
        "unreachable",
        "CertificateMismatch",
        "The certificate at {expected} is not for {host}: {detail}.",
        "Check that the zone's region is the deployment's, and that the host is not from a Cloud ID or a CNAME.",
    ),
    Failure.CERTIFICATE_NOT_TRUSTED: _Reading(
        "unreachable",
        "CertificateNotTrusted",
        "The certificate shown for {host} is not trusted: {detail}.",
        "Look for a proxy or firewall that replaces TLS certificates between this network and the private endpoint.",
    ),
    Failure.TLS_FAILED: _Reading(
        "unreachable",
        "TlsFailed",
        "{expected} accepts connections but TLS with {host} failed: {detail}.",
        "Look for a firewall that interferes with TLS, and check that the connection is still Approved.",
    ),
    Failure.NO_ANSWER: _Reading(
        "degraded",
        "NoAnswer",
        "TLS with {host} works but no HTTP answer came: {detail}.",
        "Check the deployment's health in the Elastic Cloud console.",
    ),
    Failure.NOT_HTTP: _Reading(
        "degraded",
        "UnexpectedAnswer",
        "{host} answered with something that is not HTTP: {detail}.",
        "Check what listens at {expected} port {port}.",
    ),
    Failure.PROBE_FAILED: _Reading(
        "unknown",
        "ProbeFailed",
        "The probe of {host} could not be carried out: {detail}.",
        "Check the app's own network permissions and limits; the next health check tries again.",
    ),
}
_OTHER_ADDRESSES = _Reading(
    "degraded",
    "WrongAddress",
    "{host} resolves to {seen}; the private endpoint at {expected} works, but clients may be sent to the others.",
    "Remove the addresses of the zone's record that do not belong to a working private endpoint.",
)
_REACHABLE = _Reading("healthy", "Reachable", "Elasticsearch answers at {host} with {status}.", "")
_PATH_WORKS = _Reading(
    "healthy", "PathWorks", "Elastic's proxy answers through the private endpoint at {expected}.", ""
)
_FORBIDDEN = _Reading(
    "blocked",
    "ForbiddenByPolicy",
    "The path works, but no policy of the deployment behind {host} admits this private endpoint.",
    "Associate the endpoint's policy with the deployment, and check the policy's endpoint name and resource GUID.",
)
_UNKNOWN_RESOURCE = _Reading(
    "unreachable",
    "UnknownResource",
    "The path works, but Elastic's proxy knows no deployment by the name {host}.",
    "Check whether the deployment's alias was changed or removed, or the deployment deleted.",
)
_ELASTICSEARCH_ERROR = _Reading(
    "degraded",
    "ElasticsearchError",
    "The path works, but the deployment behind {host} answers with {status}.",
    "Check the deployment's health in the Elastic Cloud console.",
)
_UNEXPECTED = _Reading(
    "degraded",
    "UnexpectedAnswer",
    "{host} answered with {status}, which is not how Elasticsearch answers without credentials.",
    "Check what listens at {expected} port {port}.",
)
_REFUSALS: Mapping[int, _Reading] = {HTTPStatus.FORBIDDEN: _FORBIDDEN, HTTPStatus.NOT_FOUND: _UNKNOWN_RESOURCE}
_INCOMPLETE = _Reading("unknown", "ProbeFailed", "The probe of {host} ended without an answer.", "")


def diagnose(evidence: Evidence, *, expect_unknown: bool = False, shared_with: Collection[str] = ()) -> Verdict:
    """Read `evidence`.

    With `expect_unknown` the name probed belongs to no deployment, so the proxy's refusal is the good answer.
    `shared_with` holds addresses of other endpoints that rightly are in the record too; any more in the answer
    degrade a healthy verdict.
    """
    if evidence.failure is not None:
        return _FAILURES[evidence.failure].verdict(evidence)
    reading = _read_answer(evidence, expect_unknown=expect_unknown)
    allowed = {evidence.expected_address, *shared_with}
    if reading.status == "healthy" and not allowed.issuperset(evidence.addresses):
        reading = _OTHER_ADDRESSES
    return reading.verdict(evidence)


def address_failure(expected: str, addresses: Collection[str]) -> Failure | None:
    """What is wrong with a resolver's answer for an endpoint at `expected`; None if that address is in it."""
    if expected in addresses:
        return None
    if not addresses:
        return Failure.NAME_NOT_FOUND
    return Failure.PUBLIC_ADDRESS if any(_is_public(address) for address in addresses) else Failure.WRONG_ADDRESS


def _read_answer(evidence: Evidence, *, expect_unknown: bool) -> _Reading:
    """Tell from an HTTP answer who gave it and what it means.

    Both the proxy (`{"ok":false}`) and Elasticsearch (`security_exception`) answer with 403; Elasticsearch's is as good
    as its 401: the request arrived there.
    """
    status = evidence.http_status
    if status is None:
        return _INCOMPLETE
    if status in _REFUSALS and _proxy_refused(evidence):
        return _PATH_WORKS if expect_unknown else _REFUSALS[status]
    from_elasticsearch = _from_elasticsearch(evidence)
    if from_elasticsearch and status in (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _REACHABLE
    busy = from_elasticsearch and status == HTTPStatus.TOO_MANY_REQUESTS
    return _ELASTICSEARCH_ERROR if busy or status >= HTTPStatus.INTERNAL_SERVER_ERROR else _UNEXPECTED


def _proxy_refused(evidence: Evidence) -> bool:
    """Whether the answer has the form of Elastic's proxy: `{"ok":false,...}`, or for its 403 also plain text."""
    if evidence.elastic_product:
        return False
    document = _json_object(evidence.body)
    if document is not None:
        return document.get("ok") is False
    plain = evidence.body.strip(' \r\n"')
    return evidence.http_status == HTTPStatus.FORBIDDEN and plain.startswith("Forbidden")


def _from_elasticsearch(evidence: Evidence) -> bool:
    """Whether Elasticsearch itself answered; versions before 7.14 do not say so in a header."""
    return evidence.elastic_product or "security_exception" in evidence.body or "You Know, for Search" in evidence.body


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
