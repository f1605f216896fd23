"""Targets of ours that reads do not show: not seen is not gone. Pure.

A key that loses sight of a deployment for a moment is answered as if it were gone. So a target is gone only where three
answers agree: its read by id finds nothing, the policy no longer lists it, and the policy's total equals what it lists.
Until then its association stays on record as ours. A policy of projects states no total: there a person's word takes
the place of the third answer. Read by `reconciler.observe`; asked by the plans.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.core.model.conditions import Explanation
from shared.core.model.reasons import Reason
from shared.core.model.resources import Policy
from shared.core.model.steps import Disassociate
from shared.core.reasons import explain

_FORGET = (
    'Send POST /api/connections/<id>/decisions {{"decision": "forget-target", "target": "{}"}} if it is gone for '
    "certain; else give the API key its role on the {} back."
)


@dataclass(frozen=True, slots=True)
class UnseenTargets:
    """What is known of targets of ours that a search did not show."""

    not_found: frozenset[str] = frozenset()
    """Ids whose read by id found nothing: they are gone, or the API key has lost sight of them."""
    forgotten: frozenset[str] = frozenset()
    """Those of them that a person decided to be gone."""
    none_visible: bool = False
    """Whether the API key sees no target of the family at all."""

    def all_out_of_sight(self, target_ids: Iterable[str]) -> bool:
        """Whether there are some of these, none of which reads show, and no person decided that one is gone."""
        asked = frozenset(target_ids)
        return bool(asked) and asked <= self.not_found - self.forgotten

    def is_gone(self, target_id: str, policy: Policy | None) -> bool:
        """Whether all three answers say so. `policy`: the one that it was associated with, as it was read."""
        if target_id not in self.not_found or policy is None:
            return False
        if target_id in policy.associations or policy.hidden_associations:
            return False
        return policy.counted or target_id in self.forgotten

    def out_of_sight(self, target_id: str, policy: Policy | None) -> Explanation | None:
        """What is said of a target of ours that no read shows, while that is no proof that it is gone; None: it is."""
        if policy is None or policy.counted or target_id not in self.not_found or target_id in policy.associations:
            return None
        if self.is_gone(target_id, policy):
            return None
        return explain(
            Reason.DEPLOYMENT_GONE,
            f"Elastic Cloud shows no project {target_id}, which policy {policy.id} was associated with. It is gone, or "
            "the API key has lost its role on it: both look the same.",
            _FORGET.format(target_id, "project"),
            {"deployment id": target_id},
        )

    def still_listed(self, target_id: str, policy_id: str) -> Disassociate | Explanation | None:
        """What becomes of a listed association with a target that is not found; None: that says nothing of it."""
        if target_id in self.forgotten:
            return Disassociate(policy_id, target_id, target_id, may_reopen=True, forgotten=True)
        if target_id not in self.not_found:
            return None
        return explain(
            Reason.DEPLOYMENT_GONE,
            f"Elastic Cloud knows no deployment {target_id}, and lists it as associated with policy {policy_id}. It is "
            "gone, or the API key has lost its right on it; the association stays until a person decides.",
            _FORGET.format(target_id, "deployment"),
            {"deployment id": target_id},
        )


NONE_UNSEEN = UnseenTargets()
