"""A connection's record: all that the app keeps for one endpoint.

Made by `reconcile`, stored as one document (`connection_document`), shown over HTTP. It is a cache and a diary, never
the truth: Azure and Elastic are read again before anything is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.core.model.arm_ids import connection_id
from shared.core.model.conditions import REMOVED, Condition, Phase
from shared.core.model.notices import Notices
from shared.core.model.private_urls import PrivateUrl
from shared.core.model.reasons import Explanation, Reason

SCHEMA = 2
"""Version of the record's form; see `connection_document`."""


FORMER_GUIDS = 20


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
    guid: str = ""
    """The GUID that its rule had when it was last seen: what to replace when the endpoint is made anew."""


@dataclass(frozen=True, slots=True)
class AssociationMemory:
    """An association of the policy with a deployment. `owner` None: begun, its end is unknown."""

    deployment_id: str
    owner: Owner | None = None
    asked: str = ""
    """The wish that it fulfils, as it was written: a deployment may be renamed afterwards."""
    made_at: datetime | None = None
    """When it was last made by us."""
    seen: bool = False
    """Whether it stood when Elastic Cloud's lag was over: if it is not listed then, somebody has taken it away."""
    taken: tuple[datetime, ...] = ()
    """When it was put back after somebody had taken it away."""


@dataclass(frozen=True, slots=True)
class OperationMemory:
    """A long-running operation in Azure that a run began and did not see end: only Azure knows why it fails."""

    step: str
    url: str
    """Where Azure tells how it went; signed, so used as it came."""


@dataclass(frozen=True, slots=True)
class FormerAssociation:
    """An association of ours with somebody's policy that is no longer used: the endpoint was made anew."""

    policy_id: str
    deployment_id: str
    guid: str
    """The GUID that the endpoint had: if the policy has another by now, others come in by it."""


@dataclass(frozen=True, slots=True)
class ClaimMemory:
    """The organization's claim to the endpoint: while it stands no other organization can use its GUID."""

    region: str
    endpoint_name: str
    guid: str
    owner: Owner


@dataclass(frozen=True, slots=True)
class DeploymentMemory:
    """A deployment the connection serves, with the private URLs to use."""

    id: str
    name: str
    urls: tuple[PrivateUrl, ...] = ()


@dataclass(frozen=True, slots=True)
class UnservedMemory:
    """A deployment that is asked for and may not be connected, or not yet."""

    id: str
    name: str
    urls: tuple[PrivateUrl, ...] = ()
    policies: int | None = None
    """How many policies restrict who may connect to it; None: not known."""


@dataclass(frozen=True, slots=True)
class StandingVerdict:
    """A verdict that still counts though the last check said otherwise (`diagnosis.debounce`)."""

    status: str
    reason: Reason
    cause: str = ""
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class ReachedMemory:
    """The last time that the app could connect to the endpoint's address, and from where."""

    address: str
    network: str
    """Id of the network that the app was in, lower case; empty: not known."""
    at: datetime


@dataclass(frozen=True, slots=True)
class NetworkMemory:
    """What was read of the networks around an endpoint, to explain a check."""

    vnet_id: str
    read_at: datetime
    dns_servers: tuple[str, ...] = ()
    """Name servers of the endpoint's network, other than Azure's."""
    peered: bool | None = None
    """The app's network is the endpoint's or peered with it; None: not known."""
    app_dns_servers: tuple[str, ...] = ()
    """Name servers of the app's network, other than Azure's."""


@dataclass(frozen=True, slots=True)
class VerdictMemory:
    """The last health check of one host."""

    host: str
    status: str
    reason: Reason
    checked_at: datetime
    stages: tuple[tuple[str, float], ...] = ()
    """Name and duration in milliseconds of each stage."""
    addresses: tuple[str, ...] = ()
    """What the name resolved to."""
    service: str = "elasticsearch"
    """What should answer there, as the Elastic Cloud API calls it."""
    associated: bool = True
    """False: the deployment is only asked for; what is found tells what association would change, no more."""
    cause: str = ""
    next_step: str = ""
    recent: tuple[str, ...] = ()
    """The last results, newest first: status and reason."""
    standing: StandingVerdict | None = None
    """What counts instead of this check; None: this check does."""


@dataclass(frozen=True, slots=True)
class Connection:
    """All that is kept for one endpoint."""

    endpoint_id: str
    name: str = ""
    guid: str = ""
    former_guids: tuple[str, ...] = ()
    """Those that it had before it was made anew, the last `FORMER_GUIDS`: a policy may still name one."""
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
    claim: ClaimMemory | None = None
    associations: tuple[AssociationMemory, ...] = ()
    former: tuple[FormerAssociation, ...] = ()
    """Associations that go with the endpoint besides those with the policy in use."""
    deployments: tuple[DeploymentMemory, ...] = ()
    unserved: tuple[UnservedMemory, ...] = ()
    """Tested too, to find out what association would change; what comes of it makes no condition."""
    conditions: tuple[Condition, ...] = ()
    advice: tuple[Explanation, ...] = ()
    """What a person should know though nothing is wrong (`planning.advice`)."""
    checks: tuple[VerdictMemory, ...] = ()
    reached: ReachedMemory | None = None
    network: NetworkMemory | None = None
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
    unread_since: datetime | None = None
    """Since when something cannot be read: what was known of it stands for a while (`unread`)."""
    wake_at: datetime | None = None
    """When the loop will look again by itself; None: only an event, a person or the timer wakes it."""
    operations: tuple[OperationMemory, ...] = ()
    dns_not_before: datetime | None = None
    """Azure asked that its private DNS be not called before this moment."""
    elastic_not_before: datetime | None = None
    """Elastic Cloud asked not to be called before this moment."""
    organization: str = ""
    """The Elastic Cloud organization that the policy, the claim and the associations are in; empty: the default one."""
    on_delete: str = ""
    """What the endpoint's tag said about its removal: `cleanup` or `retain`; empty: as the settings say."""
    missing_since: datetime | None = None
    """When the endpoint was first found gone."""
    mode: str = ""
    """What the endpoint asked for when it was last read (`modes.asked_mode`); it still holds when it is gone."""
    planned: tuple[str, ...] = ()
    """The steps that the last run would have taken, had its mode let it."""
    missed: int = 0
    """How many sweeps in a row have missed it."""
    missed_in: str = ""
    """Correlation id of the last of them: a message that is delivered twice counts once."""
    removing_since: datetime | None = None
    """When it was decided that the endpoint is gone: the grace period runs from here."""
    left: tuple[str, ...] = ()
    """What the removal leaves, and why."""
    notices: Notices = Notices()
    """What was told of it, and what waits to be."""
    schema: int = SCHEMA

    @property
    def id(self) -> str:
        """The connection id that URLs show."""
        return connection_id(self.endpoint_id)

    def condition(self, type_: str) -> Condition | None:
        """One of its conditions."""
        return next((condition for condition in self.conditions if condition.type == type_), None)

    def reborn(self) -> Connection:
        """What still holds when the endpoint was made anew under its old name: all that is used, not how it stands.

        The policy still has the old GUID, the record the old address: both follow, and keep what hangs on them.
        """
        return replace(
            self,
            guid="",
            former_guids=tuple(dict.fromkeys((*self.former_guids, self.guid)))[-FORMER_GUIDS:],
            address="",
            checks=(),
            reached=None,
            attempts=0,
            pending_since=None,
            ready_since=None,
            observed_at=None,
            wake_at=None,
        ).found()

    def found(self) -> Connection:
        """The same once the endpoint is there (again) and looked after: it is not done with, no removal is under way.

        A run that dies after this leaves the record so, and with it what the run has made.
        """
        done_with = self.phase in {Phase.REMOVING, Phase.REMOVED, Phase.IGNORED}
        return replace(
            self,
            conditions=tuple(condition for condition in self.conditions if condition.type != REMOVED),
            phase=Phase.PROVISIONING if done_with else self.phase,
            missing_since=None,
            missed=0,
            missed_in="",
            removing_since=None,
            left=(),
        )

    def using(self, policy: PolicyMemory) -> Connection:
        """The same with another policy: what we associated with the one before, others may have with this one (S4)."""
        before = self.policy
        if before.id in {"", policy.id}:
            return replace(self, policy=policy)
        theirs = tuple(replace(known, owner=Owner.ADOPTED, taken=()) for known in self.associations)
        made = [known.deployment_id for known in self.associations if known.owner is Owner.OURS]
        # A policy of ours is found by its marker when the endpoint goes; of somebody's nothing else would tell.
        left = [FormerAssociation(before.id, one, before.guid) for one in made if before.owner is Owner.ADOPTED]
        former = tuple(dict.fromkeys((*self.former, *left)))
        return replace(self, policy=policy, associations=theirs, former=former)

    def operation(self, step: str) -> OperationMemory | None:
        """What is remembered of an operation that was begun for a step."""
        return next((known for known in self.operations if known.step == step), None)

    def with_operation(self, step: str, url: str) -> Connection:
        """The same with one operation remembered; without an address, forgotten."""
        others = tuple(known for known in self.operations if known.step != step)
        return replace(self, operations=(*others, OperationMemory(step, url)) if url else others)

    def association(self, deployment_id: str) -> AssociationMemory | None:
        """What is remembered of the association with a deployment."""
        return next((known for known in self.associations if known.deployment_id == deployment_id), None)

    def with_association(self, memory: AssociationMemory) -> Connection:
        """The same with one association remembered or updated."""
        others = self.without_association(memory.deployment_id).associations
        return replace(self, associations=(*others, memory))

    def without_former(self, policy_id: str, deployment_id: str) -> Connection:
        """The same once an association with a policy of before is gone."""
        gone = (policy_id, deployment_id)
        kept = tuple(one for one in self.former if (one.policy_id, one.deployment_id) != gone)
        return replace(self, former=kept)

    def without_association(self, deployment_id: str) -> Connection:
        """The same with one association forgotten."""
        kept = tuple(known for known in self.associations if known.deployment_id != deployment_id)
        return replace(self, associations=kept)
