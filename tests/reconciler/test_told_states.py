"""States of the local clouds that are no fault: what becomes of a connection in each. What a row is: `told_parts`.

Those that refuse (locks, policies, deny assignments, groups) are in `test_refusals`, connection states beyond Azure's
four in `test_told_waits`.
"""

from __future__ import annotations

import pytest

from shared.core.model import conditions as c
from shared.core.model.reasons import Reason
from tests.reconciler import situations_told as s
from tests.reconciler.remedy_cases import CASES
from tests.reconciler.situations import the
from tests.reconciler.told_parts import DNS, Row, holds

SET_UP = (*DNS, c.POLICY_READY, c.APPROVED)
STATIC = [{"name": "one", "properties": {"privateIPAddress": "10.1.9.77", "groupId": "", "memberName": ""}}]
ROWS = {
    "an endpoint of IPv6 only": Row(
        CASES[Reason.ADDRESS_OVERDUE].make,
        c.ADDRESSED,
        "AddressOverdue",
        "has no private IPv4 address: only fd00:1::4",
        "create the endpoint again in a subnet with free IPv4 addresses",
        goes_on=(c.POLICY_READY, c.APPROVED),
    ),
    "an endpoint of both kinds of addresses": Row(
        s.with_addresses(ipVersionType="DualStack"), c.ADDRESSED, "HasAddress", "127.", phase="Ready", goes_on=SET_UP
    ),
    "an endpoint with a static address": Row(
        s.with_addresses(ipConfigurations=STATIC), c.RECORD_READY, "PointsToEndpoint", "10.1.9.77", phase="Ready"
    ),
    "an endpoint in an application security group": Row(
        s.with_addresses(applicationSecurityGroups=[{"id": f"{s.SUBSCRIPTION}/asg"}]),
        c.ADDRESSED,
        "HasAddress",
        "127.",
        phase="Ready",
        goes_on=SET_UP,
    ),
    "a deployment is gone and stays associated": Row(
        CASES[Reason.DEPLOYMENT_GONE].make,
        c.ASSOCIATED,
        "DeploymentGone",
        "lists it as associated with policy",
        "forget-target",
        goes_on=SET_UP,
    ),
    "all tags of a deployment are written at once": Row(
        s.consented,
        c.ASSOCIATED,
        "Associated",
        "Associated with logs-eastus2.",
        phase="Ready",
        settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""},
    ),
    "a product without an alias": Row(
        s.of_a_deployment(lambda estate: the(estate).product_aliases.update(fleet="")),
        c.REACHABLE,
        "Reachable",
        "Elasticsearch answers",
        phase="Ready",
        goes_on=SET_UP,
    ),
    "a product with an alias of its own": Row(
        s.of_a_deployment(lambda estate: the(estate).product_aliases.update(fleet="other")),
        c.REACHABLE,
        "Reachable",
        "Elasticsearch answers",
        phase="Ready",
        goes_on=SET_UP,
    ),
    **{
        f"a deployment that is {state}": Row(
            s.of_a_deployment(lambda estate, state=state: setattr(the(estate), "status", state)),  # type: ignore[misc]
            condition,
            reason,
            says,
            step,
            phase=phase,
            looks=150,
            enqueued=3,
            goes_on=SET_UP,
        )
        for state, condition, reason, says, step, phase in (
            ("restarting", c.REACHABLE, "DeploymentChanging", "restarting", "Wait", "Degraded"),
            ("stopping", c.ASSOCIATED, "DeploymentNotRunning", "is stopped or being deleted", "Start it", "Blocked"),
        )
    },
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_each_state_is_lived_with_or_told_and_holds_up_nothing_else(row: Row) -> None:
    await holds(row)
