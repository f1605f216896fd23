"""The switches of the vault; read at every request, so that a test or a person may change them at any time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class VaultSettings:
    """What goes wrong at the vault. The codes are those that users' reports quote."""

    app_may_read: bool = True
    """Whether the app's identity has the role Key Vault Secrets User; a person may do everything."""
    behind_firewall: bool = False
    """Whether the firewall lets the app not through: 403 ForbiddenByFirewall, to every caller."""
    throttled: bool = False
    """429, as after 4,000 requests in 10 seconds."""
    unavailable: int = 0
    """A status that every request is answered with; 0: none."""
    hang_seconds: float = 0.0
    """How long an answer takes."""
    purge_protection: bool = True
    """Whether what was deleted cannot be purged before its days are over; as the templates make the vault."""
