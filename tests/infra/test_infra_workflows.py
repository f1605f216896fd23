"""The workflows and what they release: every action pinned, one version, a template that deploys its own package."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from shared.version import VERSION
from tests.infra.shipped import INFRA, ROOT, bicep

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RELEASE: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "release.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_and_says_its_release(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", workflow.read_text(encoding="utf-8"))
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_unless_a_job_says_why(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert "\npermissions:\n  contents: read\n" in text
    assert re.findall(r"^ +\w[\w-]*: write$", text, re.MULTILINE) == (
        ["  id-token: write"] if workflow.stem == "deploy" else []
    ), "a further right has a comment"


def test_a_bot_proposes_newer_actions_and_libraries() -> None:
    text = (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")
    assert re.findall(r"package-ecosystem: (\S+)", text) == ["github-actions", "pip"]


def test_the_public_ci_judges_the_age_of_api_versions_and_deployers_compilers_do_not() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (config,) = re.findall(r"echo '(\{.+\})' >infra/bicepconfig\.json", text)
    assert json.loads(config)["analyzers"]["core"]["rules"] == {"use-recent-api-versions": {"level": "warning"}}
    assert text.index("bicepconfig.json") < text.index("bicep lint") < text.index("rm infra/bicepconfig.json")
    assert not (INFRA / "bicepconfig.json").exists()
    (built,) = re.findall(r"for template in ([\w -]+); do", text)
    assert set(built.split()) == {path.stem for path in INFRA.glob("*.bicep")}


def test_a_tag_releases_only_the_version_that_the_code_tells() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert 'test "$GITHUB_REF_NAME" = "v$(cat version.txt)"' in text
    for file in ("autopilot.zip", "autopilot.cdx.json", "SHA256SUMS"):
        assert f"dist/{file}" in text


def test_the_template_of_a_release_deploys_its_own_package() -> None:
    compiled = {"parameters": {"packageUrl": {"type": "string", "defaultValue": ""}, "mode": {"type": "string"}}}
    made = RELEASE["template"](compiled, "owner/name")
    url = f"https://github.com/owner/name/releases/download/v{VERSION}/autopilot.zip"
    assert made["parameters"] == {"packageUrl": {"type": "string", "defaultValue": url}, "mode": {"type": "string"}}
    assert "param packageUrl string = ''" in bicep("main.bicep"), "azd deploys the code itself"


def test_the_form_gives_the_template_parameters_that_it_has_from_fields_that_there_are() -> None:
    form = json.loads((INFRA / "createUiDefinition.json").read_text(encoding="utf-8"))["parameters"]
    parameters = set(re.findall(r"^param (\w+)", bicep("main.bicep"), re.MULTILINE))
    fields = {f"basics('{one['name']}')" for one in form["basics"]}
    fields |= {f"steps('{step['name']}').{one['name']}" for step in form["steps"] for one in step["elements"]}
    assert set(form["outputs"]) <= parameters
    assert {value.strip("[]") for value in form["outputs"].values()} == fields | {"location()"}


def test_the_form_offers_the_choices_that_the_template_takes_and_marks_its_defaults() -> None:
    form = json.loads((INFRA / "createUiDefinition.json").read_text(encoding="utf-8"))["parameters"]
    elements = [one for step in form["steps"] for one in step["elements"] if one["type"].endswith("OptionsGroup")]
    offered = {one["name"]: [value["value"] for value in one["constraints"]["allowedValues"]] for one in elements}
    marked = {one["name"]: one["defaultValue"] for one in elements}
    labels = {one["name"]: one["constraints"]["allowedValues"][0]["label"] for one in elements}
    assert marked == labels, "the first"
    taken = re.findall(r"@allowed\(\[(.+)\]\)\nparam (\w+) string = '(\w+)'", bicep("main.bicep"))
    assert {name: values[0] for name, values in offered.items()} == {
        name: default for _, name, default in taken if name in offered
    }
    assert offered == {name: re.findall(r"'(\w+)'", values) for values, name, _ in taken if name in offered}
    assert set(offered) == {"mode", "eventDelivery"}


def test_the_form_lets_choose_among_the_regions_that_the_template_takes() -> None:
    form = json.loads((INFRA / "createUiDefinition.json").read_text(encoding="utf-8"))["parameters"]
    regions = json.loads((INFRA / "regions.json").read_text(encoding="utf-8"))
    assert form["config"]["basics"]["location"]["allowedValues"] == regions


def test_the_form_has_the_portal_register_what_the_hook_registers_and_asks_for_the_rights_first() -> None:
    """The portal registers a provider for who may, and says so to who may not; a template registers none."""
    form = json.loads((INFRA / "createUiDefinition.json").read_text(encoding="utf-8"))["parameters"]
    subscription = form["config"]["basics"]["subscription"]
    text = (ROOT / "scripts" / "hooks" / "before_provision.py").read_text(encoding="utf-8")
    registered = re.findall(r'"(Microsoft\.[A-Z]\w+)"', text.split("DNS = ")[0])
    assert subscription["resourceProviders"] == registered
    assert {one["permission"] for one in subscription["constraints"]["validations"]} == {
        f"Microsoft.Authorization/{one}/write" for one in ("roleAssignments", "roleDefinitions")
    }


def test_the_form_asks_for_no_key_because_the_portal_keeps_what_is_typed() -> None:
    assert "ecApiKey" not in (INFRA / "createUiDefinition.json").read_text(encoding="utf-8")


def test_the_button_of_the_readme_names_this_version_and_the_files_that_a_release_serves() -> None:
    (link,) = re.findall(r"\(https://portal\.azure\.com/#create/Microsoft\.Template/uri/(\S+)\)", README)
    template, _, form = link.partition("/createUIDefinitionUri/")
    repository = "/".join(unquote(template).split("/")[3:5])
    assert unquote(template) == RELEASE["raw_url"](repository, RELEASE["TEMPLATE"])
    assert unquote(form) == RELEASE["raw_url"](repository, RELEASE["FORM"])
    assert RELEASE["with_button"](README, repository) == README


def release(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the release as its workflow does."""
    command = [sys.executable, str(ROOT / "scripts" / "release.py"), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - a script of this repository


def test_a_tag_is_released_only_with_the_button_of_its_version_and_repository(tmp_path: Path) -> None:
    """One command before the tag fills it in, for the repository that the clone came from."""
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    given = ("--readme", str(readme), "--repository", "acme/autopilot")
    refused = release("check", *given)
    assert refused.returncode == 1
    assert f"v{VERSION} of acme/autopilot: scripts/release.py button writes it" in refused.stderr
    assert release("button", *given).returncode == release("check", *given).returncode == 0
    changed = [
        new for old, new in zip(README.splitlines(), readme.read_text("utf-8").splitlines(), strict=True) if old != new
    ]
    assert changed == [RELEASE["button"]("acme/autopilot")]
    assert release("check", "--readme", str(readme), "--repository", "fork/autopilot").returncode == 1
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    check = 'python scripts/release.py check --repository "$GITHUB_REPOSITORY"'
    assert workflow.index(check) < workflow.index("gh release create")


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("https://github.com/acme/autopilot.git", "acme/autopilot"),
        ("https://github.com/acme/autopilot/", "acme/autopilot"),
        ("git@github.com:acme/auto.pilot.git", "acme/auto.pilot"),
        ("ssh://git@github.com/acme/autopilot", "acme/autopilot"),
    ],
)
def test_the_repository_is_the_one_that_the_clone_came_from(tmp_path: Path, address: str, repository: str) -> None:
    for words in (["init", "--quiet"], ["remote", "add", "origin", address]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)  # noqa: S603, S607 - git, with words of this test
    assert RELEASE["origin"](tmp_path) == repository


def test_a_clone_of_something_else_is_asked_for_the_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "-C", str(tmp_path), "init", "--quiet"], check=True)  # noqa: S603, S607
    with pytest.raises(SystemExit, match="name it with --repository OWNER/NAME"):
        RELEASE["origin"](tmp_path)


def test_a_release_serves_template_form_and_a_page_with_its_own_button(tmp_path: Path) -> None:
    compiled = tmp_path / "main.json"
    compiled.write_text(json.dumps({"parameters": {"packageUrl": {"type": "string"}}}), encoding="utf-8")
    words = ("--repository", "acme/autopilot", "--compiled", str(compiled), "--output", str(tmp_path))
    assert release("files", *words).returncode == 0
    folder = tmp_path / f"v{VERSION}"
    assert {one.name for one in folder.iterdir()} == {RELEASE["TEMPLATE"], RELEASE["FORM"], "README.md"}
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert RELEASE["button"]("acme/autopilot") in page
    assert f"--template-uri {RELEASE['raw_url']('acme/autopilot', RELEASE['TEMPLATE'])} " in page
