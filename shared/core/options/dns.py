"""Settings: where private DNS zones are made, linked and shared. A group of `PlanOptions`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.core.options import values as value
from shared.core.options.declaration import setting
from shared.core.options.values import ZoneHome


class RecordMode(StrEnum):
    """What happens when a second endpoint of one virtual network wants the `*` record of one region."""

    FIRST = "first"
    """The first endpoint keeps it; the second is blocked and told who holds it."""
    UNION = "union"
    """Both addresses stand in it; clients choose at random."""


@dataclass(frozen=True, slots=True)
class DnsOptions:
    """Where private DNS zones are made, what is linked to them, and who shares their `*` record."""

    zone_resource_groups: tuple[ZoneHome, ...] = setting(
        "DNS_ZONE_RESOURCE_GROUPS",
        value.zone_homes,
        "",
        "Ids of the resource groups in which private DNS zones are made, separated by commas; empty for each "
        "endpoint's own ([how many](networks.md#each-network-asks-azure)).",
        deployed=True,
    )
    link_vnets: tuple[str, ...] = setting(
        "DNS_LINK_VNETS",
        value.vnets,
        "",
        "Ids of further virtual networks to link zones to, separated by commas, such as [a hub with the DNS "
        "resolver](networks.md#a-hub-answers).",
        deployed=True,
    )
    subscriptions: tuple[str, ...] = setting(
        "DNS_SUBSCRIPTIONS",
        value.subscriptions,
        "",
        "Ids of further subscriptions to look in for a zone that a network is already linked to, separated by commas.",
        deployed=True,
    )
    record_mode: RecordMode = setting(
        "DNS_RECORD_MODE",
        value.one_of(RecordMode.FIRST, RecordMode.UNION),
        "first",
        "`first` or `union`: what becomes of a second endpoint that wants the same `*` record ([which to use "
        "where](networks.md#a-hub-answers)).",
    )
    record_ttl: int = setting(
        "DNS_RECORD_TTL", value.whole(1, 86400), "300", "Seconds that resolvers may keep the `*` record."
    )

    resource_tags: tuple[tuple[str, str], ...] = setting(
        "RESOURCE_TAGS",
        value.given_tags,
        "",
        "Tags of all that the deployment makes, and of the zones and links that the app makes, each `name=value`, "
        "separated by commas; 12 at most.",
        deployed=True,
    )

    @property
    def zone_subscriptions(self) -> tuple[str, ...]:
        """Where zones may be besides the endpoints' own subscriptions: those named, and the one they are made in."""
        homes = (home.subscription_id for home in self.zone_resource_groups)
        return tuple(dict.fromkeys((*self.subscriptions, *homes)))
