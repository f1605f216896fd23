"""What the tests of the core share: ids, an endpoint, a zone, policies and targets to vary with `replace`."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.core.model.arm_ids import ArmId, connection_id, parse_arm_id
from shared.core.model.markers import Holder, Marker, RecordMarker, marker_from_description
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import Identity
from shared.core.model.resources import (
    POLICY_TYPE,
    ConnectionStatus,
    Endpoint,
    Link,
    Policy,
    Rule,
    Target,
    WildcardRecord,
    Zone,
)
from shared.core.model.services import Family
from shared.core.options.dns import DnsOptions
from shared.core.options.installation import InstallationOptions
from shared.core.options.plan_options import PlanOptions
from shared.core.options.removal import RemovalOptions
from shared.core.options.scope import Scope
from shared.core.options.targets import TargetOptions
from shared.core.options.timing import TimingOptions
from shared.core.planning.desired import DEPLOYMENTS_TAG, Desired, desired_of
from shared.settings.services import shipped_services

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000beef"
EVENTS = Path(__file__).parent.parent / "events"
SERVICES = shipped_services()
SERVICE = next(one for one in SERVICES.of_family(Family.HOSTED) if one.region == "eastus2")
GUID = "78c64959-fd88-41cc-81ac-1cfcdb1ac32e"
ADDRESS = "10.1.0.4"


def network_id(type_: str, name: str, group: str = "net-prod") -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/{type_}/{name}"


VNET = network_id("virtualNetworks", "spoke")
OTHER_VNET = network_id("virtualNetworks", "other")
HUB = network_id("virtualNetworks", "hub", "hub-net")
ENDPOINT_ID = network_id("privateEndpoints", "pe-search")
OTHER_ENDPOINT_ID = network_id("privateEndpoints", "pe-logs")
MARKER = Marker("autopilot", connection_id(ENDPOINT_ID), ENDPOINT_ID)
OTHER_MARKER = Marker("autopilot", connection_id(OTHER_ENDPOINT_ID), OTHER_ENDPOINT_ID)
STRANGER = Marker("another-installation", connection_id(ENDPOINT_ID), ENDPOINT_ID)
KNOWN = ConnectionRecord(ENDPOINT_ID, identity=Identity(guid=GUID))


def sample(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text(encoding="utf-8")


def sample_events(name: str) -> list[dict[str, Any]]:
    decoded = json.loads(sample(name))
    return decoded if isinstance(decoded, list) else [decoded]


def plan_options(base: PlanOptions | None = None, **changes: Any) -> PlanOptions:
    """The options of an operator who chose nothing, or those of `base`, with these changes, each by its field."""
    found = base or PlanOptions(
        scope_of(), InstallationOptions(), DnsOptions(), TargetOptions(), RemovalOptions(), TimingOptions(), SERVICES
    )
    for field, value in changes.items():
        holder = next((g.name for g in fields(found) if hasattr(getattr(found, g.name), field)), None)
        if field in {one.name for one in fields(found)}:
            found = replace(found, **{field: value})
        else:
            assert holder is not None, f"no group has {field}"
            found = replace(found, **{holder: replace(getattr(found, holder), **{field: value})})
    return found


def scope_of(**lists: Any) -> Scope:
    """A scope with these lists; the rest leaves nothing out."""
    return Scope(**({"subscriptions": ("*",)} | lists))


def endpoint(asks_for: str = "", **changes: Any) -> Endpoint:
    """An approved endpoint of `VNET` with its address; `asks_for` is its tag."""
    given: dict[str, Any] = {
        "id": parse_arm_id(ENDPOINT_ID),
        "name": "pe-search",
        "guid": GUID,
        "location": "eastus2",
        "provisioning_state": "Succeeded",
        "alias": SERVICE.alias,
        "status": ConnectionStatus.APPROVED,
        "status_description": "",
        "vnet_id": VNET,
        "address": ADDRESS,
        "tags": {DEPLOYMENTS_TAG: asks_for} if asks_for else {},
    }
    return Endpoint(**(given | changes))


def desired(asks_for: str = "", options: PlanOptions | None = None, **changes: Any) -> Desired:
    wanted = desired_of(endpoint(asks_for, **changes), options or plan_options())
    assert wanted is not None
    return wanted


# -- DNS -----------------------------------------------------------------------------------------------------------


def zone_id(group: str = "net-prod", name: str = SERVICE.zone) -> ArmId:
    return parse_arm_id(network_id("privateDnsZones", name, group))


def link(vnet: str = VNET, *, marker: Marker | None = MARKER, completed: bool = True) -> Link:
    name = vnet.rpartition("/")[2]
    return Link(f"{zone_id().text}/virtualNetworkLinks/{name}", name, vnet, completed, marker)


def zone(
    *links: Link,
    record: WildcardRecord | None = None,
    group: str = "net-prod",
    marker: Marker | None = MARKER,
    name: str = SERVICE.zone,
) -> Zone:
    return Zone(zone_id(group, name), marker, links, record)


def record(*addresses: str, marker: RecordMarker | None = None, etag: str = "e-1") -> WildcardRecord:
    return WildcardRecord(addresses, etag, marker)


MINE = Holder(MARKER.connection_id, ADDRESS, ENDPOINT_ID, GUID)
OTHERS = Holder(OTHER_MARKER.connection_id, "10.1.0.9", OTHER_ENDPOINT_ID)


def held_by(*holders: Holder, instance: str = "autopilot") -> RecordMarker:
    return RecordMarker(instance, holders)


# -- Elastic -------------------------------------------------------------------------------------------------------


def policy(policy_id: str = "p-1", **changes: Any) -> Policy:
    """Our policy for the endpoint."""
    description = changes.pop("description", MARKER.description())
    given: dict[str, Any] = {
        "id": policy_id,
        "name": "pe-search",
        "type": POLICY_TYPE,
        "region": SERVICE.elastic_region,
        "include_by_default": False,
        "description": description,
        "rules": (Rule("pe-search", GUID),),
        "marker": marker_from_description(description),
    }
    return Policy(**(given | changes))


IP_POLICY = policy("p-ip", name="office", type="ip", rules=(), description="")


def target(target_id: str = "d1", **changes: Any) -> Target:
    """A running target in the endpoint's region that already has an IP policy."""
    given: dict[str, Any] = {
        "id": target_id,
        "name": "orders",
        "region": SERVICE.elastic_region,
        "running": True,
        "attached": (IP_POLICY.id,),
    }
    return Target(**(given | changes))
