"""Policies and deployments out of the Elastic Cloud API's JSON, which may have nulls anywhere."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clouds.elastic.hosted.client import deployment_of as target_of
from shared.clouds.elastic.hosted.client import policy_of as ruleset_of
from shared.core.model.markers import Marker
from shared.core.model.resources import Policy, Rule, Target

MARKER = Marker("autopilot", "0123456789abcdef", "/subscriptions/x")
POLICY: dict[str, Any] = {
    "id": "p-1",
    "name": "pe-search",
    "description": MARKER.description(),
    "type": "azure_private_endpoint",
    "region": "azure-eastus2",
    "include_by_default": False,
    "rules": [{"id": "r-1", "azure_endpoint_name": "pe-search", "azure_endpoint_guid": "guid-1"}],
    "associations": [{"entity_type": "deployment", "id": "d1"}],
}
HOST = "orders.es.eastus2.azure.elastic-cloud.com"
DEPLOYMENT: dict[str, Any] = {
    "id": "d1",
    "name": "orders",
    "metadata": {"hidden": False, "tags": [{"key": "team", "value": "search"}]},
    "settings": {"traffic_filter_settings": {"rulesets": ["p-ip"]}},
    "resources": {
        "elasticsearch": [
            {"region": "azure-eastus2", "info": {"status": "started", "metadata": {"aliased_endpoint": HOST}}}
        ]
    },
}


def policy_of(body: dict[str, Any]) -> Policy:
    """The policy, which can be read."""
    found = ruleset_of(body)
    assert found is not None
    return found


def deployment_of(body: dict[str, Any], port: int) -> Target:
    """The deployment, which can be read."""
    found = target_of(body, port)
    assert found is not None
    return found


def changed(whole: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with the value at the dotted path replaced."""
    result = copy.deepcopy(whole)
    place: Any = result
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    place[int(last) if last.isdigit() else last] = value
    return result


# -- policies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "hidden"), [(3, 2), (1, 0), (0, 0), (None, 0), ("3", 1)])
def test_associations_that_are_counted_and_not_listed_are_with_deployments_that_the_key_may_not_see(
    total: Any, hidden: int
) -> None:
    assert policy_of({**POLICY, "total_associations": total}).hidden_associations == hidden


def test_a_policy_is_read_with_rules_associations_and_marker() -> None:
    found = policy_of(POLICY)
    assert (found.id, found.name, found.type, found.region) == (
        "p-1",
        "pe-search",
        "azure_private_endpoint",
        "azure-eastus2",
    )
    assert (found.rules, found.associations) == ((Rule("pe-search", "guid-1"),), ("d1",))
    assert (found.include_by_default, found.marker) == (False, Marker("autopilot", "0123456789abcdef"))


@pytest.mark.parametrize(
    ("path", "value", "field", "expected"),
    [
        ("rules", None, "rules", ()),
        ("rules", [None, "text", {}], "rules", ()),
        ("rules.0.azure_endpoint_guid", None, "rules", ()),
        ("rules.0.azure_endpoint_name", None, "rules", (Rule("", "guid-1"),)),
        ("rules", [{"source": "10.0.0.0/8"}], "rules", ()),
        ("associations", None, "associations", ()),
        ("associations", [None, {"id": "x"}], "associations", ()),
        ("associations.0.entity_type", "cluster", "associations", ()),
        ("associations.0.id", None, "associations", ()),
        ("description", None, "marker", None),
        ("description", "by hand", "marker", None),
        ("name", None, "name", ""),
        ("region", None, "region", ""),
        ("type", None, "type", ""),
        ("include_by_default", None, "include_by_default", False),
        ("include_by_default", True, "include_by_default", True),
    ],
)
def test_a_hole_in_a_policy_is_nothing(path: str, value: Any, field: str, expected: object) -> None:
    assert getattr(policy_of(changed(POLICY, path, value)), field) == expected


# -- deployments ---------------------------------------------------------------------------------------------------


def test_a_deployment_is_read_with_region_policies_tags_and_urls() -> None:
    found = deployment_of(DEPLOYMENT, 9243)
    assert (found.id, found.name, found.region, found.running) == ("d1", "orders", "azure-eastus2", True)
    assert (found.attached, dict(found.tags)) == (("p-ip",), {"team": "search"})
    assert [url.url for url in found.urls] == [
        "https://orders.es.privatelink.eastus2.azure.elastic-cloud.com:9243",
    ]


@pytest.mark.parametrize(
    ("path", "value", "attached"),
    [
        ("settings", None, None),
        ("settings", {}, None),
        ("settings.traffic_filter_settings", None, None),
        ("settings.traffic_filter_settings", {}, None),
        ("settings.traffic_filter_settings", "text", None),
        ("settings.traffic_filter_settings.rulesets", None, None),
        ("settings.traffic_filter_settings.rulesets", [], ()),
        ("settings.traffic_filter_settings.rulesets", ["a", "b"], ("a", "b")),
    ],
)
def test_absent_settings_mean_unknown_and_never_no_policies(
    path: str, value: Any, attached: tuple[str, ...] | None
) -> None:
    assert deployment_of(changed(DEPLOYMENT, path, value), 9243).attached == attached


@pytest.mark.parametrize(
    ("path", "value", "running"),
    [
        ("metadata.hidden", True, False),
        ("metadata.hidden", None, True),
        ("metadata", None, True),
        ("resources.elasticsearch.0.info.status", "stopped", False),
        ("resources.elasticsearch.0.info.status", "STOPPING", False),
        ("resources.elasticsearch.0.info.status", "reconfiguring", True),
        ("resources.elasticsearch.0.info.status", None, True),
        ("resources.elasticsearch.0.info", None, True),
        ("resources.elasticsearch", None, True),
        ("resources.elasticsearch", [], True),
        ("resources", None, True),
    ],
)
def test_hidden_and_stopped_deployments_do_not_run(path: str, value: Any, running: bool) -> None:
    assert deployment_of(changed(DEPLOYMENT, path, value), 9243).running is running


@pytest.mark.parametrize("value", [None, []])
def test_no_tags_consent_to_nothing(value: Any) -> None:
    assert dict(deployment_of(changed(DEPLOYMENT, "metadata.tags", value), 9243).tags) == {}


@pytest.mark.parametrize("value", ["text", [None], [{"key": None, "value": None}]])
def test_a_deployment_whose_tags_cannot_be_read_does_not_show(value: Any) -> None:
    """One of them may say that nothing is to be done with it."""
    assert target_of(changed(DEPLOYMENT, "metadata.tags", value), 9243) is None


@pytest.mark.parametrize("path", ["resources", "resources.elasticsearch", "resources.elasticsearch.0.region"])
def test_a_deployment_whose_region_is_not_told_is_in_no_region(path: str) -> None:
    body = changed(DEPLOYMENT, path, None)
    if path.endswith("region"):
        body = changed(body, "resources.elasticsearch.0.info", None)
    assert deployment_of(body, 9243).region == ""


DEPLOYMENT_PATHS = [
    "name",
    "metadata",
    "metadata.tags",
    "settings",
    "settings.traffic_filter_settings",
    "settings.traffic_filter_settings.rulesets",
    "resources",
    "resources.elasticsearch",
    "resources.elasticsearch.0",
    "resources.elasticsearch.0.info",
    "resources.elasticsearch.0.info.status",
    "resources.elasticsearch.0.info.metadata",
]


@settings(deadline=None, database=None)
@given(st.sampled_from(DEPLOYMENT_PATHS))
def test_a_null_anywhere_in_a_deployment_is_no_crash_and_no_empty_set_of_policies(path: str) -> None:
    found = deployment_of(changed(DEPLOYMENT, path, None), 9243)
    assert found.attached in {("p-ip",), None}


@settings(deadline=None, database=None)
@given(st.sampled_from(["rules", "associations", "description", "name", "type", "region"]))
def test_a_null_anywhere_in_a_policy_is_no_crash(path: str) -> None:
    assert policy_of(changed(POLICY, path, None)).id == "p-1"


def test_what_has_no_id_is_left_out() -> None:
    assert ruleset_of(changed(POLICY, "id", None)) is None
    assert target_of(changed(DEPLOYMENT, "id", None), 9243) is None
