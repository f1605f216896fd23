"""What each version wrote, every later one reads; what this one writes has the form of its committed files."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from local.storage.memory import MemoryStorage
from shared.api.doctor import examine
from shared.api.queries import get_checks, get_connection, get_journal, list_connections
from shared.core.model.messages import VERSION as MESSAGE
from shared.core.model.messages import decode
from shared.core.model.record import SCHEMA
from shared.core.model.record_document import from_document
from shared.state import codec
from shared.version import VERSION
from tests.compatibility.committed import AGAIN, read, versions
from tests.compatibility.samples import forms, record, unplain
from tests.compatibility.state import SETTINGS, taken_up
from tests.harness.estate import Estate

every_version = pytest.mark.parametrize("version", versions())


def misread(older: Any, present: Any, where: str = "record") -> list[str]:
    """What of an older form the present one has not, or has in another type; fields that were added are no harm."""
    if isinstance(older, dict) and isinstance(present, dict):
        gone = [f"{where}.{name}" for name in older if name not in present]
        return gone + [
            one
            for name, value in older.items()
            if name in present
            for one in misread(value, present[name], f"{where}.{name}")
        ]
    if isinstance(older, list) and isinstance(present, list):
        return [one for pair in zip(older, present, strict=False) for one in misread(*pair, where)]
    return [] if type(older) is type(present) else [where]


def test_what_this_version_writes_has_the_form_of_its_committed_files() -> None:
    assert VERSION in versions(), f"this version has no files yet: {AGAIN}"
    assert forms() == read(VERSION, "forms"), (
        f"a form has changed: {AGAIN} writes its files anew, as long as {VERSION} is not released"
    )


@every_version
def test_a_form_that_another_version_would_misread_has_a_number_of_its_own(version: str) -> None:
    """A field that is new to an older instance stays as it is; one that is gone, or another word, is damage to it."""
    older, present = read(version, "forms"), forms()
    if older["record"]["schema"] == SCHEMA:
        assert misread(older["record"], present["record"]) == [], "raise SCHEMA in core/model/record.py"
        assert older["words"] == present["words"], "a new word: raise SCHEMA in core/model/record.py"
    if json.loads(older["messages"][0])["v"] == MESSAGE:
        assert set(older["messages"]) <= set(present["messages"]), "raise VERSION in core/model/messages.py"


@every_version
def test_records_rows_and_messages_are_read(version: str) -> None:
    written = read(version, "forms")
    found = from_document(written["record"])
    assert found.endpoint_id == record().endpoint_id
    assert found.status.conditions, "no field of a full record is empty"
    row = codec.connection_row(written["connections"], "etag")
    assert from_document(row.document) == found
    assert row.columns.phase == found.status.phase
    assert codec.thing_row(unplain(written["things"]), "etag", None, None).resource_id == "/a/thing"
    assert codec.JOURNAL.entry(unplain(written["journal"])).step
    assert codec.CHECKS.entry(unplain(written["checks"])).hosts
    assert codec.host_row(written["hosts"], "etag").check is not None
    for text in written["messages"]:
        decoded = decode(text, new_correlation_id="new")
        assert len(decoded.work) + len(decoded.checks) + len(decoded.drift) == 1, text
        assert (decoded.newer, decoded.dropped) == ((), ())


async def installed(version: str) -> Estate:
    """An installation of this version, on the state that another one left."""
    estate = await Estate(settings=SETTINGS).open()
    state = {
        name: [unplain(one) if isinstance(one, dict) else one for one in rows]
        for name, rows in read(version, "state").items()
    }
    await taken_up(state, estate)
    return estate


@every_version
async def test_an_installation_is_taken_up_where_a_version_left_it(version: str) -> None:
    estate = await installed(version)
    context = estate.worker.context
    listed = (await list_connections(context))["items"]
    assert {one["name"]: one["phase"] for one in listed} == {
        "pe-ready": "Ready",
        "pe-blocked": "Blocked",
        "pe-gone": "Removing",
    }
    for one in listed:
        assert (await get_connection(context, one["id"]))["conditions"]
        assert (await get_journal(context, one["id"], 500, None))["items"]
    ready = next(one["id"] for one in listed if one["name"] == "pe-ready")
    assert (await get_checks(context, ready, 50, None))["items"]
    report = await examine(context)
    assert [finding.what for finding in report.findings if "damaged" in finding.what] == []
    assert (await estate.sweep()).errors == []


@every_version
async def test_work_goes_on_with_the_messages_that_a_version_left(version: str) -> None:
    """Nothing is poisoned, not even where none of it is there any more: in these clouds there is no endpoint."""
    estate = await installed(version)
    assert isinstance(estate.storage, MemoryStorage)
    await estate.settle()
    await asyncio.sleep(3700)  # the pause ends
    for _ in range(6):
        assert (await estate.sweep()).errors == []
        await estate.settle()
        await asyncio.sleep(300)
    phases = [columns.columns.phase async for columns in estate.storage.connections.list_columns()]
    assert phases == ["Removed"] * 3
    assert await estate.queue.poisoned() == 0


def test_a_change_that_another_version_would_misread_is_seen() -> None:
    """At any depth; another value is none, and neither is a field more."""
    present = forms()["record"]
    changed = json.loads(json.dumps(present))
    changed["elastic"]["policy"]["id"] = 7
    changed["dns"]["links"][0]["new"] = changed["status"]["name"] = "text"
    del changed["status"]["generation"]
    assert misread(present, changed) == ["record.elastic.policy.id", "record.status.generation"]
    assert misread(present, present | {"endpoint_id": "another"}) == []
