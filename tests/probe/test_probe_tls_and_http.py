"""The probe against real TLS servers on loopback addresses: what it sends, what it makes of each answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from shared.core.diagnosis import Evidence, Failure, diagnose
from shared.probe import StageFailed, Target, Timeouts, probe
from shared.probe.run import BODY_LIMIT, request_for
from shared.probe.sockets import SocketNetwork
from tests.probe.probe_servers import HOST, ZONE, Server, http, name_server, replying, serving, silent

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from tests.probe.probe_servers import Authority, Handler

pytestmark = pytest.mark.real_time

ADDRESS = "127.0.0.1"
PATIENT = Timeouts(resolve=5, connect=5, tls=5, http=5, whole=10)
HASTY = Timeouts(resolve=5, connect=0.2, tls=0.2, http=0.2, whole=10)
UNAUTHORISED = http(
    "401 Unauthorized",
    b'{"error":{"type":"security_exception","reason":"missing authentication credentials"},"status":401}',
    Content_Type="application/json",
    WWW_Authenticate='Basic realm="security" charset="UTF-8"',
    X_Elastic_Product="Elasticsearch",
)
FORBIDDEN = http("403 Forbidden", b'{"ok":false,"message":"Forbidden due to traffic filtering."}')


async def probe_port(port: int, timeouts: Timeouts = PATIENT, host: str = HOST) -> Evidence:
    async with name_server((ADDRESS,)) as dns:
        return await probe(Target(host, ADDRESS, port), SocketNetwork(dns.address), timeouts)


async def probe_server(
    handler: Handler, context: ssl.SSLContext | None, timeouts: Timeouts = PATIENT
) -> tuple[Evidence, Server]:
    async with serving(handler, context) as server:
        return await probe_port(server.port, timeouts), server


@contextlib.asynccontextmanager
async def full_backlog() -> AsyncIterator[int]:
    """A port whose queue of connections is full: Linux drops further attempts, so they hang."""
    loop = asyncio.get_running_loop()
    with socket.socket() as listener, contextlib.ExitStack() as clients:
        listener.bind((ADDRESS, 0))
        listener.listen(0)
        for _ in range(4):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await loop.sock_connect(client, listener.getsockname())
        yield listener.getsockname()[1]


async def test_a_401_of_elasticsearch_is_healthy(trusted: Authority) -> None:
    evidence, _ = await probe_server(replying(UNAUTHORISED), trusted.server_context(f"*.es.{ZONE}"))
    assert [(stage.name, stage.ok) for stage in evidence.stages] == [
        ("resolve", True),
        ("connect", True),
        ("tls", True),
        ("http", True),
    ]
    assert all(0 <= stage.milliseconds < 5000 for stage in evidence.stages)
    assert (evidence.http_status, evidence.elastic_product, evidence.failure) == (401, True, None)
    assert "security_exception" in evidence.body
    assert diagnose(evidence).reason == "Reachable"


async def test_the_one_request_is_a_plain_get_with_the_port_in_host_and_no_credentials(trusted: Authority) -> None:
    _, server = await probe_server(replying(UNAUTHORISED), trusted.server_context(HOST))
    assert server.server_names == [HOST]
    assert server.requests == [
        (
            f"GET / HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nUser-Agent: private-link-autopilot\r\n"
            "Accept: application/json\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
        ).encode()
    ]


async def test_credentials_and_proxies_of_the_environment_are_not_used(
    trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@127.0.0.1:9")
    evidence, server = await probe_server(replying(UNAUTHORISED), trusted.server_context(HOST))
    assert evidence.http_status == 401
    assert b"authorization" not in server.requests[0].lower()


async def test_a_redirect_is_reported_and_not_followed(trusted: Authority) -> None:
    moved = http("302 Found", Location="/login")
    evidence, server = await probe_server(replying(moved), trusted.server_context(HOST))
    assert (server.connections, len(server.requests)) == (1, 1)
    assert evidence.stages[-1].detail == "302, redirect to /login not followed"
    assert diagnose(evidence).reason == "UnexpectedAnswer"


async def test_not_even_the_redirect_that_is_how_kibana_answers_is_followed(trusted: Authority) -> None:
    moved = http("302 Found", Location=f"https://{HOST}/login?next=%2F", Kbn_Name="kibana")
    async with serving(replying(moved), trusted.server_context(HOST)) as server, name_server((ADDRESS,)) as dns:
        target = Target(HOST, ADDRESS, server.port, "kibana")
        evidence = await probe(target, SocketNetwork(dns.address), PATIENT)
    assert (server.connections, len(server.requests)) == (1, 1)
    assert diagnose(evidence).reason == "Reachable"


async def test_only_the_endpoints_own_address_is_connected_to_of_all_that_the_name_resolves_to(
    trusted: Authority,
) -> None:
    async with (
        serving(replying(UNAUTHORISED), trusted.server_context(HOST)) as ours,
        serving(replying(UNAUTHORISED), trusted.server_context(HOST), address="127.0.0.2", port=ours.port) as other,
        name_server((ADDRESS, "127.0.0.2")) as dns,
    ):
        evidence = await probe(Target(HOST, ADDRESS, ours.port), SocketNetwork(dns.address), PATIENT)
        elsewhere = await probe(Target(HOST, "127.0.0.3", ours.port), SocketNetwork(dns.address), PATIENT)
    assert evidence.http_status == 401
    assert elsewhere.failure is Failure.WRONG_ADDRESS
    assert (ours.connections, other.connections) == (1, 0)


async def test_fleet_server_is_asked_for_its_status_which_needs_no_credentials_either(trusted: Authority) -> None:
    status = http("200 OK", b'{"name":"fleet-server","status":"HEALTHY"}')
    async with serving(replying(status), trusted.server_context(HOST)) as server, name_server((ADDRESS,)) as dns:
        target = Target(HOST, ADDRESS, server.port, "fleet")
        evidence = await probe(target, SocketNetwork(dns.address), PATIENT)
    assert server.requests[0].startswith(b"GET /api/status HTTP/1.1\r\n")
    assert b"authorization" not in server.requests[0].lower()
    assert diagnose(evidence).reason == "Reachable"


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (http("200 OK", b'{"tagline":"You Know, for Search"}', X_Elastic_Product="Elasticsearch"), 200, "Reachable"),
        (FORBIDDEN, 403, "ForbiddenByPolicy"),
        (http("404 Not Found", b'{"ok":false,"message":"Unknown resource."}'), 404, "UnknownResource"),
        (http("503 Service Unavailable", b"no instances"), 503, "ElasticsearchError"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + UNAUTHORISED, 401, "Reachable"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\nForbidden due to traffic filtering", 403, "ForbiddenByPolicy"),
    ],
)
async def test_answers_are_told_apart(trusted: Authority, answer: bytes, status: int, reason: str) -> None:
    evidence, _ = await probe_server(replying(answer), trusted.server_context(HOST))
    assert (evidence.http_status, diagnose(evidence).reason) == (status, reason)


async def test_an_endless_body_is_cut_and_the_connection_dropped(trusted: Authority) -> None:
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    evidence, _ = await probe_server(endless, trusted.server_context(HOST))
    assert (evidence.http_status, len(evidence.body), evidence.failure) == (200, BODY_LIMIT, None)


async def test_a_body_that_breaks_off_still_tells_the_status(trusted: Authority) -> None:
    broken = b'HTTP/1.1 403 Forbidden\r\nContent-Length: 999\r\n\r\n{"ok":false}'
    evidence, _ = await probe_server(replying(broken), trusted.server_context(HOST))
    assert (evidence.http_status, evidence.body) == (403, '{"ok":false}')
    assert diagnose(evidence).reason == "ForbiddenByPolicy"


@pytest.mark.parametrize(
    ("answer", "failure", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Failure.NOT_HTTP, "UnexpectedAnswer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, Failure.NOT_HTTP, "UnexpectedAnswer"),
        (b"", Failure.NO_ANSWER, "NoAnswer"),
    ],
    ids=["garbage", "endless-headers", "nothing"],
)
async def test_what_is_no_http_answer_is_no_crash(
    trusted: Authority, answer: bytes, failure: Failure, reason: str
) -> None:
    evidence, _ = await probe_server(replying(answer), trusted.server_context(HOST))
    assert (evidence.failure, evidence.http_status, diagnose(evidence).reason) == (failure, None, reason)
    assert evidence.failed_stage is not None
    assert evidence.failed_stage.name == "http"


async def test_a_server_that_never_answers_ends_the_http_stage_in_its_time(trusted: Authority) -> None:
    evidence, _ = await probe_server(silent, trusted.server_context(HOST), HASTY)
    assert evidence.failure is Failure.NO_ANSWER
    assert evidence.stages[-1].detail == "no answer within 0.2 s"
    assert 200 <= evidence.stages[-1].milliseconds < 2000


async def test_a_certificate_for_another_name_is_a_mismatch_and_nothing_is_sent(trusted: Authority) -> None:
    context = trusted.server_context("*.es.privatelink.westus2.azure.elastic-cloud.com")
    evidence, server = await probe_server(replying(UNAUTHORISED), context)
    assert evidence.failure is Failure.CERTIFICATE_MISMATCH
    assert HOST in evidence.stages[-1].detail
    assert server.requests == []


@pytest.mark.parametrize(
    ("days", "self_signed", "words"), [(-1, False, "expired"), (1, True, "self")], ids=["expired", "self-signed"]
)
async def test_a_certificate_that_does_not_verify_is_not_trusted(
    trusted: Authority, days: int, self_signed: bool, words: str
) -> None:
    context = trusted.server_context(HOST, days=days, self_signed=self_signed)
    evidence, server = await probe_server(replying(UNAUTHORISED), context)
    assert evidence.failure is Failure.CERTIFICATE_NOT_TRUSTED
    assert words in evidence.stages[-1].detail
    assert server.requests == []


async def test_an_authority_that_is_not_configured_is_not_trusted(authority: Authority) -> None:
    evidence, _ = await probe_server(replying(UNAUTHORISED), authority.server_context(HOST))
    assert diagnose(evidence).reason == "CertificateNotTrusted"


async def test_a_server_without_tls_is_told_apart_from_a_bad_certificate() -> None:
    evidence, _ = await probe_server(replying(FORBIDDEN), None)
    assert evidence.failure is Failure.TLS_FAILED
    assert "wrong version number" in evidence.stages[-1].detail


async def test_a_connection_closed_during_the_handshake_is_a_tls_failure() -> None:
    async def hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    evidence, _ = await probe_server(hang_up, None)
    assert evidence.failure is Failure.TLS_FAILED
    assert evidence.stages[-1].detail != ""


async def test_a_hanging_handshake_ends_in_its_time_and_leaves_no_connection() -> None:
    evidence, _ = await probe_server(silent, None, HASTY)
    assert evidence.failure is Failure.TLS_FAILED
    assert evidence.stages[-1].detail == "no answer within 0.2 s"


async def test_a_server_that_neither_reads_nor_closes_does_not_hold_the_probe(trusted: Authority) -> None:
    probed = asyncio.Event()

    async def stuck(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined] # typeshed knows only its writing side
        writer.write(UNAUTHORISED)
        await probed.wait()

    async with serving(stuck, trusted.server_context(HOST)) as server:
        async with asyncio.timeout(5):
            evidence = await probe_port(server.port)
        probed.set()
    assert evidence.http_status == 401


async def test_a_connection_is_let_go_of_before_tls_too() -> None:
    async with serving(silent) as server:
        connection = await SocketNetwork().connect(ADDRESS, server.port)
        await server.accepted.wait()
        with pytest.raises(StageFailed) as refused:
            await connection.start_tls(".not-a-server-name")
        await connection.aclose()
    assert refused.value.failure is Failure.PROBE_FAILED
    assert (server.connections, server.open) == (1, 0)


async def test_nothing_is_sent_in_the_clear() -> None:
    async with serving(silent) as server:
        connection = await SocketNetwork().connect(ADDRESS, server.port)
        await server.accepted.wait()
        with pytest.raises(StageFailed, match="before TLS"):
            await connection.exchange(request_for(Target(HOST, ADDRESS)), BODY_LIMIT)
        await connection.aclose()
    assert server.open == 0


async def test_a_refused_connection_is_no_route() -> None:
    with socket.socket() as unused:
        unused.bind((ADDRESS, 0))  # bound and not listening: refused, and no other process can take the port
        evidence = await probe_port(unused.getsockname()[1])
    assert evidence.failure is Failure.REFUSED
    assert evidence.stages[-1].detail == "connection refused"
    assert diagnose(evidence).reason == "NoRoute"


async def test_a_connection_that_hangs_is_no_route() -> None:
    async with full_backlog() as port:
        evidence = await probe_port(port, HASTY)
    assert evidence.failure is Failure.CONNECT_TIMEOUT
    assert diagnose(evidence).reason == "NoRoute"


async def test_cancelling_a_probe_leaves_no_connection(trusted: Authority) -> None:
    async with serving(silent, trusted.server_context(HOST)) as server:
        running = asyncio.create_task(probe_port(server.port))
        async with asyncio.timeout(5):
            await server.asked.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        async with asyncio.timeout(5):
            await server.all_closed.wait()
    assert server.open == 0
