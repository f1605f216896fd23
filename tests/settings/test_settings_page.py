"""docs/settings.md has every setting, and no other, and explains the tags that stand beside them."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.settings_page import table
from shared.core.guards.consent import ENDPOINTS_TAG
from shared.core.guards.cutting_off import FIRST_POLICY_TAG
from shared.core.guards.modes import MODE_TAG
from shared.core.model.organizations import key_setting, scope_setting
from shared.core.options.installation import Mode
from shared.core.planning.desired import DEPLOYMENTS_TAG
from shared.settings import descriptions

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_has_every_setting_with_its_default_and_text() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "\n".join(table()) in page, "run scripts/settings_page.py"


def test_the_page_names_no_setting_that_there_is_not() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|(?<=`)MODE(?=[`=])", page))
    named -= {key_setting("eu-west"), scope_setting("eu-west")}  # the example of those that have a name in them
    assert named == {one.name for one in descriptions()}
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
