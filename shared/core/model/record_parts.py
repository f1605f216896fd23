"""Parts of a connection's record that are about no single service: identity, DNS, removal, schedule, status. Pure.

Each is reset as a part: a record that starts anew gets a new part. `record` puts them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.model.conditions import Condition, Explanation, Phase
from shared.core.model.ownership import Owned
from shared.core.model.reasons import Reason
from shared.core.model.resources import NamedRecords, NameResolution
from shared.core.model.services import Family

NAMES = 30
"""Names of a zone that a record keeps: a row has a size, and few zones of a service have any."""

REFUSED_FOR = timedelta(days=1)
"""How long a network is left alone that Azure did not let us link, and that need not be linked."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The endpoint as Azure described it when it was last read."""

    name: str = ""
    guid: str = ""
    former_guids: tuple[str, ...] = ()
    """Those that it had before it was recreated, the last `FORMER_GUIDS`: a policy may still name one."""
    region: str = ""
    """Azure region of the service that it connects to; with the family it names the service."""
    family: Family = Family.HOSTED
    alias: str = ""
    location: str = ""
    vnet_id: str = ""
    address: str = ""
    mode: str = ""
    """What the endpoint asked for when it was last read (`scope.asked_mode`); it still holds when it is gone."""
    on_delete: str = ""
    """What the endpoint's tag said about its removal: `cleanup` or `retain`; empty: as the settings say."""


@dataclass(frozen=True, slots=True)
class OperationMemory:
    """A long-running operation in Azure that a run began and did not see end: only Azure knows why it fails."""

    step: str
    url: str
    """Where Azure tells how it went; signed, so used as it came."""
    begun_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefusedNetwork:
    """A further network that Azure did not let us link: it has a zone that we cannot see, or does not exist."""

    vnet: str
    """Lower-cased id."""
    reason: Reason
    message: str = ""


@dataclass(frozen=True, slots=True)
class DnsState:
    """What the connection uses in Azure's private DNS."""

    zone: Owned | None = None
    links: tuple[Owned, ...] = ()
    record: Owned | None = None
    record_addresses: tuple[str, ...] = ()
    names: tuple[NamedRecords, ...] = ()
    """Names in the zone that hide the `*` record, the first `NAMES` of them."""
    resolution: NameResolution | None = None
    """Which networks answer the clients; None: not looked at yet."""
    linked: tuple[str, ...] = ()
    """Lower-cased ids of the networks that matter and are linked to the zone: also the app's own, if it is."""
    elsewhere: tuple[str, ...] = ()
    """Lower-cased ids of further networks that are to be linked and have another zone of the name."""
    refused: tuple[RefusedNetwork, ...] = ()
    """Further networks that Azure did not let us link, and that need not be linked."""
    refused_at: datetime | None = None
    """When the first of these was refused; after `REFUSED_FOR` they are tried again."""
    advice: tuple[Explanation, ...] = ()
    """What a person should know of the clients' names though nothing is wrong."""
    operations: tuple[OperationMemory, ...] = ()
    not_before: datetime | None = None
    """Azure asked that its private DNS be not called before this moment."""


@dataclass(frozen=True, slots=True)
class RemovalState:
    """How far an endpoint that Azure does not show is on its way to being removed (`deletion`)."""

    missing_since: datetime | None = None
    """When the endpoint was first found gone."""
    missed: int = 0
    """How many sweeps in a row have missed it."""
    missed_in: str = ""
    """Correlation id of the last of them: a message that is delivered twice counts once."""
    removing_since: datetime | None = None
    """When it was decided that the endpoint is gone: the grace period runs from here."""
    leftovers: tuple[str, ...] = ()
    """What the removal leaves, and why."""
    event_told: bool = False
    """Whether an event told the deletion since the endpoint was last seen."""
    absent_as: str = ""
    """Azure's code when the endpoint was last read by its id and not found."""
    tried_at: datetime | None = None
    """When what is left was last tried to be taken away."""
    tries: int = 0
    """How often it was: the next comes the later."""


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message of ours in the work queue: with both, it is replaced or withdrawn as long as no worker has taken it."""

    id: str
    receipt: str
    """Changes whenever the message is taken or replaced; an old one is refused."""


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """When the connection was looked at, and when it is looked at again."""

    wake_at: datetime | None = None
    """When the loop will look again by itself; None: only an event, a person or the timer wakes it."""
    wait: QueuedMessage | None = None
    """The message that will wake it: the next wait takes its place."""
    attempts: int = 0
    """Runs in a row that ended in waiting for the same thing; the delay to the next grows with it."""
    pending_since: datetime | None = None
    """Since when the endpoint waits for Elastic's approval."""
    observed_at: datetime | None = None
    """When everything was last read in full."""
    stale_since: datetime | None = None
    """Since when something cannot be read: what was known of it stands for a while (`stale`)."""
    answered: tuple[str, ...] = ()
    """What people asked for and a run has answered: the last operations (`core.model.operations`)."""


RESTORE_WINDOW = timedelta(days=7)
"""Within this time the removals count as one fight: long enough for a pipeline that runs once a day."""

RESTORED_THINGS = 20
REPAIRED_KEPT = 50


@dataclass(frozen=True, slots=True)
class Restored:
    """How often a thing of ours was put right lately, after others had changed or deleted it."""

    thing: str
    other_value: bool
    """Whether it had another value; else it was deleted."""
    at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordStatus:
    """How the connection stands, as a person reads it."""

    conditions: tuple[Condition, ...] = ()
    advice: tuple[Explanation, ...] = ()
    """What a person should know though nothing is wrong (`planning.advice`)."""
    phase: Phase = Phase.PROVISIONING
    generation: int = 0
    """Counts the runs that wrote this record."""
    first_seen: datetime | None = None
    ready_since: datetime | None = None
    planned: tuple[str, ...] = ()
    """The steps that the last run would have taken, had its mode let it."""
    restored: tuple[Restored, ...] = ()
    """What was put right within `RESTORE_WINDOW`, and since a person last asked for a run."""
    repaired: tuple[datetime, ...] = ()
    """When anything was put right in the last two days, the last `REPAIRED_KEPT` times."""
