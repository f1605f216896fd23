"""The part of a connection's record about Elastic Cloud: policy, claim, associations, targets. Pure; see `record`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.core.model.ownership import Owner
from shared.core.model.services import PrivateUrl


@dataclass(frozen=True, slots=True)
class PolicyMemory:
    """What is known of the connection's policy."""

    id: str = ""
    owner: Owner | None = None
    learned_at: datetime | None = None
    """When its id was learned, by the storage service's clock: for VISIBILITY_SECONDS reads may still lack it."""
    created_at: datetime | None = None
    guid: str = ""
    """The GUID that its rule had when it was last seen: what to replace when the endpoint is recreated."""
    recovered: bool = False
    """Found by its marker alone, and its associations were not looked at since: each is recovered, too."""
    rules: int | None = None
    """How many rules of any kind it had when it was last seen; None: not known."""
    key: str = ""
    """The mark of the API key that showed it last, or made it; empty: not known."""


@dataclass(frozen=True, slots=True)
class AssociationMemory:
    """An association of the policy with a target. `owner` None: begun, its end is unknown."""

    target_id: str
    owner: Owner | None = None
    asked: str = ""
    """The wish that it fulfils, as it was written: a target may be renamed afterwards."""
    made_at: datetime | None = None
    """When it was last made by us."""
    seen: bool = False
    """Whether it stood when Elastic Cloud's lag was over: if it is not listed then, others have taken it away."""
    taken: tuple[datetime, ...] = ()
    """When it was restored after others had taken it away."""
    recovered: bool = False
    """It stood with a policy of ours when nothing was known of it: used like others', and removed with the endpoint
    once a person has confirmed that it is ours."""


@dataclass(frozen=True, slots=True)
class FormerAssociation:
    """An association of ours with a policy of others that is no longer used: the endpoint was recreated."""

    policy_id: str
    target_id: str
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
class TargetMemory:
    """A target that the connection serves, with the private URLs to use."""

    id: str
    name: str
    urls: tuple[PrivateUrl, ...] = ()
    state: str = ""
    """What it does, where it does not simply run."""


@dataclass(frozen=True, slots=True)
class PendingTargetMemory:
    """A target that is asked for and may not be connected, or not yet."""

    id: str
    name: str
    urls: tuple[PrivateUrl, ...] = ()
    policies: int | None = None
    """How many policies restrict who may connect to it; None: not known."""


@dataclass(frozen=True, slots=True)
class ElasticState:
    """What the connection uses in Elastic Cloud."""

    organization: str = ""
    """The organization that the policy, the claim and the associations are in; empty: the default one."""
    policy: PolicyMemory = PolicyMemory()
    policy_post_until: datetime | None = None
    """The deadline of a POST whose end is not known, by the storage service's clock; until POLICY_SEARCH_SECONDS later
    a policy of ours may show, also after another one was found or deleted, and no second POST is sent."""
    claim: ClaimMemory | None = None
    associations: tuple[AssociationMemory, ...] = ()
    former_associations: tuple[FormerAssociation, ...] = ()
    """Associations that go with the endpoint besides those with the policy in use."""
    targets: tuple[TargetMemory, ...] = ()
    pending_targets: tuple[PendingTargetMemory, ...] = ()
    """Tested too, to find out what association would change; what comes of it makes no condition."""
    not_before: datetime | None = None
    """Elastic Cloud asked not to be called before this moment."""
