"""A thing that the app makes, and what is kept of it in a row of its own: whether we made it, for which connections.

Zones, links and `*` records each have a row, written before the request that makes them; a marker can be copied by a
person, a row cannot. Stored by `installation.things`; asked by the plan of a removal (`planning.removal_dns`) and
before a `*` record is handed over or deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.core.model.arm_ids import lower_case

YOUNG = timedelta(minutes=2)
"""A `*` record that was written less than this ago is neither handed over nor deleted: a read of its holder by id may
still answer as it was before ("404 on what was just created")."""


class ThingState(StrEnum):
    """What a thing's row says of it."""

    INTENDED = "intended"
    """We were about to make it: it is ours if it is there with our marker."""
    MADE = "made"
    RECOVERED = "recovered"
    """It has our marker and had no row: used and kept right, removed only once a person confirmed it."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What is kept of one thing."""

    scope: str
    """What it is listed with: the id of its zone, or the organization."""
    id: str
    state: ThingState = ThingState.INTENDED
    connections: tuple[str, ...] = ()
    """Ids of those that it was made for."""
    version: str = ""
    """Its ETag when it was last written or first seen so."""
    stored_at: datetime | None = field(default=None, compare=False)
    """When the row was last written, by the storage service's clock; None: not stored yet."""
    read_at: datetime | None = field(default=None, compare=False)
    """The service's time when the row was read."""
    etag: str | None = field(default=None, compare=False)
    """The row's own version."""
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What this version does not know in the row's document; it stays there."""
    columns: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The same of its columns."""
    newer: bool = field(default=False, compare=False)
    """A newer version of the app wrote the row: it stays as it is, and says nothing to this one."""

    @property
    def ours(self) -> bool:
        """Whether we made it, or a person confirmed that it is ours."""
        return self.state in {ThingState.INTENDED, ThingState.MADE}

    @property
    def known_by_marker(self) -> bool:
        """Whether its marker alone says that it is ours: only who may write DNS records can write that."""
        return lower_case(self.id).endswith(("/a/*", WAITING))

    @property
    def unconfirmed(self) -> bool:
        """Whether it waits for a person's word before it may be removed."""
        return self.state is ThingState.RECOVERED and not self.known_by_marker

    def for_connection(self, connection_id: str) -> Thing:
        """The same, made for one more."""
        return replace(self, connections=tuple(dict.fromkeys((*self.connections, connection_id))))

    def seconds_too_young(self, version: str) -> float | None:
        """How long until this version counts as old enough to be taken away; None: it is not the one on record."""
        if version != self.version or self.stored_at is None or self.read_at is None:
            return None
        return max(0.0, (YOUNG - (self.read_at - self.stored_at)).total_seconds())


WAITING = "#waiting"
"""After a record's or a zone's id: the row of the endpoints that wait for it, whose ids stand where connections do."""

WAITING_MAX = 50


Things = Mapping[str, Thing]
"""Rows by the lower-cased id of the thing."""
