"""What the app may do for an endpoint: whether it is in scope (S8), and in which mode (S7). Pure.

Asked by the reconciler, the sweep and the HTTP queries. In scope: allow and deny lists for subscriptions, resource
groups, locations and tags; a deny list always wins, and what an event or a request says has no part in it.

Enforce, observe or ignore, in this order: a pause, then the endpoint's tag, then the setting `MODE`. The tag may
override the setting in both directions, so that an estate can be taken over one endpoint at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from shared.core.guards.pause import Pause
from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, lower_case, plain_location
from shared.core.model.conditions import Condition, Explanation
from shared.core.model.organizations import DEFAULT, OrganizationScope
from shared.core.model.reasons import Reason
from shared.core.model.resources import Endpoint
from shared.core.model.steps import LaterStep, Step
from shared.core.options.installation import Mode
from shared.core.options.scope import Scope
from shared.core.options.values import EVERYTHING
from shared.core.reasons import explain, remedy_of

_ALL = frozenset({EVERYTHING})


def out_of_scope(found: Explanation) -> Condition:
    """The condition of a connection whose endpoint is out of scope, by why it is."""
    return c.resting(
        c.RECOGNISED, found.reason, f"{found.message} What was made for it is left as it is.", found.next_step
    )


def told_by_id(scope: Scope) -> bool:
    """Whether an endpoint's id alone tells everything: no list looks at locations or tags."""
    everything = frozenset({EVERYTHING})
    return scope.locations == scope.tags == everything and not scope.locations_denied and not scope.tags_denied


def outside_by_id(scope: Scope, endpoint: ArmId) -> Explanation | None:
    """What can be told without reading the endpoint: its subscription and resource group."""
    subscription, group = endpoint.subscription_id.lower(), lower_case(endpoint.resource_group)
    return _judge(
        f"Its subscription {subscription} is not",
        {subscription},
        set(scope.subscriptions),
        set(scope.subscriptions_denied),
        "AZURE_SUBSCRIPTIONS",
    ) or _judge(
        f"Its resource group {endpoint.resource_group} is not",
        {group, f"{subscription}/{group}"},
        scope.resource_groups,
        scope.resource_groups_denied,
        "AZURE_RESOURCE_GROUPS",
    )


def in_scope(scope: Scope, endpoint: ArmId) -> bool:
    """Whether the settings include the endpoint, as far as its id tells (S8); the event has no say in it."""
    return outside_by_id(scope, endpoint) is None


def outside(scope: Scope, endpoint: Endpoint) -> Explanation | None:
    """Why an endpoint is out of scope; None: it is not."""
    location = plain_location(endpoint.location)
    tags = {lower_case(name) for name in endpoint.tags}
    tags |= {lower_case(f"{name}={value}") for name, value in endpoint.tags.items()}
    return (
        outside_by_id(scope, endpoint.id)
        or _judge(
            f"Its location {location} is not", {location}, scope.locations, scope.locations_denied, "AZURE_LOCATIONS"
        )
        or _judge("None of its tags is", tags, scope.tags, scope.tags_denied, "AZURE_TAGS")
    )


def _judge(
    told: str, keys: AbstractSet[str], allowed: AbstractSet[str], denied: AbstractSet[str], setting: str
) -> Explanation | None:
    found = sorted((keys | _ALL) & denied)
    if found:
        setting = f"{setting}_DENIED"
        return _outside(setting, f"The setting {setting} excludes it, by its entry {found[-1]}.")
    if EVERYTHING in allowed or keys & allowed:
        return None
    return _outside(setting, f"{told} in the setting {setting}.")


def _outside(setting: str, message: str) -> Explanation:
    return explain(Reason.OUT_OF_SCOPE, message, f"Change the setting {setting} if the app is to handle this endpoint.")


def organization_of(endpoint: Endpoint, further: Sequence[OrganizationScope], *, has_default: bool) -> str:
    """The first organization whose scope includes the endpoint, else the default one; empty: there is none."""
    keys = _keys(endpoint)
    found = next((one.name for one in further if not keys.isdisjoint(one.entries)), "")
    return found or (DEFAULT if has_default else "")


def _keys(endpoint: Endpoint) -> frozenset[str]:
    """Everything that an entry may say of an endpoint."""
    subscription, group = endpoint.id.subscription_id.lower(), lower_case(endpoint.id.resource_group)
    keys = {f"subscription:{subscription}", f"group:{group}", f"group:{subscription}/{group}"}
    for name, value in endpoint.tags.items():
        tag = f"tag:{lower_case(name.strip())}"
        keys |= {tag, f"{tag}={lower_case(value.strip())}"}
    return frozenset(keys)


# -- modes -------------------------------------------------------------------------------------------------------------


MODE_TAG = "elastic-privatelink"
"""Tag of an endpoint: `enforce`, `observe` or `ignore`."""


@dataclass(frozen=True, slots=True)
class EffectiveMode:
    """The mode that holds for an endpoint now, where it comes from, and how a person changes it."""

    mode: Mode
    why: str
    next_step: str

    @property
    def enforces(self) -> bool:
        """Whether anything may be changed."""
        return self.mode is Mode.ENFORCE


def effective_mode_of(asked: str, default: Mode, pause: Pause | None) -> EffectiveMode:
    """What holds for an endpoint that asked for this (see `asked_mode`), under this setting `MODE`, now."""
    if asked == Mode.IGNORE:
        return EffectiveMode(Mode.IGNORE, "it is out of scope, or ignored by its tag", f"Change its tag {MODE_TAG}.")
    if pause is not None:
        why = f"the app is paused until {pause.until.isoformat()}" + (f" ({pause.reason})" if pause.reason else "")
        return EffectiveMode(Mode.OBSERVE, why, "Wait until the pause is over, or lift it: DELETE /api/pause.")
    if asked:
        step = f"Tag the endpoint {MODE_TAG}={Mode.ENFORCE}, or take the tag off."
        mode = Mode(asked) if asked in set(Mode) else Mode.OBSERVE
        return EffectiveMode(mode, f"the endpoint's tag {MODE_TAG} asks for it", step)
    step = f"Set MODE={Mode.ENFORCE}, or tag the endpoint {MODE_TAG}={Mode.ENFORCE}."
    return EffectiveMode(default, f"the setting MODE is {default}", step)


def asked_mode(endpoint: Endpoint, scope: Scope) -> str:
    """What an endpoint asks for, kept in its record for when it is gone: a mode, or empty for what the setting says.

    Out of scope counts as `ignore`. A value that is no mode counts as `observe`: its author wanted something else than
    what happens without the tag, and nothing that observing does has to be undone.
    """
    if outside(scope, endpoint) is not None:
        return Mode.IGNORE
    value = _tag(endpoint.tags)
    if value is None:
        return ""
    return Mode(value) if value in set(Mode) else Mode.OBSERVE


def is_out_of_scope(endpoint: Endpoint, scope: Scope) -> bool:
    """Whether the app stays away from an endpoint: the settings exclude it, or its tag says `ignore`."""
    return asked_mode(endpoint, scope) == Mode.IGNORE


def tag_note(endpoint: Endpoint) -> str:
    """What is to be said about the endpoint's tag; empty without one."""
    value = _tag(endpoint.tags)
    if value is None:
        return ""
    if value in set(Mode):
        return f"Its tag {MODE_TAG} asks for the mode {value}."
    modes = ", ".join(Mode)
    return f"Its tag {MODE_TAG} has the value {value[:40]!r}, which is none of {modes}; that counts as {Mode.OBSERVE}."


def _tag(tags: Mapping[str, str]) -> str | None:
    """Azure compares names of tags without regard to case."""
    return next((value.strip().lower() for name, value in tags.items() if name.lower() == MODE_TAG), None)


def ignored(endpoint: Endpoint) -> Condition:
    """The condition of an endpoint that its tag takes out of the app's hands."""
    message = f"{tag_note(endpoint)} What was made for it is left as it is."
    return c.resting(c.RECOGNISED, Reason.IGNORED_BY_TAG, message, remedy_of(Reason.IGNORED_BY_TAG))


def not_carried_out(
    conditions: Iterable[Condition], steps: Iterable[Step | LaterStep], effective: EffectiveMode
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """A plan's conditions and the texts of its steps for the record, where the steps are not carried out.

    The conditions say what would be done. In a mode that enforces they stay as they are, and no step is left.
    """
    if effective.enforces:
        return tuple(conditions), ()
    planned = tuple(steps)
    return tuple(_held(condition, planned, effective) for condition in conditions), tuple(map(str, planned))


def _held(condition: Condition, steps: tuple[Step | LaterStep, ...], effective: EffectiveMode) -> Condition:
    todo = [str(step) for step in steps if step.condition == condition.type]
    if condition.true or condition.needs is c.WaitingFor.PERSON or not todo:
        return condition
    message = f"Not done, because {effective.why}: {c.listed(todo, '; ')}."
    told = Explanation(Reason.OBSERVE_MODE, message, effective.next_step)
    return replace(condition, explanation=told, needs=c.WaitingFor.EVENT)
