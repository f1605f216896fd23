"""Settings: what may be connected in Elastic Cloud, closed, opened and claimed there. A group of `PlanOptions`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.options import values as value
from shared.core.options.declaration import setting


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What may be connected in Elastic Cloud, closed, opened and claimed there.

    Lists hold ids or names in lower case; `*` stands for all.
    """

    deployments_allowed: frozenset[str] = setting(
        "ELASTIC_DEPLOYMENTS_ALLOWED",
        value.targets,
        "",
        "Ids or names of the deployments and projects that an endpoint's tag may ask for, separated by commas; `*` for "
        "all ([the first consent](#tags-who-asks-and-who-consents)).",
        deployed=True,
    )
    deployments_denied: value.DeniedTargets = setting(
        "ELASTIC_DEPLOYMENTS_DENIED",
        value.denied_targets,
        "",
        "Ids or names of deployments and projects that the app [leaves alone](#tags-who-asks-and-who-consents), "
        "separated by commas; `*` for all. Better ids: a name changes.",
        deployed=True,
    )
    first_policy_allowed: frozenset[str] = setting(
        "ELASTIC_FIRST_POLICY_ALLOWED",
        value.targets,
        "",
        "Ids or names of the deployments and projects that may be given their first policy, separated by commas; `*` "
        "for all ([the second consent](#tags-who-asks-and-who-consents)).",
        deployed=True,
    )
    last_policy_allowed: frozenset[str] = setting(
        "ELASTIC_LAST_POLICY_ALLOWED",
        value.targets,
        "",
        "Ids or names of the deployments and projects whose last policy may be taken away, separated by commas; `*` "
        "for all ([the third consent](#tags-who-asks-and-who-consents)).",
        deployed=True,
    )
    most: int = setting(
        "TARGETS_MAX",
        value.whole(1, 1000),
        "1000",
        "Deployments or projects that one endpoint is connected to, at most; with more, [none is "
        "associated](scale.md#bounds).",
    )
    association_restores: int = setting(
        "ASSOCIATION_RESTORES",
        value.whole(0, 1000),
        "3",
        "How often within seven days the app restores what another manager changes (an association, a record, a "
        "policy's name or rule); then it gives up.",
        deployed=True,
    )
    claim: bool = setting(
        "ELASTIC_CLAIM",
        value.yes_or_no,
        "false",
        "Whether endpoints are claimed for the Elastic Cloud organization, so that no other one can name them in a "
        "policy. An endpoint's tag `elastic-privatelink-claim` (`true`, `false`) says otherwise for that endpoint.",
        deployed=True,
    )
