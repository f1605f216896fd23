"""Saying what is meant: names, tags, kinds of policies, moves, what was looked at. A row is what `told_parts` says.

Links that no read shows are in `test_moves`, records with twenty holders in `test_sharing`.
"""

from __future__ import annotations

import pytest

from shared.core.model import conditions as c
from tests.harness.dns import OTHER_SUBSCRIPTION
from tests.reconciler import situations_told as s
from tests.reconciler.told_parts import ADVICE, DNS, Row, holds

SET_UP = (*DNS, c.POLICY_READY, c.APPROVED)
NO_CONSENT = {"ELASTIC_DEPLOYMENTS_ALLOWED": ""}
ROWS = {
    # Wishes.
    "one name in two regions": Row(
        s.one_name_in_two_regions, c.ASSOCIATED, "Associated", "Associated with audit.", phase="Ready"
    ),
    "a wish by alias": Row(
        s.by_alias,
        c.ASSOCIATED,
        "DeploymentNotFound",
        "Did you mean deployment logs-eastus2 (",
        "Name deployment logs-eastus2 (",
        goes_on=SET_UP,
    ),
    "a wish by cluster id": Row(
        s.by_cluster_id,
        c.ASSOCIATED,
        "DeploymentNotFound",
        "Did you mean deployment logs-eastus2 (",
        "Name deployment logs-eastus2 (",
        goes_on=SET_UP,
    ),
    "a tag without room for the id that is meant": Row(
        s.no_room_in_the_tag,
        c.ASSOCIATED,
        "DeploymentNotFound",
        "Did you mean deployment logs-eastus2 (",
        "which holds 256 characters and has no room for its id; tag the deployment that is meant",
        goes_on=SET_UP,
    ),
    # Consent, and what a first policy does.
    "how to consent": Row(
        s.without_consent,
        c.ASSOCIATED,
        "DeploymentNotAllowed",
        "Neither setting nor tag allows",
        "in the Elastic Cloud console on the deployment's page, under Manage tags, or by PUT /api/v1/deployments/",
        settings=NO_CONSENT,
        goes_on=SET_UP,
    ),
    "how to consent on a deployment that is full of tags": Row(
        s.full_of_tags,
        c.ASSOCIATED,
        "DeploymentNotAllowed",
        "Neither setting nor tag allows",
        "it has 64 tags, the most that Elastic Cloud takes",
        settings=NO_CONSENT,
        goes_on=SET_UP,
    ),
    "policies that keep no person out": Row(
        s.only_others_kinds,
        c.ASSOCIATED,
        "WouldCutOffPublicTraffic",
        "only 1 of type egress_firewall and 1 of type remote_cluster",
        "elastic-privatelink-first-policy=allow",
        goes_on=SET_UP,
    ),
    "the first policy of a deployment that others search": Row(
        s.wishing("search-eastus2"),
        c.ASSOCIATED,
        "WouldCutOffPublicTraffic",
        "other deployments, whose cross-cluster search and replication, and monitoring, go by public ways",
        "first associate an IP policy",
        goes_on=SET_UP,
    ),
    # Places.
    "a zone was moved": Row(
        s.moved_zone,
        c.REMOVED,
        "RecoveredUnconfirmed",
        "the zone was moved",
        'POST /api/decisions {"decision": "confirm-recovered"',
    ),
    "a hub was moved": Row(
        s.moved_hub,
        ADVICE,
        "NetworkNotFound",
        "It is named in DNS_LINK_VNETS",
        "Correct DNS_LINK_VNETS",
        phase="Ready",
        goes_on=SET_UP,
    ),
    "a group is being deleted for hours": Row(
        s.group_goes,
        c.REMOVED,
        "ResourceGroupBeingDeleted",
        "Resource group rg-dns is being deleted, which may take hours",
        phase="Removing",
        looks=400,  # every five minutes, as the sweep
        settings={"DNS_ZONE_RESOURCE_GROUPS": f"{s.SUBSCRIPTION}/resourceGroups/rg-dns"},
        others=(c.POLICY_READY, c.APPROVED),
    ),
    "a subscription that may not be listed": Row(
        s.not_all_looked_at,
        c.REMOVED,
        "Removed",
        f"Not looked: for zones in subscription {OTHER_SUBSCRIPTION}, which the app cannot list",
        phase="Removed",
        never="Everything that was made",
        settings={"DNS_SUBSCRIPTIONS": OTHER_SUBSCRIPTION},
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_each_says_what_is_meant_and_holds_up_nothing_else(row: Row) -> None:
    await holds(row)
