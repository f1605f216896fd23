"""An endpoint whose organization changed, by a setting or a tag: when its connection may go over. Pure.

Used before anything of Elastic Cloud is looked at for an endpoint: by the loop, the sweep and the plans that are shown.
An endpoint has one policy at every moment, so nothing is made in its new organization while something of ours stands
in the former one. What others made there, and we only used, does not hold it up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from shared.core.model.errors import Blocked
from shared.core.model.organizations import DEFAULT, key_setting, scope_setting
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.resources import Claim, Policy
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired
from shared.core.planning.removal import policies_made_for
from shared.core.reasons import explain


def organization_on_record(record: ConnectionRecord) -> str:
    """Where everything in a record stands; a record from before there were several says nothing of it."""
    return record.elastic.organization or DEFAULT


def leaves_something(desired: Desired, record: ConnectionRecord) -> bool:
    """Whether the record has something of ours in another organization than the endpoint's: is it still there?"""
    return organization_on_record(record) != desired.organization and owns_anything(record)


def owns_anything(record: ConnectionRecord) -> bool:
    """Whether anything in Elastic Cloud is ours by the record, or was begun and its end is not known."""
    policy, claim = record.elastic.policy, record.elastic.claim
    return (
        policy.owner is Owner.OURS
        or record.elastic.policy_post_until is not None
        or (claim is not None and claim.owner is Owner.OURS)
        or any(memory.owner is not Owner.ADOPTED for memory in record.elastic.associations)
    )


def left_behind(
    record: ConnectionRecord, policies: Sequence[Policy], claims: Sequence[Claim], options: PlanOptions, now: datetime
) -> tuple[str, ...]:
    """What of ours stands in the record's organization, as its listings show it."""
    return tuple(_leftovers(record, tuple(policies), claims, options, now))


def _leftovers(
    record: ConnectionRecord, policies: tuple[Policy, ...], claims: Sequence[Claim], options: PlanOptions, now: datetime
) -> Iterator[str]:
    ours = {policy.id: policy for policy in policies_made_for(record.id, policies, options.installation.instance_id)}
    yield from (f"policy {policy.id} ({policy.name})" for policy in ours.values())
    begun = record.elastic.policy.learned_at or record.elastic.policy_post_until
    if not ours and begun is not None and now - begun < timedelta(seconds=options.timing.policy_search):
        yield "a policy that was just created and does not show yet"
    for policy in policies:
        if policy.id != record.elastic.policy.id or policy.id in ours:
            continue
        for memory in record.elastic.associations:
            if memory.owner is not Owner.ADOPTED and memory.target_id in policy.associations:
                yield f"the association of policy {policy.id} ({policy.name}) with deployment {memory.target_id}"
    claim = record.elastic.claim
    held = {one.endpoint_guid.lower() for one in claims}
    if claim is not None and claim.owner is Owner.OURS and claim.guid.lower() in held:
        yield f"the claim to {claim.endpoint_name}"


def ensure_can_switch(desired: Desired, record: ConnectionRecord, options: PlanOptions, left: Sequence[str]) -> None:
    """Raise Blocked if the endpoint belongs to no organization, or if something is left in its former one."""
    if not desired.organization:
        raise _no_organization(options)
    if left:
        raise changed_error(desired, record, f"there, and stays until a person takes it away: {'; '.join(left)}.")


def switch_record(record: ConnectionRecord, organization: str) -> ConnectionRecord:
    """The record in an organization; of what is used in another one nothing is kept."""
    if organization_on_record(record) == organization:
        return record.with_elastic(organization=organization)
    return record.with_elastic(
        organization=organization,
        policy=PolicyMemory(),
        policy_post_until=None,
        claim=None,
        associations=(),
        targets=(),
        not_before=None,
    )


def _no_organization(options: PlanOptions) -> Blocked:
    scopes = ", ".join(scope_setting(one.name) for one in options.organizations)
    return Blocked(
        explain(
            Reason.NO_ORGANIZATION,
            f"The endpoint belongs to no Elastic Cloud organization: no entry of {scopes} includes it, and there is no "
            f"{key_setting(DEFAULT)} for the endpoints that no entry includes.",
            f"Add an entry for it to one of {scopes}, give it a tag that one of them names, or set "
            f"{key_setting(DEFAULT)}.",
        )
    )


def changed_error(desired: Desired, record: ConnectionRecord, why: str) -> Blocked:
    """The error of an endpoint that cannot leave its former organization; `why` goes on after the names."""
    former, present = organization_on_record(record), desired.organization
    return Blocked(
        explain(
            Reason.ORGANIZATION_CHANGED,
            f"The endpoint was connected in the organization {former} and now belongs to {present}. Nothing is made in "
            f"{present} while something of this app's is in {former}: an endpoint has one policy. It is {why}",
            f"Put the endpoint's tag, or the settings, back to keep it in {former}. To move it, remove what is "
            f"named in {former}, in the Elastic Cloud console; the app then goes on by itself.",
        )
    )
