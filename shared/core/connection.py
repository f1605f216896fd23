"""A connection's record: all that the app keeps for one endpoint, and its form as JSON.

Made by `reconcile`, stored by `state` as one document, shown over HTTP. It is a cache and a diary, never the truth:
Azure and Elastic are read again before anything is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from shared.core.arm_ids import connection_id
from shared.core.conditions import Condition, Phase
from shared.core.errors import InvalidInput
from shared.core.private_urls import PrivateUrl

if TYPE_CHECKING:
    from cattrs import Converter

SCHEMA = 1
"""Version of the document; a newer one is refused, an older one would be migrated on read."""


class UnreadableRecord(InvalidInput):
    """A record that this version of the app cannot read; no caller's fault."""


class Owner(StrEnum):
    """Whose a thing is."""

    OURS = "ours"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Owned:
    """A thing in Azure that the connection uses."""

    id: str
    owner: Owner


@dataclass(frozen=True, slots=True)
class PolicyMemory:
    """What is known of the connection's policy. `intent_at` without `id`: a create was begun and its end is unknown."""

    id: str = ""
    owner: Owner | None = None
    intent_at: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AssociationMemory:
    """An association of the policy with a deployment. `owner` None: begun, its end is unknown."""

    deployment_id: str
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class DeploymentMemory:
    """A deployment the connection serves, with the private URLs to use."""

    id: str
    name: str
    urls: tuple[PrivateUrl, ...] = ()


@dataclass(frozen=True, slots=True)
class VerdictMemory:
    """The last health check of one host."""

    host: str
    status: str
    reason: str
    checked_at: datetime
    stages: tuple[tuple[str, float], ...] = ()
    """Name and duration in milliseconds of each stage."""
    addresses: tuple[str, ...] = ()
    """What the name resolved to."""
    service: str = "elasticsearch"
    """What should answer there, as the Elastic Cloud API calls it."""
    cause: str = ""
    next_step: str = ""
    """Empty, as `cause` is, when the check was good."""


@dataclass(frozen=True, slots=True)
class Connection:
    """All that is kept for one endpoint."""

    endpoint_id: str
    name: str = ""
    guid: str = ""
    region: str = ""
    alias: str = ""
    location: str = ""
    vnet_id: str = ""
    address: str = ""
    zone: Owned | None = None
    links: tuple[Owned, ...] = ()
    record: Owned | None = None
    record_addresses: tuple[str, ...] = ()
    policy: PolicyMemory = PolicyMemory()
    associations: tuple[AssociationMemory, ...] = ()
    deployments: tuple[DeploymentMemory, ...] = ()
    conditions: tuple[Condition, ...] = ()
    checks: tuple[VerdictMemory, ...] = ()
    phase: Phase = Phase.PROVISIONING
    generation: int = 0
    """Counts the runs that wrote this record."""
    attempts: int = 0
    """Runs in a row that ended in waiting for the same thing; the delay to the next grows with it."""
    first_seen: datetime | None = None
    pending_since: datetime | None = None
    ready_since: datetime | None = None
    observed_at: datetime | None = None
    """When everything was last read in full."""
    wake_at: datetime | None = None
    """When the loop will look again by itself; None: only an event, a person or the timer wakes it."""
    elastic_not_before: datetime | None = None
    """Elastic Cloud asked not to be called before this moment."""
    missing_since: datetime | None = None
    """When the endpoint was first found gone."""
    mode: str = ""
    """What the endpoint asked for when it was last read (`modes.asked_mode`); it still holds when it is gone."""
    planned: tuple[str, ...] = ()
    """The steps that the last run would have taken, had its mode let it."""
    schema: int = SCHEMA

    @property
    def id(self) -> str:
        """The connection id that URLs show."""
        return connection_id(self.endpoint_id)

    def condition(self, type_: str) -> Condition | None:
        """One of its conditions."""
        return next((condition for condition in self.conditions if condition.type == type_), None)

    def reborn(self) -> Connection:
        """What is left of the record when the endpoint was made anew under its old name: names and DNS."""
        return Connection(
            self.endpoint_id,
            name=self.name,
            region=self.region,
            alias=self.alias,
            zone=self.zone,
            links=self.links,
            record=self.record,
            conditions=self.conditions,
            phase=self.phase,
            generation=self.generation,
            first_seen=self.first_seen,
            mode=self.mode,
        )

    def with_association(self, memory: AssociationMemory) -> Connection:
        """The same with one association remembered or updated."""
        others = self.without_association(memory.deployment_id).associations
        return replace(self, associations=(*others, memory))

    def without_association(self, deployment_id: str) -> Connection:
        """The same with one association forgotten."""
        kept = tuple(known for known in self.associations if known.deployment_id != deployment_id)
        return replace(self, associations=kept)


@cache
def _converter() -> Converter:
    # Loaded when first used: a trigger that only enqueues starts without it.
    from cattrs.preconf.json import make_converter  # noqa: PLC0415 - see above

    return make_converter()


def to_document(connection: Connection) -> dict[str, Any]:
    """The record as JSON values."""
    return cast("dict[str, Any]", _converter().unstructure(connection))


def from_document(document: Mapping[str, Any]) -> Connection:
    """Read a record back; raises UnreadableRecord for one that a newer version of the app wrote, or a damaged one."""
    schema = document.get("schema")
    if schema != SCHEMA:
        raise UnreadableRecord(
            f"This connection's record has schema {schema}; this version of the app knows {SCHEMA}.",
            on=str(document.get("endpoint_id", ""))[:300],
            next_step="Deploy the newer version of the app again.",
        )
    from cattrs.errors import BaseValidationError  # noqa: PLC0415 - see _converter

    try:
        return _converter().structure(document, Connection)
    except (BaseValidationError, KeyError, TypeError, ValueError) as error:
        raise UnreadableRecord(
            "This connection's record is damaged.",
            on=str(document.get("endpoint_id", ""))[:300],
            next_step="Delete the row; the next sweep rebuilds it from Azure and Elastic.",
        ) from error
