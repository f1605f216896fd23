"""An organization's API key out of a secret of the vault, which the app reads by itself.

`transport` asks for the key with each request, and says when Elastic Cloud takes or refuses it. A key in a vault is
read every 5 minutes, every 30 seconds while it is missing or refused, and at once when it is first refused: a key that
a person stores or replaces works within a minute, without a restart. A key that was read stays in use while the vault
cannot be read; a secret that is deleted or disabled withdraws it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import MutableMapping
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.clouds.azure.vault import Vault
from shared.core.model.errors import AutopilotError, Forbidden
from shared.core.model.organizations import key_secret
from shared.core.model.reasons import Reason
from shared.core.reasons import explain

SOON, LATER = timedelta(seconds=30), timedelta(minutes=5)
"""Between two reads of the vault: while there is no key that works, and else."""
_KEY = re.compile(r"[!-~]+")
log = logging.getLogger("privatelink")


class VaultKey:
    """A key from the vault. Callers side by side share one read."""

    def __init__(self, vault: Vault, organization: str, clock: Clock, held: MutableMapping[str, str]) -> None:
        """`held`: the keys of all organizations, by name; shared, because no two may be the same."""
        self._vault, self._organization, self._clock, self._held = vault, organization, clock, held
        self._secret = key_secret(organization)
        self._lock = asyncio.Lock()
        self._key = ""
        self._is_refused = False
        self._problem: AutopilotError | None = None
        self._read_at: datetime | None = None
        self.renewal = f"store it: {self._command()}"

    def __repr__(self) -> str:
        return f"VaultKey({self._secret!r}, <secret>)"

    def _command(self) -> str:
        return (
            f"az keyvault secret set --vault-name {self._vault.options.name} --name {self._secret} --file FILE "
            "(FILE: the key alone)."
        )

    async def current(self) -> str:
        """The key that was read last, after another look at the vault where one is due."""
        async with self._lock:
            if self._is_due():
                await self._look()
            if self._key:
                return self._key
            raise self._problem or self._missing("holds no API key of Elastic Cloud")

    async def refused(self, key: str) -> str | None:
        """Look at the vault when a key is first refused, then as often as is due."""
        async with self._lock:
            if key == self._key:
                first, self._is_refused = not self._is_refused, True
                if first or self._is_due():
                    await self._look()
            if isinstance(self._problem, Forbidden):
                raise self._problem  # a new key in the vault would help nothing before this is mended
            return self._key if self._key and self._key != key else None

    def accepted(self) -> None:
        """The key works: the next look at the vault has time."""
        self._is_refused = False

    async def read(self) -> None:
        """Look at the vault where that is due, and tell what is wrong with it."""
        async with self._lock:
            if self._is_due():
                await self._look()
            if self._problem is not None:
                raise self._problem

    def _is_due(self) -> bool:
        works = self._key and not self._is_refused and self._problem is None
        return self._read_at is None or self._clock.now() - self._read_at >= (LATER if works else SOON)

    async def _look(self) -> None:
        self._read_at = self._clock.now()
        try:
            found = await self._vault.secret(self._secret)
        except AutopilotError as error:
            self._set_problem(error)
            return
        key = (found or "").strip()
        same = next((name for name, one in self._held.items() if one == key and name != self._organization), None)
        if found is None:
            self._use("", self._missing("holds no API key of Elastic Cloud, or a disabled one"))
        elif not _KEY.fullmatch(key):
            self._use("", self._missing("holds a text that cannot be an API key of Elastic Cloud"))
        elif same is not None:
            # Under two names, one organization would get two policies for one endpoint.
            self._use("", self._missing(f"holds the same key as organization {same} has"))
        else:
            self._use(key, None)

    def _use(self, key: str, problem: AutopilotError | None) -> None:
        if key != self._key:
            self._key, self._is_refused = key, False
            log.info(
                "%s of key vault %s was read: %s", self._secret, self._vault.options.name, "new" if key else "none"
            )
        if key:
            self._held[self._organization] = key
        else:
            self._held.pop(self._organization, None)
        self._set_problem(problem)

    def _set_problem(self, problem: AutopilotError | None) -> None:
        if problem is not None and str(problem) != str(self._problem):
            log.warning("%s", problem)
        self._problem = problem

    def _missing(self, what: str) -> Forbidden:
        vault = self._vault.options
        message = f"Secret {self._secret} of key vault {vault.name} {what}."
        step = f"Store the key: {self._command()}"
        return Forbidden(explain(Reason.ELASTIC_KEY_MISSING, message, step), on=f"{vault.url}/secrets/{self._secret}")
