"""One file says which version this is; all that tells it takes it from there."""

from __future__ import annotations

import logging
import os
import re
import tomllib

import pytest

import shared.app
from functions.openapi.document import document
from functions.routing import declared
from shared.core.model.errors import InvalidSettings
from shared.version import VERSION
from tests.functions.trigger_parts import functions
from tests.infra.shipped import ROOT


def test_the_version_is_one_that_a_tag_can_have() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9a-z.]+)?", VERSION)


def test_the_description_of_the_api_and_the_project_have_it_from_the_one_file() -> None:
    functions()
    assert document(declared())["info"]["version"] == VERSION
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"file": "version.txt"}
    assert (ROOT / "version.txt").read_text(encoding="utf-8") == f"{VERSION}\n"


def test_the_first_line_of_a_process_tells_it_also_when_the_settings_are_wrong(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith(("AZURE", "EC_", "ELASTIC", "AzureWebJobs")):
            monkeypatch.delenv(name)
    shared.app.forget()
    with caplog.at_level(logging.INFO, "privatelink"), pytest.raises(InvalidSettings):
        shared.app.start()
    shared.app.forget()
    assert caplog.messages[0] == f"Private Link Autopilot {VERSION}"
