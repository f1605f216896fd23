"""The Elastic Cloud organizations that the app has keys of, one client each. Made by `app`, used by the use cases.

Making a client opens no connection; an organization whose key is refused, or that does not answer, holds up only what
is asked of it.
"""

from __future__ import annotations

from collections.abc import ItemsView, Mapping

from shared.core.model.errors import Blocked
from shared.core.model.organizations import DEFAULT, key_setting
from shared.core.model.reasons import Reason
from shared.core.ports import PrivateConnections


class Organizations:
    """One client for each organization, by its name."""

    def __init__(self, clients: Mapping[str, PrivateConnections]) -> None:
        self._clients = dict(clients)

    def of(self, name: str) -> PrivateConnections:
        """The client of an organization, empty for the default one; Blocked where the settings have no key of it."""
        found = self._clients.get(name or DEFAULT)
        if found is not None:
            return found
        name = name or DEFAULT
        named = "" if name == DEFAULT else f" Name {name} in ELASTIC_ORGANIZATIONS again, with its settings."
        raise Blocked(
            f"The settings have no API key of the Elastic Cloud organization {name}, in which this was made.",
            reason=Reason.ORGANIZATION_NOT_CONFIGURED,
            on=name,
            next_step=f"Set {key_setting(name)}.{named}",
        )

    def __contains__(self, name: str) -> bool:
        return (name or DEFAULT) in self._clients

    def items(self) -> ItemsView[str, PrivateConnections]:
        """Every organization and its client, in the order of the settings."""
        return self._clients.items()

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()
