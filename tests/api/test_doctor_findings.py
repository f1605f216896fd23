"""What the doctor finds, each from the situation itself in the local clouds: one finding, with the step that helps."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import SECOND_API_KEY
from shared.api.doctor import examine
from shared.core.model.errors import RetryLater
from shared.core.reports.doctor import judge
from shared.core.reports.doctor.findings import Answer, Level
from shared.installation.pause import pause
from tests.api.doctor_parts import bad, good, of, only, with_clock
from tests.harness.estate import Estate, arm_error
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Fault, Refusal
from tests.reconciler.test_recovered import lose_tables

OTHER = "00000000-0000-0000-0000-000000000002"
NETWORK = "Microsoft.Network"
ZONES = f"{NETWORK}/privateDnsZones"


async def in_order(*subscriptions: str, **settings: str) -> Estate:
    """One connection that is ready, and a sweep that has ended; `subscriptions` are there as well."""
    estate = Estate(settings=settings)
    estate.arm_settings.subscriptions.extend(subscriptions)
    await estate.open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    await estate.sweep()
    return estate


async def test_a_variable_that_is_nearly_a_setting_is_a_warning_beside_settings_that_are_good() -> None:
    estate = await Estate(settings={"AZURE_TAG_DENIED": "x"}).open()
    report = await examine(estate.worker.context)
    (named,) = [one for one in report.findings if one.check == "settings" and one.level is Level.WARNING]
    assert "did you mean AZURE_TAGS_DENIED?" in named.what
    assert "settings" in good(report)


async def test_in_an_installation_in_good_order_all_is_well() -> None:
    estate = await in_order()
    report = await examine(estate.worker.context)
    assert report.status is Level.OK
    assert set(good(report)) == {
        "deciding keys",
        "settings", "storage", "queue", "poison", "sweep", "rows", "azure sign-in", "azure rights", "elastic key",
        "elastic rights", "clock",
    }  # fmt: skip
    assert good(report)["clock"] == "This machine's clock agrees with Azure and Elastic Cloud."
    assert "1 endpoints, 1 tested" in good(report)["sweep"]
    details = {finding.check: finding.details for finding in report.findings}
    assert details["sweep"]["armCalls"] == 6
    assert details["elastic key"]["daysLeft"] == 90.0


async def test_it_changes_nothing() -> None:
    estate = await in_order()
    estate.worker = estate.new_worker()
    rows = [row async for row in estate.storage.connections.list()]
    events = len(estate.changes)
    await examine(estate.worker.context)
    calls = [f"{call.service} {call.what.split('?')[0].split()[0]}" for call in estate.worker.wire.calls]
    assert set(calls) == {
        "arm GET", "elastic GET", "elastic POST", "connections get", "journal newest", "checks newest", "control get",
        "control put",  # reads of Azure are counted
        "control delete", "queue look", "queue poisoned", "connections list", "connections list_columns",
        "control list", "things list",
    }  # fmt: skip
    assert {c.what for c in estate.worker.wire.calls if c.what.startswith("POST")} == {
        "POST /api/v1/deployments/_search"
    }
    assert [row async for row in estate.storage.connections.list()] == rows
    assert (len(estate.changes), estate.queue.messages) == (events, [])


# -- storage, queue, poison ----------------------------------------------------------------------------------------


async def test_storage_that_is_down_is_one_finding_about_all_of_it_and_the_clouds_are_asked_all_the_same() -> None:
    estate = await in_order()
    report = await examine(estate.new_worker(of("storage", Refusal(503))).context)
    (finding,) = [finding for finding in report.findings if finding.level is not Level.OK]
    assert (finding.check, finding.level) == ("storage", Level.PROBLEM)
    for name in ("table connections", "table journal", "table checks", "table control", "queue reconcile"):
        assert name in finding.on
    assert {"azure rights", "elastic rights"} <= set(good(report))
    assert not {"queue", "poison", "sweep"} & set(good(report))


async def test_a_message_that_no_worker_takes_out_of_the_queue() -> None:
    estate = await in_order()
    await estate.queue.send("{}", delay=3600)
    assert good(await examine(estate.worker.context))["queue"] == "1 message in the queue, for later."
    await estate.queue.send("{}")
    await estate.clock.sleep(60)
    assert good(await examine(estate.worker.context))["queue"].endswith("the next one was sent 60 seconds ago.")
    await estate.clock.sleep(15 * 60)
    finding = await only(estate)
    assert (finding.check, finding.level) == ("queue", Level.WARNING)
    assert finding.what == "2 messages in the queue; the next one was sent 16 minutes ago."
    assert "reconcile" in finding.next_step
    assert finding.details == {"waiting": 2, "oldestSeconds": 960}


async def test_poison_is_told_with_the_way_back_and_that_way_is_one() -> None:
    estate = await in_order()
    await estate.queue.send("not a message")
    estate.queue.poison, estate.queue.messages = estate.queue.messages, []
    finding = await only(estate)
    assert (finding.check, finding.level, finding.details) == ("poison", Level.PROBLEM, {"poisoned": 1})
    assert "POST /api/poison/replay" in finding.next_step
    await estate.worker.context.storage.queue.replay_poison(10)
    assert await bad(estate) == []


# -- sweeps and pause ----------------------------------------------------------------------------------------------


async def test_before_the_first_sweep_it_says_how_to_start_one() -> None:
    finding = await only(await Estate().open())
    assert (finding.check, finding.level) == ("sweep", Level.WARNING)
    assert "check_health" in finding.next_step


@pytest.mark.parametrize(("minutes", "late"), [(5, 31), (60, 181)])
async def test_a_sweep_that_is_long_ago_for_how_often_sweeps_run(minutes: int, late: int) -> None:
    estate = await in_order()
    await estate.clock.sleep(minutes * 60)
    await estate.sweep()
    await estate.clock.sleep((late - 2) * 60)
    assert await bad(estate) == []
    await estate.clock.sleep(2 * 60)
    finding = await only(estate)
    assert (finding.check, finding.level) == ("sweep", Level.PROBLEM)
    assert "check_health" in finding.next_step
    assert finding.details["endpoints"] == 1


async def test_a_sweep_that_could_not_read_everything() -> None:
    estate = await in_order()
    fault = estate.arm.faults
    fault.append(lambda r: arm_error(500, "InternalServerError") if "privateDnsZones" in r.path else None)
    await estate.sweep()
    fault.clear()
    finding = await only(estate)
    assert (finding.check, finding.level) == ("sweep", Level.WARNING)
    assert "InternalServerError" in finding.what


async def test_a_pause_is_no_secret() -> None:
    estate = await in_order()
    await pause(estate.worker.context, {"minutes": 30, "reason": "maintenance"}, ASKED)
    finding = await only(estate)
    assert (finding.check, finding.level) == ("pause", Level.WARNING)
    assert finding.what.endswith(": maintenance")
    assert "DELETE /api/pause" in finding.next_step
    await estate.clock.sleep(31 * 60)
    assert [found for found in await bad(estate) if found.check == "pause"] == []


# -- Azure ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [
        f"{NETWORK}/privateEndpoints/read",
        f"{NETWORK}/networkInterfaces/read",
        f"{ZONES}/read",
        f"{ZONES}/virtualNetworkLinks/read",
        f"{ZONES}/ALL/read",
    ],
)
async def test_a_right_to_read_that_is_missing_is_named_with_its_scope(action: str) -> None:
    estate = await in_order()
    estate.arm_settings.denied_actions.add(action)
    finding = await only(estate)
    assert (finding.check, finding.level) == ("azure rights", Level.PROBLEM)
    assert f"lacks the right {action} on /subscriptions/{DEFAULT_SUBSCRIPTION}" in finding.what
    assert action in finding.next_step
    assert finding.on.endswith(DEFAULT_SUBSCRIPTION)


async def test_zones_that_need_not_be_seen_are_missed_with_a_warning_only() -> None:
    estate = await in_order(OTHER, DNS_SUBSCRIPTIONS=OTHER)
    assert await bad(estate) == []
    estate.arm_settings.denied_actions.add(f"{ZONES}/read@/subscriptions/{OTHER}")
    finding = await only(estate)
    assert (finding.check, finding.level) == ("azure rights", Level.WARNING)
    assert f"{ZONES}/read on /subscriptions/{OTHER}" in finding.what
    assert finding.on == f"private DNS zones of {OTHER}"


async def test_zones_where_they_are_made_must_be_seen() -> None:
    home = f"/subscriptions/{OTHER}/resourceGroups/rg-dns"
    estate = Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": home})
    estate.arm_settings.subscriptions.append(OTHER)
    await estate.open()
    await estate.sweep()
    assert await bad(estate) == []
    estate.arm_settings.denied_actions.add(f"{ZONES}/read@/subscriptions/{OTHER}")
    assert [(f.check, f.level) for f in await bad(estate)] == [("azure rights", Level.PROBLEM)]


async def test_an_identity_that_azure_does_not_know_is_one_finding() -> None:
    estate = await in_order()
    estate.arm.faults.append(lambda _: arm_error(401, "InvalidAuthenticationToken"))
    finding = await only(estate)
    assert (finding.check, finding.level) == ("azure sign-in", Level.PROBLEM)
    assert "AZURE_CLIENT_ID" in finding.next_step


async def test_a_subscription_that_is_not_there() -> None:
    estate = await in_order(AZURE_SUBSCRIPTIONS=f"{DEFAULT_SUBSCRIPTION},{OTHER}")
    found = [finding for finding in await bad(estate) if finding.check == "azure"]
    assert [finding.level for finding in found] == [Level.PROBLEM]
    asked = ("private endpoints", "network interfaces", "private DNS zones", "virtual networks")
    assert found[0].on == ", ".join(f"{what} of {OTHER}" for what in (*asked, "operations on private DNS zones"))
    assert found[0].next_step == "Correct AZURE_SUBSCRIPTIONS."


async def test_azure_out_of_order_is_no_missing_right() -> None:
    estate = await in_order()
    found = await bad(estate, estate.new_worker(of("arm", Refusal(500))).context)
    assert {(finding.check, finding.level) for finding in found} == {("azure", Level.PROBLEM)}


# -- Elastic Cloud -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "level"), [(15, Level.OK), (13, Level.WARNING), (2, Level.PROBLEM)])
async def test_the_end_of_the_elastic_key_is_told_and_announced(days: int, level: Level) -> None:
    estate = await in_order()
    ends = estate.clock.now() + timedelta(days=days, minutes=1)
    estate.elastic_settings.api_key_expires_at = ends
    (finding,) = [f for f in (await examine(estate.worker.context)).findings if f.check == "elastic key"]
    assert finding.level is level
    assert f"ends on {ends.date().isoformat()}: {days} days left" in finding.what
    assert finding.details["daysLeft"] == days
    assert ("EC_API_KEY" in finding.next_step) is (level is not Level.OK)


async def test_an_elastic_key_that_has_ended() -> None:
    estate = await in_order()
    estate.elastic_settings.api_key_expires_at = estate.clock.now()
    finding = await only(estate, estate.new_worker().context)
    assert (finding.check, finding.level) == ("elastic key", Level.PROBLEM)
    assert finding.on == "private connection policies, deployments"
    assert "EC_API_KEY" in finding.next_step


@pytest.mark.parametrize(("path", "what"), [("/rulesets", "private connection policies"), ("/_search", "deployments")])
async def test_an_elastic_key_that_may_not_read(path: str, what: str) -> None:
    estate = await in_order()
    refusal = (403, {"errors": [{"code": "root.unauthorized", "message": "not yours"}]})
    estate.elastic_settings.faults.append(lambda _, asked: refusal if asked.endswith(path) else None)
    finding = await only(estate)
    assert (finding.check, finding.level, finding.on) == ("elastic key", Level.PROBLEM, what)
    assert "role" in finding.next_step


async def test_elastic_cloud_out_of_order_is_no_bad_key() -> None:
    estate = await in_order()
    finding = await only(estate, estate.new_worker(of("elastic", Refusal(503))).context)
    assert (finding.check, finding.level) == ("elastic", Level.PROBLEM)


async def test_each_organization_is_examined_by_itself_and_the_bad_one_named() -> None:
    estate = await Estate(second_scope="group:rg-second").open()
    await estate.sweep()
    second = estate.second.settings
    second.api_key_expires_at = estate.clock.now() + timedelta(days=5)
    report = await examine(estate.worker.context)
    keys = {str(f.details.get("organization", "default")): f.level for f in report.findings if f.check == "elastic key"}
    assert keys == {"default": Level.OK, "second": Level.WARNING}
    ending = await only(estate)
    assert (ending.check, ending.on) == ("elastic key", "second")
    assert "EC_API_KEY_SECOND" in ending.next_step
    second.api_key_expires_at = estate.clock.now()
    refused = await only(estate)
    assert refused.on == "private connection policies of second, deployments of second"
    assert "EC_API_KEY_SECOND" in refused.next_step
    assert SECOND_API_KEY not in str(report.document())


# -- clocks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "level", "said"),
    [
        (9, Level.OK, "agrees"),
        (-9, Level.OK, "agrees"),
        (30, Level.WARNING, "is (29|30|31) s ahead of"),
        (-31, Level.WARNING, "is (30|31|32) s behind"),
        (-600, Level.PROBLEM, "is (599|600|601) s behind"),
    ],
)
async def test_a_clock_that_is_wrong(seconds: int, level: Level, said: str) -> None:
    estate = await in_order()
    context = with_clock(estate.worker.context, timedelta(seconds=seconds))
    (finding,) = [f for f in (await examine(context)).findings if f.check == "clock"]
    assert finding.level is level
    assert re.search(said, finding.what), "a service tells its time to the second"
    assert set(finding.details) == {"Azure", "Elastic Cloud"}
    assert all(abs(value - seconds) <= 1 for value in finding.details.values())


async def test_where_no_service_answers_no_clock_is_judged() -> None:
    estate = await in_order()
    worker = estate.new_worker(lambda call: Refusal(503) if call.service in {"arm", "elastic"} else None)
    (finding,) = [f for f in await bad(estate, worker.context) if f.check == "clock"]
    assert finding.level is Level.WARNING


async def test_the_time_of_an_earlier_answer_is_not_taken_for_that_of_one_that_is_lost() -> None:
    estate = await in_order()
    await estate.clock.sleep(900)
    estate.worker.wire.faults = of("elastic", Fault.LOSE_ANSWER)
    report = await examine(estate.worker.context)
    assert good(report)["clock"] == "This machine's clock agrees with Azure."


# -- lost tables ---------------------------------------------------------------------------------------------------


async def test_what_waits_for_a_persons_word_after_lost_tables_is_counted() -> None:
    estate = await in_order()
    lose_tables(estate)
    await estate.sweep()
    finding = await only(estate)
    assert (finding.check, finding.level, finding.details) == ("recovered", Level.WARNING, {"things": 4})
    assert "GET /api/recovered" in finding.next_step


async def test_where_no_role_helps_none_is_advised() -> None:
    estate = await in_order()
    group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-network-eastus2"
    denied = {"denyAssignmentName": "of the hub's stack", "permissions": [{"actions": ["*/read"]}]}
    rule = f"{group}/providers/Microsoft.Authorization/denyAssignments/stack"
    await estate.azure("PUT", rule, {"properties": denied}, api="2022-04-01")
    found = await bad(estate)
    assert found
    for finding in found:
        assert "of the hub's stack" in finding.what
        assert finding.next_step.startswith("Ask who manages")
        assert "roles.sh" not in finding.next_step


def test_who_may_decide_is_told_by_name_and_that_there_is_no_key() -> None:
    (named,) = judge.judge_deciding_keys(Answer(("alice", "pipeline")))
    assert (named.level, named.what) == (Level.OK, "May decide: alice, pipeline.")
    (none,) = judge.judge_deciding_keys(Answer(()))
    assert (none.level, "There is no deciding key" in none.what, bool(none.next_step)) == (Level.WARNING, True, True)
    (unread,) = judge.judge_deciding_keys(Answer(None, RetryLater("The vault does not answer.")))
    assert (unread.level, unread.what) == (Level.WARNING, "The vault does not answer.")
