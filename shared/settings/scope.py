"""Settings: which private endpoints are in scope, and whether anything is changed. A group of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.guards.modes import Mode
from shared.core.guards.scope import Scope
from shared.settings import values as value
from shared.settings.definition import setting


@dataclass(frozen=True)
class ScopeSettings:
    """Which private endpoints are in scope, and whether anything is changed."""

    subscriptions: tuple[str, ...] = setting(
        "AZURE_SUBSCRIPTIONS",
        value.subscriptions,
        None,
        "Ids of the subscriptions whose private endpoints the app handles, separated by commas. "
        "Endpoints elsewhere are out of scope whatever an event says.",
    )
    subscriptions_denied: tuple[str, ...] = setting(
        "AZURE_SUBSCRIPTIONS_DENIED",
        value.subscriptions,
        "",
        "Ids of subscriptions whose endpoints the app leaves alone. Here and below, what is denied stays denied "
        "whatever allows it.",
    )
    resource_groups: frozenset[str] = setting(
        "AZURE_RESOURCE_GROUPS",
        value.resource_groups,
        "*",
        "Resource groups whose endpoints the app handles, separated by commas: a name, in whatever subscription, or "
        "`subscription-id/name`; `*` for all.",
    )
    resource_groups_denied: frozenset[str] = setting(
        "AZURE_RESOURCE_GROUPS_DENIED",
        value.resource_groups,
        "",
        "Resource groups whose endpoints the app leaves alone, written in the same way.",
    )
    locations: frozenset[str] = setting(
        "AZURE_LOCATIONS",
        value.locations,
        "*",
        "Azure locations whose endpoints the app handles, separated by commas: the endpoint's own, not that of the "
        "service it leads to; `*` for all.",
    )
    locations_denied: frozenset[str] = setting(
        "AZURE_LOCATIONS_DENIED", value.locations, "", "Azure locations whose endpoints the app leaves alone."
    )
    tags: frozenset[str] = setting(
        "AZURE_TAGS",
        value.tags,
        "*",
        "Tags of which an endpoint needs one to be handled, separated by commas, each `name` or `name=value`; `*`: it "
        "needs none.",
    )
    tags_denied: frozenset[str] = setting(
        "AZURE_TAGS_DENIED", value.tags, "", "Tags of which one is enough for an endpoint to be left alone."
    )
    mode: str = setting(
        "MODE",
        value.one_of(Mode.ENFORCE, Mode.OBSERVE),
        "enforce",
        "`enforce` brings every endpoint to what should be; `observe` reads, plans, tests and reports, and changes "
        "nothing in Azure or Elastic Cloud. An endpoint's tag `elastic-privatelink` overrides it.",
    )

    @property
    def watched_subscriptions(self) -> tuple[str, ...]:
        """The subscriptions to look for endpoints in."""
        return tuple(one for one in self.subscriptions if one not in self.subscriptions_denied)

    def scope(self) -> Scope:
        """The lists, as the core asks them."""
        return Scope(
            subscriptions=frozenset(self.subscriptions),
            subscriptions_denied=frozenset(self.subscriptions_denied),
            groups=self.resource_groups,
            groups_denied=self.resource_groups_denied,
            locations=self.locations,
            locations_denied=self.locations_denied,
            tags=self.tags,
            tags_denied=self.tags_denied,
        )
