"""The app settings that the templates make: the app knows them, needs no more, and no secret is among them."""

from __future__ import annotations

import re

import pytest

from shared.core.model.organizations import DEFAULT, key_secret, scope_setting
from shared.settings import descriptions, load
from shared.state.storage_settings import storage_settings
from tests.infra.shipped import INFRA, bicep, parameter_file
from tests.infra.shipped import load as load_json

PLATFORM = {
    "AzureWebJobsStorage__blobServiceUri",  # the host's own state
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_ISOLATE_WORKER_DEPENDENCIES",
    "AZURE_AUTHORITY_HOST",  # read by azure-identity
}
"""Settings that the Functions host, its worker or a library reads, not the product."""
VALUES = {
    "AzureWebJobsStorage__queueServiceUri": "https://st1.queue.core.windows.net/",
    "AzureWebJobsStorage__tableServiceUri": "https://st1.table.core.windows.net/",
    "AzureWebJobsStorage__credential": "managedidentity",
    "AZURE_RESOURCE_MANAGER_URL": "https://management.azure.com/",
    "AZURE_RESOURCE_MANAGER_AUDIENCE": "https://management.azure.com/",
    "AZURE_SUBSCRIPTIONS": "00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002",
    "AZURE_RESOURCE_GROUPS": "*",
    "AZURE_CLIENT_ID": "00000000-0000-0000-0000-00000000000c",
    "ELASTIC_KEY_VAULT_URI": "https://kv-production.vault.azure.net/",
    "DEFAULT_ORGANIZATION": "true",
    "INSTANCE_ID": "production",
    "ELASTIC_CLAIM": "false",
    "REMOVAL_GRACE_SECONDS": "600",
    "REMOVAL_LIMIT": "",
    "ASSOCIATION_RESTORES": "3",
    "APP_VNET": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-production/providers/"
    "Microsoft.Network/virtualNetworks/vnet-production",
}
"""What the templates' expressions come to; those that are not here are empty unless they are given."""


def shipped_settings() -> dict[str, str]:
    """Name -> Bicep expression of every app setting that the templates make."""
    platform = re.search(r"var platform = \{(.*?)^\}", bicep("app/function.bicep"), re.DOTALL | re.MULTILINE)
    product = re.search(r"settings: union\(\s*\{(.*?)\n +\},", bicep("main.bicep"), re.DOTALL)
    assert platform is not None
    assert product is not None
    return dict(re.findall(r"^\s+(\w+): (.+)$", platform[1] + product[1], re.MULTILINE))


def test_every_app_setting_of_the_templates_is_known_and_every_required_one_is_made() -> None:
    shipped, known = set(shipped_settings()), {setting.name for setting in descriptions()}
    storage = {name for name in shipped if name.startswith("AzureWebJobsStorage__")} - PLATFORM
    assert shipped - known - storage == PLATFORM
    assert {setting.name for setting in descriptions() if setting.default is None} <= shipped
    # Without the client id the host would look for an identity of the system's.
    assert {name.removeprefix("AzureWebJobsStorage__") for name in storage} >= {"credential", "clientId"}
    assert storage_settings({name: VALUES.get(name, "") for name in storage})[1] == ()


def test_the_settings_that_the_templates_make_are_accepted() -> None:
    settings = load({name: VALUES.get(name, "") for name in shipped_settings()})
    assert settings.azure.arm_url == "https://management.azure.com"
    assert settings.installation.instance_id == "production"


def test_what_a_deployer_does_not_choose_is_as_the_app_has_it_by_itself() -> None:
    given = dict(re.findall(r"^param (\w+) \w+ = (.+)$", bicep("main.bicep"), re.MULTILINE))
    own = {setting.name: setting.default for setting in descriptions()}
    compared = {}
    for name, expression in shipped_settings().items():
        parameter = re.fullmatch(r"(?:string\()?(\w+)(?:\)| \? 'true' : 'false')?", expression)
        if parameter is not None and parameter[1] in given and name in own:
            compared[name] = given[parameter[1]].strip("'")
    assert {"MODE", "ON_DELETE", "REMOVAL_LIMIT", "ELASTIC_CLAIM", "ELASTIC_LAST_POLICY_ALLOWED"} <= set(compared)
    assert compared == {name: own[name] for name in compared}


def test_no_setting_holds_a_secret_or_refers_to_one_because_the_app_reads_the_vault_itself() -> None:
    secret = {setting.name for setting in descriptions() if setting.secret}
    assert not secret & set(shipped_settings())
    assert [path.name for path in INFRA.rglob("*.bicep") if "@Microsoft.KeyVault" in path.read_text("utf-8")] == []
    assert shipped_settings()["ELASTIC_KEY_VAULT_URI"] == "vaultUri"
    assert "output uri string = vault.properties.vaultUri" in bicep("app/vault.bicep")


def test_the_vault_s_secret_has_the_name_that_the_app_reads() -> None:
    assert key_secret(DEFAULT) == load_json("names.json")["elasticKeySecret"]


@pytest.mark.parametrize("name", ["eu", "eu-west-2"])
def test_an_organizations_setting_has_the_name_that_the_app_reads(name: str) -> None:
    text = bicep("app/function.bicep")
    (arguments,) = re.findall(r"^var scopes = toObject\((.*?)\)$", text, re.DOTALL | re.MULTILINE)
    arguments = arguments.replace("replace(one.name, '-', '_')", "NAME")
    setting, value = re.findall(r"one => (.+?)(?:,\s|\s*$)", arguments)
    assert (evaluated(setting, name), value) == (scope_setting(name), "one.scope")
    assert "properties: union(platform, scopes, settings)" in text


def evaluated(expression: str, name: str) -> str:
    """A Bicep string for an organization of this name."""
    values = {"toUpper(NAME)": name.upper().replace("-", "_"), "one.name": name}
    return re.sub(r"\$\{(.+?)\}", lambda match: values[match[1]], expression).strip("'")


@pytest.mark.parametrize("template", sorted(path.relative_to(INFRA).as_posix() for path in INFRA.rglob("*.bicep")))
def test_no_secret_is_in_a_default_or_an_output(template: str) -> None:
    text = bicep(template)
    secure = re.findall(r"@secure\(\)\s*(?:@[^\n]*\n\s*)*param \w+ string(?: = (.+))?", text)
    assert [default for default in secure if default not in {"", "''"}] == []
    unprotected = re.findall(r"^param (\w*(?:key|secret|password|token)\w*) string", text, re.IGNORECASE | re.MULTILINE)
    assert [name for name in unprotected if not re.search(rf"@secure\(\)[^=]*?param {name} ", text)] == []
    outputs = re.findall(r"^output .*$", text, re.MULTILINE)
    secrets = re.findall(r"@secure\(\)[^=]*?param (\w+) ", text)
    telling = rf"list\w*(Keys|Secrets|Sas)|\.keys\b|\.value\b|{'|'.join([*secrets, 'secret.properties'])}"
    assert [line for line in outputs if re.search(telling, line)] == []


def test_the_parameter_file_gives_every_value_by_environment_and_knows_only_parameters() -> None:
    given = parameter_file()
    declared = set(re.findall(r"^param (\w+)", bicep("main.bicep"), re.MULTILINE))
    assert set(given) == declared - {"packageUrl"}, "which azd does not choose"
    read = {name: set(re.findall(r"readEnvironmentVariable\('(\w+)'", value)) for name, value in given.items()}
    two = {"privateAccess": "EVENT_DELIVERY", "privateAccessZones": "APP_SUBNET_ID"}
    assert {name: len(variables) for name, variables in read.items()} == {
        name: 0 if name == "appSettings" else 1 + (name in two) for name in given
    }
    assert [name for name, other in two.items() if other not in read[name]] == [], "what the default hangs on"
    assert given["ecApiKey"] == "readEnvironmentVariable('EC_API_KEY', '')"


def test_storage_and_vault_are_closed_as_promised() -> None:
    storage, vault, site = bicep("app/storage.bicep"), bicep("app/vault.bicep"), bicep("app/function.bicep")
    for line in ("allowSharedKeyAccess: false", "allowBlobPublicAccess: false", "minimumTlsVersion: 'TLS1_2'"):
        assert line in storage
    # Event Grid has no private way in: the account stays open to it wherever it writes there.
    assert "eventGridWrites: topicsIdentity != 'None'" in bicep("app/data.bicep")
    assert "enableRbacAuthorization: true" in vault
    assert "DisableLocalAuth: true" in bicep("app/logs.bicep")
    assert "version: '3.12'" in site
    assert "allow: false" in site


def test_the_app_may_publish_to_the_topic_of_notifications_and_only_where_one_is_given() -> None:
    main, topic = bicep("main.bicep"), bicep("app/notification-topic.bicep")
    assert "module notifications 'app/notification-topic.bicep' = if (!empty(notificationTopicId))" in main
    assert "param notificationTopicId string = ''" in main
    assert shipped_settings()["NOTIFY_TOPIC_ENDPOINT"] == "notifications.?outputs.endpoint ?? ''"
    assert re.findall(r"Microsoft\.EventGrid/topics@\S+ existing", topic)
    assert "scope: topic\n" in topic
    assert "loadJsonContent('../built-in-roles.json').eventGridDataSender" in topic


@pytest.mark.parametrize("template", sorted(path.relative_to(INFRA).as_posix() for path in INFRA.rglob("*.bicep")))
def test_name_and_place_of_what_may_be_left_out_can_be_worked_out_all_the_same(template: str) -> None:
    """Azure does it before it looks at the condition: the third part of an empty id fails the whole deployment.

    Source: https://github.com/Azure/azure-resource-manager-schemas/issues/1067.
    """
    conditional = re.findall(r"^\w+ \w+ \S+ = if \(.*?^}", bicep(template), re.DOTALL | re.MULTILINE)
    places = [line for one in conditional for line in re.findall(r"^  (?:scope|name): .+$", one, re.MULTILINE)]
    assert [line for line in places if "split(" in line] == []
