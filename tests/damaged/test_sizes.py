"""What others can make long stays short in the record: it has a size."""

from __future__ import annotations

import errno

from shared.core.diagnosis import Failure
from shared.probe import Connection, Network, Target, probe
from shared.probe.run import ADDRESSES

WANTED = "10.200.0.4"
MANY = tuple(f"10.{number // 250}.{number % 250}.9" for number in range(3_900))


class Answering(Network):
    """A name server that answers these, and a network in which nothing listens."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses = addresses

    async def resolve(self, host: str) -> tuple[str, ...]:
        return self._addresses

    async def connect(self, address: str, port: int) -> Connection:
        raise ConnectionRefusedError(errno.ECONNREFUSED, f"{address} port {port}")


async def test_of_thousands_of_answers_some_are_kept_and_the_number_is_told() -> None:
    evidence = await probe(Target("x.es.privatelink.eastus2.azure.elastic-cloud.com", WANTED, 9243), Answering(MANY))
    assert evidence.failure is Failure.WRONG_ADDRESS
    assert len(evidence.addresses) == ADDRESSES
    assert all(len(stage.detail) <= 300 for stage in evidence.stages)


async def test_the_endpoints_own_address_is_seen_among_thousands() -> None:
    found = Answering((*MANY, WANTED))
    evidence = await probe(Target("x.es.privatelink.eastus2.azure.elastic-cloud.com", WANTED, 9243), found)
    assert evidence.failure is Failure.REFUSED
    assert evidence.addresses[0] == WANTED
