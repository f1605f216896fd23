"""The queries of alerts and workbook read what the app really logs: events, fields, and the words in them."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from shared.core.conditions import Phase
from shared.core.messages import CheckMessage
from shared.core.modes import OBSERVE_MODE
from shared.sweeping.checks import check_subscription
from shared.telemetry import Event
from tests.harness.estate import Estate, arm_error
from tests.infra.life import EVERYTHING, full_estate, whole_life
from tests.infra.shipped import INFRA, bicep, load

WORKSPACE_COLUMNS = {"TimeGenerated", "Message"}
"""Columns of AppTraces that the queries use (learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces)."""
KQL = {path.stem: path.read_text(encoding="utf-8") for path in sorted((INFRA / "queries").glob("*.kql"))}
WORKBOOK = {item["name"]: item["content"]["query"] for item in load("workbook.json")["items"] if item["type"] == 3}
LOGGED: dict[str, dict[str, set[Any]]] = {}
QUERIES = KQL | {f"workbook {name}": query for name, query in WORKBOOK.items()}


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the app has logged for queries; each line as a query reads it."""
    records = [record for record in caplog.records if record.name == "privatelink.telemetry"]
    found = [dict(json.loads(record.getMessage())) for record in records]
    # Queries find a line by its beginning.
    assert all(r.getMessage().startswith(f'{{"event":"{f["event"]}"') for r, f in zip(records, found, strict=True))
    return found


async def logged_in_a_life(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, set[Any]]]:
    """Event -> field -> every value that the whole life of a connection logs; told once for all tests.

    No fixture: time is virtual in tests only, and a life takes a minute.
    """
    if LOGGED:
        return LOGGED
    caplog.set_level(logging.INFO, "privatelink.telemetry")
    estate = full_estate(NOTIFY_TOPIC_ENDPOINT="https://topic.local/api/events")
    await whole_life(estate)
    # Tests that a sweep shares out, as it does when there are many.
    await check_subscription(estate.worker.context, CheckMessage(DEFAULT_SUBSCRIPTION, "sweep", estate.clock.now()))
    for line in lines(caplog):
        for field, value in line.items():
            LOGGED.setdefault(line["event"], {}).setdefault(field, set()).add(value)
    return LOGGED


def events_of(query: str) -> set[str]:
    """The events that a query reads."""
    return set(re.findall(r"""startswith '\{"event":"(\w+)"'""", query))


@pytest.mark.parametrize("name", sorted(QUERIES))
async def test_a_query_reads_only_fields_that_the_app_logs(name: str, caplog: pytest.LogCaptureFixture) -> None:
    logged = await logged_in_a_life(caplog)
    events, fields = events_of(QUERIES[name]), set(re.findall(r"\be\.(\w+)", QUERIES[name]))
    assert events
    assert events <= {str(event) for event in Event}
    assert [(event, field) for event in events for field in fields if field not in logged[event]] == []


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_reads_the_table_of_traces_and_its_columns_only(name: str) -> None:
    query = re.sub(r"'[^']*'", "''", QUERIES[name])
    assert set(re.findall(r"\bApp[A-Z]\w+", query)) == {"AppTraces"}
    capitalised = set(re.findall(r"(?<![\w.])[A-Z]\w+", query)) - {"AppTraces"}
    assert capitalised <= WORKSPACE_COLUMNS
    assert "extend e = parse_json(Message)" in query


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_the_words_that_a_query_compares_with_are_the_apps(name: str) -> None:
    words = set(re.findall(r"'([A-Za-z]+)'", QUERIES[name]))
    assert words <= {str(phase) for phase in Phase} | {"healthy", OBSERVE_MODE}


async def test_every_event_with_its_fields_is_logged_in_the_life_of_a_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logged = await logged_in_a_life(caplog)
    assert set(logged) == {str(event) for event in Event}
    assert logged["ConnectionChecked"]["verdict"] >= {"healthy"}
    assert all(isinstance(ms, float) for ms in logged["ConnectionChecked"]["totalMs"] - {None})
    assert logged["ReconcileCompleted"]["phase"] >= {"Ready", "Removed"}
    assert logged["SweepCompleted"]["keyExpiresAt"] - {None}
    assert logged["SweepCompleted"]["errorCount"] == {0}
    assert logged["SweepCompleted"]["removalsStopped"] == {False, True}
    assert all(steps > int(EVERYTHING["REMOVAL_LIMIT"]) for steps in logged["RemovalsStopped"]["steps"])


@pytest.mark.parametrize("event", sorted(Event))
async def test_the_page_for_operators_names_the_fields_of_each_line(
    event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    logged = await logged_in_a_life(caplog)
    page = (INFRA.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{event}` \|(.*)$", page, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == set(logged[event]) - {"event", "correlationId"}


def test_there_is_an_alert_for_each_thing_to_be_woken_for_and_each_query_has_its_alert() -> None:
    text = bicep("app/alerts.bicep")
    assert set(re.findall(r"loadTextContent\('../queries/([\w-]+)\.kql'\)", text)) == set(KQL)
    assert set(re.findall(r"^    name: '([\w-]+)'$", text, re.MULTILINE)) == set(KQL)
    assert set(KQL) == {
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
    assert "loadTextContent('../workbook.json')" in text


def test_the_workbook_shows_connections_verdicts_latency_sweep_cost_and_journal() -> None:
    assert set(WORKBOOK) >= {"connections", "verdicts", "latency", "sweeps", "journal"}


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
    assert estate.settings["ELASTIC_API_KEY"] not in caplog.text
