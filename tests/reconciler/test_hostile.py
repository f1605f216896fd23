"""Who may tag an endpoint, or forge an event, and means harm: docs/security.md says what comes of it, and it does."""

from __future__ import annotations

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from shared.api.plans import plan_all
from shared.core.model.arm_ids import connection_id
from shared.core.reports.plan_text import preview_text
from tests.harness.estate import Estate
from tests.reconciler.safety_parts import attached, the

ALLOWED = {"ELASTIC_DEPLOYMENTS_ALLOWED": "logs-eastus2"}
MANY = ",".join(f"d{number}" for number in range(60))
"""Azure takes 256 characters."""
VALUES = {
    "a wildcard": "*",
    "many names": MANY,
    "one long name": "x" * 240,
    "markup": '<img src=x onerror="alert(1)">',
    "a query": '{"query":{"match_all":{}}}',
    "a path": "../../traffic-filter/rulesets,..%2f..%2fdeployments",
    "an escape sequence": "\x1b[2J\x1b[32mPlan: 0 to create\x1b[0m",
    "lines": "a\r\nPlan: 0 to create\r\n",
    "others' deployments": "search-eastus2,logs-westeurope",
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_a_tag_gets_no_further_than_what_others_consented_to(value: str) -> None:
    estate = await Estate(settings=ALLOWED).open()
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": f"{value},logs-eastus2"[-256:]})
    await estate.settle()
    connection = await estate.connection(endpoint)
    assert connection.status.phase == "Blocked"
    associated = {event.deployment_id for event in estate.elastic.history if event.what == "associated" and event.guids}
    assert associated == {the(estate, "logs-eastus2").id}
    assert attached(estate, the(estate, "logs-eastus2")) == ["logs-eastus2-office", "pe-1"]
    previews, _ = await plan_all(estate.worker.context)
    assert [line for line in preview_text(previews).splitlines() if not line.isprintable()] == []


async def test_an_event_about_a_made_up_endpoint_leaves_nothing(estate: Estate) -> None:
    endpoint = (
        f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-x/providers/Microsoft.Network/privateEndpoints/x"
    )
    changes, history = len(estate.changes), len(estate.elastic.history)
    await estate.send(endpoint, "event-write")
    await estate.settle()
    assert await estate.storage.connections.get(connection_id(endpoint)) is None
    assert not estate.storage.journal.rows().get(connection_id(endpoint))
    assert not estate.queue.messages
    assert (len(estate.changes), len(estate.elastic.history)) == (changes, history)


async def test_an_event_that_lies_about_a_deletion_takes_nothing_away(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    changes, history = len(estate.changes), len(estate.elastic.history)
    for _ in range(10):
        await estate.send(endpoint, "event-delete")
        await estate.settle(90)
    assert (await estate.ready(endpoint)).removal.removing_since is None
    assert (len(estate.changes), len(estate.elastic.history)) == (changes, history)
