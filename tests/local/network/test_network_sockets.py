"""On real sockets: DNS clients, TLS clients and curl meet what the simulators decide."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from typing import TYPE_CHECKING

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from local.network import CertificateAuthority, claim_loopback
from local.network.dns import Found, Record
from local.network.name_server import respond
from shared.core.diagnosis import Failure
from shared.probe.model import Target
from shared.probe.run import probe
from shared.probe.sockets import SocketNetwork
from tests.local.network.network_parts import ZONE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.local.network.network_parts import Clouds

pytestmark = pytest.mark.real_time
HOST = f"search-a.es.{ZONE}"
SILENCE_SECONDS = 1.0


@pytest.fixture
def prefix() -> Iterator[str]:
    with claim_loopback() as claim:
        yield claim.prefix


@pytest.fixture
async def running(clouds: Clouds) -> AsyncIterator[Clouds]:
    await clouds.network.start()
    yield clouds
    await clouds.network.stop()


async def tls(ca: CertificateAuthority, address: str, host: str) -> asyncio.StreamWriter:
    context = ca.client_context()
    _, writer = await asyncio.open_connection(address, 9243, ssl=context, server_hostname=host)
    return writer


async def outcome(ca: CertificateAuthority, address: str) -> str:
    """What a client meets: an open way, or what its opening, or its TLS, ends with."""
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            await close(await tls(ca, address, HOST))
    except TimeoutError:
        return "silence"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"
    return "open"


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def ask(server: tuple[str, int], name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    send = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await send(query, server[0], port=server[1], timeout=5)


@pytest.mark.parametrize("tcp", [False, True])
async def test_each_networks_name_server_has_its_own_view_over_udp_and_tcp(running: Clouds, tcp: bool) -> None:
    linked, other = await running.vnet("a"), await running.vnet("b")
    await running.zone(linked, {"*": ["127.77.0.4"]})
    await running.network.sync()
    seen = await ask(running.network.dns_address_of(linked), HOST, tcp=tcp)
    unseen = await ask(running.network.dns_address_of(other), HOST, tcp=tcp)
    assert (seen.rcode(), [r.to_text() for r in seen.answer[0]]) == (dns.rcode.NOERROR, ["127.77.0.4"])
    assert (unseen.rcode(), unseen.answer) == (dns.rcode.NXDOMAIN, [])


async def test_the_default_name_server_sees_what_the_hub_sees(running: Clouds) -> None:
    hub = await running.vnet("hub")
    await running.zone(hub, {"*": ["127.77.0.4"]})
    assert (await ask(running.network.dns_address, HOST)).rcode() == dns.rcode.NXDOMAIN
    running.network.app_vnet_id = hub
    assert (await ask(running.network.dns_address, HOST)).rcode() == dns.rcode.NOERROR


async def test_other_record_types_of_a_name_that_exists_are_empty_and_not_missing(running: Clouds) -> None:
    hub = running.network.app_vnet_id = await running.vnet("hub")
    await running.zone(hub, {"*": ["127.77.0.4"]})
    response = await ask(running.network.dns_address, HOST, "AAAA")
    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        (f"six.{ZONE}", "AAAA", ["fd00::1"]),
        (f"six.{ZONE}", "A", []),
        (f"alias.{ZONE}", "A", [f"pe.{ZONE}.", "127.77.0.4"]),
        (f"alias.{ZONE}", "CNAME", [f"pe.{ZONE}."]),
        (f"alias.{ZONE}", "AAAA", [f"pe.{ZONE}."]),
        (f"note.{ZONE}", "TXT", ['"owner=\\"me\\"" "b"']),
        (ZONE, "SOA", ["azureprivatedns.net. azureprivatedns-host.microsoft.com. 1 3600 300 2419200 10"]),
        (ZONE, "HTTPS", []),
    ],
)
async def test_every_type_that_azure_keeps_is_answered(
    running: Clouds, name: str, kind: str, expected: list[str]
) -> None:
    hub = running.network.app_vnet_id = await running.vnet("hub")
    await running.zone(hub, {"pe": ["127.77.0.4"]})
    for path, properties in {
        "AAAA/six": {"aaaaRecords": [{"ipv6Address": "fd00::1"}]},
        "CNAME/alias": {"cnameRecord": {"cname": f"pe.{ZONE}"}},
        "TXT/note": {"txtRecords": [{"value": ['owner="me"', "b"]}]},
    }.items():
        await running.put(f"privateDnsZones/{ZONE}/{path}", "2024-06-01", {"properties": {"ttl": 77, **properties}})
    response = await ask(running.network.dns_address, name, kind)
    answered = [record.to_text() for rrset in response.answer for record in rrset]
    assert (response.rcode(), answered) == (dns.rcode.NOERROR, expected)


async def test_an_answer_has_the_records_time_to_live_and_the_names_own_spelling(running: Clouds) -> None:
    hub = running.network.app_vnet_id = await running.vnet("hub")
    await running.zone(hub, {"*": ["127.77.0.4"]})
    (rrset,) = (await ask(running.network.dns_address, HOST.title())).answer
    assert (rrset.ttl, rrset.name.to_text()) == (60, f"{HOST.title()}.")


async def test_an_alias_of_itself_and_a_text_that_is_no_name_end(running: Clouds) -> None:
    hub = running.network.app_vnet_id = await running.vnet("hub")
    await running.zone(hub, {})
    for label, target in {"loop": f"loop.{ZONE}", "bad": "a..b", "out": "nowhere.example"}.items():
        body = {"properties": {"ttl": 60, "cnameRecord": {"cname": target}}}
        await running.put(f"privateDnsZones/{ZONE}/CNAME/{label}", "2024-06-01", body)
    rcodes = [(await ask(running.network.dns_address, f"{one}.{ZONE}")).rcode() for one in ("loop", "bad", "out")]
    assert rcodes == [dns.rcode.NOERROR, dns.rcode.SERVFAIL, dns.rcode.NXDOMAIN]


async def test_garbage_does_not_stop_the_name_server(running: Clouds) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=running.network.dns_address
    )
    for datagram in (b"", b"\x00", b"\xff" * 600):
        transport.sendto(datagram)
    transport.close()
    assert (await ask(running.network.dns_address, HOST)).rcode() == dns.rcode.NXDOMAIN


async def test_an_answer_too_long_for_udp_is_truncated_and_whole_over_tcp() -> None:
    def many(name: str, _kind: str) -> Found:
        return Found("NOERROR", tuple(Record(name.rstrip("."), "A", 60, f"127.77.9.{n}") for n in range(1, 41)))

    query = dns.message.make_query(HOST, "A").to_wire()
    cut, whole = (dns.message.from_wire(respond(query, many, udp=udp) or b"") for udp in (True, False))
    assert (bool(cut.flags & dns.flags.TC), cut.answer) == (True, [])
    assert (bool(whole.flags & dns.flags.TC), len(whole.answer[0])) == (False, 40)


async def test_the_products_probe_passes_through_name_server_and_listener(
    running: Clouds, ca: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = running.network.app_vnet_id = await running.vnet("hub")
    endpoint, deployment = await running.connected("a", hub)
    assert endpoint.address is not None
    await running.zone(hub, {"*": [endpoint.address]})
    await running.network.sync()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.write(tmp_path / "ca.pem")))
    evidence = await probe(
        Target(deployment.private_host(), endpoint.address), SocketNetwork(running.network.dns_address)
    )
    assert (evidence.failure, evidence.http_status, evidence.elastic_product) == (None, 401, True)
    other = "privatelink.uksouth.azure.elastic-cloud.com"
    await running.zone(hub, {"*": [endpoint.address]}, name=other)
    mismatch = await probe(Target(f"a.es.{other}", endpoint.address), SocketNetwork(running.network.dns_address))
    assert mismatch.failure is Failure.CERTIFICATE_MISMATCH


async def test_a_listener_is_open_exactly_while_its_endpoint_is_approved(
    running: Clouds, ca: CertificateAuthority
) -> None:
    endpoint = await running.endpoint("a", await running.vnet("v"))
    assert endpoint.address is not None
    await running.network.sync()
    assert await outcome(ca, endpoint.address) == "silence"
    running.arm.set_connection(endpoint.id, "Approved")
    await running.network.sync()
    context = ca.client_context()
    reader, held = await asyncio.open_connection(endpoint.address, 9243, ssl=context, server_hostname=HOST)
    running.arm.set_connection(endpoint.id, "Disconnected")
    await running.network.sync()
    assert await outcome(ca, endpoint.address) == "silence"
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    held.transport.abort()


async def test_changes_are_followed_without_being_asked_and_a_deleted_endpoint_closes(
    running: Clouds, ca: CertificateAuthority
) -> None:
    endpoint, _ = await running.connected("a", await running.vnet("v"))
    assert endpoint.address is not None
    await becomes(ca, endpoint.address, is_open=True)
    await running.delete("privateEndpoints/a", "2024-05-01")
    await becomes(ca, endpoint.address, is_open=False)
    assert running.network.dial(endpoint.address, 9243) is None


async def becomes(ca: CertificateAuthority, address: str, *, is_open: bool) -> None:
    for _ in range(500):
        if (await outcome(ca, address) == "open") == is_open:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{address} is still {'closed' if is_open else 'open'}")


async def test_sockets_follow_routes_and_firewalls_from_the_apps_network(
    running: Clouds, ca: CertificateAuthority
) -> None:
    app, far = await running.vnet("app"), await running.vnet("far")
    running.network.app_vnet_id = app
    endpoint, _ = await running.connected("a", far)
    address, settings = endpoint.address or "", running.network.settings

    async def met() -> str:
        await running.network.follow_settings()
        return await outcome(ca, address)

    assert await met() == "silence"
    settings.routed = [[app, far]]
    assert await met() == "open"
    for answer, seen in (("drop", "silence"), ("refuse", "refused"), ("reset", "reset")):
        settings.firewalls = {far: {app: answer}}  # type: ignore[dict-item]  # names of the switch
        assert await met() == seen
    settings.firewalls = {}
    assert await met() == "open"


async def test_a_spokes_name_server_on_loopback_answers_as_the_hub_whose_prefixes_contain_its_servers(
    running: Clouds,
) -> None:
    hub = await running.vnet("hub", prefix="10.0")
    spoke = await running.vnet("spoke", ["10.0.0.4"], prefix="10.5")
    await running.zone(hub, {"*": ["127.77.0.4"]})
    await running.network.sync()
    server = running.network.dns_address_of(spoke)
    assert [record.to_text() for record in (await ask(server, HOST)).answer[0]] == ["127.77.0.4"]
    running.network.settings.resolvers = {hub: "servfail"}
    assert (await ask(server, HOST)).rcode() == dns.rcode.SERVFAIL
    running.network.settings.resolvers = {hub: "timeout"}
    with pytest.raises(dns.exception.Timeout):
        await dns.asyncquery.udp(dns.message.make_query(HOST, "A"), server[0], port=server[1], timeout=SILENCE_SECONDS)
    with pytest.raises(EOFError):
        await ask(server, HOST, tcp=True)


async def test_a_name_server_that_is_silent_has_no_answer_to_send() -> None:
    query = dns.message.make_query(HOST, "A").to_wire()
    assert respond(query, lambda _name, _kind: Found("TIMEOUT")) is None


async def test_a_host_outside_the_regions_zone_fails_the_clients_verification(
    running: Clouds, ca: CertificateAuthority
) -> None:
    endpoint, _ = await running.connected("a", await running.vnet("v"))
    await running.network.sync()
    assert endpoint.address is not None
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await tls(ca, endpoint.address, "search.es.eastus2.azure.elastic-cloud.com")


async def test_a_certificate_is_good_for_strict_verification(ca: CertificateAuthority) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await close(writer)

    issued = ca.issue(["localhost"], ["127.0.0.1"])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=issued.server_context())
    context = ca.client_context()
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    port = server.sockets[0].getsockname()[1]
    for name in ("127.0.0.1", "localhost"):
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
        assert writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
        await close(writer)
    server.close()
    await server.wait_closed()


async def test_the_key_file_is_for_its_owner_only(ca: CertificateAuthority, tmp_path: Path) -> None:
    _, key = ca.issue(["localhost"]).write(tmp_path, "arm")
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_gets_elasticsearchs_answer_on_one_kept_connection(
    running: Clouds, ca: CertificateAuthority, tmp_path: Path
) -> None:
    endpoint, deployment = await running.connected("a", await running.vnet("v"))
    await running.network.sync()
    host, ca_file = deployment.private_host(), ca.write(tmp_path / "ca.pem")
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--noproxy", "*", "--cacert", str(ca_file), "--max-time", "10"),
        *("--resolve", f"{host}:9243:{endpoint.address}", "--write-out", "%{http_code} %{num_connects}\n"),
        *("--data", "body", f"https://{host}:9243/", "--output", str(tmp_path / "one"), "--next"),
        *("--silent", "--noproxy", "*", "--cacert", str(ca_file), "--write-out", "%{http_code} %{num_connects}\n"),
        *("--head", f"https://{host}:9243/", "--output", str(tmp_path / "two")),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert output.decode().split("\n")[:2] == ["401 1", "401 0"]
    assert "security_exception" in (tmp_path / "one").read_text()
