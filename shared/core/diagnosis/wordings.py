"""What each finding of a health check is called: its status, its reason, its text. Tables without logic.

Used by `reading`. The words in braces are filled in by `evidence.Wording.verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.core.diagnosis.evidence import Failure, Wording
from shared.core.model.reasons import Reason

# -- the path ----------------------------------------------------------------------------------------------------------

FAILURES: Mapping[Failure, Wording] = {
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
OTHER_ADDRESSES = Wording(
    "degraded",
    Reason.WRONG_ADDRESS,
    "{host} resolves to {seen}; the private endpoint at {expected} works, but clients may be sent to the others.",
)
ALTHOUGH_APPROVED = Wording(
    "unreachable",
    Reason.NO_ROUTE_ALTHOUGH_APPROVED,
    "{expected} does not answer on port {port} ({detail}), although Azure says that the connection is Approved; {how}.",
)
FROM_APP = Wording(
    "unknown",
    Reason.NO_ROUTE_FROM_APP,
    "This app gets no answer from {expected} port {port} ({detail}), and never has: {how}. Azure says Approved and the "
    "policy is right, so clients in the endpoint's network may well be served.",
    "Peer {app} with {network}, or route between them, and let firewalls pass port {port} to {expected}, if the app is "
    "to test it.",
)
REFUSED_ON_THE_WAY = Wording(
    "unknown",
    Reason.REFUSED_ON_THE_WAY,
    "The connection to {expected} port {port} is turned away ({detail}), although Azure says Approved; {how}.",
    "Allow port {port} from {app} to {expected} in {network}, in the firewalls on the way.",
)

# -- an HTTP answer ----------------------------------------------------------------------------------------------------

REACHABLE = Wording("healthy", Reason.REACHABLE, "{product} answers at {host} with {status}.")
PATH_WORKS = Wording(
    "healthy", Reason.PATH_WORKS, "Elastic's proxy answers through the private endpoint at {expected}."
)
FORBIDDEN = Wording(
    "blocked",
    Reason.FORBIDDEN_BY_POLICY,
    "The path works, but no policy of what stands behind {host} admits this private endpoint.",
)
NOT_ASSOCIATED = Wording(
    "blocked",
    Reason.NOT_ASSOCIATED,
    "The path works, but the endpoint's policy is not associated with what stands behind {host}, which lets "
    "nothing private in without.",
)
ONLY_OTHER_POLICIES = Wording(
    "blocked",
    Reason.ONLY_OTHER_POLICIES,
    "The path works, but what stands behind {host} has other policies only, and none of them admits this endpoint.",
)
UNKNOWN_RESOURCE = Wording(
    "unreachable",
    Reason.UNKNOWN_RESOURCE,
    "The path works, but Elastic's proxy knows nothing by the name {host}.",
)
CHANGING = Wording(
    "degraded",
    Reason.DEPLOYMENT_CHANGING,
    "The path works; Elastic Cloud says that the target behind {host} is {state}, and its proxy does not lead to it "
    "yet.",
)
NOT_RUNNING = Wording(
    "blocked",
    Reason.DEPLOYMENT_NOT_RUNNING,
    "The path works; Elastic Cloud says that the target behind {host} is {state}, and so it does not answer.",
)
ALIAS_NOT_SERVED = Wording(
    "degraded",
    Reason.ALIAS_NOT_SERVED,
    "The path works, and {product} answers at {by_id}; by the alias, {host}, Elastic's proxy does not know it.",
    "Use https://{by_id} in place of the alias: in Fleet's settings for its server hosts and outputs, for example.",
)
ELASTICSEARCH_ERROR = Wording(
    "degraded",
    Reason.ELASTICSEARCH_ERROR,
    "The path works, but what stands behind {host} answers with {status}.",
)
SERVICE_ERROR = Wording(
    "degraded",
    Reason.SERVICE_ERROR,
    "The path works, but {product} at {host} answers with {status}.",
    "Check the health of {product} in the Elastic Cloud console; switch it off there if it is not used.",
)
UNEXPECTED = Wording(
    "degraded",
    Reason.UNEXPECTED_ANSWER,
    "{host} answered with {status}, which is not how {product} answers without credentials.",
    "Check what listens at {expected} port {port}.",
)
INCOMPLETE = Wording("unknown", Reason.PROBE_FAILED, "The probe of {host} ended without an answer.")
