"""Holds resources by id and decides who sees them when: the 404-after-create window and stale lists live here."""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from local.arm.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from local.arm.ids import ResourcePath
    from local.arm.settings import ArmSettings
    from local.clock import LoopClock

T = TypeVar("T", bound=Resource)


@dataclass
class _Entry(Generic[T]):
    resource: T
    added_at: datetime
    hidden_until: datetime | None = None
    removed_at: datetime | None = None


class Store(Generic[T]):
    """Resources of one type, keyed by lower-cased id."""

    def __init__(self, clock: LoopClock, settings: ArmSettings) -> None:
        self._clock, self._settings = clock, settings
        self._entries: dict[str, _Entry[T]] = {}
        self._removed: list[_Entry[T]] = []

    def snapshot(self) -> dict[str, _Entry[T]]:
        """All that there is, as it is now, for `shown_as`."""
        return deepcopy(self._entries)

    @contextmanager
    def shown_as(self, entries: dict[str, _Entry[T]]) -> Iterator[None]:
        """Let reads show what there was; nothing may be written meanwhile."""
        present, self._entries = self._entries, entries
        try:
            yield
        finally:
            self._entries = present

    def __iter__(self) -> Iterator[T]:
        return iter([entry.resource for entry in self._entries.values()])

    def add(self, resource: T, *, hidden_seconds: float = 0) -> None:
        """A new resource, invisible to callers for a while if asked for."""
        now = self._clock.now()
        hidden = now + timedelta(seconds=hidden_seconds) if hidden_seconds > 0 else None
        self._entries[resource.id.lower()] = _Entry(resource, now, hidden)

    def remove(self, resource: T) -> None:
        """Forget a resource; lists may go on showing it for `stale_list_seconds`."""
        entry = self._entries.pop(resource.id.lower(), None)
        if entry is not None and self._settings.stale_list_seconds > 0:
            entry.removed_at = self._clock.now()
            self._removed.append(entry)

    def rename(self, resource: T, path: ResourcePath) -> None:
        """The same resource at another place, at once."""
        entry = self._entries.pop(resource.id.lower())
        resource.path = path
        self._entries[resource.id.lower()] = entry

    def get(self, resource_id: str) -> T | None:
        """What there is, whether callers can see it or not."""
        entry = self._entries.get(resource_id.lower())
        return None if entry is None else entry.resource

    def seen(self, resource_id: str) -> T | None:
        """What a single read sees."""
        entry = self._entries.get(resource_id.lower())
        return None if entry is None or self._hidden(entry) else entry.resource

    def below(self, parent_id: str) -> list[T]:
        """All that there is below a resource, whether callers can see it or not."""
        start = parent_id.lower() + "/"
        return [entry.resource for key, entry in self._entries.items() if key.startswith(start)]

    def listed(self, prefix: str) -> list[T]:
        """What a list of everything below `prefix` sees, by id."""
        as_of = self._clock.now() - timedelta(seconds=self._settings.stale_list_seconds)
        self._removed = [entry for entry in self._removed if entry.removed_at and entry.removed_at > as_of]
        start = prefix.lower().rstrip("/") + "/"
        entries = [entry for key, entry in self._entries.items() if key.startswith(start)]
        entries += [entry for entry in self._removed if entry.resource.id.lower().startswith(start)]
        if self._settings.stale_list_seconds > 0:
            entries = [entry for entry in entries if entry.added_at <= as_of]
        shown = [entry.resource for entry in entries if not self._hidden(entry)]
        return sorted(shown, key=lambda resource: resource.id.lower())

    def _hidden(self, entry: _Entry[T]) -> bool:
        return entry.hidden_until is not None and self._clock.now() < entry.hidden_until
