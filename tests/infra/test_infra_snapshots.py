"""The deployment on paper makes what Microsoft's evaluator predicts, for every set of choices; a difference is seen."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra import paper
from tests.infra.paper_bicep import ParameterFile
from tests.infra.paper_choices import CHOICES, deployed, deployments, each_choice, values
from tests.infra.shipped import INFRA
from tests.infra.snapshots import BICEP, compare, differences, parameter_file


@pytest.mark.skipif(BICEP is None, reason="the Bicep CLI is not installed")
@each_choice
def test_microsofts_evaluator_makes_the_same_resources(choice: str) -> None:
    assert compare(choice) == []


@pytest.fixture
def made() -> list[dict[str, Any]]:
    return paper.resources(deployed("default"))


def predicted(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As the Bicep CLI tells it: other hashes, and expressions for what only a deployment knows."""
    text = json.dumps(made).replace(deployed("default").outputs["AUTOPILOT_TOKEN"], "js26ofeqkqeve")
    told: list[dict[str, Any]] = json.loads(text)
    for one in told:
        if one["type"].endswith("roleAssignments"):
            one["id"] = "[format('{0}/roleAssignments/{1}', 'scope', guid(reference('identity').principalId))]"
            one["properties"]["principalId"] = "[reference('identity').principalId]"
    return told


def test_what_only_a_deployment_knows_is_no_difference(made: list[dict[str, Any]]) -> None:
    assert differences(predicted(made), made) == []


def of(kind: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    return next(one for one in listed if one["type"] == kind)


def test_a_resource_too_few_or_of_another_version_is_a_difference(made: list[dict[str, Any]]) -> None:
    fewer = [one for one in predicted(made) if one["type"] != "Microsoft.KeyVault/vaults"]
    assert differences(fewer, made) == ["Microsoft.KeyVault/vaults@2026-02-01: 0 by Bicep, 1 on paper"]
    other = predicted(made)
    of("Microsoft.Web/sites", other)["apiVersion"] = "2024-11-01"
    assert len(differences(other, made)) == 2


@pytest.mark.parametrize("change", ["value", "left out", "longer list"])
def test_another_value_is_a_difference_and_is_named(made: list[dict[str, Any]], change: str) -> None:
    told = copy.deepcopy(predicted(made))
    storage = of("Microsoft.Storage/storageAccounts", told)["properties"]
    network = of("Microsoft.Network/virtualNetworks", told)["properties"]["addressSpace"]["addressPrefixes"]
    if change == "value":
        storage["allowSharedKeyAccess"] = True
    elif change == "left out":
        del storage["allowSharedKeyAccess"]
    else:
        network.append("10.1.0.0/24")
    (line,) = differences(told, made)
    assert ("addressprefixes" if change == "longer list" else "allowsharedkeyaccess") in line


def test_a_resource_elsewhere_is_a_difference(made: list[dict[str, Any]]) -> None:
    told = predicted(made)
    vault = of("Microsoft.KeyVault/vaults", told)
    vault["id"] = vault["id"].replace("rg-production", "rg-other")
    assert differences(told, made) == [f"not on paper: {vault['id']}"]


@each_choice
def test_a_parameter_file_gives_the_template_what_was_chosen(choice: str, tmp_path: Path) -> None:
    for template, given in deployments(choice):
        file = tmp_path / f"{template}param"
        file.write_text(parameter_file(INFRA / template, given, tmp_path), encoding="utf-8")
        assert ParameterFile({}, file).values() == given


def test_the_program_prints_the_resources_of_a_set_of_choices_as_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("default", "function", "none", "several subscriptions"):
        paper.main(name.split(" "))
        listed = json.loads(capsys.readouterr().out)
        assert {"Microsoft.Web/sites", "Microsoft.KeyVault/vaults"} < {one["type"] for one in listed}
        topics = [one for one in listed if one["type"] == "Microsoft.EventGrid/systemTopics/eventSubscriptions"]
        assert bool(topics) is (name != "none")
    monkeypatch.setattr(sys, "argv", ["paper"])
    with pytest.raises(SystemExit, match="The sets of choices are"):
        paper.main(["other"])
    assert values("none")["eventDelivery"] == "none"
    assert {"default", "function", "none"} < set(CHOICES)
