"""The settings of the local app: those it starts with, and those that a person changes while all runs."""

from __future__ import annotations

import pytest

from local.cli.app_settings import APP_SETTINGS, AppSettings
from local.world import HUB_VNET, OWN_VNET
from shared.settings import descriptions, load
from tests.harness.estate import SETTINGS

GIVEN = {name: SETTINGS[name] for name in ("EC_API_KEY", "AzureWebJobsStorage")}
GIVEN["ELASTIC_API_URL"] = "http://127.0.0.1:1"  # on this machine, where the lag of the real service does not count


@pytest.fixture
def settings() -> AppSettings:
    return AppSettings(HUB_VNET, lambda: GIVEN)


def test_the_app_knows_all_of_them() -> None:
    assert set(APP_SETTINGS) <= {one.name for one in descriptions()}


@pytest.mark.parametrize("network", [HUB_VNET, OWN_VNET])
def test_the_app_knows_its_network_and_as_by_the_templates_no_zone_is_linked_to_it(network: str) -> None:
    values = AppSettings(network, lambda: GIVEN).values()
    assert (values["APP_VNET"], "DNS_LINK_VNETS" in values) == (network, False)


def test_the_environment_wins_until_a_person_changes_it(settings: AppSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAIT_MAX_SECONDS", "7")
    assert settings.values()["WAIT_MAX_SECONDS"] == "7"
    settings.change({"WAIT_MAX_SECONDS": "9", "DNS_RECORD_MODE": "union"})
    assert (settings.values()["WAIT_MAX_SECONDS"], settings.values()["DNS_RECORD_MODE"]) == ("9", "union")
    assert load(settings.values()).dns.record_mode == "union"
    settings.change({"WAIT_MAX_SECONDS": ""})
    assert settings.values()["WAIT_MAX_SECONDS"] == "7", "as at the start"
    assert settings.values()["DNS_RECORD_MODE"] == "union", "changes add up"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DNS_RECORD_MODES": "union"}, "no setting DNS_RECORD_MODES"),
        ({"DNS_RECORD_MODE": "several"}, "DNS_RECORD_MODE: expected"),
    ],
)
def test_what_the_app_would_refuse_is_refused_before_it_starts_again(
    settings: AppSettings, changes: dict[str, str], said: str
) -> None:
    before = settings.values()
    with pytest.raises(ValueError, match=said):
        settings.change(changes)
    assert settings.values() == before
