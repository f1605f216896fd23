"""An endpoint whose organization changed, by a setting or a tag: when its connection may go over. Pure.

Used before anything of Elastic Cloud is looked at for an endpoint: by the loop, the sweep and the plans that are shown.
Only a person decides that: until then the former organization serves. An endpoint has one policy at every moment, so
what is in the former one is taken away before anything is made in the new one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.core.model.errors import Blocked
from shared.core.model.organizations import DEFAULT, key_setting, scope_setting
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.record_former import FormerThings
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired
from shared.core.reasons import explain


def organization_on_record(record: ConnectionRecord) -> str:
    """Where everything in a record stands; a record from before there were several says nothing of it."""
    return record.elastic.organization or DEFAULT


def serving(desired: Desired, record: ConnectionRecord) -> Desired:
    """The endpoint as it is served: by the organization that it is connected in, until a person decides that it moves.

    A slip in a setting or a tag would else cut the deployments of the former organization off.
    """
    former = organization_on_record(record)
    if not desired.organization or desired.organization == former or not uses_anything(record):
        return desired
    return replace(desired, organization=former)


def uses_anything(record: ConnectionRecord) -> bool:
    """Whether anything in Elastic Cloud serves the endpoint, ours or of others."""
    return bool(record.elastic.policy.id) or record.elastic.claim is not None or owns_anything(record)


def owns_anything(record: ConnectionRecord) -> bool:
    """Whether anything in Elastic Cloud is ours by the record, or was begun and its end is not known."""
    policy, claim = record.elastic.policy, record.elastic.claim
    return (
        policy.owner is Owner.OURS
        or record.elastic.policy_post_until is not None
        or (claim is not None and claim.owner is Owner.OURS)
        or any(memory.owner is not Owner.ADOPTED for memory in record.elastic.associations)
    )


def ensure_has_one(desired: Desired, options: PlanOptions) -> None:
    """Raise Blocked if the endpoint belongs to no organization."""
    if not desired.organization:
        raise _no_organization(options)


def move(record: ConnectionRecord, organization: str, now: datetime) -> ConnectionRecord:
    """The record once a person has decided that its connection moves: what it had goes first, then all is made anew."""
    back = [one for one in _of_service(record) if one.organization == organization]
    left = FormerThings(record.identity, now, elastic=replace(record.elastic, targets=(), pending_targets=()))
    kept = tuple(one for one in record.former_things if one not in back)
    moved = switch_record(record, organization)
    if back:  # it is moved back before all was taken away there
        moved = replace(moved, elastic=back[0].elastic)
    return replace(moved, former_things=(*kept, *((left,) if left.anything else ())))


def in_former_organization(record: ConnectionRecord) -> FormerThings | None:
    """What of the endpoint's present service is still in the organization that it was moved from; None: nothing."""
    present = organization_on_record(record)
    return next((one for one in _of_service(record) if one.organization != present), None)


def _of_service(record: ConnectionRecord) -> list[FormerThings]:
    """Former things of the endpoint's present service with anything in Elastic Cloud."""
    here = record.identity.family, record.identity.region
    return [one for one in record.former_things if one.service == here and (one.elastic.policy.id or one.elastic.claim)]


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
        former_associations=(),
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


def changed_explanation(desired: Desired, record: ConnectionRecord) -> Explanation | None:
    """What a person is told while the former organization serves; None: the endpoint's own does."""
    former, present = organization_on_record(record), desired.organization
    if not present or present == former:
        return None
    return explain(
        Reason.ORGANIZATION_CHANGED,
        f"The endpoint is connected in the organization {former} and now belongs to {present}; {former} serves it "
        "until a person decides that it moves.",
        f"Put the endpoint's tag, or the settings, back to keep it in {former}. To move it, send POST "
        f'/api/connections/<id>/decisions {{"decision": "move-organization", "organization": "{present}"}}: what it '
        f"has in {former} is taken away first.",
    )


def key_missing_error(desired: Desired, record: ConnectionRecord) -> Blocked:
    """The error of an endpoint whose former organization has no key any more: it can neither serve nor be left."""
    former, present = organization_on_record(record), desired.organization
    return Blocked(
        explain(
            Reason.ORGANIZATION_CHANGED,
            f"The endpoint was connected in the organization {former} and now belongs to {present}. Nothing is made in "
            f"{present}: the settings have no key of {former} any more, so what is there is not known.",
            f"Set the key of {former} again; or decide that the connection moves, with POST "
            f'/api/connections/<id>/decisions {{"decision": "move-organization", "organization": "{present}"}}.',
        )
    )
