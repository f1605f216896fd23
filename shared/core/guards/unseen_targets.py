"""Targets and policies of ours that reads do not show: not seen is not gone. Pure.

A key that loses sight of a deployment for a moment is answered as if it were gone. So a target is gone only where three
answers agree: its read by id finds nothing, the policy no longer lists it, and the policy's total equals what it lists.
Until then its association stays on record as ours. A policy of projects states no total: there a person's word takes
the place of the third answer. Read by `reconciler.observe`; asked by the plans.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared.core.model.conditions import Explanation
from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.resources import Policy
from shared.core.model.steps import Disassociate
from shared.core.reasons import explain


def _forget(target_id: str, noun: str) -> str:
    asked = Decided(ConnectionDecision.FORGET_TARGET, target_id).request
    return f"Send {asked} if it is gone for certain; else give the API key its role on the {noun} back."


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
            _forget(target_id, "project"),
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
            _forget(target_id, "deployment"),
            {"deployment id": target_id},
        )


NONE_UNSEEN = UnseenTargets()


def all_vanished(
    policies: Iterable[Policy], remembered: Iterable[PolicyMemory], instance_id: str, key_mark: str
) -> tuple[str, ...]:
    """Ids of policies of ours that the API key before this one showed, where this one's list shows none at all.

    `remembered`: by records of the organization's connections. What is not there under one key was deleted; where all
    are gone with a key that was exchanged, it is likelier another organization's, in which nothing must be made.
    """
    if not key_mark or any(one.marker is not None and one.marker.instance == instance_id for one in policies):
        return ()
    ours = (one for one in remembered if one.owner is Owner.OURS and one.id)
    return tuple(sorted(one.id for one in ours if one.key and one.key != key_mark))


def none_of_ours(vanished: Collection[str]) -> Explanation:
    """What is said then; a person who knows better re-runs the connection."""
    named = ", ".join(list(vanished)[:3])
    return explain(
        Reason.OTHER_ORGANIZATIONS_KEY,
        "Since the API key was exchanged, Elastic Cloud shows no policy of this installation, and "
        f"{len(vanished)} {'is' if len(vanished) == 1 else 'are'} on record ({named}): the key is of another "
        "organization, or lacks rights. Nothing is made or taken away meanwhile.",
        "Give the app the API key of the organization that has them; if they were deleted for certain, re-run the "
        "connection.",
    )
