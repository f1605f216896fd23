"""What a person asks for is an operation that tells how it ended, always."""

from __future__ import annotations

from typing import Any

import pytest

from shared.core.model.messages import Cause, told_cause, told_of, told_operations
from shared.installation import operations
from shared.state.leases import TOLD_MAX, Busy
from tests.functions.http_parts import KNOWN, UNKNOWN
from tests.functions.trigger_parts import ENDPOINT_ID, App, call

ID = "4c1c7f3a-0000-4000-8000-000000000001"


async def rerun(connection: str, operation: str = ID, name: str = "reconcile_connection") -> Any:
    headers = {"x-ms-client-request-id": operation}
    return await call(name, "/api/connections", body={}, connection=connection, headers=headers)


async def followed(operation: str = ID) -> Any:
    return await call("get_operation", f"/api/operations/{operation}", operation=operation)


async def test_an_operation_runs_until_a_run_has_answered_it(app: App) -> None:
    one = await app.keep(KNOWN)
    asked = await rerun(one)
    waiting = await followed()
    assert (waiting.status, waiting.headers["retry-after"]) == (200, "2")
    assert (waiting.body["status"], waiting.body["ended"], waiting.body["of"]) == ("Running", 0, 1)
    assert (waiting.body["by"], waiting.body["kind"]) == ("operator", "reconcile")
    assert asked.body["operation"] == ID
    row = await app.storage.connections.get(one)
    assert row is not None
    await app.storage.connections.delete(row)
    await app.keep(KNOWN.having_answered([ID]))
    ended = await followed()
    assert (ended.body["status"], ended.body["ended"]) == ("Succeeded", 1)
    assert "retry-after" not in ended.headers
    (shown,) = ended.body["connections"]
    assert (shown["id"], shown["phase"], shown["reason"]) == (one, "Blocked", "NetworkLinkedToAnotherZone")
    assert shown["changed"] == []


async def test_a_repeated_request_answers_the_same_operation_and_asks_for_nothing_again(app: App) -> None:
    one = await app.keep(KNOWN)
    first, second = await rerun(one), await rerun(one)
    assert first.body == second.body
    assert len(app.messages) == 1


async def test_an_id_of_another_request_is_refused(app: App) -> None:
    one = await app.keep(KNOWN)
    await rerun(one)
    other = await rerun(one, name="check_connection")
    assert (other.status, other.error["code"]) == (400, "InvalidInput")
    assert len(app.messages) == 1


async def test_letters_of_an_id_are_compared_in_any_case(app: App) -> None:
    one = await app.keep(KNOWN)
    await rerun(one, ID.upper())
    assert (await followed(ID)).status == 200
    await rerun(one, ID)
    assert len(app.messages) == 1


async def test_an_operation_that_no_run_answers_within_an_hour_has_failed_and_says_where_to_look(app: App) -> None:
    await rerun(await app.keep(KNOWN))
    await app.context.clock.sleep(3601)
    ended = await followed()
    assert ended.body["status"] == "Failed"
    assert "GET /api/doctor" in ended.body["outcome"]


async def test_an_unknown_operation_says_so(app: App) -> None:
    del app
    answer = await followed(UNKNOWN)
    assert (answer.status, answer.error["code"]) == (404, "OperationNotFound")


async def test_where_the_answer_says_to_look_there_is_something_at_once(app: App) -> None:
    """Also for an endpoint that no record tells of yet."""
    answer = await call("reconcile_endpoint", body={"endpoint": ENDPOINT_ID})
    operation = answer.headers["location"].rpartition("/")[2]
    shown = await followed(operation)
    assert (shown.status, shown.body["status"], shown.body["connections"][0]["phase"]) == (200, "Running", None)


async def test_operations_are_kept_for_a_week(app: App) -> None:
    await rerun(await app.keep(KNOWN))
    await app.context.clock.sleep(operations.KEPT.total_seconds() - 60)
    await operations.prune(app.context)
    assert (await followed()).status == 200
    await app.context.clock.sleep(120)
    await operations.prune(app.context)
    assert (await followed()).status == 404


async def test_the_journal_has_the_name_of_who_asked(app: App) -> None:
    one = await app.keep(KNOWN)
    await rerun(one, name="check_connection")
    journal = await call("get_journal", connection=one)
    assert [entry["step"] for entry in journal.body["items"]] == ["operator decided: check"]


# -- a busy worker -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "told"), [(Cause.MANUAL, (ID,)), (Cause.CHECK, (ID,)), (Cause.EVENT_DELETE, ()), (Cause.WAIT, ())]
)
def test_a_busy_worker_is_told_of_what_a_person_waits_for(cause: Cause, told: tuple[str, ...]) -> None:
    assert told_cause(told_of(cause, ID)) == cause
    assert told_operations([told_of(cause, ID)]) == told


async def test_what_is_told_to_one_holder_has_a_bound(app: App) -> None:
    leases = app.context.leases
    held = await leases.acquire("0123456789abcdef", _row, "guard")
    assert not isinstance(held, Busy)
    for number in range(3 * TOLD_MAX):
        await leases.acquire("0123456789abcdef", _row, "guard", telling=told_of(Cause.MANUAL, f"id-{number}"))
    assert await held.finish()
    assert len(held.told) <= TOLD_MAX + 1
    assert Cause.MANUAL in {told_cause(one) for one in held.told}


def _row() -> Any:
    from shared.state.codec import holding  # noqa: PLC0415 - for one test
    from shared.state.rows import ConnectionRow  # noqa: PLC0415

    return holding(ConnectionRow("0123456789abcdef"), KNOWN)
