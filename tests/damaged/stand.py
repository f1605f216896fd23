"""An estate whose tables are damaged, one row at a time, and put back. Used by the search of `test_rows`."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.api import queries, removals
from shared.api.damaged_rows import take_over_row, unreadable_rows
from shared.api.doctor import examine
from shared.api.plans import plan_all
from shared.core.model.arm_ids import connection_id, parse_endpoint_id
from shared.core.model.errors import AutopilotError
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.services import Family, Services
from shared.settings.services import shipped_services
from shared.state.rows import ControlRow
from tests.damaged.mutations import BY_CHANCE, MISSING, Mutation, mutations
from tests.harness.estate import Estate
from tests.harness.outcome import snapshot
from tests.harness.platform_parts import ASKED

TABLES = ("connections", "control", "things", "journal", "checks", "hosts")
TWO = Services(
    tuple(one for one in shipped_services().of_family(Family.HOSTED) if one.region in {"eastus2", "westeurope"})
)
"""Those that the connections are of: each further one costs every sweep some requests."""
DECIDED = ("organization",)
"""Another name here is a change of the organization: a connection waits until a person decides it, and says so."""
COLUMNS: dict[str, Any] = {
    "empty": "",
    "a text": "x",
    "a number": 7,
    "a truth": True,
    "no number": float("nan"),
    "the year 9999": datetime(9999, 12, 31, tzinfo=UTC),
    "bytes": b"\x00\xff",
    "a huge text": "x" * 60_000,
}
"""In place of a column's value."""


@dataclass(frozen=True)
class Damage:
    """One row, and what is wrong in it."""

    table: str
    row: str
    column: str
    name: str
    mutation: Mutation | None = None

    def __str__(self) -> str:
        return f"{self.table} {self.row}: {self.column} {self.mutation or self.name}"

    @property
    def kind(self) -> tuple[str, ...]:
        """The same for rows of one kind that have the same wrong with them at places of one kind."""
        row = BY_CHANCE.sub("*", self.row)
        return (self.table, row, self.column, self.name, *(self.mutation.kind if self.mutation else ()))


class Stand:
    """Connections that are Ready, and every kind of row."""

    def __init__(self, estate: Estate, endpoints: list[str]) -> None:
        self.estate, self.endpoints = estate, endpoints
        self._saved = self._rows(copy.deepcopy)
        self.world = snapshot(estate)
        self.found: list[str] = []

    def _rows(self, kept: Any) -> dict[str, Any]:
        storage: Any = self.estate.storage
        return {name: kept(getattr(storage, name).stored) for name in TABLES}

    def restore(self) -> None:
        """All rows as they were."""
        for name, rows in self._rows(lambda rows: rows).items():
            rows.clear()
            rows.update(copy.deepcopy(self._saved[name]))
        self.estate.queue.messages.clear()
        self.estate.queue.poison.clear()

    def entities(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every row that there is: its table, its name, its columns."""
        for table, rows in self._rows(lambda rows: rows).items():
            for key, stored in rows.items():
                if table in {"journal", "checks"}:
                    yield table, key, next(iter(stored.values()))
                elif table == "hosts":
                    yield table, key, next(iter(stored.values()))[0]
                else:
                    yield table, str(key), stored[0]

    def damages(self) -> Iterator[Damage]:
        """Everything that can be wrong with every row."""
        for table, row, entity in list(self.entities()):
            columns = [name for name in entity if name not in {"PartitionKey", "RowKey"}]
            yield Damage(table, row, "all columns", "blank")
            for column in columns:
                yield from (Damage(table, row, column, name) for name in (MISSING, *COLUMNS))
            for column in {"document", "before", "hosts"} & set(columns):
                wrong = (one for one in mutations(json.loads(entity[column])) if one.place[-1:] != DECIDED)
                yield from (Damage(table, row, column, "json", one) for one in wrong)

    def do(self, damage: Damage) -> None:
        """Damage a row."""
        entity = next(one for table, row, one in self.entities() if (table, row) == (damage.table, damage.row))
        if damage.name == "blank":
            for name in set(entity) - {"PartitionKey", "RowKey"}:
                del entity[name]
        elif damage.mutation is not None:
            text = damage.mutation.of(json.loads(entity[damage.column])).decode("utf-8", "replace")
            parts = [text[at : at + 30_000] for at in range(0, max(len(text), 1), 30_000)]
            entity |= {damage.column if not n else f"{damage.column}_{n}": part for n, part in enumerate(parts[:16])}
        elif damage.name == MISSING:
            del entity[damage.column]
        else:
            entity[damage.column] = COLUMNS[damage.name]

    def about(self, damage: Damage) -> set[str]:
        """The connections that a row is about; those of the whole installation are about none."""
        ids = {connection_id(one) for one in self.endpoints}
        return {one for one in ids if one in damage.row}

    # -- what goes on ----------------------------------------------------------------------------------------------

    async def problems(self, damage: Damage) -> list[str]:
        """What does not go on although one row is damaged, and what is not well once it is taken over."""
        self.found = []
        about = self.about(damage)
        await self.estate.clock.sleep(120)  # Azure counts requests for private DNS by the minute
        await self._look(damage, about)
        for endpoint in self.endpoints:
            await self.estate.queue.send(WorkMessage(parse_endpoint_id(endpoint), Cause.MANUAL, "test").encode())
        await self._settle()
        await self._must_be_well([one for one in self.endpoints if connection_id(one) not in about])
        await self._take_over()
        await self._must_be_well(self.endpoints)
        if snapshot(self.estate) != self.world:
            self.found.append("something was changed in a cloud")
        return self.found

    async def problems_where_it_is_not_read(self, damage: Damage) -> list[str] | None:
        """The same of what only reads, for a row that the doctor names; None where none is named."""
        context, self.found = self.estate.worker.context, []
        named = await self._must("doctor's rows", unreadable_rows(context))
        if not named:
            return None
        await self._ask(damage, self.about(damage))
        await self._mend()
        return self.found

    async def _look(self, damage: Damage, about: set[str]) -> None:
        context = self.estate.worker.context
        await self._must("sweep", self.estate.sweep())
        await self._must("plans", plan_all(context))
        await self._must("doctor", examine(context))
        await self._ask(damage, about)

    async def _ask(self, damage: Damage, about: set[str]) -> None:
        context = self.estate.worker.context
        await self._must("list", queries.list_connections(context))
        await self._must("removals", removals.show_removals(context), may_fail=damage.row == "removals")
        for own in map(connection_id, self.endpoints):
            await self._must("detail", queries.get_connection(context, own), may_fail=own in about)
            await self._must("journal", queries.get_journal(context, own, 50, None))
            await self._must("checks", queries.get_checks(context, own, 50, None))

    async def _take_over(self) -> None:
        await self._mend()
        await self._must("sweep after it", self.estate.sweep())
        await self._settle()
        await self._must_be_mended()

    async def _mend(self) -> None:
        """What a person does whom the doctor named the row."""
        context = self.estate.worker.context
        rows = await self._must("doctor's rows", unreadable_rows(context)) or []
        for row in rows:
            await self._must("take over", take_over_row(context, row.table, row.row, ASKED))
        await self._must_be_mended()

    async def _must_be_mended(self) -> None:
        context = self.estate.worker.context
        left = await self._must("doctor's rows after it", unreadable_rows(context)) or []
        self.found += [f"{row.table} {row.row} is still damaged" for row in left]

    async def _must_be_well(self, endpoints: list[str]) -> None:
        for endpoint in endpoints:
            record = await self._must("record", self.estate.connection(endpoint))
            if record is not None and record.status.phase != "Ready":
                reasons = [f"{c.type} {c.reason}: {c.message}" for c in record.status.conditions if not c.true]
                self.found.append(f"{endpoint[-4:]} is {record.status.phase}: {reasons}"[:500])

    async def _must(self, what: str, work: Any, *, may_fail: bool = False) -> Any:
        try:
            return await work
        except AutopilotError as error:
            if not may_fail:
                self.found.append(f"{what}: {type(error).__name__} {error}"[:300])
        except BaseException as error:  # noqa: BLE001 - what is searched for
            self._raised(what, error)
        return None

    def _raised(self, what: str, error: BaseException) -> None:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if not isinstance(error, AutopilotError):
            self.found.append(f"{what} raised {type(error).__name__}: {str(error)[:200]} {_where(error)}")

    async def _settle(self) -> None:
        """Each message that is due, once: what a run of the damaged connection raises is the product's error."""
        while (message := self.estate.queue.receive()) is not None:
            try:
                await self.estate.handle(message)
            except BaseException as error:  # noqa: BLE001 - what is searched for
                self._raised("a run", error)


def _where(error: BaseException) -> str:
    trace, last = error.__traceback__, ""
    while trace is not None:
        if "/shared/" in trace.tb_frame.f_code.co_filename:
            last = f"{trace.tb_frame.f_code.co_filename.rsplit('/shared/', 1)[1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return last


def _control_rows(estate: Estate, connection: str) -> dict[str, dict[str, Any]]:
    """Rows that come and go: none of them, as they are here, holds anything up."""
    now = estate.clock.now()
    before, soon = (now - timedelta(hours=2)).isoformat(), (now + timedelta(minutes=30)).isoformat()
    stop = {"id": "stop", "at": before, "count": 12, "connections": ["0123456789abcdef"]}
    return {
        "pause": {"since": before, "until": (now + timedelta(minutes=1)).isoformat(), "reason": "a change"},
        "removals": {
            "limit": 10,
            "standing": ["0123456789abcdef"],
            "torn": {"0123456789abcdef": before},
            "changed": [],
            "stopped": stop,
            "allowed": ["0123456789abcdef"],
            "allowedUntil": soon,
        },
        "sweep-lease": {"holder": "another"},
        f"lease-{connection}": {"holder": "another/1"},
        f"word-{connection}": {"pending": False, "guardAt": before, "guardId": "7", "guardReceipt": "8"},
        f"decided-{connection}": {"decisions": []},
    }


async def stand() -> Stand:
    """Two Ready connections, and one row at least of every kind."""
    estate = await Estate(settings={"NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events"}, services=TWO).open()
    one = await estate.put_endpoint("pe-1")
    two = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle()
    await estate.sweep()
    await estate.settle(60)
    endpoints = [one, two]
    for name, document in _control_rows(estate, connection_id(one)).items():
        await estate.storage.control.put(ControlRow(name, document))
    await estate.clock.sleep(120)
    for endpoint in endpoints:
        await estate.ready(endpoint)
    return Stand(estate, endpoints)
