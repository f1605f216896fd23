"""The hooks after the deployment of the code: event subscriptions, proof that events arrive, a sweep; their shells."""

from __future__ import annotations

import runpy
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.infra.az_that_records import ROOT, SHELLS, Recorded

APP_ID = "/subscriptions/s/resourceGroups/rg-x/providers/Microsoft.Web/sites/func-x"
TOPIC = "/subscriptions/t/resourceGroups/rg-theirs/providers/Microsoft.EventGrid/systemTopics/theirs"
OUTPUTS = {
    "AZURE_ENV_NAME": "x",
    "AZURE_LOCATION": "eastus2",
    "AZURE_SUBSCRIPTION_ID": "s",
    "AZURE_SUBSCRIPTIONS": "s,t",
    "EXISTING_SYSTEM_TOPICS": TOPIC,
    "AUTOPILOT_APP_ID": APP_ID,
    "AUTOPILOT_STORAGE_ID": "/storage",
    "AUTOPILOT_TOPIC_IDENTITY_ID": "/identity",
    "AUTOPILOT_ACTION_GROUP_ID": "",
    "AUTOPILOT_EVENT_DELIVERY": "function",
}
DELIVERED = {"value": [{"timeseries": [{"data": [{"total": None}, {"total": 1.0}]}]}]}
NOTHING = {"value": [{"timeseries": [{"data": [{"total": None}, {"total": 0.0}]}]}]}
OUR_TOPIC = {"id": "/subscriptions/s/resourceGroups/rg-x-events/providers/Microsoft.EventGrid/systemTopics/ours"}


def as_arm_answers(name: str) -> str:
    """ARM writes AUTOPILOT_APP_ID as autopiloT_APP_ID, not always: https://github.com/Azure/bicep/issues/9360."""
    first, _, rest = name.partition("_")
    return f"{first[:-1].lower()}{first[-1]}_{rest}"


@pytest.fixture
def az(tmp_path: Path) -> Recorded:
    """A deployed app whose events arrive at once."""
    recorded = Recorded(tmp_path)
    recorded.environment = dict(OUTPUTS)
    recorded.answer("account show", {"id": "s"})
    recorded.answer("resource show", {"id": "function"})
    recorded.answer("eventgrid system-topic list --resource-group rg-x-events", [OUR_TOPIC])
    recorded.answer("monitor metrics list", DELIVERED)
    return recorded


def subscribed(az: Recorded) -> str:
    """The one deployment that was asked for."""
    (found,) = az.called("deployment sub create")
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_the_hook_waits_for_the_function_and_then_deploys_the_event_subscriptions(az: Recorded, shell: str) -> None:
    az.refuse("resource show", "(ResourceNotFound)", "(ResourceNotFound)", "")
    answer = az.run("postdeploy", shell=shell)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert len(az.called(f"resource show --ids {APP_ID}/functions/endpoint_events")) == 3
    assert "--template-file infra/events.bicep" in subscribed(az)
    assert f"functionAppId={APP_ID} " in subscribed(az)
    assert f"watchedSubscriptions=s,t existingSystemTopics={TOPIC}" in subscribed(az)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_hook_fails_in_every_shell_when_azure_does(az: Recorded, shell: str) -> None:
    az.refuse("deployment sub create", "(InvalidTemplate) no such thing")
    answer = az.run("postdeploy", shell=shell)
    assert answer.returncode == 1
    assert "(InvalidTemplate)" in answer.stderr


@pytest.mark.parametrize("spelt", [as_arm_answers, str], ids=["as ARM answers", "as declared"])
def test_by_hand_the_hook_reads_the_same_from_the_named_deployment(az: Recorded, tmp_path: Path, spelt: Any) -> None:
    az.run("postdeploy")
    by_azd = subscribed(az)
    (tmp_path / "calls").unlink()
    outputs = {spelt(name): {"value": value} for name, value in OUTPUTS.items() if name.startswith("AUTOPILOT_")}
    given = {"environmentName": "x", "location": "eastus2", "azureSubscriptions": "s,t", "existingSystemTopics": TOPIC}
    parameters = {name: {"value": value} for name, value in given.items()} | {"ecApiKey": {"type": "SecureString"}}
    shown = {"properties": {"parameters": parameters, "outputs": outputs}}
    az.answer("deployment sub show --name autopilot-x", shown)
    az.environment = {}
    answer = az.run("postdeploy", "autopilot-x")
    assert answer.stderr == ""
    assert subscribed(az) == by_azd


def test_a_person_who_uses_azd_need_not_name_anything(az: Recorded, tmp_path: Path) -> None:
    az.run("postdeploy")
    by_azd = subscribed(az)
    (tmp_path / "calls").unlink()
    az.answer("env get-values --output json", OUTPUTS)
    az.environment = {}
    assert az.run("postdeploy").stderr == ""
    assert subscribed(az) == by_azd


def test_a_deployment_that_is_not_the_apps_fails_the_hook_and_says_so(az: Recorded) -> None:
    az.answer("deployment sub show --name other", {"properties": {"outputs": {}}})
    answer = az.run("postdeploy", "other")
    assert answer.returncode == 1
    assert "other has no output AUTOPILOT_EVENT_DELIVERY" in answer.stderr
    assert az.changes == []


def test_with_queue_delivery_the_template_has_subscribed_and_the_hook_proves_it(az: Recorded) -> None:
    answer = az.run("postdeploy", AUTOPILOT_EVENT_DELIVERY="queue")
    assert answer.returncode == 0
    assert az.called("deployment sub create") == []
    assert "Proved: an event of s has arrived" in answer.stdout


def test_who_is_not_signed_in_to_az_is_told_so_at_once(az: Recorded) -> None:
    az.refuse("account show", "Please run 'az login' to setup account.")
    answer = az.run("postdeploy", AZURE_SUBSCRIPTION_ID="")
    assert answer.returncode == 1
    assert "az login" in answer.stderr
    assert len(az.calls) == 1


def test_an_app_that_never_shows_its_function_fails_the_hook_and_says_so(az: Recorded) -> None:
    az.refuse("resource show", "(ResourceNotFound)")
    answer = az.run("postdeploy")
    assert answer.returncode == 1
    assert "has not appeared in 5 minutes" in answer.stderr
    assert "(ResourceNotFound)" in answer.stderr, "what az said"
    assert az.changes == []


def test_a_refusal_that_passes_within_two_minutes_is_tried_again(az: Recorded) -> None:
    az.refuse("deployment sub create", "(AuthorizationFailed)", "(RoleDefinitionDoesNotExist)", "")
    assert az.run("postdeploy").returncode == 0
    assert len(az.called("deployment sub create")) == 3


def test_a_topic_that_is_refused_an_identity_delivers_to_the_function_without_one(az: Recorded) -> None:
    az.refuse("deployment sub create", "(BadRequest) Identity is not supported for this topic", "")
    answer = az.run("postdeploy")
    assert answer.returncode == 0
    assert "Azure refuses the system topic an identity" in answer.stdout
    first, second = az.called("deployment sub create")
    assert ("topicIdentityId=/identity " in first, "topicIdentityId= " in second) == (True, True)
    assert az.called("env set TOPIC_IDENTITY_ENABLED false")


# -- proof ---------------------------------------------------------------------------------------------------------


def test_delivery_is_proved_in_every_watched_subscription_by_a_changed_tag_of_its_probe_group(az: Recorded) -> None:
    az.answer("monitor metrics list", NOTHING, NOTHING, DELIVERED)
    answer = az.run("postdeploy")
    tagged = [call.split("--resource-id ")[1].split(" ")[0] for call in az.called("tag update")]
    assert tagged == [f"/subscriptions/{one}/resourceGroups/rg-x-events" for one in ("s", "t")]
    assert all("--operation Merge --tags privatelink-probe=" in call for call in az.called("tag update"))
    asked = az.called("monitor metrics list")
    assert f"--resource {OUR_TOPIC['id']} " in asked[0]
    assert f"--resource {TOPIC} " in asked[-1], "the other team's topic carries the events of that subscription"
    assert all(
        "--metrics DeliverySuccessCount --filter EventSubscriptionName eq 'privatelink-x'" in one for one in asked
    )
    assert answer.stdout.count("Proved") == 2


def test_an_event_that_azure_lost_is_sent_again_because_azure_does_not(az: Recorded) -> None:
    az.answer("monitor metrics list", *[NOTHING] * 30, DELIVERED)
    assert az.run("postdeploy", AZURE_SUBSCRIPTIONS="s", EXISTING_SYSTEM_TOPICS="").returncode == 0
    assert len(az.called("tag update")) == 3


def test_what_is_proved_once_is_not_proved_at_every_deployment(az: Recorded) -> None:
    az.run("postdeploy", AUTOPILOT_EVENT_DELIVERY="queue")
    assert az.called("env set AUTOPILOT_DELIVERY_PROVED queue:s,t")
    asked = len(az.called("monitor metrics list"))
    az.run("postdeploy", AUTOPILOT_EVENT_DELIVERY="queue", AUTOPILOT_DELIVERY_PROVED="queue:s,t")
    assert len(az.called("monitor metrics list")) == asked
    az.run("postdeploy", AUTOPILOT_DELIVERY_PROVED="queue:s,t")
    assert len(az.called("monitor metrics list")) > asked, "another way of delivery is proved anew"


def test_no_event_in_ten_minutes_fails_the_hook_after_the_sweep_is_asked_for(az: Recorded) -> None:
    az.answer("monitor metrics list", NOTHING)
    answer = az.run("postdeploy", AZURE_SUBSCRIPTIONS="s", EXISTING_SYSTEM_TOPICS="")
    assert answer.returncode == 1
    assert len(az.called("monitor metrics list")) == 60, "ten minutes, ten seconds apart"
    assert "No event has arrived" in answer.stderr
    assert az.called("rest --method post --url")
    assert az.called("env set AUTOPILOT_DELIVERY_PROVED") == []


def test_without_events_nothing_is_proved_but_a_sweep_is_asked_for(az: Recorded) -> None:
    answer = az.run("postdeploy", AUTOPILOT_EVENT_DELIVERY="none")
    assert answer.returncode == 0
    (asked,) = az.changes
    assert f"{APP_ID}/hostruntime/admin/functions/check_health" in asked


def test_a_sweep_that_is_refused_is_the_timers(az: Recorded) -> None:
    az.refuse("rest --method post", "Bad Gateway")
    answer = az.run("postdeploy")
    assert answer.returncode == 0
    assert "the timer does it within minutes" in answer.stdout


# -- before the upload ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "waits"), [(10, False), (1, True)])
def test_the_upload_waits_until_the_apps_role_on_storage_has_spread(az: Recorded, minutes: int, waits: bool) -> None:
    made = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
    az.answer("role assignment list --scope /storage", [{"createdOn": "2020-01-01T00:00:00Z"}, {"createdOn": made}])
    answer = az.run("predeploy")
    assert (answer.returncode, "Waiting" in answer.stdout) == (0, waits)


@pytest.mark.parametrize(("installed", "starts"), [(True, "python.exe -IBm azure.cli"), (False, "wbin/az.cmd")])
def test_on_windows_no_shell_reads_the_words_for_azure_cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool, starts: str
) -> None:
    """`az.cmd` hands them to `cmd`, which takes the `|` of a query for a pipe."""
    monkeypatch.setattr(shutil, "which", lambda _: str(tmp_path / "wbin" / "az.cmd"))
    if installed:
        (tmp_path / "python.exe").touch()
    hooks = runpy.run_path(str(ROOT / "scripts" / "hooks" / "azure_cli.py"))
    assert " ".join(hooks["command_of"]("az")) == f"{tmp_path}/{starts}"


@pytest.mark.parametrize("words", [(), ("unknown",)])
def test_an_unknown_hook_is_refused(az: Recorded, words: tuple[str, ...]) -> None:
    answer = az.run_script("sh", str(Path(__file__).parents[2] / "scripts" / "hook.sh"), *words)
    assert answer.returncode == 1
    assert "preprovision|predeploy|postdeploy|predown|undo|roles|topics|first-checks" in answer.stderr
