"""The files that list the settings are as the table makes them; docs/settings.md explains the tags beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.settings_files import FILES, ROOT
from shared.core.guards.consent import ENDPOINTS_TAG
from shared.core.guards.first_and_last_policy import FIRST_POLICY_TAG
from shared.core.guards.scope import MODE_TAG
from shared.core.model.organizations import key_setting, scope_setting
from shared.core.options.installation import Mode
from shared.core.planning.desired import DEPLOYMENTS_TAG
from shared.settings import descriptions, table

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_lists_the_settings_is_as_the_table_makes_it(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert FILES[name](text) == text, "run scripts/settings_files.py"


def test_every_name_stands_once_in_the_table_and_its_parameter_is_the_name_in_camel_case() -> None:
    assert len({one.name for one in table()}) == len({one.parameter for one in table()}) == len(table())
    parameters = {one.name: one.parameter for one in table() if one.deployed}
    assert parameters["ELASTIC_DEPLOYMENTS_ALLOWED"] == "elasticDeploymentsAllowed"
    assert parameters["MODE"] == "mode"
    other = {name for name, parameter in parameters.items() if snake(parameter) != name}
    assert other == {"AZURE_ENV_NAME", "AZURE_LOCATION"}, "azd's own"


def snake(parameter: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", parameter).upper()


def test_the_page_names_no_setting_that_there_is_not() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|(?<=`)(?:ORGANIZATIONS|HARDENING)(?=`)|(?<=`)MODE(?=[`=])", page))
    named -= {key_setting("eu-west"), scope_setting("eu-west")}  # the example of those that have a name in them
    assert named == {one.name for one in table()}
    storage = set(re.findall(r"AzureWebJobsStorage__\w+", page))
    assert storage == {
        f"AzureWebJobsStorage__{name}"
        for name in ("accountName", "tableServiceUri", "queueServiceUri", "blobServiceUri", "credential", "clientId")
    }


def test_the_page_explains_the_tags_that_stand_beside_the_settings() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tags = {DEPLOYMENTS_TAG, MODE_TAG, ENDPOINTS_TAG, FIRST_POLICY_TAG}
    assert [tag for tag in tags if f"| `{tag}` |" not in page] == []


def test_the_page_explains_every_mode_and_every_list_of_the_scope() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [mode for mode in Mode if f"| `{mode}` |" not in page] == []
    scope = page.split("## Scope")[1].split("## Modes")[0]
    lists = {
        one.name
        for one in descriptions()
        if re.match(r"AZURE_(SUBSCRIPTIONS|RESOURCE_GROUPS|LOCATIONS|TAGS)", one.name)
    }
    assert len(lists) == 8
    assert [name for name in lists if f"`{name}`" not in scope] == []
