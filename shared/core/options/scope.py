"""Settings: which private endpoints are in scope (S8), as allow and deny lists. A group of `PlanOptions`.

The lists hold lower case; `*` stands for everything, and there is no other wildcard. `core.guards.scope` asks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.core.options import values as value
from shared.core.options.declaration import setting
from shared.core.options.values import EVERYTHING

_ALL = frozenset({EVERYTHING})


@dataclass(frozen=True, slots=True)
class Scope:
    """Which private endpoints are in scope."""

    subscriptions: tuple[str, ...] = setting(
        "AZURE_SUBSCRIPTIONS",
        value.subscriptions,
        None,
        "Ids of the subscriptions whose private endpoints the app handles, separated by commas; may be empty with "
        "`AZURE_MANAGEMENT_GROUPS`.",
        deployed=True,
        unless="AZURE_MANAGEMENT_GROUPS",
    )
    management_groups: tuple[str, ...] = setting(
        "AZURE_MANAGEMENT_GROUPS",
        value.management_groups,
        "",
        "Names of management groups, separated by commas: every subscription below them is handled too, and each "
        "sweep looks which these are ([many subscriptions](many-subscriptions.md)).",
        deployed=True,
    )
    subscriptions_denied: tuple[str, ...] = setting(
        "AZURE_SUBSCRIPTIONS_DENIED",
        value.subscriptions,
        "",
        "Ids of subscriptions whose endpoints the app leaves alone ([scope](#scope-which-endpoints-are-handled)).",
    )
    resource_groups: frozenset[str] = setting(
        "AZURE_RESOURCE_GROUPS",
        value.resource_groups,
        "*",
        "[Resource groups](#scope-which-endpoints-are-handled) whose endpoints the app handles, separated by "
        "commas; `*` for all.",
        deployed=True,
    )
    resource_groups_denied: frozenset[str] = setting(
        "AZURE_RESOURCE_GROUPS_DENIED",
        value.resource_groups,
        "",
        "Resource groups whose endpoints the app leaves alone.",
        deployed=True,
    )
    locations: frozenset[str] = setting(
        "AZURE_LOCATIONS",
        value.locations,
        "*",
        "[Azure locations](#scope-which-endpoints-are-handled) whose endpoints the app handles, separated by "
        "commas; `*` for all.",
        deployed=True,
    )
    locations_denied: frozenset[str] = setting(
        "AZURE_LOCATIONS_DENIED",
        value.locations,
        "",
        "Azure locations whose endpoints the app leaves alone.",
        deployed=True,
    )
    tags: frozenset[str] = setting(
        "AZURE_TAGS",
        value.tags,
        "*",
        "[Tags](#scope-which-endpoints-are-handled) of which an endpoint needs one to be handled, separated by "
        "commas; `*`: it needs none.",
        deployed=True,
    )
    tags_denied: frozenset[str] = setting(
        "AZURE_TAGS_DENIED",
        value.tags,
        "",
        "Tags of which one is enough for an endpoint to be left alone.",
        deployed=True,
    )
    found: frozenset[str] = frozenset()
    """The subscriptions that no setting names: they were found below the management groups."""

    @property
    def watched_subscriptions(self) -> tuple[str, ...]:
        """The subscriptions to look for endpoints in."""
        return tuple(one for one in self.subscriptions if one not in self.subscriptions_denied)

    def including(self, found: Iterable[str]) -> Scope:
        """This scope with further subscriptions: those that were found below its management groups."""
        every = tuple(dict.fromkeys((*self.subscriptions, *found)))
        return replace(self, subscriptions=every, found=frozenset(every) - frozenset(self.subscriptions))
