"""Settings: what may be taken away, and when. A group of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.guards.options import OnDelete
from shared.settings import values as value
from shared.settings.definition import setting


@dataclass(frozen=True)
class SafetySettings:
    """What may be taken away, and when."""

    on_delete: str = setting(
        "ON_DELETE",
        value.one_of(OnDelete.CLEANUP, OnDelete.RETAIN),
        "cleanup",
        "What becomes of what the app made for an endpoint when that is deleted: `cleanup` removes it, `retain` leaves "
        "it. An endpoint's tag `elastic-privatelink-on-delete` says otherwise for that endpoint.",
    )
    removal_grace: float = setting(
        "REMOVAL_GRACE_SECONDS",
        value.seconds(0, 604800),
        "600",
        "Seconds between the decision that an endpoint is gone and the removal; an endpoint made again ends it.",
    )
    removal_limit: int = setting(
        "REMOVAL_LIMIT",
        value.whole(0, 100000),
        "30",
        "Destructive steps (a record, link, zone, policy, claim or association taken away) between two sweeps. A sweep "
        "that would need more stops all of them until a person confirms; an endpoint has about five.",
    )
    last_policy_allowed: frozenset[str] = setting(
        "ELASTIC_LAST_POLICY_ALLOWED",
        value.deployments,
        "",
        "Ids or names of the deployments whose last policy may be taken away, separated by commas; `*` for all. "
        "Without any policy a deployment is open to the internet. A deployment can also opt in itself, by its tag "
        "`elastic-privatelink-last-policy` with the value `allow`.",
    )
    association_restores: int = setting(
        "ASSOCIATION_RESTORES",
        value.whole(0, 1000),
        "3",
        "How often within seven days an association is put back that somebody else takes away; then it is left alone.",
    )
    claim: bool = setting(
        "ELASTIC_CLAIM",
        value.yes_or_no,
        "false",
        "Whether endpoints are claimed for the Elastic Cloud organization, so that no other one can name them in a "
        "policy. An endpoint's tag `elastic-privatelink-claim` (`true`, `false`) says otherwise for that endpoint.",
    )
