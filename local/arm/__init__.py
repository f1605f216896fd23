"""Azure Resource Manager on one machine: networks, private endpoints and private DNS, over real ARM HTTP."""

from __future__ import annotations

from local.arm.cloud import ArmCloud
from local.arm.events import FaultResponse, Incoming, RequestRecord, ResourceEvent
from local.arm.model import PrivateDnsZone, PrivateEndpoint, VirtualNetwork
from local.arm.roles import RoleAssignment
from local.arm.settings import DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, ArmSettings

__all__ = [
    "DEFAULT_SUBSCRIPTION",
    "DEFAULT_TENANT",
    "ArmCloud",
    "ArmSettings",
    "FaultResponse",
    "Incoming",
    "PrivateDnsZone",
    "PrivateEndpoint",
    "RequestRecord",
    "ResourceEvent",
    "RoleAssignment",
    "VirtualNetwork",
]
