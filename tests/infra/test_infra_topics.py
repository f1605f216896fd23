"""`scripts/topics.sh`: what delivers events where a watched subscription lacks it, also below management groups."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.az_that_records import ROOT, SHELLS, Recorded
from tests.infra.paper_az import Person
from tests.infra.paper_choices import HOME
from tests.infra.paper_cloud import SUBSCRIBED, Cloud

IDS = FIRST, SECOND, THIRD, STRANGER = [f"00000000-0000-0000-0001-{number:012}" for number in range(1, 5)]
TYPE = "Microsoft.Resources.Subscriptions"
OUTPUTS = {
    "AZURE_ENV_NAME": "x",
    "AZURE_LOCATION": "eastus2",
    "AZURE_SUBSCRIPTION_ID": "s",
    "AZURE_MANAGEMENT_GROUPS": "landing-zones",
    "AUTOPILOT_APP_ID": "/app",
    "AUTOPILOT_STORAGE_ID": "/storage",
    "AUTOPILOT_TOPIC_IDENTITY_ID": "/identity",
    "AUTOPILOT_ACTION_GROUP_ID": "",
    "AUTOPILOT_EVENT_DELIVERY": "queue",
}


def topic(subscription: str, group: str = "rg-x-events", **identity: Any) -> dict[str, Any]:
    """As Azure CLI lists it."""
    id_ = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.EventGrid/systemTopics/topic"
    return {"id": id_, "topicType": TYPE, "identity": identity or None}


def below(*subscriptions: str, then: str | None = None) -> dict[str, Any]:
    """A page of descendants of a management group."""
    groups = [{"name": "online", "type": "Microsoft.Management/managementGroups"}]
    return {"value": [*groups, *({"name": one, "type": "/subscriptions"} for one in subscriptions)], "nextLink": then}


@pytest.fixture
def az(tmp_path: Path) -> Recorded:
    """Two subscriptions below a management group: the first has everything, the second has nothing."""
    recorded = Recorded(tmp_path)
    recorded.environment = dict(OUTPUTS)
    recorded.answer("rest --method get", below(FIRST, SECOND))
    has(recorded, FIRST, topic(FIRST), "privatelink-x")
    recorded.answer("provider list", [[one, "Registered"] for one in ("Microsoft.Network", "Microsoft.EventGrid")])
    recorded.answer("provider show", {"registrationState": "Registered"})
    return recorded


def has(az: Recorded, subscription: str, topic: dict[str, Any], *events: str) -> None:
    """A subscription has this topic with these event subscriptions."""
    az.answer(f"eventgrid system-topic list --subscription {subscription}", [topic])
    listed = [{"name": one} for one in events]
    az.answer(f"eventgrid system-topic event-subscription list --subscription {subscription}", listed)


def deployed(az: Recorded) -> list[dict[str, str]]:
    """The parameters of each deployment that was asked for, and its name."""
    asked = az.called("deployment sub create")
    return [
        {"name": one.partition("--name ")[2].split(" ")[0], **dict(re.findall(r"(\w+)=(\S*)", one))} for one in asked
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_subscription_without_a_topic_gets_one_and_the_others_are_left_alone(az: Recorded, shell: str) -> None:
    answer = az.run("topics", shell=shell)
    assert (answer.returncode, answer.stderr) == (0, "")
    (made,) = deployed(az)
    assert (made["name"], made["watchedSubscriptions"], made["existingSystemTopics"]) == (
        "privatelink-topics-x",
        SECOND,
        "",
    )
    assert (made["eventDelivery"], made["topicIdentityId"], made["storageId"]) == ("queue", "/identity", "/storage")
    assert f"{SECOND}: no topic" in answer.stdout
    assert az.called(f"provider register --namespace Microsoft.Insights --subscription {SECOND}")


def test_the_script_is_the_hook(az: Recorded) -> None:
    answer = az.run_script("sh", str(ROOT / "scripts" / "topics.sh"))
    assert (answer.returncode, len(deployed(az))) == (0, 1)


def test_where_nothing_is_missing_nothing_is_changed(az: Recorded) -> None:
    az.answer("rest --method get", below(FIRST))
    answer = az.run("topics")
    assert (answer.returncode, [one for one in az.changes if "rest --method get" not in one]) == (0, [])


def test_more_than_two_hundred_below_a_group_are_served_in_parts_on_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"00000000-0000-0000-0002-{number:012}" for number in range(201)]
    cloud = Cloud()
    cloud.below["landing-zones"] = many
    person = Person(cloud, HOME, monkeypatch, AZURE_MANAGEMENT_GROUPS="landing-zones")
    person.up()
    assert cloud.of(SUBSCRIBED) == []
    for said in ("added what delivers events in 201 of them", "added what delivers events in 0 of them"):
        person.hook("topics")
        assert person.said.rstrip().endswith(f"{said}.")
    assert {one.scope.split("/")[2] for one, _ in cloud.of(SUBSCRIBED)} == set(many)
    names = [one["name"] for one in cloud.deployments if one["name"]]
    assert names == ["privatelink-topics-x1", "privatelink-topics-x1-2"]
    cloud.happens(many[-1])
    assert (cloud.delivered, cloud.lost) == (1, 0)


def test_another_team_s_topic_with_an_identity_gets_our_event_subscription(az: Recorded) -> None:
    theirs = topic(SECOND, "rg-theirs", type="SystemAssigned")
    has(az, SECOND, theirs)
    az.run("topics")
    (made,) = deployed(az)
    assert (made["watchedSubscriptions"], made["existingSystemTopics"]) == (SECOND, theirs["id"])


def test_another_team_s_topic_without_an_identity_is_left_to_its_owner_and_the_others_are_done(az: Recorded) -> None:
    theirs = topic(SECOND, "rg-theirs")
    az.answer("rest --method get", below(FIRST, SECOND, THIRD))
    has(az, SECOND, theirs)
    answer = az.run("topics")
    assert answer.returncode == 1
    assert f"az eventgrid system-topic update --ids {theirs['id']} --identity systemassigned" in answer.stdout
    assert "1 of them wait" in answer.stderr
    assert [one["watchedSubscriptions"] for one in deployed(az)] == [THIRD]


def test_the_identities_that_its_owner_gave_a_topic_stay(az: Recorded) -> None:
    theirs = topic(SECOND, "rg-theirs", type="UserAssigned", userAssignedIdentities={"/theirs": {"clientId": "c"}})
    has(az, SECOND, theirs)
    said = az.run("topics").stdout
    assert '{"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"/theirs": {}}}' in said


def test_a_subscription_that_may_not_be_read_is_said_and_holds_up_no_other(az: Recorded) -> None:
    az.answer("rest --method get", below(FIRST, SECOND, THIRD))
    az.refuse(f"eventgrid system-topic list --subscription {SECOND}", "(AuthorizationFailed) no")
    answer = az.run("topics")
    assert answer.returncode == 1
    assert f"{SECOND}: not read: ERROR: (AuthorizationFailed) no" in answer.stdout
    assert [one["watchedSubscriptions"] for one in deployed(az)] == [THIRD]


def test_a_subscription_that_is_named_gets_everything_anew(az: Recorded) -> None:
    """Its topic's identity was taken and given back: a new one, which has no right on storage yet."""
    az.answer("rest --method get", below(FIRST))
    assert az.run("topics", FIRST).returncode == 0
    assert [one["watchedSubscriptions"] for one in deployed(az)] == [FIRST]


def test_a_subscription_that_is_not_watched_is_refused(az: Recorded) -> None:
    answer = az.run("topics", STRANGER)
    assert (answer.returncode, deployed(az)) == (1, [])
    assert f"Not watched: {STRANGER}" in answer.stderr


def test_a_hub_s_topic_that_the_deployment_was_given_is_looked_at_too(az: Recorded) -> None:
    """The doctor names the subscription, and this is what it says to start."""
    theirs = topic(STRANGER, "rg-theirs", type="SystemAssigned")
    has(az, STRANGER, theirs)
    az.environment["EXISTING_SYSTEM_TOPICS"] = theirs["id"]
    az.answer("rest --method get", below(FIRST))
    assert az.run("topics", STRANGER).returncode == 0
    (made,) = deployed(az)
    assert (made["watchedSubscriptions"], made["existingSystemTopics"]) == (STRANGER, theirs["id"])
    az.answer(f"eventgrid system-topic list --subscription {STRANGER}", [])
    answer = az.run("topics", STRANGER)
    assert answer.returncode == 1
    assert f"{STRANGER}: its topic is gone" in answer.stdout
    assert len(deployed(az)) == 1, "none is made where nothing is watched"


def test_without_events_there_is_nothing_to_add(az: Recorded) -> None:
    answer = az.run("topics", EVENT_DELIVERY="none")
    assert (answer.returncode, az.changes) == (1, [])
    assert "takes no events" in answer.stderr


def test_subscriptions_that_the_settings_name_are_looked_at_too(az: Recorded) -> None:
    az.environment |= {"AZURE_SUBSCRIPTIONS": THIRD, "AZURE_MANAGEMENT_GROUPS": ""}
    az.run("topics")
    assert [one["watchedSubscriptions"] for one in deployed(az)] == [THIRD]


def test_undo_takes_our_event_subscription_off_the_topics_below_the_group(az: Recorded) -> None:
    theirs = topic(SECOND, "rg-theirs", type="SystemAssigned")
    has(az, SECOND, theirs, "privatelink-x")
    az.answer(f"group show --name rg-x-events --subscription {FIRST}", {"tags": {"azd-env-name": "x"}})
    assert az.run("undo").stderr == ""
    assert az.called(f"event-subscription delete --name privatelink-x --subscription {SECOND}")
    assert az.called(f"group delete --name rg-x-events --subscription {FIRST}")
