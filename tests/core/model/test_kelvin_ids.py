"""The sign for Kelvin lower-cases to a plain k: ids of networks, links and interfaces spelled with it are others.

Azure lets resource groups have letters of any script, so two groups may differ by that sign alone.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from shared.core.guards.scope import organization_of, outside
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.markers import marker_from_tags
from shared.core.model.organizations import OrganizationScope
from shared.core.model.ownership import Owned, Owner
from shared.core.model.resources import NameResolution, Peering, VirtualNetwork
from shared.core.options.values import tags
from shared.core.planning.desired import desired_of
from shared.core.planning.dns import link_name, plan_dns
from shared.core.planning.former import note_former
from shared.core.planning.name_resolution import resolution_of
from shared.settings.values import organization_scope
from shared.sweep.snapshot import with_address
from tests.core.core_parts import (
    KNOWN,
    MARKER,
    NOW,
    SERVICE,
    desired,
    endpoint,
    link,
    network_id,
    plan_options,
    scope_of,
    zone,
)

KELVIN = "\N{KELVIN SIGN}"
PLAIN, ODD = (network_id("virtualNetworks", "spoke", f"net-{letter}") for letter in ("k", KELVIN))
MODE_LIKE = f"elastic-privatelin{KELVIN}-mode"
NO_ARM_ID = {"subscription_id", "operation_id", "correlation_id"}
"""Made of letters of ASCII, by their form."""
IDS = re.compile(r"(^|_)(id|ids|vnet|vnets|network|nic)$")


@pytest.mark.parametrize("plain", [PLAIN, PLAIN.upper()])
def test_a_link_to_the_one_network_is_none_to_the_other(plain: str) -> None:
    assert zone(link(plain)).link_to(PLAIN) is not None
    assert zone(link(plain)).link_to(ODD) is None
    assert link_name(plain) != link_name(ODD)
    wanted = desired_of(endpoint(vnet_id=ODD), plan_options(link_vnets=(plain,)))
    assert wanted is not None
    assert wanted.link_vnets == (plain,), "the setting names a further network, not the endpoint's own"
    assert not NameResolution((plain,)).answered_by(ODD)


def test_a_zone_that_serves_the_one_network_is_linked_to_the_other() -> None:
    wanted = desired_of(endpoint(vnet_id=ODD), plan_options())
    assert wanted is not None
    found = plan_dns(wanted, (zone(link(PLAIN)),), plan_options())
    assert any(ODD in str(step) for step in found.steps)


def test_a_peer_and_the_network_of_a_name_server_are_told_apart() -> None:
    hub = VirtualNetwork(network_id("virtualNetworks", "hub"), peerings=(Peering(PLAIN, ("10.9.0.0/16",)),))
    assert hub.reaches(PLAIN)
    assert not hub.reaches(ODD)
    asked = replace(hub, peerings=(), dns_servers=("10.9.0.4",))
    both = tuple(VirtualNetwork(one, prefixes=("10.9.0.0/16",)) for one in (PLAIN, ODD))
    assert resolution_of(hub.id, asked, both).networks == (), "two networks contain the server: which is not known"
    assert resolution_of(hub.id, asked, both[:1]).networks == (PLAIN,)


def test_an_interface_gives_its_address_to_no_endpoint_of_another() -> None:
    nic = network_id("networkInterfaces", "nic", "net-k")
    of_plain = {nic.lower(): "10.1.0.7"}
    ours = endpoint(address=None, nic_ids=(nic.upper(),))
    assert with_address(ours, of_plain).address == "10.1.0.7"
    odd = replace(ours, nic_ids=(network_id("networkInterfaces", "nic", f"net-{KELVIN}"),))
    assert with_address(odd, of_plain).address is None


def test_a_group_or_a_tag_in_a_setting_includes_no_other() -> None:
    for letter, other in (("k", KELVIN), (KELVIN, "k")):
        within, without = (
            endpoint(id=parse_arm_id(network_id("privateEndpoints", "pe-search", f"net-{one}")), tags={f"{one}eep": ""})
            for one in (letter, other)
        )
        for entry in (f"group:net-{letter}", f"tag:{letter}eep"):
            further = [OrganizationScope("eu", organization_scope(entry))]
            assert organization_of(within, further, has_default=True) == "eu"
            assert organization_of(without, further, has_default=True) == "default"
        for denied in (scope_of(tags_denied=tags(f"{letter}eep")), scope_of(resource_groups_denied={f"net-{letter}"})):
            assert outside(denied, within) is not None
            assert outside(denied, without) is None


def test_a_moved_endpoint_leaves_what_it_had_in_a_network_of_a_like_name() -> None:
    record = KNOWN.with_identity(region=SERVICE.region, vnet_id=PLAIN).with_dns(zone=Owned(zone().id.text, Owner.OURS))
    same, other = (desired(vnet_id=one) for one in (PLAIN.upper(), ODD))
    assert note_former(record, same, NOW).former_things == ()
    assert len(note_former(record, other, NOW).former_things) == 1


def test_a_tag_spelled_with_it_is_no_marker() -> None:
    marks = MARKER.tags()
    assert marker_from_tags({name.upper(): value for name, value in marks.items()}) == MARKER
    assert marker_from_tags({name.replace("link", f"lin{KELVIN}"): value for name, value in marks.items()}) is None
    assert endpoint(tags={MODE_LIKE: "x"}).tag("elastic-privatelink-mode") == ""


def test_ids_are_put_in_lower_case_in_one_way_only() -> None:
    """So that the next comparison of ids does not fall into it again."""
    found = []
    for file in (*Path("shared").rglob("*.py"), *Path("functions").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "lower"):
                continue
            of = node.func.value
            name = of.attr if isinstance(of, ast.Attribute) else of.id if isinstance(of, ast.Name) else ""
            if IDS.search(name) and name not in NO_ARM_ID:
                found.append(f"{file}:{node.lineno}: {name}.lower(): use lower_case")
    assert found == []
