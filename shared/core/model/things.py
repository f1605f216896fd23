"""What a connection's record says was made for its endpoint, for people and for counting. Pure.

Used by the removal, the sweep and the HTTP answers; what is really there is read again before anything is removed.
"""

from __future__ import annotations

from shared.core.model.record import Connection, Owner


def things_of(known: Connection) -> tuple[str, ...]:
    """Everything of ours: each is one destructive step when it is removed."""
    owned = [thing for thing in (known.zone, *known.links, known.record) if thing is not None]
    things = [thing.id for thing in owned if thing.owner is Owner.OURS]
    if known.policy.id and known.policy.owner is Owner.OURS:
        things.append(f"policy {known.policy.id}")
    things += [f"association with deployment {a.deployment_id}" for a in known.associations if a.owner is Owner.OURS]
    things += [f"association of policy {one.policy_id} with deployment {one.deployment_id}" for one in known.former]
    if known.claim is not None and known.claim.owner is Owner.OURS:
        things.append(f"claim to {known.claim.endpoint_name}")
    return tuple(things)
