"""The settings of the local function app: what it starts with, and what a person has changed since.

Used by `local.cli.stack`; `local.cli.backstage` changes them for the command `setting`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from local.arm import DEFAULT_SUBSCRIPTION
from local.identity import APP_CLIENT_ID
from shared.core.model.errors import InvalidSettings
from shared.settings import descriptions, load

APP_SETTINGS = {
    "AZURE_SUBSCRIPTIONS": DEFAULT_SUBSCRIPTION,
    "ELASTIC_DEPLOYMENTS_ALLOWED": "*",
    "INSTANCE_ID": "local",
    "AZURE_CLIENT_ID": APP_CLIENT_ID,
    "ELASTIC_KEY_VAULT_DOMAIN_CHECK": "false",  # it is on this machine, in no domain of Azure's
    # Everything is near and quick here: look more often than in Azure.
    "WAIT_FIRST_SECONDS": "1",
    "WAIT_MAX_SECONDS": "5",
    "ARM_POLL_SECONDS": "0.5",
    "HEALTH_SCHEDULE": "*/20 * * * * *",
    "NOTIFY_AFTER_SECONDS": "10",
    "SHORT_LAG_ALLOWED": "true",
    "LAG_SECONDS": "10",
    "POLICY_SEARCH_SECONDS": "10",
    "VISIBILITY_SECONDS": "60",
    "REMOVAL_GRACE_SECONDS": "30",
}
"""App settings of the local function app; one of the same name in the environment wins."""

TIMES_AS_OFTEN = 15
"""How often the timer runs here while it runs once in Azure, where every five minutes are the default."""


class AppSettings:
    """`given`: addresses and keys, which are not to be chosen; asked whenever the app starts."""

    def __init__(self, app_vnet: str, given: Callable[[], Mapping[str, str]]) -> None:
        # As the templates do it, the app knows its own network, and no zone is linked to that.
        self._wanted = APP_SETTINGS | {"APP_VNET": app_vnet}
        self._given = given
        self._changed: dict[str, str] = {}

    def values(self) -> dict[str, str]:
        """What the app finds in its environment, as in Azure."""
        chosen = {name: os.environ.get(name, value) for name, value in self._wanted.items()}
        return chosen | dict(self._given()) | self._changed

    def change(self, changes: Mapping[str, str]) -> None:
        """Others from the app's next start on, "" as at the first; raises ValueError for what the app would refuse."""
        unknown = set(changes) - {one.name for one in descriptions()}
        if unknown:
            raise ValueError(f"the app has no setting {', '.join(sorted(unknown))}")
        before = self._changed
        self._changed = {name: value for name, value in (before | dict(changes)).items() if value}
        try:
            load(os.environ | self.values())
        except InvalidSettings as refused:
            self._changed = before
            raise ValueError(str(refused)) from None
