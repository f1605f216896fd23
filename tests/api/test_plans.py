"""Plans that are shown: what the next run then does, told before, and nothing changed by the telling."""

from __future__ import annotations

from typing import Any

import pytest

from shared.api.plans import plan_all, plan_connection, plan_page
from shared.core.model.errors import InvalidInput
from shared.core.reports.plan_text import Preview, preview_document, preview_text
from shared.installation.services import NAME as SERVICES
from shared.state.read_budget import ROW as READS_LEFT
from tests.harness.estate import Estate

pytestmark = pytest.mark.both_families(at_length=True)

DNS_API = "2024-06-01"


async def connected(estate: Estate, name: str = "pe-1", **options: Any) -> str:
    endpoint = await estate.put_endpoint(name, **options)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint


async def the_plan(estate: Estate, endpoint: str) -> Preview:
    connection = await estate.connection(endpoint)
    return await plan_connection(estate.worker.context, connection.id)


def everything_stored(estate: Estate) -> Any:
    """All rows, but for what is left of Azure's reads, and Elastic's regions: a plan reads, too."""
    rows = estate.storage.rows()
    kept = {name: row for name, row in rows["control"].items() if not str(name).startswith((READS_LEFT, SERVICES))}
    return rows | {"control": kept}


async def drop_the_record(estate: Estate, endpoint: str) -> None:
    del endpoint
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)


async def drop_the_policy(estate: Estate, endpoint: str) -> None:
    (policy,) = estate.policies_of(endpoint)
    estate.elastic.delete_policy(policy.id)


async def ask_for_less(estate: Estate, endpoint: str) -> None:
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags.clear()


async def make_anew(estate: Estate, endpoint: str) -> None:
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.clock.sleep(30)


async def be_gone(estate: Estate, endpoint: str) -> None:
    await estate.delete(endpoint)
    await estate.settle(30)
    await estate.clock.sleep(620)


@pytest.mark.both_families
@pytest.mark.parametrize(
    ("change", "signs"),
    [
        (drop_the_record, "+"),
        (drop_the_policy, "++"),
        (ask_for_less, "-"),
        (make_anew, "~~"),
        (be_gone, "------"),
    ],
)
async def test_what_is_planned_is_what_the_next_run_does_and_telling_it_changes_nothing(
    estate: Estate, change: Any, signs: str
) -> None:
    endpoint = await connected(estate)
    await change(estate, endpoint)
    estate.worker = estate.new_worker()
    before = everything_stored(estate), len(estate.changes), len(estate.elastic.history), list(estate.queue.messages)
    plan = await the_plan(estate, endpoint)
    (from_all,), errors = await plan_all(estate.worker.context)
    after = everything_stored(estate), len(estate.changes), len(estate.elastic.history), list(estate.queue.messages)
    assert after == before
    # Table control counts what is read.
    assert [call for call in estate.worker.wire.calls if call.writes and call.service != "control"] == []
    assert errors == []
    assert from_all.steps == plan.steps
    text = preview_text([plan])
    assert "".join(line[2] for line in text.splitlines() if line[2:4] in {"+ ", "~ ", "- "}) == signs
    runs = len((await estate.storage.journal.newest(plan.connection_id, 500)).entries)
    await estate.send(endpoint)
    await estate.settle()
    entries = (await estate.storage.journal.newest(plan.connection_id, 500)).entries
    done = [entry.step for entry in entries[: len(entries) - runs] if entry.outcome == "done"]
    assert set(map(str, plan.steps)) <= set(done)


async def test_the_text_reads_like_a_plan(estate: Estate) -> None:
    endpoint = await connected(estate)
    await drop_the_record(estate, endpoint)
    blocked = await estate.put_endpoint("pe-2", region="westeurope", tags={"elastic-deployments": "search-westeurope"})
    await estate.settle()
    await connected(estate, "pe-3", region="westus2")
    previews, errors = await plan_all(estate.worker.context)
    text = preview_text(previews, [*errors, "zones of X: refused"])
    connection = await estate.connection(endpoint)
    assert (
        f"pe-1 ({connection.id}, enforce)\n  {endpoint}\n  + create * A record {connection.identity.address} in" in text
    )
    assert "! Associated WouldCutOffPublicTraffic: " in text
    assert "      next: Add it to the setting" in text
    assert "1 connection is as it should be." in text
    assert "Not read: zones of X: refused" in text
    assert text.endswith("Plan: 1 to create, 0 to change, 0 to remove; 1 wait for a person. Nothing was changed.\n")
    document = preview_document(next(one for one in previews if one.endpoint == blocked))
    assert document["summary"] == {"create": 0, "change": 0, "remove": 0, "blocked": 1}
    assert document["blocked"][0]["nextStep"]


@pytest.mark.both_families
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("logs-eastus2", "  + associate the policy with deployment logs-eastus2 ("),
        ("search-eastus2", "  ! Associated WouldCutOffPublicTraffic: "),
        ("no-such", "  ! Associated DeploymentNotFound: "),
    ],
)
async def test_before_there_is_a_policy_the_plan_shows_what_follows_the_approval(
    estate: Estate, mode: str, wish: str, told: str
) -> None:
    """The step that can do harm is in it, for each endpoint, before anything is made."""
    tags = {"elastic-deployments": wish, "elastic-privatelink": "observe"}
    endpoint = await estate.put_endpoint(tags=tags)
    await estate.settle()
    before = len(estate.elastic.history)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags["elastic-privatelink"] = mode
    plan = await the_plan(estate, endpoint)
    (from_all,), _ = await plan_all(estate.worker.context)
    for one in (plan, from_all):
        text = preview_text([one])
        assert told.replace("deployment", estate.family.noun) in text
        assert "  . Approved AwaitingApproval: Pending since " in text
        assert "no policy names the endpoint yet" in text
        if told.startswith("  +"):
            assert "      after Elastic has approved the endpoint" in text
            assert [step["after"] for step in preview_document(one)["later"]] == ["Elastic has approved the endpoint"]
    assert len(estate.elastic.history) == before


async def test_in_observe_mode_the_plan_says_that_it_is_not_carried_out(estate: Estate) -> None:
    endpoint = await connected(estate)
    await drop_the_record(estate, endpoint)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags["elastic-privatelink"] = "observe"
    plan = await the_plan(estate, endpoint)
    assert (plan.mode, len(plan.steps)) == ("observe", 1)
    assert "Not carried out: the endpoint's tag" in preview_text([plan])


async def test_what_cannot_be_read_is_told_and_the_rest_planned(estate: Estate) -> None:
    endpoint = await connected(estate)
    await drop_the_record(estate, endpoint)
    estate.elastic_settings.faults.append(lambda *_: (503, {"errors": []}))
    plan = await the_plan(estate, endpoint)
    assert [str(step.action) for step in plan.steps] == ["create"]
    assert any(one.type == "PolicyReady" and not one.true for one in plan.conditions)


async def test_an_endpoint_in_its_grace_period_shows_what_will_go_and_when(estate: Estate) -> None:
    endpoint = await connected(estate)
    await estate.delete(endpoint)
    await estate.settle(30)
    plan = await the_plan(estate, endpoint)
    assert "once the grace period is over" in plan.note
    assert [str(step.action) for step in plan.steps] == ["remove"] * 6


async def test_the_whole_plan_comes_in_pages_and_the_further_ones_read_no_cloud_again(estate: Estate) -> None:
    for number in range(5):
        await estate.put_endpoint(f"pe-{number}")
    await estate.settle()
    context = estate.worker.context
    whole, _ = await plan_all(context)
    first = await plan_page(context, limit=2)
    asked = len(estate.arm.requests)
    names, page = [one.name for one in first.previews], first
    while page.next is not None:
        page = await plan_page(context, limit=2, cursor=page.next)
        names += [one.name for one in page.previews]
    assert names == [one.name for one in whole] == sorted(names)
    assert (first.total, len(estate.arm.requests)) == (5, asked)
    with pytest.raises(InvalidInput, match="cursor"):
        await plan_page(context, cursor="W10")
