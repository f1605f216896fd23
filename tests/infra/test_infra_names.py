"""What the templates, host.json, the hooks and the code call the same things, they call by the same names."""

from __future__ import annotations

import inspect
import json
import re

import pytest

import function_app
from shared.core.model.errors import InvalidSettings
from shared.core.model.messages import QUEUE
from shared.reconciler.loop import ROUNDS
from shared.settings import load as load_settings
from shared.state.connect import POISON_SUFFIX, AzureStorage
from tests.infra.shipped import INFRA, ROOT, bicep, load

NAMES = load("names.json")
TEMPLATES = sorted(path.relative_to(INFRA).as_posix() for path in INFRA.rglob("*.bicep"))


def test_queues_and_tables_are_those_of_the_code() -> None:
    defaults = inspect.signature(AzureStorage).parameters
    assert NAMES["workQueue"] == QUEUE
    assert NAMES["poisonQueue"] == f"{QUEUE}{POISON_SUFFIX}"
    assert sorted(NAMES["tables"]) == sorted(p.default for n, p in defaults.items() if n.endswith("_table"))


def test_the_event_function_is_the_apps_only_event_grid_trigger() -> None:
    function_app.app.functions_bindings = None
    triggers = {f.get_function_name(): f.get_trigger().get_dict_repr() for f in function_app.app.get_functions()}
    assert [name for name, t in triggers.items() if t["type"] == "eventGridTrigger"] == [NAMES["eventFunction"]]
    assert {t["queueName"] for t in triggers.values() if t["type"] == "queueTrigger"} <= {
        NAMES["workQueue"],
        NAMES["poisonQueue"],
    }


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_is_used_by_a_template(name: str) -> None:
    assert any(f"names.{name}" in bicep(template) for template in TEMPLATES)


PLACES = {
    "app/storage.bicep": [
        "[names.packageContainer, names.deadLetterContainer]",
        "[names.workQueue, names.poisonQueue]",
        "in names.tables",
    ],
    "app/storage-roles.bicep": [
        "resource deadLetters 'containers' existing = {\n      name: names.deadLetterContainer",
        "resource work 'queues' existing = {\n      name: names.workQueue",
    ],
    "app/event-subscription.bicep": [
        "blobContainerName: names.deadLetterContainer",
        "queueName: names.workQueue",
        "'${functionAppId}/functions/${names.eventFunction}'",
    ],
    "app/function.bicep": [
        "value: '${storage.blob}${names.packageContainer}'",
    ],
    "app/vault.bicep": ["name: names.elasticKeySecret"],
}
"""Where each name is made, and where it is used: one for another would deploy, and fail later."""


@pytest.mark.parametrize(("template", "place"), [(one, place) for one in PLACES for place in PLACES[one]])
def test_what_is_made_and_what_is_used_have_the_same_name(template: str, place: str) -> None:
    assert bicep(template).count(place) == 1


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_template_spells_a_name_out(template: str) -> None:
    values = [v for value in NAMES.values() for v in (value if isinstance(value, list) else [value])]
    assert [value for value in values if f"'{value}'" in bicep(template)] == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_template_names_a_host_of_one_cloud_only(template: str) -> None:
    text = re.sub(r"^var siteZones = \{.*?^\}$", "", bicep(template), flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"azurewebsites|windows\.net|azure\.net|azure\.com|microsoftonline", text) == []


def test_names_that_decide_the_kind_of_a_resource_are_spelt_out() -> None:
    """Else Bicep checks nothing of the resource, and warns of it (BCP225)."""
    kind = r"^ *resource \w+ '(?:config|\S+/basicPublishingCredentialsPolicies@\S+)' = (.*?) +properties:"
    found = re.findall(kind, bicep("app/function.bicep"), re.DOTALL | re.MULTILINE)
    assert [re.findall(r" name: (.+)", one) for one in found] == [["'appsettings'"], ["'ftp'"], ["'scm'"]]


def test_the_hook_waits_for_that_function_and_passes_every_parameter_that_exists() -> None:
    text = (ROOT / "scripts" / "hooks" / "after_deploy.py").read_text(encoding="utf-8")
    assert f"/functions/{NAMES['eventFunction']}" in text
    parameters = set(re.findall(r"^param (\w+)", bicep("events.bicep"), re.MULTILINE))
    passed = set(re.findall(r"^ +f?\"(\w+)=", text.split("--parameters")[1], re.MULTILINE))
    assert passed == parameters


def test_every_output_that_a_script_reads_exists() -> None:
    outputs = set(re.findall(r"^output (AUTOPILOT_\w+)", bicep("main.bicep"), re.MULTILINE))
    ours = {"AUTOPILOT_HOOK_PAUSE", "AUTOPILOT_DELIVERY_PROVED", "AUTOPILOT_"}
    for script in (ROOT / "scripts").rglob("*.py"):
        text = script.read_text(encoding="utf-8")
        read = set(re.findall(r"AUTOPILOT_\w*", text)) | {
            f"AUTOPILOT_{one}" for one in re.findall(r'output\(["\'](\w+)', text)
        }
        assert read - ours <= outputs, script.name


def test_azd_runs_the_hooks_that_there_are_in_both_shells_and_finds_the_site_by_its_service() -> None:
    text = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    hooks = re.findall(
        r"^  (\w+):\n    posix:\n      shell: sh\n      run: (.+)\n    windows:\n      shell: pwsh\n      run: (.+)$",
        text,
        re.MULTILINE,
    )
    assert [hook for hook, *_ in hooks] == ["preprovision", "predeploy", "postdeploy", "predown"]
    for hook, posix, windows in hooks:
        assert posix == f"./scripts/hook.sh {hook}"
        assert windows == f"./scripts/hook.ps1 {hook}; exit $LASTEXITCODE"
    (service,) = re.findall(r"^services:\n  (\w+):", text, re.MULTILINE)
    assert f"'azd-service-name': '{service}'" in bicep("app/function.bicep")


def test_the_deploying_workflow_passes_every_choice_so_that_it_undoes_none() -> None:
    """What it left out would fall back to the default: `observe` to `enforce`, private access to public."""
    text = (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    passed = dict(re.findall(r"^      ([A-Z_]+): \$\{\{ (.+) \}\}$", text, re.MULTILINE))
    chosen = set(re.findall(r"readEnvironmentVariable\('(\w+)'", bicep("main.bicepparam")))
    assert chosen - passed.keys() == {"EC_API_KEY"}, "which is in the vault"
    assert {name: at for name, at in passed.items() if at != f"vars.{name}"} == {"AZURE_ENV_NAME": "inputs.environment"}


def test_queue_messages_are_encoded_as_event_grid_and_the_app_encode_them() -> None:
    queues = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
    assert queues["messageEncoding"] == "base64"
    assert f"failed {'eight' if queues['maxDequeueCount'] == 8 else '?'} times" in bicep("app/alerts.bicep")


def test_every_function_has_ended_by_itself_before_the_host_ends_it() -> None:
    """With any settings: the host ends the process, and with it every run that goes on beside the one too long."""
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    timeout = hours * 3600 + minutes * 60 + seconds
    needed = {"AZURE_SUBSCRIPTIONS": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "EC_API_KEY": "key"}
    storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    with pytest.raises(InvalidSettings, match="RUN_SECONDS: expected"):
        load_settings(needed | storage | {"RUN_SECONDS": str(timeout / ROUNDS)})
    with pytest.raises(InvalidSettings, match="SWEEP_TEST_SECONDS: expected"):  # a sweep reads before it tests
        load_settings(needed | storage | {"SWEEP_TEST_SECONDS": str(timeout / 2)})


def test_log_lines_that_alerts_rest_on_are_neither_sampled_nor_filtered() -> None:
    logging = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["logging"]
    assert "Trace" in logging["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";")
    assert "logLevel" not in logging, "the host's own is Information, which is the lines' level"
