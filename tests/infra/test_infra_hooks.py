"""`scripts/postdeploy.sh` with a stand-in for `az`: what it asks for, when it waits, when it does nothing."""

from __future__ import annotations

import os
import subprocess
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
    "AUTOPILOT_EXISTING_TOPIC_IDS": "",
}
AZ = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"resource show"*) [ "$(grep -c 'resource show' "$CALLS")" -gt "$LATE" ] ;;
  *"properties.outputs."*) for word in "$@"; do case $word in properties.outputs.*)
      name=${word#properties.outputs.}; name=${name%.value}; eval "echo \\"\\${OUT_$name}\\"" ;; esac; done ;;
  *"environmentName.value"*) echo x ;;
  *"account show"*) echo s ;;
esac
"""


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    """A folder with stand-ins for `az` and `sleep`."""
    for name, text in (("az", AZ), ("sleep", '#!/bin/sh\necho "sleep $*" >> "$CALLS"\n')):
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
    assert "watchedSubscriptions=s,t existingTopicIds= " in asked


def test_by_hand_the_hook_reads_the_same_from_the_named_deployment(hook: Path) -> None:
    outputs = {f"OUT_{name}": value for name, value in OUTPUTS.items()}
    by_hand = run(hook, "autopilot-x", **outputs)[1]
    (hook / "calls").unlink()
    assert deployment(by_hand) == deployment(run(hook, **OUTPUTS)[1])


def test_with_queue_delivery_the_hook_has_nothing_to_do(hook: Path) -> None:
    answer, calls = run(hook, **OUTPUTS | {"AUTOPILOT_EVENT_DELIVERY": "queue"})
    assert (answer.returncode, calls) == (0, "")


def test_an_app_that_never_shows_its_function_fails_the_hook_and_says_so(hook: Path) -> None:
    answer, calls = run(hook, late=99, **OUTPUTS)
    assert answer.returncode == 1
    assert "has not appeared in 5 minutes" in answer.stderr
    assert "deployment sub create" not in calls
