"""The hook before the deployment: what a template cannot do, and what each refusal leaves to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.infra.az_that_records import SHELLS, Recorded

GRID = "providers/Microsoft.EventGrid/systemTopics"
THEIRS = f"/subscriptions/t/resourceGroups/rg-theirs/{GRID}/theirs"
OURS = f"/subscriptions/s/resourceGroups/rg-x-events/{GRID}/ours"
HUB = "/subscriptions/h/resourceGroups/rg-hub"
ROLE = {"roleName": "Private Link Autopilot endpoint reader (x)", "name": "guid", "id": "/roles/guid"}


def topic(
    name: str, kind: str = "Microsoft.Resources.Subscriptions", identity: str = "SystemAssigned"
) -> dict[str, Any]:
    return {"id": name, "topicType": kind, "identity": {"type": identity}}


@pytest.fixture
def az(tmp_path: Path) -> Recorded:
    """Two watched subscriptions and a hub with zones, in which all is registered and nothing is there yet."""
    recorded = Recorded(tmp_path)
    recorded.environment = {
        "AZURE_ENV_NAME": "x",
        "AZURE_LOCATION": "eastus2",
        "AZURE_SUBSCRIPTION_ID": "S",
        "AZURE_SUBSCRIPTIONS": "s, T",
        "DNS_ZONE_RESOURCE_GROUPS": HUB,
    }
    recorded.answer("provider list", [[f"Microsoft.{name}", "Registered"] for name in REGISTERED])
    return recorded


REGISTERED = (
    *(
        "App",
        "EventGrid",
        "Insights",
        "KeyVault",
        "ManagedIdentity",
        "Network",
        "OperationalInsights",
        "Storage",
        "Web",
    ),
)


def without(*names: str) -> list[list[str]]:
    return [[f"Microsoft.{one}", "NotRegistered" if one in names else "Registered"] for one in REGISTERED]


def registered(az: Recorded) -> set[tuple[str, str]]:
    words = [call.split(" ") for call in az.called("provider register --namespace")]
    return {(one[one.index("--subscription") + 1], one[one.index("--namespace") + 1]) for one in words}


@pytest.mark.parametrize("shell", SHELLS)
def test_where_all_is_there_nothing_is_changed(az: Recorded, shell: str) -> None:
    answer = az.run("preprovision", shell=shell)
    assert (answer.returncode, answer.stderr, az.changes) == (0, "", [])


def test_a_region_without_flex_consumption_is_refused_before_anything_is_made(az: Recorded) -> None:
    az.answer("functionapp list-flexconsumption-locations", [{"name": "East US 2"}, {"name": "westeurope"}])
    assert az.run("preprovision").returncode == 0
    answer = az.run("preprovision", AZURE_LOCATION="germanynorth")
    assert answer.returncode == 1
    assert "germanynorth has no Flex Consumption. Regions that have: eastus2, westeurope" in answer.stderr


def test_a_region_that_has_got_flex_consumption_since_is_taken_by_the_template_too(az: Recorded) -> None:
    az.answer("functionapp list-flexconsumption-locations", [{"name": "Germany North"}, {"name": "eastus2"}])
    answer = az.run("preprovision", AZURE_LOCATION="germanynorth")
    assert answer.returncode == 0
    assert az.changes == ["azd env set ANY_LOCATION true"]


def test_each_subscription_gets_the_providers_that_it_needs_and_no_others(az: Recorded) -> None:
    az.answer("provider list", [])
    az.answer("provider show", {"registrationState": "Registered"})
    assert az.run("preprovision").returncode == 0
    watched = {"Microsoft.Network", "Microsoft.EventGrid", "Microsoft.Insights"}
    found: dict[str, set[str]] = {}
    for subscription, namespace in registered(az):
        found.setdefault(subscription, set()).add(namespace)
    assert found == {"s": {f"Microsoft.{one}" for one in REGISTERED}, "t": watched, "h": {"Microsoft.Network"}}


def test_it_waits_until_they_are_registered_and_no_longer_than_five_minutes(az: Recorded) -> None:
    az.answer("provider list --subscription s", without("App"))
    az.answer("provider show", *[{"registrationState": "Registering"}] * 3, {"registrationState": "Registered"})
    assert "still being registered" not in az.run("preprovision").stdout
    assert len(az.called("provider show")) == 4
    az.answer("provider show", {"registrationState": "Registering"})
    answer = az.run("preprovision")
    assert answer.returncode == 0
    assert "Microsoft.App is still being registered in s after five minutes" in answer.stdout
    assert len(az.called("provider show")) == 4 + 30


def test_a_provider_that_it_may_not_register_is_said_with_the_command_for_the_owner(az: Recorded) -> None:
    az.answer("provider list --subscription t", without("EventGrid"))
    az.refuse("provider register", "(AuthorizationFailed) The client has no right to register.")
    answer = az.run("preprovision")
    assert answer.returncode == 0
    assert "Not allowed to register Microsoft.EventGrid in t: ERROR: (AuthorizationFailed)" in answer.stdout
    assert "az provider register --namespace Microsoft.EventGrid --subscription t --wait" in answer.stdout


# -- topics of others ----------------------------------------------------------------------------------------------


def test_the_topic_that_a_watched_subscription_has_already_is_used(az: Recorded) -> None:
    az.answer("eventgrid system-topic list --subscription s", [topic(OURS)])
    az.answer(
        "eventgrid system-topic list --subscription t", [topic("/a/b/c/d/e/f", "Microsoft.Storage"), topic(THEIRS)]
    )
    answer = az.run("preprovision")
    assert az.changes == [f"azd env set EXISTING_SYSTEM_TOPICS {THEIRS}"], "and not the one of this installation"
    assert "--identity systemassigned" not in answer.stdout


def test_without_an_environment_of_azd_the_parameter_is_said(az: Recorded) -> None:
    az.answer("eventgrid system-topic list --subscription t", [topic(THEIRS)])
    az.refuse("env set", "environment does not exist")
    answer = az.run("preprovision")
    assert answer.returncode == 0
    assert f"Give the deployment the parameter existingSystemTopics={THEIRS}" in answer.stdout


def test_a_topic_that_is_known_is_not_set_again_and_one_that_is_gone_is_forgotten(az: Recorded) -> None:
    az.answer("eventgrid system-topic list --subscription t", [topic(THEIRS)])
    az.run("preprovision", EXISTING_SYSTEM_TOPICS=THEIRS)
    assert az.changes == []
    az.answer("eventgrid system-topic list --subscription t", [])
    az.run("preprovision", EXISTING_SYSTEM_TOPICS=THEIRS)
    assert az.changes == ["azd env set EXISTING_SYSTEM_TOPICS "]


def test_a_topic_without_an_identity_to_deliver_with_stops_with_the_command_for_its_owner(az: Recorded) -> None:
    az.answer("eventgrid system-topic list --subscription t", [topic(THEIRS, identity="UserAssigned")])
    answer = az.run("preprovision")
    assert answer.returncode == 1
    assert "Stopped before anything is deployed" in answer.stderr
    assert f"az eventgrid system-topic update --ids {THEIRS} --identity systemassigned" in answer.stdout
    assert az.called("eventgrid system-topic update") == [], "it is another team's"
    by_function = az.run("preprovision", EVENT_DELIVERY="function")
    assert (by_function.returncode, "--identity systemassigned" in by_function.stdout) == (0, False)


def test_topics_that_may_not_be_read_are_said_and_the_choice_stays(az: Recorded) -> None:
    az.refuse("eventgrid system-topic list --subscription t", "(AuthorizationFailed)")
    answer = az.run("preprovision", EXISTING_SYSTEM_TOPICS=THEIRS)
    assert (answer.returncode, az.changes) == (0, [])
    assert "az eventgrid system-topic list --subscription t" in answer.stdout


# -- what the last deployment said ---------------------------------------------------------------------------------


def failed(words: str, at: str = "2026-01-02", state: str = "Failed") -> dict[str, Any]:
    error = {"details": [{"target": f"/x/{GRID}/y", "message": words}]}
    return {"tags": {"azd-env-name": "x"}, "properties": {"timestamp": at, "provisioningState": state, "error": error}}


def test_a_topic_that_was_refused_an_identity_makes_events_go_to_the_function(az: Recorded) -> None:
    az.answer("deployment sub list", [failed("Identity is not supported for this topic.")])
    answer = az.run("preprovision")
    assert az.changes == ["azd env set EVENT_DELIVERY function", "azd env set TOPIC_IDENTITY_ENABLED false"]
    assert "events go to the function instead" in answer.stdout


def test_an_app_without_public_access_is_not_opened_for_it(az: Recorded) -> None:
    az.answer("deployment sub list", [failed("Identity is not supported for this topic.")])
    answer = az.run("preprovision", PRIVATE_ACCESS="true")
    assert az.changes == ["azd env set EVENT_DELIVERY none"]
    assert "EVENT_DELIVERY=function would open it to public access" in answer.stdout


def test_a_topic_of_another_team_needs_no_identity_then(az: Recorded) -> None:
    az.answer("deployment sub list", [failed("Identity is not supported for this topic.")])
    az.answer("eventgrid system-topic list --subscription t", [topic(THEIRS, identity="None")])
    assert az.run("preprovision").returncode == 0


@pytest.mark.parametrize(
    "listed",
    [
        [failed("Only one system topic is allowed per source.")],
        [failed("Identity is not supported."), failed("", at="2026-01-03", state="Succeeded")],
        [failed("Identity is not supported.") | {"tags": {"azd-env-name": "other"}}],
    ],
    ids=["another reason", "has succeeded since", "another installation"],
)
def test_for_no_other_reason(az: Recorded, listed: list[Any]) -> None:
    az.answer("deployment sub list", listed)
    az.run("preprovision")
    assert az.changes == []


# -- what left, and what is back -----------------------------------------------------------------------------------


def test_rights_and_events_are_removed_from_a_subscription_that_left_the_list(az: Recorded) -> None:
    places = ["/subscriptions/S", "/subscriptions/t", "/subscriptions/h", "/subscriptions/gone"]
    az.answer("role definition list", [ROLE | {"assignableScopes": places}])
    az.answer("identity list --resource-group rg-x", [{"principalId": "app"}])
    az.answer(
        "role assignment list --all --assignee-object-id app --subscription gone",
        [
            {"id": "/a/1", "scope": "/subscriptions/GONE"},
            {"id": "/a/2", "scope": "/subscriptions/gone/resourceGroups/g"},
        ],
    )
    az.answer("group show --name rg-x-events", {"tags": {"azd-env-name": "x"}})
    az.run("preprovision")
    assert [call.split(" --only")[0] for call in az.changes] == [
        "az role assignment delete --ids /a/1 /a/2",
        "az group delete --name rg-x-events --subscription gone --yes",
    ]


def test_roles_of_an_installation_with_a_longer_name_are_anothers(az: Recorded) -> None:
    others = [ROLE | {"roleName": f"Private Link Autopilot DNS writer ({name})"} for name in ("x-2", "prod x", "y")]
    az.answer("role definition list", [one | {"assignableScopes": ["/subscriptions/gone"]} for one in others])
    az.answer("identity list", [{"principalId": "app"}])
    az.answer("role assignment list", [{"id": "/a/1", "scope": "/subscriptions/gone"}])
    az.run("preprovision")
    assert az.changes == []


def test_the_deleted_vault_of_this_installation_is_recovered_and_no_other(az: Recorded) -> None:
    def vault(name: str, tag: str, place: str) -> dict[str, Any]:
        return {"name": name, "properties": {"tags": {"azd-env-name": tag}, "location": place}}

    az.answer(
        "keyvault list-deleted",
        [vault("kv1", "x", "East US 2"), vault("kv2", "x", "westeurope"), vault("kv3", "y", "eastus2")],
    )
    answer = az.run("preprovision")
    assert [call.split(" --only")[0] for call in az.changes] == [
        "az group create --name rg-x --tags azd-env-name=x --location eastus2 --subscription s",
        "az keyvault recover --name kv1 --location eastus2 --subscription s",
    ]
    assert "Recovering the vault kv1" in answer.stdout
