"""Every undocumented behaviour of the clouds can be turned while they run, by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from local.arm import ArmSettings
from local.cli.switches import Switches
from local.elastic import ElasticSettings
from local.eventgrid import EventGridSettings, TopicSettings
from local.network import NetworkSettings

UNDOCUMENTED = {
    # Elastic Cloud
    "elastic.cross_region_association",
    "elastic.delete_with_associations",
    "elastic.duplicate_name",
    "elastic.duplicate_guid",
    "elastic.approval_seconds",
    "elastic.wrong_guid",
    "elastic.unknown_guid",
    "elastic.ruleset_deleted_while_approved",
    "elastic.repeat_claim",
    "elastic.claimed_elsewhere",
    "elastic.unassociated_unfiltered_answer",
    "elastic.put_immutable",
    "elastic.create_lag_seconds",
    "elastic.association_lag_seconds",
    "elastic.retry_after_seconds",
    "elastic.rate_limit",
    "elastic.hidden_deployment_association",
    "elastic.stopped_deployment_association",
    "elastic.missing_deployment_association",
    "elastic.missing_ruleset_status",
    "elastic.nulls",
    "elastic.settings_absent",
    "elastic.hits_per_page",
    "elastic.html_errors",
    "elastic.limit_status",
    "elastic.match_case_sensitive",
    "elastic.editable_deployments",
    "elastic.invisible_deployments",
    # Azure
    "arm.accept_quoted_etags",
    "arm.busy_zone_status",
    "arm.endpoint_event_at",
    "arm.expand_network_interfaces",
    "arm.failed_links_stay",
    "arm.not_found_after_create_seconds",
    "arm.parent_not_found_on_reads",
    "arm.stale_list_seconds",
    "arm.throttle_retry_after",
    "arm.zone_seconds",
    "arm.link_seconds",
    "arm.link_effect_seconds",
    "arm.nic_seconds",
    "arm.phantom_links",
    "arm.recreated_network",
    # Event Grid
    "events.bare_evidence",
    "events.drop",
    "events.duplicate",
    "events.probation_after",
    "events.probation_seconds",
    "events.reorder_within",
    # What lies between networks
    "network.firewalls",
    "network.no_route",
    "network.resolvers",
    "network.routed",
}


@pytest.fixture
def switches() -> Switches:
    return Switches(
        {
            "arm": ArmSettings(),
            "elastic": ElasticSettings(),
            "network": NetworkSettings(),
            "events": EventGridSettings(),
            "topic": TopicSettings(),
        }
    )


def test_everything_undocumented_is_a_switch(switches: Switches) -> None:
    assert set(switches.values()) >= UNDOCUMENTED


def test_hooks_that_only_code_can_give_are_none(switches: Switches) -> None:
    hooks = {"elastic.faults", "elastic.faults_after", "arm.allocate_address", "arm.principal_of"}
    assert not hooks & set(switches.values())
    with pytest.raises(ValueError, match=r"no switch 'elastic\.faults'"):
        switches.set("elastic.faults", [])


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("arm.zone_seconds", 33, 33.0),
        ("arm.busy_zone_status", 409, 409),
        ("arm.busy_zone_status", None, None),
        ("arm.missing_resource_groups", ["rg-dns"], {"rg-dns"}),
        ("arm.arm_bucket", {"reads": [5, 0.5]}, {"reads": (5.0, 0.5)}),
        ("arm.throttle_retry_after", "reset", "reset"),
        ("arm.throttle_retry_after", 7, 7),
        ("elastic.nulls", False, False),
        ("elastic.claimed_elsewhere", [["azure-eastus2", "guid"]], {("azure-eastus2", "guid")}),
        ("elastic.api_key_expires_at", "2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("events.retry_schedule", [1, 2, 3], (1.0, 2.0, 3.0)),
        ("events.duplicate", True, True),
        ("events.delivery_delay", 5, 5.0),
        ("topic.fail", 503, 503),
        ("network.routed", [["/a", "/b"]], [["/a", "/b"]]),
        ("network.firewalls", {"/a": {"*": "reset"}}, {"/a": {"*": "reset"}}),
        ("network.resolvers", {"/a": "timeout"}, {"/a": "timeout"}),
    ],
)
def test_a_switch_takes_what_json_says(switches: Switches, name: str, value: Any, kept: Any) -> None:
    switches.set(name, value)
    part, _, field = name.partition(".")
    assert getattr(switches.settings[part], field) == kept
    assert name in switches.values()


def test_every_switch_takes_what_it_shows(switches: Switches) -> None:
    shown = switches.values()
    for name, value in shown.items():
        switches.set(name, value)
    assert switches.values() == shown


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("arm.zone_seconds", "slow", "arm.zone_seconds is 'slow'; expected a number"),
        ("arm.zone_seconds", True, "expected a number"),
        ("arm.busy_zone_status", 500, "expected 409 or 429 or null"),
        ("elastic.nulls", 1, "expected true or false"),
        ("elastic.wrong_guid", "ignored", 'expected "pending" or "rejected"'),
        ("elastic.api_key_expires_at", "2026-01-31T12:00:00", "a time with its zone"),
        ("elastic.claimed_elsewhere", [["azure-eastus2"]], "expected JSON as it is shown"),
        ("network.firewalls", {"/a": "reset"}, "expected JSON as it is shown"),
        ("network.firewalls", {"/a": {"*": "closed"}}, "expected JSON as it is shown"),
        ("elastic.no_such", 1, "no switch 'elastic.no_such'"),
        ("nothing", 1, "no switch 'nothing'"),
    ],
)
def test_what_a_switch_does_not_take_is_refused_with_what_it_does(
    switches: Switches, name: str, value: Any, message: str
) -> None:
    before = switches.values()
    with pytest.raises(ValueError, match=message):
        switches.set(name, value)
    assert switches.values() == before
