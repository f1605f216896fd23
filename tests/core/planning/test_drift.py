"""What a sweep takes for a difference between a connection's DNS and its record, and what not."""

from __future__ import annotations

from dataclasses import replace

from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import NameResolution, Zone
from shared.core.planning.dns import DnsFacts
from shared.core.planning.drift import calls_for_work
from shared.core.planning.plan import Observed, Plan, remember
from tests.core.core_parts import ADDRESS, HUB, MINE, NOW, VNET, desired, held_by, link, record, zone
from tests.core.planning.plan_parts import planned

WANTED = desired()
SERVING = zone(link(VNET), link(HUB), record=record(ADDRESS, marker=held_by(MINE)))
AT_THE_HUB = NameResolution((HUB,), ("10.0.0.4",))


def seen(where: Zone = SERVING, resolution: NameResolution = AT_THE_HUB) -> Plan:
    return planned(WANTED, Observed(WANTED.endpoint, (where,), facts=DnsFacts(resolution)))


def on_record(found: Plan) -> ConnectionRecord:
    known = remember(ConnectionRecord(WANTED.endpoint.id.text), WANTED, found, NOW)
    return known.with_status(conditions=found.conditions)


def test_what_reads_as_on_record_calls_for_no_work() -> None:
    assert not calls_for_work(on_record(seen()), seen())


def test_a_zone_that_was_moved_to_another_group_is_noticed() -> None:
    moved = replace(SERVING, id=zone(group="moved-to").id)
    assert calls_for_work(on_record(seen()), seen(moved))


def test_another_network_that_answers_is_noticed_and_another_spelling_of_it_is_not() -> None:
    known = on_record(seen())
    assert calls_for_work(known, seen(resolution=replace(AT_THE_HUB, networks=(VNET,))))
    assert not calls_for_work(known, seen(resolution=replace(AT_THE_HUB, networks=(HUB.upper(),))))
