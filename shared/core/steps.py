"""The changes the app can make, each as a value that describes itself. Made by `plan`, carried out by `apply`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.core import conditions
from shared.core.arm_ids import ArmId
from shared.core.markers import Marker, RecordMarker


@dataclass(frozen=True, slots=True)
class CreateZone:
    """Make the private DNS zone, only if there is none."""

    condition: ClassVar[str] = conditions.ZONE_READY
    zone: ArmId
    marker: Marker

    def __str__(self) -> str:
        return f"create private DNS zone {self.zone.name} in resource group {self.zone.resource_group}"


@dataclass(frozen=True, slots=True)
class CreateLink:
    """Link the zone to a virtual network, only if it is not linked."""

    condition: ClassVar[str] = conditions.LINKED
    zone: ArmId
    name: str
    vnet_id: str
    marker: Marker

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

    def __str__(self) -> str:
        verb = "create" if self.etag is None else "update"
        return f"{verb} * A record {', '.join(self.addresses)} in {self.zone.name}"


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """Create the private connection policy; the one call that is not idempotent."""

    condition: ClassVar[str] = conditions.POLICY_READY
    name: str
    region: str
    endpoint_name: str
    endpoint_guid: str
    marker: Marker

    def __str__(self) -> str:
        return f"create private connection policy {self.name} in {self.region}"


@dataclass(frozen=True, slots=True)
class Associate:
    """Associate the policy with a deployment."""

    condition: ClassVar[str] = conditions.ASSOCIATED
    policy_id: str
    deployment_id: str
    deployment_name: str

    def __str__(self) -> str:
        return f"associate policy {self.policy_id} with deployment {self.deployment_name} ({self.deployment_id})"


DnsStep = CreateZone | CreateLink | PutWildcardRecord
ElasticStep = CreatePolicy | Associate
Step = DnsStep | ElasticStep
