"""The vault's client over the real SDK: what each answer of a vault means to the app."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from local.arm.transport import AsgiArmTransport
from local.clock import LoopClock
from local.vault import KeyVault
from shared.clouds.azure.vault import Vault, VaultOptions
from shared.core.model.errors import AutopilotError, Forbidden, RetryLater
from shared.core.model.reasons import Reason
from tests.harness.platform_parts import Credential

OWN_NAME = "https://secrets.corp.example"


class NoToken(Credential):
    """An identity that the app has not."""

    async def get_token(self, *_: Any, **__: Any) -> Any:
        raise ClientAuthenticationError("ManagedIdentityCredential authentication unavailable")


@pytest.fixture
async def local_vault() -> KeyVault:
    vault = KeyVault(LoopClock())
    vault.store("elastic-api-key", "a-key")
    return vault


def opened(local: KeyVault, url: str = "https://kv-1.vault.azure.net", **options: Any) -> Vault:
    credential = options.pop("credential", Credential)
    return Vault(VaultOptions(url, **options), credential, lambda: AsgiArmTransport(local.app))


async def refusal(vault: Vault) -> AutopilotError:
    with pytest.raises(AutopilotError) as refused:
        await vault.secret("elastic-api-key")
    return refused.value


async def test_the_token_goes_to_no_address_outside_the_domain_that_the_vault_names(local_vault: KeyVault) -> None:
    error = await refusal(opened(local_vault, OWN_NAME))
    assert isinstance(error, Forbidden)
    assert error.reason is Reason.ELASTIC_KEY_MISSING
    assert "ELASTIC_KEY_VAULT_DOMAIN_CHECK" in error.next_step
    assert local_vault.reads == []


async def test_a_vault_with_a_name_of_its_own_is_read_when_the_setting_says_so(local_vault: KeyVault) -> None:
    assert await opened(local_vault, OWN_NAME, check_domain=False).secret("elastic-api-key") == "a-key"


async def test_an_identity_that_gets_no_token_leaves_the_key_missing_with_what_to_do(local_vault: KeyVault) -> None:
    error = await refusal(opened(local_vault, credential=NoToken))
    assert isinstance(error, Forbidden)
    assert error.reason is Reason.ELASTIC_KEY_MISSING
    assert "AZURE_CLIENT_ID" in error.next_step


async def test_a_vault_that_hangs_is_asked_again_later(local_vault: KeyVault) -> None:
    local_vault.settings.hang_seconds = 60
    assert isinstance(await refusal(opened(local_vault, timeout=5.0)), RetryLater)


async def test_after_it_was_closed_the_client_is_made_anew(local_vault: KeyVault) -> None:
    vault = opened(local_vault)
    assert await vault.secret("elastic-api-key") == "a-key"
    await vault.aclose()
    assert await vault.secret("elastic-api-key") == "a-key"
