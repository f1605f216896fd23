"""States of the local clouds that are no fault: what becomes of a connection in each. What a row is: `told_parts`.

Those that refuse (locks, policies, deny assignments, groups) are in `test_refusals`, connection states beyond Azure's
four in `test_told_waits`, endpoints of IPv6 only in `test_never_addressed`, associations that outlive their deployment
in `test_told_dead_ends`.
"""

from __future__ import annotations

import json

import httpx
import pytest

from local.world import API_KEY
from shared.api.queries import get_connection
from shared.core.model import conditions as c
from tests.harness.estate import Estate
from tests.reconciler import situations_told as s
from tests.reconciler.situations import ready, the
from tests.reconciler.told_parts import DNS, Row, holds

SET_UP = (*DNS, c.POLICY_READY, c.APPROVED)
STATIC = [{"name": "one", "properties": {"privateIPAddress": "10.1.9.77", "groupId": "", "memberName": ""}}]
ROWS = {
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
            looks=300,  # a test of the path each few minutes
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


@pytest.mark.parametrize("alias", [None, "", "intake"], ids=["the deployment's", "none", "its own"])
async def test_managed_intake_is_shown_by_elastic_and_has_no_private_url_on_hosted(alias: str | None) -> None:
    """It does not work over a private connection (Elastic's guide, limitations); a project's is shown."""
    estate = await Estate().open()
    target = the(estate)
    if alias is not None:
        target.product_aliases["ingest"] = alias
    endpoint = await ready(estate)
    transport = httpx.ASGITransport(app=estate.elastic.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://elastic.local") as person:
        key = {"Authorization": f"ApiKey {API_KEY}"}
        shown = (await person.get(f"/api/v1/deployments/{target.id}", headers=key)).text
    assert '"service":"ingest"' in shown.replace(" ", "")
    detail = await get_connection(estate.worker.context, (await estate.connection(endpoint)).id)
    assert "fleet" in json.dumps(detail, default=str)
    assert "ingest" not in json.dumps(detail, default=str)
