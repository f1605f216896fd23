"""The life of an installation on paper, with the real hooks and templates: what came before, changes, comes after."""

from __future__ import annotations

import json

import pytest

from tests.infra.paper_az import MANAGEMENT_GROUPS, NAME, Person
from tests.infra.paper_azure import Resource
from tests.infra.paper_choices import (
    GROUP,
    HOME,
    HUB,
    LINK_SCOPE,
    MADE_BEFOREHAND,
    NETWORK,
    OTHER,
    OTHER_GROUP,
    SPOKE,
    one_by_one,
)
from tests.infra.paper_cloud import ASSIGNMENTS, GROUPS, ROLES, SUBSCRIBED, TOPICS, VAULTS, Cloud, Refused

THIRD = "00000000-0000-0000-0000-0000000000a4"
THREE = f"{HOME},{OTHER},{THIRD}"


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def another_teams_topic(cloud: Cloud, subscription: str, identity: str = "SystemAssigned") -> str:
    """What is there before we come: the one system topic that a subscription can have."""
    at = f"/subscriptions/{subscription}"
    group = Resource(GROUPS, "rg-theirs", at, {"tags": {}})
    properties = {"source": at, "topicType": "Microsoft.Resources.Subscriptions"}
    topic = Resource(TOPICS, "theirs", group.id, {"identity": {"type": identity}, "properties": properties})
    for one in (group, topic):
        cloud.put(one)
    return topic.id


def ours(cloud: Cloud) -> set[str]:
    """All that is there, but for what another team had before."""
    return {key for key in cloud.made if "/rg-theirs" not in key or "/eventsubscriptions/" in key}


def test_a_fresh_subscription_needs_one_command(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft.App is not registered, and no template registers it."""
    person = Person(cloud, HOME, monkeypatch)
    person.up()
    assert cloud.code
    assert "Proved" in person.said
    assert cloud.lost == 0


def test_the_same_command_again_changes_nothing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=THREE)
    person.up()
    before = dict(cloud.made)
    person.up()
    assert {key: one.body for key, one in cloud.made.items()} == {key: one.body for key, one in before.items()}


def test_three_watched_subscriptions_become_two(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the hook the templates fail for ever: RoleScopeBeingRemovedContainsAssignments."""
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=THREE)
    person.up()
    assert any(key.startswith(f"/subscriptions/{THIRD}/") for key in cloud.made)
    person.chosen["AZURE_SUBSCRIPTIONS"] = f"{HOME},{OTHER}"
    person.up()
    assert [key for key in cloud.made if key.startswith(f"/subscriptions/{THIRD}")] == []
    assert {one.scope.split("/")[2] for one, _ in cloud.of(ASSIGNMENTS)} == {HOME, OTHER}
    places = {place for _, body in cloud.of(ROLES) for place in body["properties"]["assignableScopes"]}
    assert places == {f"/subscriptions/{one}" for one in (HOME, OTHER)}


def test_azure_refuses_the_shorter_list_without_the_hook(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=THREE)
    person.up()
    values = {"environmentName": NAME, "location": "eastus2", "azureSubscriptions": HOME}
    with pytest.raises(Refused, match="RoleScopeBeingRemovedContainsAssignments"):
        cloud.deploy("main.bicep", HOME, values)


def test_a_subscription_that_left_keeps_nothing_of_us_on_another_teams_topic(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = another_teams_topic(cloud, THIRD)
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=THREE)
    person.up()
    assert person.chosen["EXISTING_SYSTEM_TOPICS"] == topic
    person.chosen["AZURE_SUBSCRIPTIONS"] = f"{HOME},{OTHER}"
    person.up()
    assert person.chosen["EXISTING_SYSTEM_TOPICS"] == ""
    assert [key for key in ours(cloud) if key.startswith(f"/subscriptions/{THIRD}")] == []


def test_rights_by_roles_that_were_made_beforehand_leave_with_the_subscription(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ",".join(f"{name}={id_}" for name, id_ in MADE_BEFOREHAND.items())
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=THREE, ROLE_IDS=ids)
    person.up()
    assert THIRD in {one.scope.split("/")[2] for one, _ in cloud.of(ASSIGNMENTS)}
    person.chosen["AZURE_SUBSCRIPTIONS"] = f"{HOME},{OTHER}"
    person.up()
    assert {one.scope.split("/")[2] for one, _ in cloud.of(ASSIGNMENTS)} == {HOME, OTHER}


def test_rights_at_a_management_group_are_the_platform_teams_to_remove(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure lists them with those of each subscription below, and the app works by them."""
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=THREE)
    person.up()
    told = one_by_one(json.loads(person.chosen["AUTOPILOT_ROLES"]))
    (app,) = {one["principal"] for one in told if "/vaults/" in one["scope"]}
    body = {"properties": {"principalId": app, "roleDefinitionId": f"/{ROLES}/reader"}}
    above = Resource(ASSIGNMENTS, "above", f"{MANAGEMENT_GROUPS}landing-zones", body)
    cloud.put(above)
    person.chosen |= {"AZURE_SUBSCRIPTIONS": HOME, "AZURE_MANAGEMENT_GROUPS": "landing-zones"}
    cloud.below["landing-zones"] = [OTHER, THIRD]
    person.up()
    assert above.id.lower() in cloud.made
    assert {one.id.split("/")[2] for one, _ in cloud.of(SUBSCRIBED)} == {HOME, OTHER, THIRD}, "watched as before"
    person.down()
    assert list(cloud.made) == [above.id.lower()]
    assert "the roles at the management group landing-zones" in person.said


def test_a_topic_of_a_hub_that_is_not_watched_is_taken_along_and_left_as_it_was(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = another_teams_topic(cloud, HUB)
    before = dict(cloud.made)
    person = Person(cloud, HOME, monkeypatch, EXISTING_SYSTEM_TOPICS=topic)
    person.up()
    assert f"Proved: an event of {HUB}" in person.said
    assert (HUB, "Microsoft.Insights") in cloud.registered, "the alerts on what the topic loses"
    person.chosen["EVENT_DELIVERY"] = "none"
    person.up()
    assert cloud.of(SUBSCRIBED) == [], "else its events would go on to a storage that is closed now"
    person.chosen["EVENT_DELIVERY"] = "queue"
    person.up()
    person.hook("undo")
    assert cloud.made == before


@pytest.mark.parametrize("delivery", ["queue", "function"])
def test_it_is_taken_along_too_where_all_that_is_watched_is_below_a_management_group(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, delivery: str
) -> None:
    topic = another_teams_topic(cloud, HUB)
    person = Person(
        cloud, HOME, monkeypatch, EXISTING_SYSTEM_TOPICS=topic, AZURE_MANAGEMENT_GROUPS="g", EVENT_DELIVERY=delivery
    )
    person.up()
    assert [one.id.split("/")[2] for one, _ in cloud.of(SUBSCRIBED)] == [HUB]


@pytest.mark.parametrize("delivery", ["queue", "function"])
def test_another_teams_topic_is_used_and_outlives_us(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, delivery: str
) -> None:
    topic = another_teams_topic(cloud, OTHER)
    before = dict(cloud.made)
    private = {"PRIVATE_ACCESS": "true"} if delivery == "queue" else {}
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=f"{HOME},{OTHER}", EVENT_DELIVERY=delivery, **private)
    person.up()
    assert person.chosen["EXISTING_SYSTEM_TOPICS"] == topic
    assert [one.name for one, _ in cloud.of(TOPICS) if OTHER in one.id] == ["theirs"]
    assert [one.name for one, _ in cloud.of(SUBSCRIBED) if OTHER in one.id] == [f"theirs/privatelink-{NAME}"]
    person.hook("undo")
    assert cloud.made == before


@pytest.mark.parametrize("identity", ["None", "UserAssigned"])
@pytest.mark.parametrize("way_out", ["its owner", "function", "none"])
@pytest.mark.parametrize("watched", [True, False], ids=["of a watched subscription", "of a hub"])
def test_another_teams_topic_that_cannot_deliver_stops_before_anything_is_made(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, identity: str, way_out: str, watched: bool
) -> None:
    """Topics that the portal makes have no identity; half of the deployment would be there when Azure says so."""
    topic = another_teams_topic(cloud, OTHER, identity)
    before = dict(cloud.made)
    given = {"AZURE_SUBSCRIPTIONS": f"{HOME},{OTHER}"} if watched else {"EXISTING_SYSTEM_TOPICS": topic}
    person = Person(cloud, HOME, monkeypatch, **given)
    with pytest.raises(Refused, match="Stopped before anything is deployed"):
        person.up()
    assert cloud.made == before
    assert f"Its owner runs:\n  az eventgrid system-topic update --ids {topic}" in person.said
    if way_out == "its owner":
        another_teams_topic(cloud, OTHER)
    else:
        person.chosen["EVENT_DELIVERY"] = way_out
    person.up()
    assert cloud.code
    assert way_out == "none" or person.said.count("Proved: an event") == 2


def test_azd_down_refuses_where_it_would_delete_another_teams_group(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    another_teams_topic(cloud, HOME)
    person = Person(cloud, HOME, monkeypatch)
    person.up()
    before = dict(cloud.made)
    with pytest.raises(Refused, match="did not make"):
        person.down()
    assert cloud.made == before


@pytest.mark.parametrize("private", ["false", "true"])
def test_a_role_that_takes_two_minutes_to_spread_costs_no_event_and_no_second_command(
    monkeypatch: pytest.MonkeyPatch, private: str
) -> None:
    """Storage would refuse the code, and Event Grid lose the events that it may not deliver yet."""
    cloud = Cloud(spreads=120)
    person = Person(cloud, HOME, monkeypatch, PRIVATE_ACCESS=private)
    person.up()
    assert cloud.code
    assert cloud.lost == 0
    assert "Proved" in person.said


@pytest.mark.parametrize("private", ["false", "true"])
def test_an_event_that_is_lost_while_a_role_spreads_still_is_followed_by_another_and_a_sweep(
    monkeypatch: pytest.MonkeyPatch, private: str
) -> None:
    """Event Grid never sends again what storage refused with 403."""
    cloud = Cloud(senders=240)
    person = Person(cloud, HOME, monkeypatch, PRIVATE_ACCESS=private)
    person.up()
    assert cloud.lost == 1
    assert "Proved" in person.said
    assert "Asked for a sweep" in person.said


def test_a_role_that_never_works_ends_the_command_after_ten_minutes_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud = Cloud()
    person = Person(cloud, HOME, monkeypatch)
    monkeypatch.setattr(cloud, "reaches", lambda *_: False)
    with pytest.raises(Refused, match="No event has arrived"):
        person.up()
    assert 9 * 60 <= cloud.now <= 12 * 60, "two minutes before the upload among them"
    assert cloud.lost > 1


@pytest.mark.parametrize("private", ["false", "true"])
def test_a_contributor_deploys_and_a_platform_team_runs_what_the_script_prints(
    monkeypatch: pytest.MonkeyPatch, private: str
) -> None:
    cloud = Cloud(contributor=True)
    person = Person(
        cloud, HOME, monkeypatch, ASSIGN_ROLES="false", PRIVATE_ACCESS=private, AZURE_SUBSCRIPTIONS=f"{HOME},{OTHER}"
    )
    with pytest.raises(Refused, match=r"roles are not assigned yet.*scripts/roles\.sh"):
        person.up()
    assert cloud.of(ASSIGNMENTS) == cloud.of(ROLES) == []
    person.said = ""
    person.hook("roles")
    for line in person.said.splitlines():
        if line.startswith("az "):
            person.run(line)
    person.said = ""
    person.hook("roles")
    assert person.said.endswith("All of them are assigned.\n")
    person.up()
    assert cloud.code
    assert cloud.lost == 0
    assert person.said.count("Proved") == 2


def test_what_a_contributor_may_not_take_back_is_listed_with_its_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(contributor=True)
    person = Person(cloud, HOME, monkeypatch, ASSIGN_ROLES="false", AZURE_SUBSCRIPTIONS=f"{HOME},{OTHER}")
    with pytest.raises(Refused):
        person.up()
    person.hook("roles")
    for line in [line for line in person.said.splitlines() if line.startswith("az ")]:
        person.run(line)
    person.up()
    person.said = ""
    person.down()
    assert {one.type for one in cloud.made.values()} == {ROLES, ASSIGNMENTS}
    for line in [line for line in person.said.splitlines() if "az role" in line]:
        person.run(line[line.index("az role") :])
    assert cloud.made == {}


def test_undo_leaves_nothing_but_what_it_lists_and_the_next_deployment_takes_the_vault_back(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=THREE, DNS_SUBSCRIPTIONS=HUB)
    person.up()
    ((vault, _),) = cloud.of(VAULTS)
    person.said = ""
    person.down()
    assert cloud.made == {}
    assert list(cloud.deleted_vaults) == [vault.name]
    assert f"the vault {vault.name}, deleted and kept for 90 days" in person.said
    person.up()
    assert cloud.deleted_vaults == {}
    assert [one.name for one, _ in cloud.of(VAULTS)] == [vault.name]


def test_undo_leaves_nothing_in_the_places_of_others_that_were_named(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = (GROUP, OTHER_GROUP, SPOKE.partition("/providers/")[0])
    for one in places:
        at, _, name = one.partition("/resourceGroups/")
        cloud.put(Resource(GROUPS, name, at, {"tags": {}}))
    person = Person(
        cloud,
        HOME,
        monkeypatch,
        DNS_ZONE_RESOURCE_GROUPS=f"{GROUP},{OTHER_GROUP}",
        DNS_SCOPES=f"/subscriptions/{THIRD}",
        DNS_LINK_VNETS=NETWORK,
        APP_SUBNET_ID=f"{SPOKE}/subnets/app",
        ENDPOINT_SUBNET_ID=f"{SPOKE}/subnets/endpoints",
        NOTIFICATION_TOPIC_ID=f"{GROUP}/providers/Microsoft.EventGrid/topics/notices",
        PRIVATE_ACCESS="true",
        PRIVATE_ACCESS_ZONE_GROUP=GROUP,
        PRIVATE_LINK_SCOPE_ID=LINK_SCOPE,
    )
    person.up()
    assert {one.split("/")[2] for one in cloud.made} == {HOME, OTHER, HUB, THIRD}
    with pytest.raises(Refused, match="did not make"):
        person.down()
    person.hook("undo")
    assert set(cloud.made) == {one.lower() for one in places}


def test_azure_refuses_the_deleted_vaults_name_without_the_hook(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(cloud, HOME, monkeypatch)
    person.up()
    person.down()
    with pytest.raises(Refused, match="VaultAlreadyExists"):
        cloud.deploy("main.bicep", HOME, {"environmentName": NAME, "location": "eastus2"})


def test_events_end_where_they_are_no_longer_wanted(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    another_teams_topic(cloud, OTHER)
    person = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=f"{HOME},{OTHER}", EVENT_DELIVERY="function")
    person.up()
    person.chosen["EVENT_DELIVERY"] = "none"
    person.up()
    assert cloud.of(SUBSCRIBED) == []
    assert [one.name for one, _ in cloud.of(TOPICS)] == ["theirs"]
