"""Which endpoints are in scope (S8): allow and deny lists for subscriptions, resource groups, locations and tags.

Pure; built by `settings`, asked by the reconciler, the sweep and the HTTP queries. A deny list always wins. What
an event or a request says has no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, lower_case, plain_location
from shared.core.model.conditions import Condition
from shared.core.model.organizations import DEFAULT, OrganizationScope
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.resources import Endpoint
from shared.core.options.scope import Scope
from shared.core.options.values import EVERYTHING
from shared.core.reasons import explain

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
    tags = {name.lower() for name in endpoint.tags}
    tags |= {f"{name}={value}".lower() for name, value in endpoint.tags.items()}
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
        keys |= {f"tag:{name.strip().lower()}", f"tag:{name.strip().lower()}={value.strip().lower()}"}
    return frozenset(keys)
