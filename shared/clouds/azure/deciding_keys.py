"""The keys of those who may decide: which name a key belongs to. From settings, and from the vault where there is one.

Asked by the HTTP triggers for each request that changes something; built by `composition`. The vault is read every
5 minutes, and at most every 30 seconds for a key that is not known: one that is stored or withdrawn counts soon.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.clouds.azure.vault import Vault
from shared.core.model.callers import deciding_name, deciding_secret
from shared.core.model.errors import AutopilotError, Forbidden, RetryLater

SOON, LATER = timedelta(seconds=30), timedelta(minutes=5)
"""Between two reads of the vault: for a key that is not known, and else."""
MOST = 100
"""Keys that are read from the vault at most, in the order of their names."""
SHORTEST = 20
"""Letters of a key, at least, as in a setting; a shorter secret is no key."""


class DecidingKeys:
    """All of them. Callers side by side share one read of the vault."""

    def __init__(self, given: Mapping[str, str], vault: Vault | None, clock: Clock) -> None:
        """`given`: the keys that settings hold, by name."""
        self._given, self._vault, self._clock = given, vault, clock
        self._stored: Mapping[str, str] = {}
        self._read_at: datetime | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"DecidingKeys({sorted({*self._given, *self._stored})!r})"

    async def owner(self, key: str) -> str | None:
        """The name of this key; None: no such key is known. Raises RetryLater while the vault was never read."""
        if not key:
            return None
        await self._look(LATER)
        found = self._find(key)
        if found is None:
            await self._look(SOON)
            found = self._find(key)
        return found

    async def names(self) -> tuple[str, ...]:
        """The names of all keys; raises RetryLater where the vault cannot be read."""
        await self._look(LATER)
        return tuple(sorted({*self._given, *self._stored}))

    def _find(self, key: str) -> str | None:
        # Every key is compared, each in constant time: the answer's time tells nothing.
        known = {**self._stored, **self._given}
        found = [name for name, value in known.items() if hmac.compare_digest(value.encode(), key.encode())]
        return found[0] if found else None

    async def _look(self, age: timedelta) -> None:
        if self._vault is None:
            return
        async with self._lock:
            now = self._clock.now()
            if self._read_at is not None and now - self._read_at < age:
                return
            try:
                self._stored = await self._read(self._vault)
            except Forbidden as error:
                self._keep_or_raise(_unreadable(self._vault, error))
            except AutopilotError as error:
                self._keep_or_raise(error)
            self._read_at = now

    def _keep_or_raise(self, error: AutopilotError) -> None:
        """Keys that were read stay in use while the vault cannot be read."""
        if self._read_at is None:
            raise error

    @staticmethod
    async def _read(vault: Vault) -> dict[str, str]:
        secrets = sorted(await vault.names(deciding_secret()))[:MOST]
        values = await asyncio.gather(*map(vault.secret, secrets))
        named = ((deciding_name(secret), (value or "").strip()) for secret, value in zip(secrets, values, strict=True))
        return {name: value for name, value in named if name and len(value) >= SHORTEST}


def _unreadable(vault: Vault, error: Forbidden) -> RetryLater:
    return RetryLater(
        f"Key vault {vault.options.name} does not let the app read the keys of those who may decide.",
        on=error.on,
        next_step=error.next_step,
        after=SOON.total_seconds(),
    )
