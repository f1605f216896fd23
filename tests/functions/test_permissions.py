"""Reading and deciding are separate: a function key reads; a deciding key, or the app role `Decide`, changes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from local.arm.transport import AsgiArmTransport
from local.clock import LoopClock
from local.vault import KeyVault
from shared.clouds.azure.deciding_keys import LATER, SOON, DecidingKeys
from shared.clouds.azure.vault import Vault, VaultOptions
from shared.core.model.errors import RetryLater
from shared.settings import load
from tests.functions.conftest import Provide
from tests.functions.http_parts import KNOWN
from tests.functions.trigger_parts import ENVIRONMENT, App, app_in_memory, call, routes
from tests.harness.estate import DECIDING_KEY
from tests.harness.platform_parts import Credential

KEY, OTHER = "key-of-ci-0000000000000001", "key-of-ci-0000000000000002"
OBJECT_ID = "6f9b1c11-0000-4000-8000-000000000001"
DECIDING = [route for route in routes() if str(route.method) != "GET"]


def principal(*roles: str, object_id: str = OBJECT_ID) -> dict[str, str]:
    """The header in which App Service tells who is signed in."""
    claims = [{"typ": "roles", "val": role} for role in roles]
    claims.append({"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": object_id})
    document = {"auth_typ": "aad", "claims": claims, "name_typ": "name", "role_typ": "roles"}
    return {"x-ms-client-principal": base64.b64encode(json.dumps(document).encode()).decode()}


async def pause(**options: Any) -> Any:
    return await call("set_pause", "/api/pause", body={"minutes": 5}, **options)


@pytest.mark.parametrize("route", DECIDING, ids=[route.function for route in DECIDING])
async def test_every_route_that_changes_something_refuses_a_caller_who_may_only_read(app: App, route: Any) -> None:
    connection = await app.keep(KNOWN)
    answer = await call(
        route.function, f"/api/{route.path}", body={}, connection=connection, method=str(route.method), deciding=""
    )
    assert (answer.status, answer.error["code"]) == (403, "DecisionNotPermitted")
    assert "x-autopilot-key" in answer.error["nextStep"]
    assert "AUTOPILOT_KEY_<NAME>" in answer.error["nextStep"]
    assert app.messages == []
    assert await app.storage.control.get("pause") is None


@pytest.mark.parametrize("route", [one for one in routes() if str(one.method) == "GET"], ids=lambda one: one.function)
async def test_every_other_route_asks_for_no_deciding_key(app: App, route: Any) -> None:
    del app
    assert not route.decides


async def test_a_key_that_is_not_known_is_refused_and_one_that_is_decides(app: App) -> None:
    wrong = await pause(deciding=DECIDING_KEY[:-1])
    assert (wrong.status, wrong.error["message"][:32]) == (403, "The key in the header x-autopilo")
    assert DECIDING_KEY[:-1] not in wrong.text
    assert (await pause(deciding=DECIDING_KEY)).status == 200
    assert await app.storage.control.get("pause") is not None


# -- the app role --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signed_in", "headers", "status"),
    [
        ("True", principal("Decide"), 200),
        ("True", principal("Reader", "Decide"), 200),
        ("True", principal("Reader"), 403),
        ("True", principal("decide"), 403),
        ("True", principal("Decide", object_id=""), 403),
        ("True", {"x-ms-client-principal": "no base64!"}, 403),
        ("True", {"x-ms-client-principal": base64.b64encode(b'["Decide"]').decode()}, 403),
        ("False", principal("Decide"), 403),
        ("", principal("Decide"), 403),
    ],
)
async def test_the_app_role_counts_only_where_the_platform_signs_callers_in(
    provided: Provide, signed_in: str, headers: dict[str, str], status: int
) -> None:
    app = app_in_memory(WEBSITE_AUTH_ENABLED=signed_in)
    provided(app.context)
    assert (await pause(headers=headers, deciding="")).status == status


async def test_the_journal_has_the_object_id_of_who_decided_and_no_name(provided: Provide) -> None:
    app = app_in_memory(WEBSITE_AUTH_ENABLED="True")
    provided(app.context)
    connection = await app.keep(KNOWN)
    body = {"decision": "move-organization", "organization": "default"}
    answer = await call(
        "decide_on_connection", body=body, connection=connection, headers=principal("Decide"), deciding=""
    )
    assert answer.status == 202
    journal = await call("get_journal", connection=connection)
    assert [one["step"] for one in journal.body["items"]] == [f"{OBJECT_ID} decided: move-organization default"]


# -- keys in the vault ---------------------------------------------------------------------------------------------


class VaultOfKeys:
    """The keys of a vault, with the real SDK."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.vault = KeyVault(self.clock, is_app=lambda _: True)
        options = VaultOptions("https://kv-1.vault.azure.net")
        self.keys = DecidingKeys(
            {"operator": DECIDING_KEY}, Vault(options, Credential, lambda: AsgiArmTransport(self.vault.app)), self.clock
        )


@pytest.fixture
def held() -> VaultOfKeys:
    return VaultOfKeys()


async def test_a_key_of_the_vault_has_the_name_of_its_secret(held: VaultOfKeys) -> None:
    held.vault.store("autopilot-key-ci", KEY)
    held.vault.store("elastic-api-key", OTHER)
    assert await held.keys.owner(KEY) == "ci"
    assert await held.keys.owner(DECIDING_KEY) == "operator"
    assert await held.keys.owner(OTHER) is None, "a secret of another name is no key of those who decide"
    assert await held.keys.names() == ("ci", "operator")


async def test_a_key_that_is_stored_counts_soon_and_one_that_is_withdrawn_for_minutes_at_most(
    held: VaultOfKeys,
) -> None:
    assert await held.keys.owner(KEY) is None
    held.vault.store("autopilot-key-ci", KEY)
    assert await held.keys.owner(KEY) is None, "the vault is not asked again for each key that is not known"
    await held.clock.sleep(SOON.total_seconds())
    assert await held.keys.owner(KEY) == "ci"
    held.vault.disable("autopilot-key-ci")
    await held.clock.sleep(LATER.total_seconds())
    assert await held.keys.owner(KEY) is None


async def test_a_vault_that_cannot_be_read_refuses_at_first_and_withdraws_nothing_later(held: VaultOfKeys) -> None:
    held.vault.store("autopilot-key-ci", KEY)
    held.vault.settings.app_may_read = False
    with pytest.raises(RetryLater, match="those who may decide"):
        await held.keys.owner(KEY)
    held.vault.settings.app_may_read = True
    assert await held.keys.owner(KEY) == "ci"
    held.vault.settings.unavailable = 503
    await held.clock.sleep(LATER.total_seconds())
    assert await held.keys.owner(KEY) == "ci"


@pytest.mark.parametrize("value", ["", "short", "x" * 19])
async def test_a_secret_that_is_too_short_is_no_key(held: VaultOfKeys, value: str) -> None:
    held.vault.store("autopilot-key-ci", value)
    assert await held.keys.owner(value) is None


# -- keys in settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AUTOPILOT_KEY_CI", "short", "at least 20"),
        ("AUTOPILOT_KEY_CI", "with a space in it, and long", "without spaces"),
        ("AUTOPILOT_KEY_CI", DECIDING_KEY, "a key of its own"),
        ("AUTOPILOT_KEY_" + "N" * 41, KEY, "at most 40"),
        ("AUTOPILOT_KEY_", KEY, "at most 40"),
    ],
)
def test_a_key_that_cannot_be_one_is_a_listed_problem_that_does_not_show_it(name: str, value: str, says: str) -> None:
    with pytest.raises(Exception, match=says) as refused:
        load(ENVIRONMENT | {name: value})
    assert value not in str(refused.value)


def test_no_text_of_the_keys_shows_one() -> None:
    settings = load(ENVIRONMENT | {"AUTOPILOT_KEY_CI": KEY})
    assert KEY not in repr(settings)
    assert KEY not in repr(DecidingKeys(settings.callers.keys, None, LoopClock()))
