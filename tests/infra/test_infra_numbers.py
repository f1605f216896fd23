"""The numbers on the pages for operators are those of the code, the templates and the local clouds."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from shared.api import deadlines as asking
from shared.core.guards import pause, removal_limit
from shared.core.model.record_parts import RESTORE_WINDOW
from shared.core.notifications import key_expiry as key_notices
from shared.core.notifications import transitions as notifications
from shared.core.planning import deletion as missing
from shared.core.planning import dns_record
from shared.core.reports.doctor import clouds, judge
from shared.health import check
from shared.settings import DEFAULT_SCHEDULE, descriptions
from shared.state import azure_queue
from tests.infra.shipped import ROOT, bicep

DEFAULTS = {one.name: one.default for one in descriptions()}
QUEUES = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
WORDS = {2: "two", 3: "three", 7: "seven", 8: "eight"}
STORAGE = bicep("app/storage.bicep")
SWEEPS_A_MONTH = 12 * 24 * 30
MEMORY = int(re.findall(r"^param instanceMemoryMb int = (\d+)", bicep("main.bicep"), re.MULTILINE)[0]) // 1024


def page(name: str) -> str:
    """A page's text, line breaks aside."""
    return " ".join((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8").split())


def minutes(time: timedelta) -> int:
    """How many."""
    return round(time.total_seconds() / 60)


SAID = {
    "operations": [
        f"a finding after {asking.EACH_SECONDS:.0f} seconds, and the whole takes a minute at most",
        f"that was more than {minutes(judge.LONG_IN_QUEUE)} minutes ago",
        f"ends within {clouds.KEY_ENDS.days} days",
        f"less than {clouds.KEY_ENDS.days} days",
        f"more than {judge.SKEW.seconds} seconds off",
        f"a message failed {WORDS[QUEUES['maxDequeueCount']]} times",
        f"`minutes` ({minutes(pause.DEFAULT)} unless given)",
        f"{pause.LONGEST.days} days ahead at most",
        f"out of sight for {WORDS[azure_queue.REPLAY_SECONDS // 60]} minutes",
        f"for the connections that it names and {minutes(removal_limit.CONFIRMED_FOR)} minutes",
        f"when {WORDS[missing.BELIEVED]} sweeps in a row miss it",
        f"`REMOVAL_GRACE_SECONDS` ({int(DEFAULTS['REMOVAL_GRACE_SECONDS'] or 0) // 60} minutes)",
    ],
    "logs": [
        f"the first {removal_limit.SHOWN}",
    ],
    "production": [
        f"[{WORDS[int(DEFAULTS['ASSOCIATION_RESTORES'] or 0)]} times in {WORDS[RESTORE_WINDOW.days]} days]",
        f"1000 tests, {DEFAULTS['CHECKS_AT_ONCE']} at once on each instance",
        f"not tested after {DEFAULTS['SWEEP_TEST_SECONDS']} s",
        f"all instances together take {DEFAULTS['DNS_READS_MAX']} of them",
        f"none where Azure says that fewer than {DEFAULTS['DNS_READS_LEFT']} are left",
        f"up to {DEFAULTS['ZONES_PER_SWEEP']} are read by every sweep",
        f"{dns_record.MAX_RECORDS} addresses per record",
    ],
    "security": [
        f"pauses for {pause.LONGEST.days} days at most",
        f"`Removed` after {WORDS[minutes(missing.VISIBLE_WITHIN)]} minutes",
        f"`JOURNAL_DAYS` ({DEFAULTS['JOURNAL_DAYS']})",
        f"`CHECKS_DAYS` ({DEFAULTS['CHECKS_DAYS']})",
        "| {} days, and {} more as deleted blobs |".format(*re.findall(r"(?:days|GreaterThan): (\d+)", STORAGE)[::-1]),
    ],
    "notifications": [
        f"(default: {int(DEFAULTS['NOTIFY_AFTER_SECONDS'] or 0) // 60} minutes",
        f"up to {notifications.MOST_WAITING} events of each connection wait",
        f"{key_notices.DAYS[2]} days left, {key_notices.DAYS[1]} days, or none",
    ],
    "troubleshooting": [f"at most once in {minutes(check.EXPLAINED)} minutes"],
    "installation": [
        f"that takes 5 s with {MEMORY} GB (100 connections): {SWEEPS_A_MONTH * 5 * MEMORY:,} GB-s".replace(",", " "),
        f"30 s a sweep (1000 connections): {SWEEPS_A_MONTH * 30 * MEMORY:,} GB-seconds".replace(",", " "),
        f"100 connections: {SWEEPS_A_MONTH * 100 / 1e6:.1f} GB",
    ],
}


@pytest.mark.parametrize(("name", "said"), [(name, said) for name, every in SAID.items() for said in every])
def test_a_page_says_the_number_that_holds(name: str, said: str) -> None:
    assert said in page(name)


def test_the_schedule_that_the_pages_reckon_with_is_the_default() -> None:
    assert DEFAULT_SCHEDULE == "0 */5 * * * *"


def test_what_alerts_cost_is_reckoned_with_the_rules_that_there_are() -> None:
    often = re.findall(r"^    frequency: '(PT\d+[MH])'$", bicep("app/alerts.bicep"), re.MULTILINE)
    assert (often.count("PT5M"), len(often) - often.count("PT5M")) == (1, 7)
    assert "one rule every 5 minutes at 1.50, seven less often at 0.50" in page("installation")
