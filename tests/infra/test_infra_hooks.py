"""`scripts/postdeploy.sh` with a stand-in for `az`: what it asks for, when it waits, when it does nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.shipped import ROOT

APP_ID = "/subscriptions/s/resourceGroups/rg-x/providers/Microsoft.Web/sites/func-x"
OUTPUTS = {
    "AZURE_ENV_NAME": "x",
    "AZURE_LOCATION": "eastus2",
    "AZURE_SUBSCRIPTION_ID": "s",
    "AUTOPILOT_APP_ID": APP_ID,
    "AUTOPILOT_STORAGE_ID": "/storage",
    "AUTOPILOT_TOPIC_IDENTITY_ID": "/identity",
    "AUTOPILOT_ACTION_GROUP_ID": "",
    "AUTOPILOT_EVENT_DELIVERY": "function",
    "AUTOPILOT_WATCHED_SUBSCRIPTIONS": "s,t",
    "AUTOPILOT_EXISTING_SYSTEM_TOPICS": "",
}
AZ = """#!{python}
import json, os, sys, jmespath
words = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    print(*words, file=calls)
asked = open(os.environ["CALLS"]).read().count("resource show")
if words[:2] == ["resource", "show"] and asked <= int(os.environ["LATE"]):
    sys.exit("ERROR: (ResourceNotFound)")
if words[:3] == ["deployment", "sub", "show"]:
    print(jmespath.search(words[words.index("--query") + 1], json.loads(os.environ["DEPLOYMENT"])) or "")
if words[:2] == ["account", "show"]:
    sys.exit("Please run 'az login'") if "SIGNED_OUT" in os.environ else print("s")
"""
"""Answers a query as Azure CLI does, with `--output tsv`."""


def as_arm_answers(name: str) -> str:
    """ARM writes AUTOPILOT_APP_ID as autopiloT_APP_ID, not always: https://github.com/Azure/bicep/issues/9360."""
    first, _, rest = name.partition("_")
    return f"{first[:-1].lower()}{first[-1]}_{rest}"


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    """A folder with stand-ins for `az` and `sleep`."""
    az = AZ.replace("{python}", sys.executable)
    for name, text in (("az", az), ("sleep", '#!/bin/sh\necho "sleep $*" >> "$CALLS"\n')):
        program = tmp_path / name
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    return tmp_path


def run(
    folder: Path, *arguments: str, late: int = 0, **environment: str
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the hook; its result, and the calls of `az` and `sleep`."""
    calls = folder / "calls"
    answer = subprocess.run(  # noqa: S603 - a script of this repository
        [str(ROOT / "scripts" / "postdeploy.sh"), *arguments],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls), "LATE": str(late), **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    return answer, calls.read_text(encoding="utf-8") if calls.exists() else ""


def deployment(calls: str) -> str:
    """The one deployment that was asked for."""
    (found,) = [line for line in calls.splitlines() if "deployment sub create" in line]
    return found


def test_the_hook_waits_for_the_function_and_then_deploys_the_event_subscriptions(hook: Path) -> None:
    answer, calls = run(hook, late=2, **OUTPUTS)
    assert (answer.returncode, calls.count("sleep 10")) == (0, 2)
    asked = deployment(calls)
    assert f"resource show --ids {APP_ID}/functions/endpoint_events" in calls
    assert "--template-file infra/events.bicep" in asked
    assert f"functionAppId={APP_ID} " in asked
    assert "watchedSubscriptions=s,t existingSystemTopics= " in asked


@pytest.mark.parametrize("spelt", [as_arm_answers, str], ids=["as ARM answers", "as declared"])
def test_by_hand_the_hook_reads_the_same_from_the_named_deployment(hook: Path, spelt: Callable[[str], str]) -> None:
    outputs = {spelt(name): {"type": "String", "value": value} for name, value in OUTPUTS.items()}
    shown = {"properties": {"parameters": {"environmentName": {"value": "x"}}, "outputs": outputs}}
    by_hand = run(hook, "autopilot-x", DEPLOYMENT=json.dumps(shown))[1]
    (hook / "calls").unlink()
    assert deployment(by_hand) == deployment(run(hook, **OUTPUTS)[1])


def test_a_deployment_that_is_not_the_apps_fails_the_hook_and_says_so(hook: Path) -> None:
    answer, calls = run(hook, "other", DEPLOYMENT=json.dumps({"properties": {"outputs": {}}}))
    assert answer.returncode == 1
    assert "other has no output AUTOPILOT_EVENT_DELIVERY" in answer.stderr
    assert "deployment sub create" not in calls


def test_with_queue_delivery_the_hook_has_nothing_to_do(hook: Path) -> None:
    answer, calls = run(hook, **OUTPUTS | {"AUTOPILOT_EVENT_DELIVERY": "queue"})
    assert (answer.returncode, calls) == (0, "account show --query id --output tsv\n")


def test_who_is_not_signed_in_to_az_is_told_so_at_once(hook: Path) -> None:
    answer, calls = run(hook, SIGNED_OUT="yes", **OUTPUTS)
    assert (answer.returncode, "sleep" in calls) == (1, False)
    assert "az login" in answer.stderr


def test_an_app_that_never_shows_its_function_fails_the_hook_and_says_so(hook: Path) -> None:
    answer, calls = run(hook, late=99, **OUTPUTS)
    assert answer.returncode == 1
    assert "has not appeared in 5 minutes" in answer.stderr
    assert "(ResourceNotFound)" in answer.stderr, "what az said"
    assert "deployment sub create" not in calls
