"""What a removal may not do: a missing right, a lock, a claim that is kept, and what goes when that ends."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import FaultResponse
from tests.harness.estate import Estate, arm_error
from tests.harness.leaving import GRACE, connected, everything, removals, removed_reason
from tests.harness.wire import Edited, Refusal

pytestmark = pytest.mark.both_families(at_length=True)


async def test_without_rights_to_delete_it_reports_what_it_leaves_and_is_done(estate: Estate) -> None:
    endpoint = await connected(estate)
    before = everything(estate)

    def fault(request: Any) -> FaultResponse | None:
        denied = "The client does not have authorization to perform action 'x/delete' over scope '/y'."
        return arm_error(403, "AuthorizationFailed", denied) if request.method == "DELETE" else None

    await estate.delete(endpoint)
    estate.arm.faults.append(fault)
    await estate.settle(2 * GRACE)
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await removed_reason(estate, endpoint)) == ("Removed", "LeftBehind")
    kept = [thing for thing in before if thing.startswith(("link", "zone"))]
    assert everything(estate) == sorted([*kept, "record []"]), "a dead address is taken out, though the set stays"
    assert any("record" in text for text in connection.removal.leftovers)
    assert any("zone" in text for text in connection.removal.leftovers)
    assert removals(estate) == ["association", "policy", "record"], "what needs the record gone is not even tried"
    tried = len(removals(estate))
    await estate.sweep()
    await estate.settle()
    assert len(removals(estate)) == tried, "it is not tried again and again"


@pytest.mark.of_deployments
@pytest.mark.parametrize("ends", ["deleted", "no longer asked for"])
async def test_a_claim_of_ours_is_given_up_though_the_list_of_claims_lacks_it(estate: Estate, ends: str) -> None:
    """A claim on record is given up, not looked for: one that a short list hides would else stay for ever."""
    wish = {"elastic-deployments": "logs-eastus2", "elastic-privatelink-claim": "true"}
    endpoint = await connected(estate, tags=wish)
    short = Edited("short", lambda _: b'{"claimed_link_ids": []}')
    estate.worker = estate.new_worker(
        lambda call: short if call.what.startswith("GET") and call.what.endswith("/link-ids") else None
    )
    if ends == "deleted":
        await estate.delete(endpoint)
    else:
        await estate.put_endpoint(tags=wish | {"elastic-privatelink-claim": "false"})
    await estate.settle(2 * GRACE)
    assert estate.elastic.claims() == []
    connection = await estate.connection(endpoint)
    assert connection.elastic.claim is None
    assert connection.removal.leftovers == ()


@pytest.mark.of_deployments
async def test_a_claim_that_elastic_cloud_will_not_give_up_is_reported_and_stays_on_record(estate: Estate) -> None:
    """It answers the same 400 for a claim that is gone: its list tells which it is."""
    wish = {"elastic-deployments": "logs-eastus2", "elastic-privatelink-claim": "true"}
    endpoint = await connected(estate, tags=wish)
    estate.worker = estate.new_worker(lambda call: Refusal(400) if call.what.endswith("_unclaim") else None)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert await removed_reason(estate, endpoint) == "NotVisibleYet", "a list that lags shows the same"
    for _ in range(3):
        await estate.clock.sleep(1200)
        await estate.sweep()
        await estate.settle(600)
    connection = await estate.connection(endpoint)
    assert await removed_reason(estate, endpoint) == "LeftBehind"
    assert connection.elastic.claim is not None
    assert any("claim" in text for text in connection.removal.leftovers)


async def test_what_was_left_for_want_of_rights_goes_when_a_person_asks_again(estate: Estate) -> None:
    endpoint = await connected(estate)
    denied = arm_error(403, "AuthorizationFailed", "no")
    estate.arm.faults.append(lambda request: denied if request.method == "DELETE" and "Dns" in request.path else None)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert await removed_reason(estate, endpoint) == "LeftBehind"
    estate.arm.faults.clear()
    await estate.send(endpoint, "manual")
    await estate.settle()
    assert await removed_reason(estate, endpoint) == "Removed"
    assert everything(estate) == []


@pytest.mark.parametrize(
    "answer", [(429, "TooManyRequests"), (503, "ServiceUnavailable"), (500, "InternalServerError")]
)
async def test_where_the_zones_users_cannot_be_listed_for_the_moment_nothing_is_left_for_good(
    estate: Estate, answer: tuple[int, str]
) -> None:
    """Azure throttles the list of endpoints just then: that says nothing about who uses the zone."""
    endpoint = await connected(estate)
    failing = [True]
    estate.arm.faults.append(
        lambda request: arm_error(*answer) if failing[0] and request.operation == "LIST privateEndpoint" else None
    )
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    failing[0] = False
    await estate.clock.sleep(3600)
    await estate.sweep()
    await estate.settle(2 * GRACE)
    assert await removed_reason(estate, endpoint) == "Removed"
    assert everything(estate) == []


async def test_where_the_zones_users_may_not_be_listed_zone_and_links_are_left_and_named(estate: Estate) -> None:
    """A right that is missing stays missing: it is done, and says what it leaves."""
    endpoint = await connected(estate)
    await estate.delete(endpoint)
    denied = arm_error(403, "AuthorizationFailed", "no")
    estate.arm.faults.append(lambda request: denied if request.operation == "LIST privateEndpoint" else None)
    await estate.settle(2 * GRACE)
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await removed_reason(estate, endpoint)) == ("Removed", "LeftBehind")
    assert any("zone" in text for text in connection.removal.leftovers)


@pytest.mark.parametrize("cloud", ["elastic", "azure"])
async def test_where_the_app_is_signed_out_in_between_nothing_is_left_for_good(estate: Estate, cloud: str) -> None:
    """A key or a token that ends in the middle of a removal is no missing right: there is another one some time."""
    endpoint = await connected(estate)
    ended = [True]

    def elastic(method: str, path: str) -> tuple[int, Any] | None:
        refused = ended[0] and cloud == "elastic" and method == "DELETE" and "/associations/" not in path
        return (401, {"errors": [{"code": "root.unauthenticated", "message": "no"}]}) if refused else None

    def azure(request: Any) -> FaultResponse | None:
        refused = ended[0] and cloud == "azure" and request.method == "DELETE"
        return arm_error(401, "ExpiredAuthenticationToken", "no") if refused else None

    await estate.delete(endpoint)
    estate.elastic_settings.faults.append(elastic)
    estate.arm.faults.append(azure)
    await estate.settle(2 * GRACE)
    connection = await estate.connection(endpoint)
    reason = "ElasticKeyRefused" if cloud == "elastic" else "AzureSignInFailed"
    assert (connection.status.phase, await removed_reason(estate, endpoint)) == ("Blocked", reason)
    assert connection.removal.leftovers
    ended[0] = False
    for _ in range(2):
        await estate.clock.sleep(3700)
        await estate.sweep()
        await estate.settle(2 * GRACE)
    assert await removed_reason(estate, endpoint) == "Removed"
    assert everything(estate) == []


async def test_what_azure_is_never_done_with_is_left_and_named_in_the_end(estate: Estate) -> None:
    """A link that Azure once failed to make may hold up its zone unseen: that looks like "busy", and lasts."""
    endpoint = await connected(estate)
    nested = arm_error(409, "CannotDeleteResource", "Can not delete resource before nested resources are deleted.")
    estate.arm.faults.append(lambda request: nested if request.operation == "DELETE zone" else None)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    removed = (await estate.connection(endpoint)).condition("Removed")
    assert removed is not None
    assert (removed.reason, "nested resources" in removed.message) == ("NotVisibleYet", True)
    for _ in range(3):
        await estate.clock.sleep(1200)
        await estate.sweep()
        await estate.settle(600)
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await removed_reason(estate, endpoint)) == ("Removed", "LeftBehind")
    assert everything(estate) == [f"zone {estate.zone().name}"], "everything else is gone"
    assert any("nested resources" in text for text in connection.removal.leftovers)
    tried = len(removals(estate))
    await estate.sweep()
    await estate.settle()
    assert len(removals(estate)) == tried, "not by each sweep"
    estate.arm.faults.clear()
    await estate.send(endpoint, "manual")
    await estate.settle()
    assert everything(estate) == []


async def test_what_a_disabled_subscription_kept_goes_the_day_after_it_is_enabled_again(estate: Estate) -> None:
    """It refuses every change; the removal ends as left behind, and is tried again soon, then once a day."""
    endpoint = await connected(estate)
    disabled = [True]
    error = arm_error(409, "ReadOnlyDisabledSubscription", "The subscription is disabled, and read-only.")
    estate.arm.faults.append(
        lambda request: error if disabled[0] and request.method != "GET" and "Dns" in request.path else None
    )
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert await removed_reason(estate, endpoint) == "LeftBehind"
    tried = len(removals(estate))
    await estate.clock.sleep(86400)
    await estate.sweep()
    await estate.settle()
    assert len(removals(estate)) == tried + 1
    await estate.sweep()
    await estate.settle()
    assert len(removals(estate)) == tried + 1
    disabled[0] = False
    await estate.clock.sleep(86400)
    await estate.sweep()
    await estate.settle()
    assert await removed_reason(estate, endpoint) == "Removed"
    assert everything(estate) == []
