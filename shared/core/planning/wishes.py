"""Which targets an endpoint is to be connected to, which of them it may be, and why not the others.

Pure; called by `associations`.

There are two sides to ask: the endpoint's tag names targets, and a target's own tag names endpoints. An
endpoint's tag is only a wish: the right to tag an endpoint must not open a target (S8), nor cut one off from the
internet (S1). Consent comes from the settings, or from a tag on the target itself in Elastic Cloud.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from shared.core.guards.consent import (
    CONNECT_TAG,
    EVERYTHING,
    OPT_OUT_TAG,
    consent_problem,
    denied,
    entries_of,
    is_denied,
    label_of,
    names_of,
    opted_out,
    sentence,
    tagged,
)
from shared.core.guards.first_and_last_policy import first_policy_problem
from shared.core.model.arm_ids import lower_case
from shared.core.model.conditions import Explanation, listed
from shared.core.model.markers import MAX_TAG_VALUE
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Listing, Target, id_of
from shared.core.model.services import Service
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired
from shared.core.reasons import explain


@dataclass(frozen=True, slots=True)
class TargetRequest:
    """One wish and what became of it."""

    asked: str
    """As it was written in the endpoint's tag; of a target's own tag, its id."""
    target: Target | None = None
    problem: Explanation | None = None
    associated: bool = False


def choose_targets(
    desired: Desired,
    targets: Collection[Target],
    types: dict[str, str],
    associated: Collection[str],
    record: ConnectionRecord,
    options: PlanOptions,
    namesakes: Collection[str] = (),
) -> tuple[TargetRequest, ...]:
    """Judge every wish; two for one target become one choice. `types`: of each policy in the region, by its id.

    `namesakes`: as `consent_problem` takes them.
    """
    chosen: dict[str, TargetRequest] = {}
    for wish in _wishes(desired, Listing.of(targets), associated, record):
        target = wish.target
        if target is None:
            chosen[f"?{wish.asked}"] = wish
        elif target.id not in chosen:
            stands = target.id in associated
            problem = wish.problem or _problem(desired, target, types, record, options, namesakes, associated=stands)
            chosen[target.id] = replace(wish, problem=problem, associated=stands)
    return tuple(chosen.values())


# -- wishes --------------------------------------------------------------------------------------------------------


def _wishes(
    desired: Desired, targets: Listing[Target], associated: Collection[str], record: ConnectionRecord
) -> Iterator[TargetRequest]:
    for asked in desired.targets:
        yield _find(asked, desired.targets, targets, record, desired.service)
    asking = (*names_of(desired.endpoint.id), (EVERYTHING, desired.service.elastic_region))
    for target in targets.among(_asking_for, asking):
        # One that is stopped is not connected, but to stop it is no wish to disconnect it either.
        if target.running or target.id in associated:
            yield TargetRequest(target.id, target)


def _asking_for(target: Target) -> list[str | tuple[str, str]]:
    """The endpoints that a target's own tag names: each by a name, or all of the target's region."""
    return [(one, target.region) if one == EVERYTHING else one for one in entries_of(target, CONNECT_TAG)]


def _named(target: Target) -> tuple[str]:
    return (target.name,)


def _find(
    asked: str, wishes: tuple[str, ...], targets: Listing[Target], record: ConnectionRecord, service: Service
) -> TargetRequest:
    noun = service.family.noun
    found = targets.where(id_of, lower_case(asked)) or targets.where(_named, asked)
    running = [target for target in found if target.running]
    if len(running) > 1:
        # Another one that is given the same name does not disconnect the one that had it.
        connected = _connected_as(asked, record)
        running = [target for target in running if target.id in connected] or running
    if len(running) > 1:
        # A policy is of one region: only the one there can be meant.
        running = [target for target in running if target.region == service.elastic_region] or running
    if len(running) == 1:
        return TargetRequest(asked, running[0])
    if running:
        ids = listed(f"{target.id} in {target.region}" for target in running)
        return TargetRequest(
            asked,
            problem=explain(
                Reason.DEPLOYMENT_AMBIGUOUS,
                f"Several {noun}s are named {asked}: {ids}.",
                _by_id(asked, wishes, running[0]),
                *(_named_instead(asked, wishes, target) for target in running),
            ),
        )
    if found:
        return TargetRequest(
            asked,
            found[0],
            explain(
                Reason.DEPLOYMENT_NOT_RUNNING,
                f"{sentence(noun)} {asked} is stopped or being deleted; an association that it has is left as it is.",
                "",
                {"deployment id": found[0].id},
            ),
        )
    renamed = _renamed(asked, targets, record)
    return renamed or TargetRequest(asked, problem=_not_found(asked, wishes, targets, record, noun))


def _named_instead(asked: str, wishes: tuple[str, ...], target: Target) -> dict[str, str]:
    """What the command that corrects the endpoint's tag is about: all of its entries, one of them put right."""
    entries = ",".join(target.id if one == asked else one for one in wishes)
    return {"deployment ids": entries} if len(entries) <= MAX_TAG_VALUE else {}


def _by_id(asked: str, wishes: tuple[str, ...], target: Target) -> str:
    """How a person names a target for certain, where the endpoint's tag has no room for its id."""
    if _named_instead(asked, wishes, target):
        return ""
    return (
        f"Take {asked} out of the endpoint's tag, which holds {MAX_TAG_VALUE} characters and has no room for its id; "
        f"tag the {target.family.noun} that is meant {CONNECT_TAG} instead."
    )


def _renamed(asked: str, targets: Listing[Target], record: ConnectionRecord) -> TargetRequest | None:
    """The target that had this name when it was connected: a new name is no wish to disconnect it."""
    were = targets.among(id_of, _connected_as(asked, record))
    found = next((target for target in were if target.running), None)
    return None if found is None else TargetRequest(asked, found)


def _connected_as(asked: str, record: ConnectionRecord) -> set[str]:
    """Ids of the targets that were connected because of this entry."""
    return {memory.target_id for memory in record.elastic.associations if memory.asked == asked}


def _not_found(
    asked: str, wishes: tuple[str, ...], targets: Listing[Target], record: ConnectionRecord, noun: str
) -> Explanation:
    gone = [memory.target_id for memory in record.elastic.associations if asked in {memory.asked, memory.target_id}]
    was = f" It was {noun} {gone[0]}." if gone else ""
    alike = targets.where(_other_names, asked.lower())
    meant = sorted(map(label_of, alike))
    also = f" Did you mean {' or '.join(meant)}?" if meant else ""
    return explain(
        Reason.DEPLOYMENT_NOT_FOUND,
        f"No {noun} with the id or exact name {asked} is visible to the API key.{was}{also}",
        (_by_id(asked, wishes, alike[0]) or f"Name {meant[0]} by its id or exact name in the endpoint's tag.")
        if meant
        else "",
        *(_named_instead(asked, wishes, target) for target in sorted(alike, key=label_of)),
    )


def _other_names(target: Target) -> set[str]:
    """What a person may take for a target's name: in other letters' case, its alias, the ids of its products."""
    hosts = (host for url in target.urls for host in (url.host, url.by_id) if host)
    return {target.name.lower(), *(host.partition(".")[0] for host in hosts)}


# -- consent -------------------------------------------------------------------------------------------------------


def _problem(
    desired: Desired,
    target: Target,
    types: dict[str, str],
    record: ConnectionRecord,
    options: PlanOptions,
    namesakes: Collection[str],
    *,
    associated: bool,
) -> Explanation | None:
    """Why the target may not be connected; of one that we connected, that its consent was withdrawn."""
    label = label_of(target)
    if associated:
        return _withdrawn(desired, target, record, options, namesakes)
    if target.region != desired.service.elastic_region:
        return explain(
            Reason.DEPLOYMENT_IN_ANOTHER_REGION,
            f"{sentence(label)} is in {target.region or 'an unknown region'}; this endpoint leads to "
            f"{desired.service.elastic_region}.",
        )
    if is_denied(target, options):
        return denied(label)
    if opted_out(target):
        return explain(
            Reason.DEPLOYMENT_OPTED_OUT,
            f"{sentence(label)} has the tag {OPT_OUT_TAG}=ignore: nothing is associated with it.",
            "",
            tagged(target, f"{OPT_OUT_TAG}=enforce"),
        )
    return consent_problem(desired.endpoint.id, target, options, namesakes) or first_policy_problem(
        target, label, types, options
    )


def _withdrawn(
    desired: Desired, target: Target, record: ConnectionRecord, options: PlanOptions, namesakes: Collection[str]
) -> Explanation | None:
    """A consent may be lost by a slip in a setting: what stands is reported and left, never cut off by it."""
    memory = record.association(target.id)
    if memory is None or memory.owner is Owner.ADOPTED:
        return None
    if is_denied(target, options):
        return denied(label_of(target))
    problem = consent_problem(desired.endpoint.id, target, options, namesakes)
    if problem is None:
        return None
    if problem.reason is Reason.CONSENT_AMBIGUOUS:
        return replace(problem, message=f"{problem.message} It is connected, and stays so.")
    return explain(
        Reason.DEPLOYMENT_NOT_ALLOWED,
        f"{sentence(label_of(target))} is connected, but neither setting nor tag allows it now; it stays.",
        "Allow it again, or take it out of the endpoint's tag: then the app disconnects it.",
        *(dict(one) for one in problem.about),
    )
