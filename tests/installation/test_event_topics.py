"""What delivers events is looked at once an hour; what another team's deployment took out is said, with the command."""

from __future__ import annotations

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from local.arm.settings import SystemTopic
from shared.api.doctor import examine
from shared.core.model.event_filter import WANTED
from shared.core.reports.doctor.findings import Finding, Level
from shared.installation.event_topics import DOCUMENT, LIVE_MAX
from shared.state.rows import ControlRow
from tests.harness.estate import Estate
from tests.infra.life import SUBSCRIPTION, TOPIC_ROLES, system_topic
from tests.sweep.test_sweep_management_groups import JOINS, landing_zones

SETTINGS = {"EVENT_SUBSCRIPTION": "privatelink-x"}
TOPIC = system_topic(SUBSCRIPTION, "rg-theirs").id

BOTH = '{"identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"/theirs": {}}}}'
PATCHED = f"az rest --method patch --url {TOPIC}?api-version=2025-02-15 --body '{BOTH}'"


async def watched(*topics: SystemTopic, **settings: str) -> Estate:
    """An app that expects events of one subscription."""
    estate = Estate(settings=SETTINGS | settings)
    estate.arm_settings.system_topics = list(topics)
    estate.arm_settings.assigned["p"] = list(TOPIC_ROLES)
    return await estate.open()


async def events(estate: Estate) -> list[Finding]:
    """What the doctor says of them."""
    context = await estate.found()
    return [one for one in (await examine(context)).findings if one.check == "events"]


def asked(estate: Estate) -> int:
    return sum("systemTopics" in one.path for one in estate.arm.requests)


async def test_while_all_is_there_the_doctor_says_that_events_arrive() -> None:
    (found,) = await events(await watched(system_topic(SUBSCRIPTION)))
    assert (found.level, found.what) == (Level.OK, "Events of 1 subscription reach the app.")


async def test_the_sweep_looks_once_an_hour() -> None:
    estate = await watched(system_topic(SUBSCRIPTION))
    for minutes, times in ((0, 2), (30, 2), (31, 4)):
        await estate.clock.sleep(minutes * 60)
        assert (await estate.sweep()).errors == []
        assert asked(estate) == times


async def test_an_app_without_events_never_looks() -> None:
    estate = await watched(system_topic(SUBSCRIPTION), EVENT_SUBSCRIPTION="")
    await estate.sweep()
    assert (await events(estate), asked(estate)) == ([], 0)


async def test_an_event_subscription_that_is_gone_is_said_with_the_command() -> None:
    topic = system_topic(SUBSCRIPTION, "rg-theirs")
    estate = await watched(topic)
    await estate.sweep()
    topic.event_subscriptions.clear()
    (found,) = await events(estate)
    assert (found.level, found.on) == (Level.PROBLEM, TOPIC)
    assert found.what.startswith("EventsLost: ")
    assert found.next_step == f"Start scripts/topics.sh {DEFAULT_SUBSCRIPTION}"


async def test_an_event_subscription_of_an_older_template_is_said_and_what_writes_it_anew() -> None:
    """The code was upgraded alone: what others change in private DNS reaches no older filter."""
    topic = system_topic(SUBSCRIPTION)
    values = [one for one in WANTED if "privateDnsZones" not in one]
    old = {"advancedFilters": [{"operatorType": "StringIn", "key": "data.operationName", "values": values}]}
    topic.event_subscriptions["privatelink-x"]["filter"] = old
    estate = await watched(topic)
    assert (await estate.sweep()).errors == []
    (found,) = await events(estate)
    assert (found.level, found.on) == (Level.WARNING, topic.id)
    assert "Microsoft.Network/privateDnsZones/A/write" in found.what
    assert "privateEndpoints" not in found.what
    assert found.next_step.startswith(f"Deploy again by azd up, or start scripts/topics.sh {DEFAULT_SUBSCRIPTION}")
    kept = await estate.storage.control.get(DOCUMENT)
    assert kept is not None
    assert kept.document["looks"][0]["leftOut"] == found.details["operations"], "so it is told of many, too"
    old["advancedFilters"][0]["values"] = list(WANTED)
    assert [one.level for one in await events(estate)] == [Level.OK]


@pytest.mark.parametrize(
    ("left", "command"),
    [
        (None, f"az eventgrid system-topic update --ids {TOPIC} --identity systemassigned"),
        (
            {"type": "UserAssigned", "userAssignedIdentities": {"/theirs": {}}},
            PATCHED,
        ),
    ],
    ids=["none", "of their own"],
)
async def test_an_identity_that_is_gone_is_said_with_what_the_owner_runs(left: dict[str, object], command: str) -> None:
    """Another team's next deployment of its topic takes out what it does not know."""
    topic = system_topic(SUBSCRIPTION, "rg-theirs")
    estate = await watched(topic)
    topic.identity = left
    (found,) = await events(estate)
    assert "EventsLost" in found.what
    assert f"Ask the topic's owner to run: {command} Then start scripts/topics.sh" in found.next_step


async def test_the_installation_s_own_identity_is_looked_for_by_its_id() -> None:
    topic = system_topic(SUBSCRIPTION)
    identity = {"type": "UserAssigned", "userAssignedIdentity": "/Ours"}
    topic.event_subscriptions["privatelink-x"] = {"deliveryWithResourceIdentity": {"identity": identity}}
    topic.identity = {"type": "UserAssigned", "userAssignedIdentities": {"/ours": {}}}
    estate = await watched(topic)
    assert [one.level for one in await events(estate)] == [Level.OK]
    topic.identity = {"type": "SystemAssigned"}
    (found,) = await events(estate)
    assert '"userAssignedIdentities": {"/Ours": {}}' in found.next_step


async def test_a_topic_of_another_kind_is_none() -> None:
    other = system_topic(SUBSCRIPTION)
    other.topic_type = "Microsoft.Storage.StorageAccounts"
    (found,) = await events(await watched(other))
    assert "its system topic is gone" in found.what


async def test_a_subscription_below_a_group_that_never_had_a_topic_is_listed_and_served_by_the_sweep() -> None:
    estate = await landing_zones(DEFAULT_SUBSCRIPTION, JOINS, **SETTINGS)
    estate.arm_settings.assigned["p"] = list(TOPIC_ROLES)
    estate.arm_settings.system_topics = [system_topic(SUBSCRIPTION)]
    assert (await estate.sweep()).errors == []
    missing, whole = await events(estate)
    assert (missing.level, missing.on, missing.details["subscriptions"]) == (Level.WARNING, JOINS, [JOINS])
    assert "scripts/topics.sh" in missing.next_step
    assert whole.level is Level.OK
    estate.arm_settings.system_topics = []
    lost, listed = await events(estate)
    assert (lost.level, "EventsLost" in lost.what, listed.on) == (Level.PROBLEM, True, JOINS)


async def test_of_many_subscriptions_the_doctor_tells_what_the_last_sweep_saw() -> None:
    many = [DEFAULT_SUBSCRIPTION, *(f"00000000-0000-0000-0001-{number:012}" for number in range(LIVE_MAX))]
    estate = await landing_zones(*many, **SETTINGS)
    estate.arm_settings.assigned["p"] = list(TOPIC_ROLES)
    estate.arm_settings.system_topics = [system_topic(SUBSCRIPTION)]
    await estate.sweep()
    before = asked(estate)
    missing, whole = await events(estate)
    assert asked(estate) == before
    assert (missing.details["subscriptions"], whole.details) == (many[1:], {"subscriptions": 1})


async def test_without_the_right_to_look_the_sweep_names_it_and_what_was_seen_stays() -> None:
    estate = await watched(system_topic(SUBSCRIPTION))
    await estate.sweep()
    estate.arm_settings.denied_actions.add("Microsoft.EventGrid/systemTopics/read")
    await estate.clock.sleep(3700)
    (error,) = (await estate.sweep()).errors
    assert "Microsoft.EventGrid/systemTopics/read" in error
    assert [one.level for one in await events(estate)] == [Level.OK]


async def test_a_damaged_row_is_looked_at_anew() -> None:
    estate = await watched(system_topic(SUBSCRIPTION))
    await estate.storage.control.put(ControlRow(DOCUMENT, {"at": 7, "looks": "none"}))
    assert (await estate.sweep()).errors == []
    assert [one.level for one in await events(estate)] == [Level.OK]


async def test_the_doctor_tries_to_read_the_management_group_and_names_the_role() -> None:
    estate = await landing_zones(DEFAULT_SUBSCRIPTION)
    await estate.sweep()
    estate.arm_settings.denied_actions.add("Microsoft.Management/managementGroups/descendants/read")
    found = [one for one in (await examine(await estate.found())).findings if "group reader" in one.next_step]
    assert [(one.level, "landing-zones" in one.on) for one in found] == [(Level.PROBLEM, True)]
    assert "infra/management-group.bicep" in found[0].next_step


@pytest.mark.parametrize("missing", TOPIC_ROLES)
async def test_a_topic_that_may_not_write_to_storage_is_said(missing: tuple[str, str]) -> None:
    """A topic that got an identity again got a new one; or a platform team has not assigned the roles yet."""
    estate = await watched(system_topic(SUBSCRIPTION))
    estate.arm_settings.assigned["p"] = [one for one in TOPIC_ROLES if one != missing]
    (found,) = await events(estate)
    assert "EventsLost" in found.what
    assert "may not write to the app's storage" in found.what
    assert f"scripts/topics.sh {DEFAULT_SUBSCRIPTION}, or scripts/roles.sh" in found.next_step


async def test_a_role_at_a_place_above_counts_and_one_that_cannot_be_listed_is_no_loss() -> None:
    estate = await watched(system_topic(SUBSCRIPTION))
    estate.arm_settings.assigned["p"] = [(SUBSCRIPTION, role) for _, role in TOPIC_ROLES]
    assert [one.level for one in await events(estate)] == [Level.OK]
    estate.arm_settings.assigned.clear()
    estate.arm_settings.denied_actions.add("Microsoft.Authorization/roleAssignments/read")
    assert [one.level for one in await events(estate)] == [Level.OK]


HUB = "00000000-0000-0000-0000-00000000000b"


@pytest.mark.parametrize(
    "settings",
    [{"DNS_SUBSCRIPTIONS": HUB}, {"DNS_ZONE_RESOURCE_GROUPS": f"/subscriptions/{HUB}/resourceGroups/rg-dns"}],
)
async def test_of_zones_where_nothing_is_watched_the_doctor_says_who_sees_changes(settings: dict[str, str]) -> None:
    """It takes no right to look there, and the sweep finds the same: this is no problem."""
    estate = await watched(system_topic(SUBSCRIPTION), **settings)
    unheard, whole = await events(estate)
    assert (unheard.level, whole.level) == (Level.OK, Level.OK)
    assert unheard.what.startswith("What others change in zones of 1 subscription is repaired by the next sweep")
    assert unheard.details == {"subscriptions": [HUB]}
    assert (await estate.sweep()).errors == [] or settings


async def test_a_topic_where_zones_are_counts_as_one_and_is_missed_when_it_goes() -> None:
    topic = system_topic(f"/subscriptions/{HUB}", "rg-theirs")
    estate = await watched(system_topic(SUBSCRIPTION), topic, DNS_SUBSCRIPTIONS=HUB)
    estate.arm_settings.subscriptions.append(HUB)
    (found,) = await events(estate)
    assert found.what == "Events of 2 subscriptions reach the app."
    await estate.sweep()
    topic.event_subscriptions.clear()
    lost, _ = await events(estate)
    assert (lost.level, lost.on) == (Level.PROBLEM, topic.id)
