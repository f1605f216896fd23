"""Every call that the product can make of its storage is known to the fault search as a read or as a write."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from shared.state import ports
from tests.faults.kinds import LOST, kinds_of
from tests.harness.wire import STORAGE_READS, STORAGE_WRITES, Call

PORTS = {
    "connections": ports.ConnectionTable,
    "journal": ports.DiaryTable,
    "checks": ports.DiaryTable,
    "hosts": ports.HostTable,
    "control": ports.ControlTable,
    "things": ports.ThingTable,
    "queue": ports.WorkQueue,
}


def methods() -> Iterator[tuple[str, str]]:
    """Every table and the queue, with each of its methods."""
    for service, port in PORTS.items():
        yield from (
            (service, name) for name, _ in inspect.getmembers(port, inspect.isfunction) if not name.startswith("_")
        )


def test_each_table_of_the_storage_is_here() -> None:
    found = {name for name, one in inspect.getmembers(ports.Storage) if isinstance(one, property)}
    assert found == PORTS.keys()


@pytest.mark.parametrize(("service", "method"), list(methods()))
def test_a_write_may_lose_its_answer_and_a_read_is_known_to_be_one(service: str, method: str) -> None:
    assert (method in STORAGE_READS) != (method in STORAGE_WRITES)
    kinds = kinds_of(Call(0, service, method))
    assert (LOST[0] in kinds) == (method in STORAGE_WRITES)


def test_a_call_of_a_service_without_a_row_in_the_table_is_no_call_without_faults() -> None:
    with pytest.raises(LookupError, match="no fault is known for another GET x"):
        kinds_of(Call(0, "another", "GET x"))
