"""What others do just before a call: people, the storage's owner, an event that comes late. Used by `kinds`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from local.arm.model import RecordSet
from shared.core.guards.pause import Pause
from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.record import SCHEMA
from shared.core.model.services import Family
from shared.state import codec
from shared.state.rows import ControlRow
from tests.faults.watcher import ACTOR
from tests.harness.changing import THEIRS

if TYPE_CHECKING:
    from tests.faults.stage import Stage

NEWER = "of_a_newer_version"
PAUSED_FOR = timedelta(minutes=30)
ROLLED_BACK_AFTER = 1200.0
"""Seconds."""
Act = Callable[["Stage"], None]


@contextmanager
def _person(stage: Stage, kind: str) -> Iterator[None]:
    """No step of the app; what it is about is noted for the races that no client can close."""
    before = ACTOR.set((0, ""))
    stage.watcher.person_acts(kind)
    try:
        yield
    finally:
        ACTOR.reset(before)
        stage.watcher.others_changed()
        stage.remember()


def others_leave(stage: Stage) -> None:
    """A person takes every policy that is not ours off the deployments."""
    elastic = stage.estate.elastic
    ours = stage.watcher.ours
    with _person(stage, "association"):
        for policy, target in sorted(elastic.associations()):
            if policy not in ours:
                elastic.disassociate(policy, target)


def others_come_in(stage: Stage) -> None:
    """A person adds a rule for an endpoint of theirs to our policies."""
    ours = stage.watcher.ours
    with _person(stage, "policy"):
        for policy in stage.estate.elastic.rulesets():
            if policy.id in ours:
                of_rulesets = {} if stage.estate.family is Family.SERVERLESS else {"id": f"theirs-{policy.id[:8]}"}
                policy.rules.append(THEIRS | of_rulesets)
                stage.watcher.admits_others.add(policy.id)


def a_pause_begins(stage: Stage) -> None:
    """A person pauses the installation: each run may end the request that it is at, and begins no other."""
    now = stage.estate.clock.now()
    document = Pause(now, now + PAUSED_FOR, "a person").document()
    at_once(stage.estate.storage.control.put(ControlRow("pause", document)))
    stage.watcher.paused_until = now + PAUSED_FOR


def at_once(work: Coroutine[Any, Any, object]) -> None:
    """Run to the end without letting others in between: the service answers without any latency here."""
    with suppress(StopIteration):
        while True:
            work.send(None)


def terraform_writes(stage: Stage) -> None:
    """Terraform's provider writes the projects' lists as it knows them, without If-Match: none of ours is in them."""
    elastic, ours = stage.estate.elastic, stage.watcher.ours
    with _person(stage, "association"):
        for policy, target in sorted(elastic.associations()):
            if policy in ours and any(one.id not in ours for one in elastic.attached(target)):
                elastic.disassociate(policy, target)


def a_name_is_added(stage: Stage) -> None:
    """A person puts a name of theirs into the zones."""
    with _person(stage, "zone"):
        for zone in stage.estate.arm.private_dns_zones():
            records = {"aRecords": [{"ipv4Address": "10.9.9.9"}]}
            theirs = RecordSet(type="A", name="theirs", etag="theirs-1", ttl=3600, records=records)
            zone.record_sets["A", "theirs"] = theirs


def no_more_deletes(stage: Stage) -> None:
    """The role that deletes in Azure is taken away, for good."""
    zones = "Microsoft.Network/privateDnsZones"
    stage.estate.arm_settings.denied_actions |= {f"{zones}{one}/delete" for one in ("", "/A", "/virtualNetworkLinks")}


def a_day_back(stage: Stage) -> None:
    """The tables are restored from a day ago; every row has another ETag than it had."""
    storage, rows = stage.estate.storage, deepcopy(stage.day_ago)
    for name in ("connections", "control"):
        table: Any = getattr(storage, name)
        table.clear()
        table.stored.update({key: row._replace(etag=f"{row.etag}-back") for key, row in rows[name].items()})
    things: Any = storage.things
    things.clear()
    things.stored.update({key: (one, f"{etag}-back", at) for key, (one, etag, at) in rows["things"].items()})
    hosts: Any = storage.hosts
    hosts.clear()
    for name, partition in rows["hosts"].items():
        hosts.stored[name] = {host: (one, f"{etag}-back") for host, (one, etag) in partition.items()}
    stage.newer.clear()  # what a newer version had added is gone with the rows that held it
    for name in ("journal", "checks"):
        diary: Any = getattr(storage, name)
        diary.clear()
        diary.stored.update(rows[name])


def a_newer_version_writes(stage: Stage) -> None:
    """A version that is deployed beside this one writes the records first, with a part that this one does not know."""
    table: Any = stage.estate.storage.connections
    for key, stored in table.stored.items():
        row = codec.connection_row(stored.entity, stored.etag)
        entity = codec.connection_entity(replace(row, document=row.document | {NEWER: "kept"}))
        table.stored[key] = stored._replace(entity=entity, etag=f"{stored.etag}-newer")
        stage.newer.add(key)


def a_newer_schema_writes(stage: Stage) -> None:
    """A version whose records this one cannot read takes over all that there are, and is rolled back after a while."""
    table: Any = stage.estate.storage.connections
    before = dict(table.stored)
    for key, stored in before.items():
        row = codec.connection_row(stored.entity, stored.etag)
        entity = codec.connection_entity(replace(row, document=row.document | {"schema": SCHEMA + 1}))
        table.stored[key] = stored._replace(entity=entity, etag=f"{stored.etag}-newer")
    theirs = {key: table.stored[key].entity for key in before}

    async def roll_back() -> None:
        await stage.estate.clock.sleep(ROLLED_BACK_AFTER)
        for key, stored in before.items():
            now = table.stored.get(key)
            if now is None or now.entity != theirs[key]:
                stage.unexpected.append(f"record {key}, which a newer version had written, was written or deleted")
            table.stored[key] = stored._replace(etag=f"{stored.etag}-back")

    stage.keep(roll_back())


def deletion_told_late(stage: Stage) -> None:
    """An event tells a deletion that is over: the endpoint has been made again since."""
    for endpoint in stage.estate.arm.private_endpoints():
        message = WorkMessage(parse_endpoint_id(endpoint.id), Cause.EVENT_DELETE, "late")
        stage.keep(stage.estate.queue.send(message.encode()))
