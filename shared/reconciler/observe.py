"""What is read for one endpoint, with as few calls as possible: is it in scope, what is there, where may it go.

Used by `loop`, both branches and the plan that is only shown. Nothing that was made for an endpoint that is out of
scope is changed or removed; its record says why. What a change of the organization needs is decided in
`core.planning.former`.

Budget of the happy path: `tests/reconciler/test_budget.py`. Zones are read in `dns_branch`; targets are looked up only
once their turn has come.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from shared.context import Context, log
from shared.core.guards.consent import CONNECT_TAG, rests_on_name
from shared.core.guards.scope import (
    asked_mode,
    ignored,
    out_of_scope,
    outside,
    outside_by_id,
    told_by_id,
)
from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets, all_vanished
from shared.core.model.arm_ids import ArmId
from shared.core.model.conditions import Condition, Phase
from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.errors import AutopilotError, RetryLater, Waiting
from shared.core.model.json_values import mapping, text
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import UnreadableRecord
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.resources import (
    Claim,
    ConnectionStatus,
    Endpoint,
    Listing,
    NameResolution,
    Policy,
    Target,
    id_of,
    policies_made_for,
)
from shared.core.model.services import Family
from shared.core.options.installation import Mode
from shared.core.planning.desired import Desired
from shared.core.planning.former import (
    ensure_has_one,
    in_former_organization,
    key_missing_error,
    move,
    organization_on_record,
    serving,
    switch_record,
)
from shared.core.planning.name_resolution import resolution_of, unexplained
from shared.core.planning.plan import ObservedElastic, targets_that_matter
from shared.core.ports import PrivateConnections, listed_claims
from shared.installation import decided as decisions
from shared.reconciler.further_links import networks_of_servers
from shared.reconciler.holders import namesakes
from shared.reconciler.recover import recall
from shared.reconciler.run_state import FRESH, Run
from shared.requests import Stage, timed
from shared.state.codec import record_in


@timed(Stage.OBSERVE_ELASTIC)
async def observe_elastic(
    context: Context,
    desired: Desired,
    record: ConnectionRecord,
    begun_at: datetime | None = None,
    *,
    by_person: bool = False,
    alone: bool = False,
) -> tuple[ObservedElastic, AutopilotError | None]:
    """All policies, the region's claims if they matter, and the targets that matter.

    Targets that cannot be read come back as the error; the policy does not wait for them. `begun_at`: a moment
    before, by the storage service's clock; None: the worker's does, for a plan that is shown. `by_person`: one asked
    for it, who knows better than any guess about the API key. `alone`: no other run's answers will do.
    """
    api = context.elastic.of(desired.organization, desired.service.family)
    shares = begun_at is not None and not by_person and not alone and _may_share(record)
    listed, claims = await asyncio.gather(
        _listed(context, desired, record, begun_at, shares=shares),
        _claims(context, desired, record),
        return_exceptions=True,
    )
    if isinstance(listed, BaseException):
        raise listed
    if isinstance(claims, BaseException):
        raise claims
    policies = listed.policies
    guids = await seen_guids(context, record, policies)
    observed = ObservedElastic(
        policies,
        None,
        claims,
        api.key_expires,
        seen_guids=guids,
        offers_claims=api.claims is not None,
        begun_at=listed.begun_at,
        key_mark=listed.key_mark,
    )
    (found, error), vanished = await asyncio.gather(
        _with_targets(context, desired, record, observed, shares=shares),
        _vanished(context, desired, policies, shares=shares),
    )
    if shares and _names_another(found):
        return await observe_elastic(context, desired, record, begun_at, alone=True)
    found = replace(found, vanished=() if by_person else vanished)
    # Before the approval they are read to tell what will come of it: nothing waits for them.
    return found, error if desired.endpoint.status is ConnectionStatus.APPROVED else None


async def _vanished(
    context: Context, desired: Desired, policies: tuple[Policy, ...], *, shares: bool
) -> tuple[str, ...]:
    """What `all_vanished` says; the other connections are read only where no policy of ours is there at all."""
    ours = context.options.installation.instance_id
    if any(one.marker is not None and one.marker.instance == ours for one in policies):
        return ()
    here = (desired.organization, desired.service.family)
    mark = context.elastic.of(*here).key_mark

    async def of_other_keys() -> list[PolicyMemory]:
        found = []
        async for row in context.storage.connections.list():
            if text(mapping(mapping(row.document.get("elastic")).get("policy")).get("key")) in {"", mark}:
                continue  # nothing follows from it: it need not be understood
            with suppress(UnreadableRecord):
                record = record_in(row)
                if (
                    organization_on_record(record),
                    record.identity.family,
                ) == here and record.status.phase is not Phase.REMOVED:
                    found.append(record.elastic.policy)
        return found

    name = f"keys {here} {mark}"
    living = await (context.shared.get(name, of_other_keys, lambda _: SHARED_SECONDS) if shares else of_other_keys())
    return all_vanished(policies, living, ours, mark) if living else ()


async def _with_targets(
    context: Context, desired: Desired, record: ConnectionRecord, observed: ObservedElastic, *, shares: bool
) -> tuple[ObservedElastic, AutopilotError | None]:
    """It with the targets that matter; without them, the error that kept them from being read."""
    api, policies = context.elastic.of(desired.organization, desired.service.family), observed.policies
    matter = targets_that_matter(desired, policies, record)
    try:
        if shares:
            name = f"targets {desired.service.family} {desired.organization} {observed.key_mark}"
            targets = await context.shared.together(name, matter, partial(_targets, api), SHARED_SECONDS)
        else:
            targets = await _targets(api, matter)
    except AutopilotError as error:
        return observed, error
    try:
        unseen = await unseen_targets(context, api, record, targets)
        # All projects were read to find these: whether there is any at all costs nothing more.
        if desired.service.family is Family.SERVERLESS and desired.targets and not targets:
            unseen = replace(unseen, none_visible=not await api.all_targets())
    except AutopilotError as error:
        return observed, error
    observed = replace(observed, targets=targets, unseen=unseen)
    weak = rests_on_name(desired.endpoint.id, targets, context.options)
    if not weak:
        return observed, None
    try:
        return replace(observed, namesakes=await namesakes(context, desired.endpoint.id)), None
    except AutopilotError as error:
        standing = {
            target for policy in policies if policy.id == record.elastic.policy.id for target in policy.associations
        }
        # What stands stays; without knowing whether there are others nothing new is made.
        return (observed, None) if weak <= standing else (replace(observed, targets=None), error)


async def seen_guids(context: Context, record: ConnectionRecord, policies: tuple[Policy, ...]) -> frozenset[str] | None:
    """The lower-cased GUIDs of all endpoints that the app sees; None: no rule of ours was changed, so none are read."""
    if not _lacks_own_rule(record, policies, context.options.installation.instance_id):
        return None
    found = set()
    for subscription in context.settings.scope.watched_subscriptions:
        try:
            found |= {one.guid.lower() for one in await context.endpoints.listed(subscription) if one is not None}
        except RetryLater:
            raise
        except AutopilotError as error:
            log.info("endpoints of subscription %s not seen: %s", subscription, error)
    return frozenset(found)


def _lacks_own_rule(record: ConnectionRecord, policies: tuple[Policy, ...], instance_id: str) -> bool:
    """Whether a policy that we made lacks every GUID of the endpoint: a person may have changed its rule."""
    own, ours = record.own_guids, policies_made_for(record.id, policies, instance_id)
    return any(own.isdisjoint(rule.endpoint_guid.lower() for rule in policy.rules) for policy in ours)


async def _claims(context: Context, desired: Desired, record: ConnectionRecord) -> tuple[Claim, ...] | None:
    if not desired.claim and record.elastic.claim is None:
        return None
    api = context.elastic.of(desired.organization, desired.service.family)
    return await listed_claims(api, desired.service.elastic_region)


SHARED_SECONDS = 2.0
"""How long other runs of the process use what one of a burst has just read of Elastic Cloud."""


def _names_another(found: ObservedElastic) -> bool:
    """Whether a target has a policy that the list lacks: made since, and whether ours is its first rests on that."""
    listed = Listing.of(found.policies)
    return any(not listed.where(id_of, one) for target in found.targets or () for one in target.attached or ())


@dataclass(frozen=True, slots=True)
class _Listed:
    """Every policy, as a list showed it that was begun at that moment, and by that API key."""

    policies: Listing[Policy]
    begun_at: datetime | None
    key_mark: str


def _may_share(record: ConnectionRecord) -> bool:
    """Whether a list will do that another run began a moment ago, and that keeps the moment that it was begun at.

    Not where a request about the connection may have changed it since: it would look as if others had done that.
    What such a list lacks is looked for by its id, and each association rests on a read of its own target (S1, S2).
    """
    elastic = record.elastic
    asked = elastic.policy_post_until or elastic.associations or elastic.former_associations or elastic.claim
    return not asked and not record.former_things


async def _listed(
    context: Context, desired: Desired, record: ConnectionRecord, begun_at: datetime | None, *, shares: bool
) -> _Listed:
    """Every policy: also those in a wrong region are worth knowing of, and one call answers all of an organization's.

    The one in use is looked for by its id before one short listing makes it missing.
    """
    api = context.elastic.of(desired.organization, desired.service.family)

    async def ask() -> _Listed:
        return _Listed(Listing(await api.policies()), begun_at, api.key_mark)

    name = f"policies {desired.service.family} {desired.organization}"
    listed: _Listed = await (context.shared.together(name, (), lambda _: ask(), SHARED_SECONDS) if shares else ask())
    if listed.key_mark != api.key_mark:  # read by a key that was exchanged since
        listed = await ask()
    used = record.elastic.policy.id if record.identity.guid.lower() == desired.endpoint.guid.lower() else ""
    if not used or listed.policies.where(id_of, used):
        return listed
    found = await api.policy(used)
    return listed if found is None else replace(listed, policies=Listing((*listed.policies, found)))


async def _targets(api: PrivateConnections, matter: tuple[str, ...]) -> tuple[Target, ...]:
    """These, and those whose own tag asks for endpoints, in one search."""
    found = await api.targets(matter, tag=CONNECT_TAG)
    return tuple(await asyncio.gather(*(with_attached(api, target) for target in found)))


async def unseen_targets(
    context: Context, api: PrivateConnections, record: ConnectionRecord, targets: tuple[Target, ...]
) -> UnseenTargets:
    """What reads by id say of the targets of ours that a search did not show, and what a person decided on them."""
    seen, elastic = {one.id for one in targets}, record.elastic
    ours = [one.target_id for one in elastic.associations if one.owner is not Owner.ADOPTED or one.recovered]
    ours += [memory.target_id for memory in elastic.former_associations]
    missing = [one for one in dict.fromkeys(ours) if one not in seen]
    unknown = await asyncio.gather(*(api.is_unknown(one) for one in missing))
    not_found = frozenset(one for one, is_unknown in zip(missing, unknown, strict=True) if is_unknown)
    if not not_found:
        return NONE_UNSEEN
    decided = await decisions.waiting(context, record.id)
    forgotten = {one.subject for one in decided if one.decision is ConnectionDecision.FORGET_TARGET}
    return UnseenTargets(not_found, not_found & forgotten)


async def with_attached(api: PrivateConnections, target: Target) -> Target:
    """The search leaves a target's settings out at times; then its policies are asked for by themselves."""
    if target.attached is not None or not target.running:
        return target
    try:
        return replace(target, attached=(await api.attached_to(target.id)).policies)
    except AutopilotError as error:
        # Unknown stays unknown: S1 then blocks this target, and only this one.
        log.warning("policies of deployment %s not read: %s", target.id, error)
        return target


async def observe_resolution(
    context: Context, desired: Desired, record: ConnectionRecord, *, again: bool
) -> NameResolution:
    """Which networks answer the endpoint's clients; it stays known for a while."""
    known, vnet, now = record.dns.resolution, desired.endpoint.vnet_id, context.clock.now()
    if known is not None and known.read_at is not None and not again and now - known.read_at < FRESH:
        return known
    network = await context.endpoints.network_if_readable(vnet)
    if network is not None and not network.own_dns_servers:
        return NameResolution((vnet,), read_at=now)
    others = await networks_of_servers(context, desired) if network is not None and unexplained(network) else ()
    return replace(resolution_of(vnet, network, others), read_at=now)


async def new_endpoint_out_of_scope(context: Context, message: WorkMessage) -> bool:
    """Whether an endpoint without a record is out of scope, so that it gets none.

    Where its location or tags matter this takes a look at it, once in its life. A person who names it is owed an
    answer, which only a record can give.
    """
    scope = context.options.scope
    if outside_by_id(scope, message.endpoint) is not None:
        return True
    if told_by_id(scope) or message.cause is Cause.MANUAL:
        return False
    try:
        return outside(scope, await context.endpoints.get(message.endpoint)) is not None
    except AutopilotError as error:
        log.info("scope of %s not told, the run will: %s", message.endpoint.text, error)
        return False


def skip_condition_by_id(run: Run, endpoint: ArmId) -> Condition | None:
    """Why the endpoint is not even read, and its record put right; None: it is to be read."""
    found = outside_by_id(run.context.options.scope, endpoint)
    if found is None:
        return None
    run.record = run.record.with_identity(mode=Mode.IGNORE).with_status(planned=())
    return out_of_scope(found)


def skip_condition(run: Run, endpoint: Endpoint) -> Condition | None:
    """Why nothing is done for an endpoint that was read; None: it is handled. Either way the record knows its mode."""
    scope = run.context.options.scope
    mode = asked_mode(endpoint, scope)
    run.record = run.record.with_identity(mode=mode)
    if mode != Mode.IGNORE:
        return None
    run.record = (
        replace(run.record, endpoint_id=endpoint.id.text)
        .with_identity(name=endpoint.name, alias=endpoint.alias, location=endpoint.location)
        .with_status(planned=())
    )
    found = outside(scope, endpoint)
    return ignored(endpoint) if found is None else out_of_scope(found)


async def enter_organization(run: Run, desired: Desired) -> Desired:
    """Let the run's record be one of the organization that serves the endpoint, and return what is wanted there."""
    several = len(run.context.elastic.of_family(desired.service.family)) > 1
    found = await recall(run.context, desired, run.record) if several else run.record
    # The other branch goes on meanwhile: only what is meant is changed.
    run.record = run.record.with_elastic(organization=found.elastic.organization, policy=found.elastic.policy)
    await _carry_out_move(run, desired)
    served = check_organization(run.context, desired, run.record)
    former = run.record.elastic.organization
    if former and former != served.organization:
        run.note("change the Elastic Cloud organization", "done", before=former, after=served.organization)
    run.record = switch_record(run.record, served.organization)
    former_things = in_former_organization(run.record)
    if former_things is not None and former_things.organization in run.context.elastic:
        raise Waiting("What the connection has in its former organization is taken away first.", after=10.0)
    return served


async def _carry_out_move(run: Run, desired: Desired) -> None:
    """Move the connection if a person decided that, and what it changed to is still what they decided."""
    if serving(desired, run.record) == desired or not run.effective_mode.enforces:
        return
    decision = Decided(ConnectionDecision.MOVE_ORGANIZATION, desired.organization)
    if decision not in await decisions.waiting(run.context, run.record.id):
        return
    before = organization_on_record(run.record)
    run.record = move(run.record, desired.organization, run.context.clock.now())
    run.note("change the Elastic Cloud organization", "done", before=before, after=desired.organization)
    await run.save()
    await decisions.carried_out(run.context, run.record.id, decision)


def check_organization(context: Context, desired: Desired, record: ConnectionRecord) -> Desired:
    """The endpoint as the organization that serves it has it; raises Blocked where there is none."""
    ensure_has_one(desired, context.options)
    served = serving(desired, record)
    if served != desired and served.organization not in context.elastic:
        raise key_missing_error(desired, record)
    return served
