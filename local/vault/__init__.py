"""A key vault on this machine: secrets over the REST interface of Azure Key Vault, for the real SDK and for curl."""

from local.vault.cloud import AUDIENCE, KeyVault
from local.vault.settings import VaultSettings

__all__ = ["AUDIENCE", "KeyVault", "VaultSettings"]
