"""No connection without consent (S8): which targets the settings or their own tags open to an endpoint. Pure.

Asked by `planning.wishes`, by the guard `first_and_last_policy`, and by those who read what it takes to tell. An
endpoint's tag is only a wish: the right to tag an endpoint must not open a target. Consent comes from the settings, or
from a tag on the target in Elastic Cloud.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterable
from enum import Enum, auto
from functools import lru_cache

from shared.core.model.arm_ids import ArmId, connection_id, lower_case
from shared.core.model.conditions import Explanation
from shared.core.model.reasons import Reason
from shared.core.model.resources import Target
from shared.core.model.services import Family
from shared.core.options.plan_options import PlanOptions
from shared.core.options.values import DeniedTargets
from shared.core.reasons import explain

CONNECT_TAG = "elastic-privatelink-connect"
"""Tag of a target: the endpoints that are to be connected to it, comma-separated; `*` for all of its region."""

ENDPOINTS_TAG = "elastic-privatelink-endpoints"
"""Tag of a target: the endpoints that may be connected to it if they ask, comma-separated; `*` for all.

In both tags each as connection id, as ARM id, or as `resource-group/name`, which is weak: an endpoint of another
watched subscription may have the same. A bare name is not enough: anybody can make an endpoint of that name in a
resource group of their own. A value holds 128 characters, so a tag may go on in `...-2` to `...-99`. Tags of projects
take no commas, stars and slashes: there connection ids are joined by `_`, and `allow` stands for `*`.
"""

MORE_TAGS = range(2, 100)
"""The numbers of the tags in which one of these goes on."""

MAX_VALUE = 128
"""Characters that Elastic Cloud takes in a tag's value."""

MOST_TAGS = 64
"""Tags that Elastic Cloud takes of a deployment, and of a project."""

OPT_OUT_TAG = "elastic-privatelink"
"""Tag of a target: `ignore` keeps the app from associating anything with it, and from taking anything away."""

EVERYTHING = "*"
_IN_A_PROJECT = "allow"
"""What stands for `*` in a project's tag, whose value begins with a letter or a digit."""


class Consent(Enum):
    """How far an endpoint is allowed to be connected to a target."""

    GIVEN = auto()
    BY_NAME = auto()
    """By resource group and name alone: it counts where no other endpoint has both."""
    NONE = auto()


# -- what keeps away -----------------------------------------------------------------------------------------------


def is_denied(target: Target, options: PlanOptions) -> bool:
    """Whether the settings keep everything away from the target; that wins over every consent (S8)."""
    setting = options.targets.deployments_denied
    return bool(setting.entries) and bool(_denying(target, setting))


def denied(label: str) -> Explanation:
    """A target that the settings keep the app away from: nothing is associated with it, nothing taken away."""
    return explain(
        Reason.DEPLOYMENT_OUT_OF_SCOPE,
        f"The setting ELASTIC_DEPLOYMENTS_DENIED keeps the app away from {label}; what stands is left.",
    )


def entries_without_target(targets: Iterable[Target], options: PlanOptions) -> tuple[str, ...]:
    """The entries of ELASTIC_DEPLOYMENTS_DENIED that deny none of these targets: perhaps a name that has changed."""
    setting = options.targets.deployments_denied
    used = {entry for target in targets for entry in _denying(target, setting)}
    return tuple(sorted(setting.entries - used - {EVERYTHING}))


def _denying(target: Target, setting: DeniedTargets) -> frozenset[str]:
    """The entries that deny a target: its id, its name, `*`, or the parts of its name. None: it is not denied.

    It fails closed: letters of a name that look alike count as the same, and so do blanks of any kind.
    """
    found = setting.entries & {EVERYTHING, target.id}
    found |= {entry for entry in setting.entries if _alike(entry) == _alike(target.name)}
    if "," in target.name and _enclosed(target.name) in _enclosed(setting.text):
        parts = {_alike(part) for part in target.name.split(",")}
        found |= {target.name, *(entry for entry in setting.entries if _alike(entry) in parts)}
    return found


def _enclosed(text: str) -> str:
    return f",{','.join(_alike(part) for part in text.split(','))},"


@lru_cache(maxsize=4096)
def _alike(name: str) -> str:
    """One form of all names that a person may take for the same."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def opted_out(target: Target) -> bool:
    """Whether the target's own tag keeps the app's hands off it."""
    return target.tags.get(OPT_OUT_TAG, "").strip().lower() == "ignore"


def label_of(target: Target) -> str:
    """A target for people: `deployment logs (its id)`."""
    return f"{target.family.noun} {target.name} ({target.id})"


def sentence(text: str) -> str:
    """A text as a sentence begins: the rest keeps its letters."""
    return text[:1].upper() + text[1:]


# -- what allows ---------------------------------------------------------------------------------------------------


def short_name(endpoint: ArmId) -> str:
    """Resource group and name, as a tag of a target may name an endpoint."""
    return lower_case(f"{endpoint.resource_group}/{endpoint.name}")


def names_of(endpoint: ArmId) -> set[str]:
    """The ways to name an endpoint in a target's tag."""
    return {short_name(endpoint), connection_id(endpoint.text), endpoint.key}


@lru_cache(maxsize=8)
def _tags(name: str) -> dict[str, None]:
    """A tag and those in which it goes on."""
    return dict.fromkeys((name, *(f"{name}-{number}" for number in MORE_TAGS)))


def _tag_to_set(endpoint: ArmId, target: Target) -> str:
    """The tag that consents to the endpoint by its connection id, beside what the target's tags name already."""
    between = _between(target)
    for name in _tags(ENDPOINTS_TAG):
        entries = [entry.strip() for entry in target.tags.get(name, "").split(between)]
        others = [entry for entry in entries if entry and lower_case(entry) != short_name(endpoint)]
        value = between.join((*others, connection_id(endpoint.text)))
        if len(value) <= MAX_VALUE:
            return f"{name}={value}"
    return f"{ENDPOINTS_TAG}={connection_id(endpoint.text)}"


def entries_of(target: Target, tag: str) -> set[str]:
    """The endpoints that a tag of the target names, and the tags in which it goes on, lower case."""
    # A plan asks this of each target for each endpoint: few have any of these tags, and none has many.
    project, meant = target.family is Family.SERVERLESS, _tags(tag)
    values = (value for name, value in target.tags.items() if name in meant)
    words = (word.strip() for value in values for word in lower_case(value).split(_between(target)))
    return {EVERYTHING if project and word == _IN_A_PROJECT else word for word in words if word}


def _between(target: Target) -> str:
    """What stands between the entries of a target's tag; a project's takes no comma."""
    return "_" if target.family is Family.SERVERLESS else ","


def consent_to(endpoint: ArmId, target: Target, options: PlanOptions) -> Consent:
    """How far the settings or the target's own tags consent to this endpoint (S8)."""
    if listed(target, options.targets.deployments_allowed):
        return Consent.GIVEN
    entries = entries_of(target, ENDPOINTS_TAG) | entries_of(target, CONNECT_TAG)
    if entries & {EVERYTHING, connection_id(endpoint.text), endpoint.key}:
        return Consent.GIVEN
    return Consent.BY_NAME if short_name(endpoint) in entries else Consent.NONE


def rests_on_name(endpoint: ArmId, targets: Iterable[Target], options: PlanOptions) -> set[str]:
    """Ids of the targets whose consent takes a look at other endpoints of the same group and name."""
    return {target.id for target in targets if consent_to(endpoint, target, options) is Consent.BY_NAME}


def consent_problem(
    endpoint: ArmId, target: Target, options: PlanOptions, namesakes: Collection[str]
) -> Explanation | None:
    """Why the endpoint may not be connected to the target; None: it may.

    `namesakes`: the ids of other endpoints that the app handles and that have the same resource group and name.
    """
    consent = consent_to(endpoint, target, options)
    if consent is Consent.GIVEN or (consent is Consent.BY_NAME and not namesakes):
        return None
    tag = _tag_to_set(endpoint, target)
    if consent is Consent.NONE:
        return explain(
            Reason.DEPLOYMENT_NOT_ALLOWED,
            f"Neither setting nor tag allows that this endpoint is connected to {label_of(target)}.",
            f"Add it to the setting ELASTIC_DEPLOYMENTS_ALLOWED, or tag the {target.family.noun} {tag}: "
            f"{how_to_tag(target, tag)}",
            tagged(target, tag),
        )
    several = " and ".join((endpoint.text, *sorted(namesakes)))
    return explain(
        Reason.CONSENT_AMBIGUOUS,
        f"{sentence(label_of(target))} consents to {short_name(endpoint)}, which is the name of {several}.",
        f"Tag the {target.family.noun} {tag} if it is this one that is meant: {how_to_tag(target, tag)}",
        tagged(target, tag),
    )


def how_to_tag(target: Target, tag: str) -> str:
    """Where a person, or a script, tags a target. A deployment's tags are written all at once: those it has stay."""
    if "tags" not in tagged(target, tag):
        return f"it has {MOST_TAGS} tags, the most that Elastic Cloud takes, so take one that is not needed off before."
    if target.family is Family.SERVERLESS:
        return "in the Elastic Cloud console on the project's page, or by PATCH of its metadata.tags in the API."
    tags = tagged(target, tag)["tags"]
    return (
        "in the Elastic Cloud console on the deployment's page, under Manage tags, or by "
        f'PUT /api/v1/deployments/{target.id}/tags {{"tags": {tags}}}.'
    )


def tagged(target: Target, tag: str) -> dict[str, str]:
    """What the commands that tag a target are about: it, and all of its tags, if they may be so many, with this one."""
    key, _, value = tag.partition("=")
    tags, about = {**target.tags, key: value}, {"deployment id": target.id}
    if target.family is Family.SERVERLESS:
        about |= {"type": target.project_type}
    if len(tags) > MOST_TAGS:
        return about
    listed_tags = [{"key": name, "value": told} for name, told in tags.items()]
    return about | {"tags": json.dumps(tags if target.family is Family.SERVERLESS else listed_tags)}


def listed(target: Target, names: Collection[str]) -> bool:
    """Whether a setting names the target, by id or name, or all."""
    return EVERYTHING in names or target.id in names or lower_case(target.name) in names
