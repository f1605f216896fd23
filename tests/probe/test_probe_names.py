"""The probe's first stage against a real name server on loopback, and where it connects to afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
import pytest

from shared.core.diagnosis import Evidence, Failure, diagnose
from shared.probe import Target, Timeouts, probe
from shared.probe.sockets import SocketNetwork
from tests.probe.probe_servers import HOST, http, name_server, replying, serving

if TYPE_CHECKING:
    from tests.probe.probe_servers import Authority, NameServer

pytestmark = pytest.mark.real_time

OK = http("401 Unauthorized", b"{}", X_Elastic_Product="Elasticsearch")
TIMEOUTS = Timeouts(resolve=0.3, connect=1, tls=2, http=2, whole=5)
PATIENT = Timeouts()


async def probe_with(
    answer: tuple[str, ...] | dns.rcode.Rcode | None, address: str = "127.0.0.1", port: int = 9
) -> tuple[Evidence, NameServer]:
    async with name_server(answer) as server:
        # Only silence is waited out; an answer may be slow on a machine that is busy with other tests.
        limits = TIMEOUTS if answer is None else PATIENT
        evidence = await probe(Target(HOST, address, port), SocketNetwork(server.address), limits)
    return evidence, server


@pytest.mark.parametrize(
    ("answer", "failure", "detail"),
    [
        (dns.rcode.NXDOMAIN, Failure.NAME_NOT_FOUND, "the name does not exist"),
        ((), Failure.NAME_NOT_FOUND, "the name exists but has no A record"),
        (dns.rcode.SERVFAIL, Failure.RESOLVER_FAILED, "127.0.0.1@{port} answered SERVFAIL"),
        (dns.rcode.REFUSED, Failure.RESOLVER_FAILED, "127.0.0.1@{port} answered REFUSED"),
        (None, Failure.RESOLVER_FAILED, "no answer within 0.3 s"),
        (("127.0.0.9",), Failure.WRONG_ADDRESS, "127.0.0.9, expected 127.0.0.1"),
        (("20.62.1.1",), Failure.PUBLIC_ADDRESS, "20.62.1.1, expected 127.0.0.1"),
        (("127.0.0.9", "20.62.1.1"), Failure.PUBLIC_ADDRESS, "127.0.0.9, 20.62.1.1, expected 127.0.0.1"),
    ],
)
async def test_what_the_name_server_says_is_told_apart(
    answer: tuple[str, ...] | dns.rcode.Rcode | None, failure: Failure, detail: str
) -> None:
    evidence, server = await probe_with(answer)
    detail = detail.format(port=server.address[1])
    assert evidence.failure is failure
    assert [(stage.name, stage.ok, stage.detail) for stage in evidence.stages] == [("resolve", False, detail)]


async def test_only_the_name_itself_is_asked_for_without_search_domains() -> None:
    _, server = await probe_with(dns.rcode.NXDOMAIN)
    assert server.questions == [f"{HOST}. IN A"]


async def test_a_wrong_address_is_never_connected_to(trusted: Authority) -> None:
    context = trusted.server_context(HOST)
    async with (
        serving(replying(OK), context, address="127.0.0.1") as own,
        serving(replying(OK), context, address="127.0.0.9", port=own.port) as other,
    ):
        evidence, _ = await probe_with(("127.0.0.9",), "127.0.0.1", own.port)
    assert (evidence.failure, own.connections, other.connections) == (Failure.WRONG_ADDRESS, 0, 0)


async def test_among_several_addresses_only_the_endpoints_own_is_connected_to(trusted: Authority) -> None:
    context = trusted.server_context(HOST)
    async with (
        serving(replying(OK), context, address="127.0.0.1") as own,
        serving(replying(OK), context, address="127.0.0.9", port=own.port) as other,
    ):
        evidence, _ = await probe_with(("127.0.0.9", "127.0.0.1"), "127.0.0.1", own.port)
    assert (own.connections, other.connections) == (1, 0)
    assert evidence.addresses == ("127.0.0.1", "127.0.0.9")
    assert diagnose(evidence).status == "degraded"
    assert diagnose(evidence, shared_with=["127.0.0.9"]).status == "healthy"


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", "\N{SNOWMAN}" * 80 + ".example"])
async def test_a_name_that_cannot_be_asked_for_is_no_crash(host: str) -> None:
    evidence = await probe(Target(host, "127.0.0.1", 9), SocketNetwork(("127.0.0.1", 9)), TIMEOUTS)
    assert evidence.failure is Failure.RESOLVER_FAILED


async def test_without_a_name_server_in_the_settings_the_systems_is_used() -> None:
    evidence = await probe(Target("localhost", "192.0.2.1", 9), SocketNetwork(), TIMEOUTS)
    assert evidence.failure is not None
    assert [stage.name for stage in evidence.stages] == ["resolve"]
