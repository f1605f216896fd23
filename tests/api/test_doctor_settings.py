"""While the settings are wrong the doctor says all that is wrong with them, and looks at storage all the same."""

from __future__ import annotations

import pytest

from local.clock import LoopClock
from local.storage.azurite import Azurite
from local.storage.memory import MemoryStorage
from shared.api.doctor import examine, examine_without_settings
from shared.core.model.errors import InvalidSettings
from shared.core.reports.doctor.findings import Level
from shared.settings import load
from shared.state.connect import AzureStorage
from shared.state.storage_settings import StorageSettings
from tests.api.doctor_parts import bad, good, of
from tests.harness.estate import SETTINGS, Estate
from tests.harness.wire import Refusal


def wrong(**settings: str) -> InvalidSettings:
    """What the app says to these settings."""
    with pytest.raises(InvalidSettings) as refused:
        load(SETTINGS | settings)
    return refused.value


async def test_every_setting_that_is_wrong_is_a_finding_and_storage_is_asked_all_the_same() -> None:
    error = wrong(PROBE_PORT="1", HEALTH_SCHEDULE="often", EC_API_KEY="a key with blanks")
    clock = LoopClock()
    report = await examine_without_settings(error, MemoryStorage(clock), clock)
    found = [finding for finding in report.findings if finding.level is Level.PROBLEM]
    assert {finding.what.split(":")[0] for finding in found} == {"PROBE_PORT", "HEALTH_SCHEDULE", "EC_API_KEY"}
    assert all("docs/settings.md" in finding.next_step for finding in found)
    assert set(good(report)) == {"storage", "queue", "poison"}
    assert "a key with blanks" not in str(report.document())


async def test_settings_that_contradict_each_other_are_findings_too() -> None:
    clock = LoopClock()
    error = wrong(RUN_SECONDS="54", LAG_SECONDS="719")
    report = await examine_without_settings(error, None, clock)
    assert [finding.what.split(":")[0] for finding in report.findings] == ["RUN_SECONDS", "LAG_SECONDS"]
    assert report.status is Level.PROBLEM


@pytest.mark.azurite
async def test_a_storage_account_that_refuses_the_app_is_told_with_the_role(azurite: Azurite) -> None:
    good_key = azurite.connection_string.split("AccountKey=")[1].split(";")[0]
    refused = azurite.connection_string.replace(good_key, "d3Jvbmc=")
    storage = AzureStorage(StorageSettings(refused), lambda _: pytest.fail("no identity"), queue_name="reconcile")
    report = await examine_without_settings(wrong(PROBE_PORT="1"), storage, LoopClock())
    await storage.aclose()
    found = [finding for finding in report.findings if finding.check == "storage"]
    assert {finding.level for finding in found} == {Level.PROBLEM}
    told = " ".join(finding.next_step for finding in found)
    assert "storage account's firewall" in told  # Azurite's tables answer a wrong key as Azure answers a closed network
    assert "Storage Queue Data Contributor" in told
    assert good(report) == {}


@pytest.mark.azurite
async def test_an_account_without_any_table_or_queue_is_in_order(azurite: Azurite) -> None:
    storage = AzureStorage(
        StorageSettings(azurite.connection_string), lambda _: pytest.fail("no identity"), queue_name="doctor-none"
    )
    report = await examine_without_settings(wrong(PROBE_PORT="1"), storage, LoopClock())
    await storage.aclose()
    assert set(good(report)) == {"storage", "queue", "poison"}


async def test_every_entry_of_the_deny_list_that_names_no_deployment_is_told() -> None:
    denied = "Search-EastUS2, gone, prod, eu, 0123456789abcdef0123456789abcdef"
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_DENIED": denied}).open()
    estate.elastic.add_deployment("prod, eu", "eastus2", ip_policy=True)
    await estate.sweep()
    found = await bad(estate)
    assert {(finding.check, finding.level, finding.on) for finding in found} == {
        ("settings", Level.WARNING, "gone"),
        ("settings", Level.WARNING, "0123456789abcdef0123456789abcdef"),
    }


async def test_a_deny_list_is_not_judged_where_the_deployments_cannot_be_listed() -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_DENIED": "gone"}).open()
    estate.worker = estate.new_worker(of("elastic", Refusal(503)))
    assert "gone" not in {finding.on for finding in await bad(estate)}


async def test_a_lag_that_is_shorter_than_answers_may_take_is_warned_of_where_the_settings_allow_it() -> None:
    short = {"SHORT_LAG_ALLOWED": "true", "LAG_SECONDS": "10", "POLICY_SEARCH_SECONDS": "10"}
    for settings, warnings in ((short, 1), ({"SHORT_LAG_ALLOWED": "true"}, 0)):
        estate = await Estate(settings=settings).open()
        report = await examine(estate.worker.context)
        found = [one for one in report.findings if one.what.startswith("LAG_SECONDS is 10:")]
        assert len(found) == warnings
        assert all(one.level is Level.WARNING and "SHORT_LAG_ALLOWED" in one.next_step for one in found)
