"""The changes the app can make, each as a value that describes itself. Made by the plans.

`dns_branch`, `elastic_branch` and, for an endpoint that is gone, `apply_removal` carry them out.
Every step says which kind of change it is: removals are counted and limited (S6), and a plan that is shown to a person
marks them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from shared.core.model import conditions
from shared.core.model.arm_ids import ArmId, record_id
from shared.core.model.markers import Marker, RecordMarker, marker_from_description, updated_description
from shared.core.model.resources import POLICY_TYPE, Policy, Rule
from shared.core.model.services import Family


class Action(StrEnum):
    """What a step does to the thing it is about."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class LaterStep:
    """A step that a plan shows and that cannot be taken yet; it is planned again, and taken, when it can be."""

    what: str
    condition: str
    after: str
    """What it waits for."""
    action: Action = Action.CREATE

    def __str__(self) -> str:
        return f"{self.what}, after {self.after}"


# -- private DNS ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreateZone:
    """Make the private DNS zone, only if there is none."""

    condition: ClassVar[str] = conditions.ZONE_READY
    action: ClassVar[Action] = Action.CREATE
    zone: ArmId
    marker: Marker

    def __str__(self) -> str:
        return f"create private DNS zone {self.zone.name} in resource group {self.zone.resource_group}"


@dataclass(frozen=True, slots=True)
class CreateLink:
    """Link the zone to a virtual network: `etag` None only if there is no such link, else only if it is that version.

    The latter is one that Azure could not make, and keeps.
    """

    condition: ClassVar[str] = conditions.LINKED
    action: ClassVar[Action] = Action.CREATE
    zone: ArmId
    name: str
    vnet_id: str
    marker: Marker
    etag: str | None = None

    def __str__(self) -> str:
        return f"link private DNS zone {self.zone.name} to virtual network {self.vnet_id}"


@dataclass(frozen=True, slots=True)
class PutWildcardRecord:
    """Write the `*` A record: `etag` None creates only if absent, else replaces exactly that version."""

    condition: ClassVar[str] = conditions.RECORD_READY
    zone: ArmId
    addresses: tuple[str, ...]
    ttl: int
    marker: RecordMarker
    etag: str | None = None

    @property
    def action(self) -> Action:
        """Whether there is a record already."""
        return Action.CREATE if self.etag is None else Action.CHANGE

    def __str__(self) -> str:
        verb = "create" if self.etag is None else "update"
        return f"{verb} * A record {', '.join(self.addresses)} in {self.zone.name}"


@dataclass(frozen=True, slots=True)
class WithdrawAddress:
    """Take one endpoint's address out of a `*` record that others hold too, if it is as it was read."""

    condition: ClassVar[str] = conditions.RECORD_READY
    action: ClassVar[Action] = Action.REMOVE
    address: str
    record: PutWildcardRecord
    """The record as it is to be without it."""

    @property
    def zone(self) -> ArmId:
        """The zone of the record."""
        return self.record.zone

    def __str__(self) -> str:
        rest = ", ".join(self.record.addresses)
        return f"take {self.address} out of the * A record in {self.zone.name}; {rest} stays"


@dataclass(frozen=True, slots=True)
class DeleteRecord:
    """Delete the `*` A record, if it is as it was read."""

    condition: ClassVar[str] = conditions.REMOVED
    action: ClassVar[Action] = Action.REMOVE
    zone: ArmId
    addresses: tuple[str, ...]
    etag: str

    def __str__(self) -> str:
        return f"delete * A record {', '.join(self.addresses)} in {self.zone.name}"


@dataclass(frozen=True, slots=True)
class DeleteLink:
    """Delete a virtual network link, if it is as it was read."""

    condition: ClassVar[str] = conditions.REMOVED
    action: ClassVar[Action] = Action.REMOVE
    zone: ArmId
    name: str
    vnet_id: str
    etag: str

    def __str__(self) -> str:
        return f"delete the link of private DNS zone {self.zone.name} to virtual network {self.vnet_id}"


@dataclass(frozen=True, slots=True)
class DeleteZone:
    """Delete the private DNS zone, if it is as it was read."""

    condition: ClassVar[str] = conditions.REMOVED
    action: ClassVar[Action] = Action.REMOVE
    zone: ArmId
    etag: str

    def __str__(self) -> str:
        return f"delete private DNS zone {self.zone.name} in resource group {self.zone.resource_group}"


# -- Elastic Cloud -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """Create the private connection policy; the one call that is not idempotent."""

    condition: ClassVar[str] = conditions.POLICY_READY
    action: ClassVar[Action] = Action.CREATE
    name: str
    region: str
    endpoint_name: str
    endpoint_guid: str
    marker: Marker

    def __str__(self) -> str:
        return f"create private connection policy {self.name} in {self.region}"


@dataclass(frozen=True, slots=True)
class UpdatePolicy:
    """Let our policy follow its endpoint, in place: its associations, and the rules of others, stay."""

    condition: ClassVar[str] = conditions.POLICY_READY
    action: ClassVar[Action] = Action.CHANGE
    policy_id: str
    name: str
    endpoint_name: str
    endpoint_guid: str
    replaces: tuple[str, ...]
    """GUIDs, lower case, whose rules become the endpoint's rule."""
    marker: Marker

    def __str__(self) -> str:
        return f"update policy {self.policy_id} to {self.name} with GUID {self.endpoint_guid}"


@dataclass(frozen=True, slots=True)
class DeletePolicy:
    """Delete a policy of ours that nothing is associated with; Elastic Cloud refuses it otherwise."""

    condition: ClassVar[str] = conditions.REMOVED
    action: ClassVar[Action] = Action.REMOVE
    policy_id: str
    name: str

    def __str__(self) -> str:
        return f"delete policy {self.policy_id} ({self.name})"


@dataclass(frozen=True, slots=True)
class Associate:
    """Associate the policy with a target."""

    condition: ClassVar[str] = conditions.ASSOCIATED
    action: ClassVar[Action] = Action.CREATE
    policy_id: str
    target_id: str
    target_name: str
    asked: str = ""
    """The wish that it fulfils, as it was written."""
    may_be_first: bool = False
    """Whether a setting or a tag allows that it is the target's first policy (S1)."""
    family: Family = Family.HOSTED

    @property
    def target(self) -> str:
        """The target as people name it."""
        return f"{self.family.noun} {self.target_name}"

    def __str__(self) -> str:
        policy = f"policy {self.policy_id}" if self.policy_id else "the policy"
        return f"associate {policy} with {self.target} ({self.target_id})"


@dataclass(frozen=True, slots=True)
class Disassociate:
    """Take an association of ours away."""

    condition: ClassVar[str] = conditions.ASSOCIATED
    action: ClassVar[Action] = Action.REMOVE
    policy_id: str
    target_id: str
    target_name: str
    may_reopen: bool = False
    """Whether a setting or a tag allows that the target is left without any policy (S2)."""
    forgotten: bool = False
    """A person decided that the target, which is not found and still listed, is gone."""
    family: Family = Family.HOSTED

    @property
    def target(self) -> str:
        """The target as people name it."""
        return f"{self.family.noun} {self.target_name}"

    def __str__(self) -> str:
        return f"disassociate policy {self.policy_id} from {self.target} ({self.target_id})"


@dataclass(frozen=True, slots=True)
class ClaimEndpoint:
    """Claim the endpoint for the organization."""

    condition: ClassVar[str] = conditions.CLAIMED
    action: ClassVar[Action] = Action.CREATE
    region: str
    endpoint_name: str
    endpoint_guid: str

    def __str__(self) -> str:
        return f"claim endpoint {self.endpoint_name} ({self.endpoint_guid}) in {self.region}"


@dataclass(frozen=True, slots=True)
class UnclaimEndpoint:
    """Give a claim of ours up."""

    condition: ClassVar[str] = conditions.CLAIMED
    action: ClassVar[Action] = Action.REMOVE
    region: str
    endpoint_name: str
    endpoint_guid: str

    def __str__(self) -> str:
        return f"give up the claim to endpoint {self.endpoint_name} ({self.endpoint_guid}) in {self.region}"


DnsStep = CreateZone | CreateLink | PutWildcardRecord | WithdrawAddress
ElasticStep = CreatePolicy | UpdatePolicy | Associate | Disassociate | ClaimEndpoint | UnclaimEndpoint
DnsRemoval = WithdrawAddress | DeleteRecord | DeleteLink | DeleteZone
ElasticRemoval = Disassociate | DeletePolicy | UnclaimEndpoint
RemovalStep = DnsRemoval | ElasticRemoval
Step = DnsStep | ElasticStep | DnsRemoval | DeletePolicy


def destructive(steps: tuple[Step, ...]) -> int:
    """How many of the steps take something away (S6)."""
    return sum(step.action is Action.REMOVE for step in steps)


def creates(step: DnsStep) -> bool:
    """Whether the step makes what is not there."""
    match step:
        case CreateZone():
            return True
        case WithdrawAddress():
            return False
    return step.etag is None


def made_by(step: DnsStep) -> tuple[str, str]:
    """Scope and id of what a step makes or writes."""
    match step:
        case CreateZone():
            return step.zone.text, step.zone.text
        case CreateLink():
            return step.zone.text, f"{step.zone.text}/virtualNetworkLinks/{step.name}"
        case PutWildcardRecord() | WithdrawAddress():
            return step.zone.text, record_id(step.zone)


def created(step: CreatePolicy, policy_id: str) -> Policy:
    """The policy once the step is done."""
    description = step.marker.description()
    return Policy(
        id=policy_id,
        name=step.name,
        type=POLICY_TYPE,
        region=step.region,
        include_by_default=False,
        description=description,
        rules=(Rule(step.endpoint_name, step.endpoint_guid),),
        marker=marker_from_description(description),
    )


def updated(policy: Policy, step: UpdatePolicy) -> Policy:
    """A policy once the step is done; `clouds` sends Elastic Cloud the same."""
    gone = {*step.replaces, step.endpoint_guid.lower()}
    others = tuple(rule for rule in policy.rules if rule.endpoint_guid.lower() not in gone)
    description = updated_description(policy.description, step.marker)
    return replace(
        policy,
        name=step.name,
        description=description,
        rules=(Rule(step.endpoint_name, step.endpoint_guid), *others),
        marker=marker_from_description(description),
    )
