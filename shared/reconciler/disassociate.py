"""Taking an association away, one at a time in the whole installation: no target loses its last policy (S2).

Used by `apply_removal` and `elastic_branch`. Two connections whose associations with one target are taken away at the
same moment would each see the other's policy as the one that stays. So the right to disassociate is held by one run at
a time (table `control`), which asks Elastic Cloud again just before, and does not count on what another run took away
a moment ago and the answer may still show.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.core.guards.first_and_last_policy import protected_without
from shared.core.model.errors import Blocked, NotFound, Waiting
from shared.core.model.reasons import Reason
from shared.core.model.steps import Disassociate
from shared.core.reasons import explain
from shared.reconciler.run_state import Run
from shared.state.control import lease

NAME = "disassociation"


async def disassociate(run: Run, step: Disassociate, types: Mapping[str, str]) -> None:
    """Take the association away; Blocked if it is the target's last, Waiting while another run does the same."""
    # Two requests' time, and some: past that the holder counts as dead.
    lasting = timedelta(seconds=2 * run.context.settings.timing.request_timeout + 15)
    async with lease(run.context.storage.control, run.context.clock, NAME, holder=run.id, lasting=lasting) as held:
        if held is None:
            raise Waiting("Another association is being taken away; this one follows.", on=NAME, after=2.0)
        if not step.may_reopen:
            await _check(run, step, types, held.document)
        await run.elastic.disassociate(step.policy_id, step.target_id)
        held.document = _noted(run, held.document, step)


async def _check(run: Run, step: Disassociate, types: Mapping[str, str], document: Mapping[str, Any]) -> None:
    try:
        attached = await run.elastic.attached_to(step.target_id)
    except NotFound:
        return  # the target is gone, and its associations with it
    gone = {policy for target, policy, _ in _recent(run, document) if target == step.target_id}
    left = tuple(policy for policy in attached if policy not in gone)
    if not protected_without(step.policy_id, left, types):
        what = f"The policy is by now the last one of deployment {step.target_name}; without it that is open to the "
        raise Blocked(explain(Reason.WOULD_REOPEN_PUBLIC_ACCESS, f"{what}internet."), on=step.target_id)


def _recent(run: Run, document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    oldest = run.context.clock.now() - timedelta(seconds=run.context.options.timing.policy_lag)
    entries = [(str(a), str(b), str(at)) for a, b, at in document.get("recent") or []]
    return [entry for entry in entries if datetime.fromisoformat(entry[2]) > oldest]


def _noted(run: Run, document: Mapping[str, Any], step: Disassociate) -> dict[str, Any]:
    entry = (step.target_id, step.policy_id, run.context.clock.now().isoformat())
    return {**document, "recent": [*_recent(run, document), entry]}
