"""The switches of the Elastic Cloud simulator; read by every part of `local.elastic`, set by tests.

Most exist because Elastic's documents leave the behaviour open: then the product has to live with every position of
the switch. The default is the answer that is documented or was seen, else the one that is hardest on a careless client;
each field says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

Judgement = Literal["accepted", "refused"]
# A hook sees method and path; a dict or list it gives is answered as JSON, a text as HTML, None lets the request pass.
Fault = Callable[[str, str], tuple[int, Any] | None]


@dataclass(slots=True)
class ElasticSettings:
    """How this Elastic Cloud behaves where the documents are silent, and what goes wrong in it."""

    # Associations.
    cross_region_association: Judgement = "refused"
    """A policy with a deployment of another region. Documented as not possible; the status is ours: 400."""
    hidden_deployment_association: Judgement = "accepted"
    """A deployment with `metadata.hidden`. Undocumented; accepted, so that the client itself has to look."""
    stopped_deployment_association: Judgement = "accepted"
    """A deployment that was shut down. Undocumented; accepted for the same reason."""
    missing_deployment_association: Judgement = "refused"
    """A deployment that is not there. Undocumented; refused with 404, as everywhere else in the API."""
    delete_with_associations: int = 409
    """Status of the documented refusal to delete a policy in use; 409 is the usual one, 400 and 500 are possible."""
    invisible_deployments: set[str] = field(default_factory=set)
    """Deployments the key may not see: they are not there for it; their associations count in `total_associations`
    and are not listed."""

    associations_of_deleted: Literal["gone", "listed"] = "gone"
    """What becomes of a deployment's associations when it is deleted. Undocumented; "listed" was seen."""
    editable_deployments: set[str] | None = None
    """Deployments on which the key has the role Editor; None: it is an owner's. Documented: with one it may write
    policies, only on these it may associate them, and applying one by default takes all. 403 was seen."""

    # Policies.
    duplicate_name: Judgement = "accepted"
    """A second policy of one name. No uniqueness is documented: accepted, so a blind retry really makes a second."""
    duplicate_guid: Judgement = "accepted"
    """A second policy with one endpoint's GUID. Undocumented; accepted for the same reason."""
    unknown_guid: Judgement = "accepted"
    """A policy for no endpoint. Undocumented; accepted: Elastic cannot see the customer's subscription."""
    put_immutable: Judgement = "refused"
    """A PUT that changes region or type. Undocumented; refused with 400, because a policy lives in one region."""
    missing_ruleset_status: Literal[404, 403] = 404
    """404 `traffic_filter.not_found` is declared; 403 `root.permission_denied` was seen for the same thing."""
    max_rulesets: int = 1024
    """Policies of one organization: documented."""
    max_rules: int = 128
    """Sources of one policy: documented."""
    limit_status: int = 400
    """Status past the two limits; undocumented."""

    # Approval.
    approval_seconds: float = 5.0
    """From a matching policy to `Approved`. No figure is published; tests set what they need."""
    approves: bool = True
    """False: endpoints stay as they are. The search for what to approve costs too much among thousands of policies."""
    wrong_guid: Literal["pending", "rejected"] = "pending"
    """An endpoint whose name is in a policy with another GUID. Documented only as "check name and ID"."""
    match_case_sensitive: bool = True
    """Whether name and GUID must match letter for letter; the guide says "exactly match"."""
    ruleset_deleted_while_approved: Literal["stays", "disconnected", "rejected"] = "stays"
    """What becomes of an approved endpoint whose policy goes, or whose rule is changed. Undocumented."""

    # Claims.
    repeat_claim: Judgement = "accepted"
    """The same claim twice by the same organization. Undocumented; accepted, so that a retry does no harm."""
    claimed_elsewhere: set[tuple[str, str]] = field(default_factory=set)
    """(region, GUID) claimed by other organizations: cannot be claimed, nor be put in a policy (documented purpose)."""

    # Proxy.
    unassociated_unfiltered_answer: Literal[200, 403] = 200
    """Private traffic to a deployment without any policy: passes (the guide) or 403 (older page)."""

    proxy_missing_policies: set[str] = field(default_factory=set)
    """Ids of policies that the proxy does not have, though the API lists them: it lags behind."""
    proxy_unknown_hosts: set[str] = field(default_factory=set)
    """Hosts that lead nowhere at the proxy, though the API shows them: it lags behind."""

    proxy_unknown_aliases: set[str] = field(default_factory=set)
    """Labels of products ("fleet") whose alias the proxy does not know, though the API shows it and their id works:
    seen in elastic/terraform-provider-ec#951 and elastic/beats#26750."""
    unknown_resource: Literal["Unknown resource.", "Unknown deployment."] = "Unknown resource."
    """The text with the proxy's 404; both were seen."""
    served_states: set[str] = field(default_factory=lambda: {"started"})
    """States of a deployment in which the proxy leads to it. Undocumented; in all others it answers 404."""

    # Products, asked without credentials.
    kibana_answer: Literal["login", "unauthorized", "forbidden"] = "login"
    """Kibana's answer to `/`: a redirect to its login page was seen; 401 or 403 are possible."""
    enterprise_search_answer: Literal["redirect", "page"] = "redirect"
    """Enterprise Search's answer to `/`. Undocumented."""
    fleet_status: Literal["HEALTHY", "DEGRADED", "STARTING", "FAILED"] = "HEALTHY"
    """What `/api/status` of Fleet Server says. The words are documented, which of them come with a 503 is not."""
    unwell_status: int = 503
    """The proxy's answer for a product whose instances are down. Undocumented; 502 and 504 are possible."""

    # Replies.
    create_lag_seconds: float = 0.0
    """For so long a new policy is not found by any read: seen in clients' issues. 0: tests that mean it set it."""
    association_lag_seconds: float = 0.0
    """For so long a new association is not listed, though it works: seen in clients' issues."""
    disassociation_lag_seconds: float = 0.0
    """For so long an association that was taken away is still listed, though it no longer works. Undocumented."""
    association_effect_seconds: float = 0.0
    """For so long after it takes effect in the API a new association is not enforced, listed or not. Undocumented."""
    disassociation_effect_seconds: float = 0.0
    """For so long an association that was taken away is still enforced, listed or not. Undocumented."""
    nulls: bool = True
    """`null` in place of empty lists and absent texts in deployments: seen in recorded answers."""
    settings_absent: bool = False
    """Deployments without `settings`, to be read as "unknown". Seen; off, because most answers have it."""
    hits_per_page: int = 10_000
    """Most deployments in one page of a search, for any size asked. Undocumented; no more may be asked for."""
    html_errors: bool = False
    """Errors as a gateway's HTML page, not as JSON. Seen; off, because the API itself answers JSON."""
    latency_seconds: float = 0.0
    """How long each answer takes; half before the request takes effect, half after. Lets requests overlap in tests."""

    # Rate limit and key.
    rate_limit: int | None = None
    """Requests per interval before 429, and whether the `x-ratelimit-*` headers are sent. No figure is published."""
    rate_limit_interval_seconds: float = 60.0
    """Length of that interval."""
    retry_after_seconds: int | None = None
    """`Retry-After` of a 429; None sends none. Undocumented."""
    api_key_expires_at: datetime | None = None
    """When the API key ends; None: three months after the simulator's first request, Elastic's default life."""
    api_key_has_end: bool = True
    """False: a key that never expires, and answers without the header that says when."""

    # Faults.
    outage: int | None = None
    """A status, e.g. 503, that a gateway in front answers every request with, as HTML; nothing changes meanwhile."""
    faults: list[Fault] = field(default_factory=list)
    """Asked before a request takes effect; the first that answers is the answer."""
    faults_after: list[Fault] = field(default_factory=list)
    """Asked after a request took effect: the write is done, its answer is lost and replaced."""
