"""The doctor names each role that is missing, at each place where the templates assign it and a read can try it."""

from __future__ import annotations

import pytest

from local.arm import RoleAssignment
from local.world import HUB_VNET, NETWORK_API, vnet_body
from shared.core.reports.doctor.findings import Level, Role
from tests.api.doctor_parts import bad
from tests.harness.estate import Estate
from tests.harness.platform_parts import WORKERS
from tests.infra.life import HUB_GROUP, SUBSCRIPTION, hub_estate
from tests.infra.shipped import BUILT_IN_TITLES, NETWORK_READER, READER, REMOVER, WRITER, assignments, load

ROLES = {
    READER: Role.ENDPOINT_READER,
    NETWORK_READER: Role.NETWORK_READER,
    WRITER: Role.DNS_WRITER,
    REMOVER: Role.DNS_REMOVER,
}


def test_the_doctor_calls_the_roles_by_their_titles() -> None:
    titles = {name: role["title"] for name, role in load("roles.json").items()}
    assert {name: str(role) for name, role in ROLES.items()} == {name: titles[name] for name in ROLES}


async def installation(write: str, without: tuple[str, str] = ("", "")) -> Estate:
    """One whose roles are assigned as the templates do, but for this one at this place."""
    estate = hub_estate() if write == HUB_GROUP else Estate()
    await estate.open()
    await estate.azure("PUT", HUB_VNET, vnet_body("eastus2", "10.200"), api=NETWORK_API)
    await estate.put_endpoint()
    await estate.settle()
    await estate.sweep()
    links = [HUB_VNET] if write == HUB_GROUP else []
    given = assignments(read=[SUBSCRIPTION], write=[write], link=links, app=HUB_VNET)
    role, place = without
    gone = set(load("roles.json")[role]["actions"]) if role else set()
    estate.arm_settings.role_assignments[WORKERS] = [
        one for one in given if not (one.scope == place and gone == set(one.actions))
    ]
    return estate


@pytest.mark.parametrize("write", [SUBSCRIPTION, HUB_GROUP])
async def test_with_the_roles_of_the_templates_nothing_is_missing(write: str) -> None:
    assert [one for one in await bad(await installation(write)) if one.check.startswith("azure")] == []


@pytest.mark.parametrize(
    ("role", "place", "level"),
    [
        (READER, SUBSCRIPTION, Level.PROBLEM),
        (NETWORK_READER, SUBSCRIPTION, Level.WARNING),
        (WRITER, HUB_GROUP, Level.PROBLEM),
        (WRITER, SUBSCRIPTION, Level.PROBLEM),
        (REMOVER, HUB_GROUP, Level.WARNING),
        (REMOVER, SUBSCRIPTION, Level.WARNING),
    ],
)
async def test_a_role_that_is_missing_is_named_with_its_place_and_what_to_do(
    role: str, place: str, level: Level
) -> None:
    write = place if role in {WRITER, REMOVER} else HUB_GROUP
    every = [one for one in await bad(await installation(write, (role, place))) if one.check == "azure rights"]
    found = [one for one in every if f"'{ROLES[role]}'" in one.next_step and "scripts/roles.sh" in one.next_step]
    assert found
    assert {one.level for one in found} == {level}
    assert all(place.rpartition("/")[2] in one.on for one in found)
    # Who may not read its own rights is not told that it lacks others.
    assert all(one.what.startswith("Nothing tells whether the app may") for one in every if one not in found)


async def test_before_any_role_is_assigned_all_are_named() -> None:
    estate = await installation(HUB_GROUP)
    estate.arm_settings.role_assignments[WORKERS] = []
    steps = "\n".join(one.next_step for one in await bad(estate) if one.check == "azure rights")
    assert [role for role in ROLES.values() if f"'{role}'" not in steps] == []


async def test_the_right_to_join_a_network_is_named_with_that_network() -> None:
    estate = await installation(HUB_GROUP)
    estate.arm_settings.denied_actions.add(f"Microsoft.Network/virtualNetworks/join/action@{HUB_VNET}")
    (found,) = [one for one in await bad(estate) if one.check == "azure rights"]
    assert "virtualNetworks/join/action" in found.what
    assert (found.level, HUB_VNET in found.on) == (Level.PROBLEM, True)


async def test_without_the_wish_to_delete_no_right_to_delete_is_missed() -> None:
    estate = await installation(HUB_GROUP, (REMOVER, HUB_GROUP))
    estate.worker = estate.new_worker(ALLOW_DELETE="false")
    assert [one for one in await bad(estate) if one.check == "azure rights"] == []


TOPIC = f"{HUB_GROUP}/providers/Microsoft.EventGrid/topics/notices"
TELEMETRY = f"{HUB_GROUP}/providers/Microsoft.Insights/components/appi-x"
INSIDE = {
    Role.DATA_SENDER: (TOPIC, "Microsoft.EventGrid/events/send/action"),
    Role.METRICS_PUBLISHER: (TELEMETRY, "Microsoft.Insights/Telemetry/Write"),
}


def test_the_doctor_calls_the_built_in_roles_by_their_titles() -> None:
    assert {str(role) for role in INSIDE} <= set(BUILT_IN_TITLES.values())


@pytest.mark.parametrize("missing", INSIDE)
async def test_a_built_in_role_that_is_missing_is_named_with_its_place(missing: Role) -> None:
    estate = await installation(HUB_GROUP)
    estate.worker = estate.new_worker(NOTIFICATION_TOPIC_ID=TOPIC, TELEMETRY_ID=TELEMETRY)
    roles = estate.arm_settings.role_assignments[WORKERS]
    given = [RoleAssignment(place, (), data_actions=(action,)) for place, action in INSIDE.values()]
    estate.arm_settings.role_assignments[WORKERS] = [*roles, *given]
    assert [one for one in await bad(estate) if one.check == "azure rights"] == []
    kept = [one for one in given if one.scope != INSIDE[missing][0]]
    estate.arm_settings.role_assignments[WORKERS] = [*roles, *kept]
    (found,) = [one for one in await bad(estate) if one.check == "azure rights"]
    assert (found.level, INSIDE[missing][0] in found.on) == (Level.WARNING, True)
    assert f"'{missing}'" in found.next_step
    assert "scripts/roles.sh" in found.next_step
