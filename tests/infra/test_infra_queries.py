"""The queries of alerts and workbook read what the app really logs: events, fields, and the words in them."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from shared.core.model.conditions import Phase
from shared.core.model.log_lines import Event
from shared.core.model.messages import CheckMessage
from shared.core.model.reasons import Reason
from shared.sweep.checks import check_subscription
from tests.functions.field_names import events_of, fields_of_query
from tests.harness.estate import Estate, arm_error
from tests.infra.life import EVERYTHING, full_estate, whole_life
from tests.infra.log_analytics import LOGGER, Workspace
from tests.infra.queries import ALERTS, OF_LINES, QUERIES, WORKBOOK
from tests.infra.shipped import INFRA, bicep

LIVES: list[Workspace] = []


def fields_of(line: str) -> dict[str, Any]:
    """A line as a query reads it, which finds it by its beginning."""
    found = dict(json.loads(line))
    assert line.startswith(f'{{"event":"{found["event"]}"'), line
    return found


async def lived() -> Workspace:
    """What the whole life of a connection has logged; told once for all tests.

    No fixture: time is virtual in tests only, and a life takes a minute.
    """
    if not LIVES:
        estate = full_estate(NOTIFY_TOPIC_ENDPOINT="https://topic.local/api/events")
        with Workspace(estate.clock.now).listening() as workspace:
            await whole_life(estate)
            # Tests that a sweep shares out, as it does when there are many.
            message = CheckMessage(DEFAULT_SUBSCRIPTION, "sweep", estate.clock.now())
            await check_subscription(estate.worker.context, message)
        LIVES.append(workspace)
    return LIVES[0]


async def logged_in_a_life() -> dict[str, dict[str, set[Any]]]:
    """Event -> field -> every value that it had."""
    logged: dict[str, dict[str, set[Any]]] = {}
    for _, line in (await lived()).lines:
        fields = fields_of(line)
        for field, value in fields.items():
            logged.setdefault(fields["event"], {}).setdefault(field, set()).add(value)
    return logged


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the app has logged for queries in this test."""
    return [fields_of(record.getMessage()) for record in caplog.records if record.name == LOGGER]


@pytest.mark.parametrize("name", sorted(OF_LINES))
async def test_a_query_reads_only_fields_that_the_app_logs(name: str) -> None:
    logged = await logged_in_a_life()
    events, fields = events_of(OF_LINES[name]), fields_of_query(OF_LINES[name])
    assert events
    assert events <= {str(event) for event in Event}
    assert [(event, field) for event in events for field in fields if field not in logged[event]] == []


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_the_words_that_a_query_compares_with_are_the_apps(name: str) -> None:
    words = set(re.findall(r"'([A-Za-z]+)'", QUERIES[name]))
    assert words <= {str(phase) for phase in Phase} | {"healthy", Reason.OBSERVE_MODE}


async def test_every_event_with_its_fields_is_logged_in_the_life_of_a_connection() -> None:
    logged = await logged_in_a_life()
    assert set(logged) == {str(event) for event in Event}
    assert logged["ConnectionChecked"]["verdict"] >= {"healthy"}
    assert all(isinstance(ms, float) for ms in logged["ConnectionChecked"]["totalMs"] - {None})
    assert logged["ReconcileCompleted"]["phase"] >= {"Ready", "Removed"}
    assert logged["SweepCompleted"]["keyExpiresAt"] - {None}
    assert logged["SweepCompleted"]["errorCount"] == {0}
    assert logged["SweepCompleted"]["removalsStopped"] == {False, True}
    assert all(total > int(EVERYTHING["REMOVAL_LIMIT"]) for total in logged["RemovalsStopped"]["total"])


@pytest.mark.parametrize("event", sorted(Event))
async def test_the_page_for_operators_names_the_fields_of_each_line(event: Event) -> None:
    logged = await logged_in_a_life()
    page = (INFRA.parent / "docs" / "logs.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{event}` \|(.*)$", page, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == set(logged[event]) - {"event", "correlationId"}


def test_there_is_an_alert_for_each_thing_to_be_woken_for_and_each_query_has_its_alert() -> None:
    text = bicep("app/alerts.bicep")
    assert set(re.findall(r"loadTextContent\('../queries/([\w-]+)\.kql'\)", text)) == set(ALERTS)
    assert set(re.findall(r"^    name: '([\w-]+)'$", text, re.MULTILINE)) == set(ALERTS)
    assert set(ALERTS) == {
        "no-successful-sweep",
        "not-ready",
        "blocked",
        "poison",
        "key-expiring",
        "throttled",
        "notifications",
        "removals-stopped",
    }
    assert "'DeadLetteredCount'" in bicep("app/event-subscription.bicep")


def test_the_workbook_looks_into_the_installations_workspace() -> None:
    text = (INFRA / "workbook.json").read_text(encoding="utf-8")
    assert re.findall(r"\$\{\w+\}", text) == ["${workspace}"]
    assert json.loads(text)["fallbackResourceIds"] == ["${workspace}"]
    replaced = r"replace(loadTextContent('../workbook.json'), '\${workspace}', workspaceId)"
    assert f"serializedData: {replaced}" in bicep("app/alerts.bicep")


def test_the_workbook_shows_connections_verdicts_latency_sweep_cost_and_journal() -> None:
    assert set(WORKBOOK) >= {"connections", "verdicts", "latency", "sweeps", "journal"}


async def test_every_part_of_the_workbook_shows_the_life_of_a_connection() -> None:
    workspace = await lived()
    shown = {name: workspace.rows(query) for name, query in WORKBOOK.items()}
    assert [name for name, rows in shown.items() if not rows] == []
    # No column is empty in all rows, but those that tell of what does not happen in this life or is over at its end.
    columns = [(name, column, {row[column] for row in rows}) for name, rows in shown.items() for column in rows[0]]
    empty = {(name, column) for name, column, values in columns if values <= {None, ""}}
    assert empty == {("sweeps", "firstError"), ("connections", "nextStep")}

    last = {row["name"]: row for row in shown["connections"]}
    assert {name: row["phase"] for name, row in last.items()} == dict.fromkeys(last, "Removed")
    assert set(last) == {"pe-1", "pe-2", "pe-3", "pe-orphan"}
    assert {row["after"] for row in shown["transitions"]} >= {"Ready", "Removed"}
    assert {row["verdict"] for row in shown["verdicts"]} >= {"healthy Reachable"}
    told = [fields_of(line) for _, line in workspace.lines]
    events = [fields["event"] for fields in told]
    assert len(shown["sweeps"]) == events.count("SweepCompleted")
    calls = sum(fields["armCalls"] for fields in told if fields["event"] == "SweepCompleted")
    assert sum(row["azureCalls"] for row in shown["sweeps"]) == calls > 0
    counted = Counter[str]()
    for row in shown["counted"]:
        counted[row["Name"].removeprefix("privatelink.")] += row["total"]
    ended = [fields for fields in told if fields["event"] == "ReconcileCompleted"]
    assert counted["repairs"] == sum(fields["repairs"] for fields in ended)
    assert counted["removals"] == len(last)
    assert sum(row["runs"] for row in shown["runs"]) == events.count("ReconcileCompleted")
    assert len(shown["journal"]) == min(500, events.count("JournalWritten"))
    done = " ".join(row["step"] for row in shown["journal"])
    assert all(
        one in done for one in ("create private connection policy", "create * A record", "delete private DNS zone")
    )


async def test_throttling_poison_and_a_key_about_to_end_are_told_by_the_sweep(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "privatelink.telemetry")
    estate = await Estate().open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    await estate.queue.send("not a message")
    message = estate.queue.receive()
    assert message is not None
    estate.queue.poison.append(message)
    estate.queue.delete(message)
    estate.arm.faults.append(lambda r: arm_error(429, "TooManyRequests") if "privateDnsZones" in r.path else None)
    estate.elastic_settings.api_key_expires_at = estate.clock.now().replace(month=1, day=15)
    caplog.clear()
    await estate.sweep()
    (swept,) = [line for line in lines(caplog) if line["event"] == Event.SWEEP_COMPLETED]
    assert (swept["throttled"], swept["poisoned"], swept["errorCount"]) == (1, 1, 1)
    assert 9 < swept["keyDaysLeft"] < 14


async def test_a_run_that_is_throttled_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "privatelink.telemetry")
    estate = await Estate().open()
    estate.arm.faults.append(lambda r: arm_error(429, "TooManyRequests") if "privateDnsZones" in r.path else None)
    await estate.put_endpoint()
    await estate.settle(60)
    runs = [line for line in lines(caplog) if line["event"] == Event.RECONCILE_COMPLETED]
    assert runs[0]["throttled"] is True
    assert (runs[0]["phaseBefore"], runs[0]["phase"]) == ("", "Provisioning")


async def test_no_line_holds_the_api_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    estate = await Estate().open()
    await estate.put_endpoint()
    await estate.settle()
    await estate.sweep()
    assert estate.settings["EC_API_KEY"] not in caplog.text
