"""Settings: what may be taken away, and when. A group of `PlanOptions`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.core.options import values as value
from shared.core.options.declaration import setting


class OnDelete(StrEnum):
    """What becomes of what was made for an endpoint when the endpoint is deleted."""

    CLEANUP = "cleanup"
    RETAIN = "retain"


@dataclass(frozen=True, slots=True)
class RemovalOptions:
    """What may be taken away, and when."""

    on_delete: OnDelete = setting(
        "ON_DELETE",
        value.one_of(OnDelete.CLEANUP, OnDelete.RETAIN),
        "cleanup",
        "What becomes of what the app made for an endpoint when that is deleted: `cleanup` removes it, `retain` leaves "
        "it. An endpoint's tag `elastic-privatelink-on-delete` says otherwise for that endpoint.",
        deployed=True,
    )
    retained_policies: int = setting(
        "RETAINED_POLICIES_MAX",
        value.whole(0, 1024),
        "100",
        "How many policies of endpoints that are gone or left alone a subscription may have; with as many, its "
        "[new endpoints get none](security.md#threats-considered). An organization holds 1,024 policies.",
    )
    grace: float = setting(
        "REMOVAL_GRACE_SECONDS",
        value.seconds(0, 604800),
        "600",
        "Seconds between the decision that an endpoint is gone and the removal; an endpoint made again ends it.",
        deployed=True,
    )
    limit: int | None = setting(
        "REMOVAL_LIMIT",
        value.optional(value.whole(0, 100000)),
        "",
        "Connections that may stand for removal at once; with more [all removals stop](operations.md#removals) until a "
        "person confirms. Empty: the larger of 10 and 5 % of those on record.",
        deployed=True,
    )
    allow_delete: bool = setting(
        "ALLOW_DELETE",
        value.yes_or_no,
        "true",
        "`false`: the app has no right to delete records, links and zones, and the doctor misses none; what is left is "
        "reported.",
        deployed=True,
    )
