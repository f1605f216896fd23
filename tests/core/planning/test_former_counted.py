"""Which former things stand for removal (S6): ours, not yet tried, and not decided about by a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.core.model import conditions as c
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import ElasticState, PolicyMemory
from shared.core.model.record_former import FormerThings
from shared.core.model.record_parts import DnsState
from shared.core.planning.former import former_stands_for_removal
from tests.core.core_parts import GUID, KNOWN, plan_options

ELSEWHERE = replace(KNOWN.identity, region="westeurope")
OURS = FormerThings(
    ELSEWHERE, datetime(2026, 1, 1, tzinfo=UTC), elastic=ElasticState(policy=PolicyMemory("p-9", Owner.OURS, guid=GUID))
)
ADOPTED = replace(OURS, elastic=ElasticState(), dns=DnsState(zone=Owned("/a/zone", Owner.ADOPTED)))
OTHER_ORGANIZATION = replace(OURS, identity=KNOWN.identity, elastic=replace(OURS.elastic, organization="former"))


def having(*former: FormerThings, told: Reason | None = None, **identity: str) -> ConnectionRecord:
    conditions = () if told is None else (c.waiting(c.FORMER_REMOVED, told, "as it stands"),)
    record = KNOWN.with_identity(**identity).with_status(conditions=conditions)
    return replace(record, former_things=former)


@pytest.mark.parametrize(
    ("record", "stands"),
    [
        (having(), False),
        (having(ADOPTED), False),
        (having(OURS), True),
        (having(ADOPTED, OURS), True),
        (having(OURS, told=Reason.GRACE_PERIOD), True),
        (having(OURS, told=Reason.REMOVAL_LIMIT_REACHED), True),
        (having(OURS, told=Reason.LEFT_BEHIND), False),
        (having(OURS, on_delete="retain"), False),
        (having(OTHER_ORGANIZATION), False),
    ],
)
def test_what_stands_for_removal(record: ConnectionRecord, *, stands: bool) -> None:
    assert former_stands_for_removal(record, plan_options()) is stands
