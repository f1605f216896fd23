"""Projects answer on port 443 alone, each product with a certificate of its own; where 443 is not to be had, too."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from local.host.https_port import lead_https_to, led
from local.network import CertificateAuthority, claim_loopback
from local.network.addresses import HTTPS_PORT, STAND_IN_PORT, https_port
from tests.local.network.network_parts import PROJECTS, TO_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.network.network_parts import Clouds

ES, KB = f"logs.es.{PROJECTS}", f"logs.kb.{PROJECTS}"


@pytest.fixture
def prefix() -> Iterator[str]:
    with claim_loopback() as claim:
        yield claim.prefix


async def address_of_projects(clouds: Clouds) -> str:
    """An approved endpoint that leads to projects."""
    endpoint = await clouds.endpoint("a", await clouds.vnet("v"), alias=TO_PROJECTS)
    clouds.arm.set_connection(endpoint.id, "Approved")
    return endpoint.address or ""


async def test_an_endpoint_of_projects_answers_on_443_alone(clouds: Clouds) -> None:
    address = await address_of_projects(clouds)
    assert {port: clouds.network.dial(address, port) is not None for port in (443, 9243)} == {443: True, 9243: False}


async def test_each_product_has_a_certificate_with_one_name(clouds: Clouds) -> None:
    way = clouds.network.dial(await address_of_projects(clouds), 443)
    assert way is not None
    assert [way.certificate_names(name) for name in (ES, KB)] == [[f"*.es.{PROJECTS}"], [f"*.kb.{PROJECTS}"]]


@pytest.mark.real_time
async def test_on_sockets_the_asked_name_decides_the_certificate(clouds: Clouds, ca: CertificateAuthority) -> None:
    await clouds.network.start()
    try:
        address = await address_of_projects(clouds)
        await clouds.network.sync()
        port = clouds.network.https_port
        for name in (ES, KB):
            assert (await names_served(ca, address, port, name)) == [f"*{name.removeprefix('logs')}"]
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            await names_served(ca, address, port, f"logs.fleet.{PROJECTS}")
    finally:
        await clouds.network.stop()


async def names_served(ca: CertificateAuthority, address: str, port: int, name: str) -> list[str]:
    _, writer = await asyncio.open_connection(address, port, ssl=ca.client_context(), server_hostname=name)
    served = writer.get_extra_info("peercert")["subjectAltName"]
    writer.close()
    await writer.wait_closed()
    return [text for _, text in served]


def test_the_port_is_443_or_where_that_is_refused_a_stand_in(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert https_port(prefix) in {HTTPS_PORT, STAND_IN_PORT}

    def refused(_self: socket.socket, _address: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refused)
    assert https_port(prefix) == STAND_IN_PORT


def test_the_app_connects_to_443_and_is_led_to_the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)  # put back at the end
    with socket.create_server(("127.0.0.1", 0)) as listening:
        lead_https_to(listening.getsockname()[1])
        with socket.socket() as client:
            client.connect(("127.0.0.1", 443))
            assert client.getpeername() == listening.getsockname()


@pytest.mark.parametrize("address", [("127.0.0.1", 9243), ("10.1.0.4", 443), "/a/socket"])
def test_no_other_connection_is_led_anywhere(address: object) -> None:
    assert led(address, STAND_IN_PORT) == address
