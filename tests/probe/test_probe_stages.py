"""The order and the time limits of the stages, on virtual time over a scripted network."""

from __future__ import annotations

import asyncio
import errno
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from shared.core.diagnosis import Failure, diagnose
from shared.probe import Answer, NameNotFound, StageFailed, Target, Timeouts, probe
from shared.probe.run import DETAIL_LIMIT

if TYPE_CHECKING:
    from shared.probe import Connection, Network, Request

TARGET = Target("x.es.privatelink.eastus2.azure.elastic-cloud.com", "10.0.0.4")
NEVER = 1e6


@dataclass
class Script:
    """A network that takes its time, and fails where it is told to."""

    takes: dict[str, float] = field(default_factory=dict)
    fails: dict[str, Exception] = field(default_factory=dict)
    answer: Answer = field(default_factory=lambda: Answer(401, {"x-elastic-product": "Elasticsearch"}))
    calls: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connected_to: tuple[str, int] | None = None
    addresses: tuple[str, ...] = ("10.0.0.4",)

    async def _step(self, name: str) -> None:
        self.calls.append(name)
        await asyncio.sleep(self.takes.get(name, 0.0))
        if name in self.fails:
            raise self.fails[name]

    async def resolve(self, host: str) -> tuple[str, ...]:
        await self._step("resolve")
        return self.addresses

    async def connect(self, address: str, port: int) -> Connection:
        await self._step("connect")
        self.connected_to = (address, port)
        return self

    async def start_tls(self, host: str) -> None:
        await self._step("tls")

    async def exchange(self, request: Request, body_limit: int) -> Answer:
        await self._step("http")
        self.requests.append(request)
        return self.answer

    async def aclose(self) -> None:
        self.calls.append("close")


async def test_each_stage_is_timed_by_itself() -> None:
    network: Network = Script(takes={"resolve": 0.01, "connect": 0.02, "tls": 0.03, "http": 0.04})
    evidence = await probe(TARGET, network)
    assert [(stage.name, stage.milliseconds) for stage in evidence.stages] == [
        ("resolve", 10.0),
        ("connect", 20.0),
        ("tls", 30.0),
        ("http", 40.0),
    ]
    assert evidence.milliseconds == 100.0
    assert diagnose(evidence).status == "healthy"


@pytest.mark.parametrize(
    ("stage", "failure", "calls"),
    [
        ("resolve", Failure.RESOLVER_FAILED, ["resolve"]),
        ("connect", Failure.CONNECT_TIMEOUT, ["resolve", "connect"]),
        ("tls", Failure.TLS_FAILED, ["resolve", "connect", "tls", "close"]),
        ("http", Failure.NO_ANSWER, ["resolve", "connect", "tls", "http", "close"]),
    ],
)
async def test_a_stage_that_hangs_ends_the_probe_in_the_stages_time(
    stage: str, failure: Failure, calls: list[str]
) -> None:
    network = Script(takes={stage: NEVER})
    evidence = await probe(TARGET, network, Timeouts(resolve=1, connect=2, tls=3, http=4, whole=60))
    limit = {"resolve": 1, "connect": 2, "tls": 3, "http": 4}[stage]
    assert (evidence.failure, network.calls) == (failure, calls)
    assert (evidence.stages[-1].milliseconds, evidence.stages[-1].detail) == (
        limit * 1000,
        f"no answer within {limit} s",
    )


async def test_of_several_addresses_the_endpoints_own_is_connected_to() -> None:
    """A record that two endpoints share leads to either: to test the other one would say nothing of this one."""
    network = Script(addresses=("10.0.0.3", "10.0.0.4", "10.0.0.5"))
    await probe(TARGET, network)
    assert network.connected_to == ("10.0.0.4", 9243)


async def test_the_whole_probe_is_bounded_though_each_stage_is_in_its_time() -> None:
    started = asyncio.get_running_loop().time()
    network = Script(takes={"resolve": 4, "connect": 4, "tls": 4, "http": 4})
    evidence = await probe(TARGET, network, Timeouts(resolve=5, connect=5, tls=5, http=5, whole=10))
    assert asyncio.get_running_loop().time() - started == 10
    assert evidence.failure is Failure.TLS_FAILED
    assert network.calls[-1] == "close"


@pytest.mark.parametrize(
    ("stage", "error", "failure", "detail"),
    [
        ("resolve", NameNotFound(), Failure.NAME_NOT_FOUND, "the name does not exist"),
        ("resolve", OSError(errno.EACCES, "x"), Failure.RESOLVER_FAILED, "permission denied"),
        ("connect", OSError(errno.EHOSTUNREACH, "x"), Failure.UNREACHABLE, "no route to host"),
        ("connect", OSError(errno.ENETUNREACH, "x"), Failure.UNREACHABLE, "network is unreachable"),
        ("connect", OSError(errno.ETIMEDOUT, "x"), Failure.CONNECT_TIMEOUT, "connection timed out"),
        ("connect", OSError(errno.ECONNRESET, "x"), Failure.REFUSED, "connection reset by peer"),
        ("connect", OSError(errno.EMFILE, "x"), Failure.PROBE_FAILED, "too many open files"),
        ("connect", StageFailed(Failure.UNREACHABLE, "as said"), Failure.UNREACHABLE, "as said"),
        ("tls", ConnectionResetError(), Failure.TLS_FAILED, "the other side closed the connection"),
        ("tls", ConnectionResetError(errno.ECONNRESET, "x"), Failure.RESET, "connection reset by peer"),
        ("http", BrokenPipeError(errno.EPIPE, "x"), Failure.NO_ANSWER, "broken pipe"),
    ],
)
async def test_errors_mean_what_their_stage_makes_of_them(
    stage: str, error: Exception, failure: Failure, detail: str
) -> None:
    network = Script(fails={stage: error})
    evidence = await probe(TARGET, network)
    assert (evidence.failure, evidence.stages[-1].detail) == (failure, detail)
    assert ("close" in network.calls) == (stage in ("tls", "http"))


async def test_a_mistake_in_the_program_is_no_finding_about_the_network() -> None:
    network = Script(fails={"tls": KeyError("bug")})
    with pytest.raises(KeyError):
        await probe(TARGET, network)
    assert network.calls[-1] == "close"


async def test_details_and_bodies_are_bounded() -> None:
    long = Script(fails={"tls": StageFailed(Failure.TLS_FAILED, "x" * 10_000)})
    assert len((await probe(TARGET, long)).stages[-1].detail) == DETAIL_LIMIT
    generous = Script(answer=Answer(200, {}, b"\xff" * 10_000))
    assert len((await probe(TARGET, generous)).body) == 4096


@pytest.mark.parametrize(("port", "host_header"), [(9243, f"{TARGET.host}:9243"), (443, TARGET.host)])
async def test_the_host_header_has_the_port_except_443(port: int, host_header: str) -> None:
    network = Script()
    await probe(Target(TARGET.host, TARGET.address, port), network)
    headers = dict(network.requests[0].headers)
    assert (network.connected_to, headers["Host"]) == (("10.0.0.4", port), host_header)
    assert not {name.lower() for name in headers} & {"authorization", "cookie", "proxy-authorization"}


def test_importing_the_probe_loads_neither_dns_nor_http_libraries() -> None:
    code = "import sys, shared.probe, shared.core.model.services; print(sorted({'dns', 'h11'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.strip() == "[]"


def test_the_core_modules_of_the_probe_load_no_sockets() -> None:
    code = (
        "import sys, shared.core.diagnosis, shared.core.model.services; "
        "print(sorted({'ssl', 'socket', 'asyncio', 'dns', 'h11'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.strip() == "[]"
