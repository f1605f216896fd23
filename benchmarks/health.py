"""What a large estate costs the timer: planning it, and testing all of its connections over real sockets.

    python benchmarks/health.py [CONNECTIONS]

Planning: the pure plan of so many endpoints, median of five. Testing: a sweep's tests of so many connections with two
hosts each (their address by the zone's record, TCP, TLS, HTTP, each for itself), by how many are tested at once; the
servers run in a process of their own, on loopback, so the figures of a machine with two cores are those of an app with
one.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from local.network.ca import CertificateAuthority  # noqa: E402
from local.network.dns import Answer  # noqa: E402
from local.network.name_server import NameServer  # noqa: E402
from local.storage.memory import MemoryStorage  # noqa: E402 - found only with the path above
from shared.clock import SystemClock  # noqa: E402
from shared.composition import build  # noqa: E402
from shared.core.model import conditions as c  # noqa: E402
from shared.core.model.arm_ids import parse_endpoint_id  # noqa: E402
from shared.core.model.conditions import Phase, satisfied  # noqa: E402
from shared.core.model.record import ConnectionRecord  # noqa: E402
from shared.core.model.record_elastic import TargetMemory  # noqa: E402
from shared.core.model.resources import ConnectionStatus, Endpoint  # noqa: E402
from shared.core.model.services import Family, PrivateUrl  # noqa: E402
from shared.core.planning.desired import desired_of  # noqa: E402
from shared.core.planning.plan import (  # noqa: E402
    Observed,
    ObservedElastic,
    plan,
)
from shared.health.networks import NetworkList  # noqa: E402
from shared.settings import load  # noqa: E402
from shared.settings.services import shipped_services  # noqa: E402
from shared.state.codec import holding  # noqa: E402
from shared.state.rows import ConnectionRow  # noqa: E402
from shared.sweep.checks import test_all  # noqa: E402
from shared.sweep.snapshot import StoredRecord, SweepStats  # noqa: E402

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
HOSTED = shipped_services().of_family(Family.HOSTED)
REGION = "eastus2"
ZONE = next(service.zone for service in HOSTED if service.region == REGION)
ENVIRON = {
    "AZURE_SUBSCRIPTIONS": SUBSCRIPTION,
    "EC_API_KEY": "none",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}
ADDRESS = "127.88.0.1"
PORT = 9243
AT_ONCE = (20, 50, 100)
ANSWER = (
    b"HTTP/1.1 401 Unauthorized\r\nX-Elastic-Product: Elasticsearch\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
)


def endpoint(number: int) -> Endpoint:
    """One of many endpoints, approved."""
    prefix = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-{number}/providers/Microsoft.Network"
    service = HOSTED[number % len(HOSTED)]
    return Endpoint(
        id=parse_endpoint_id(f"{prefix}/privateEndpoints/pe-{number}"),
        name=f"pe-{number}",
        guid=f"00000000-0000-4000-8000-{number:012}",
        location="eastus2",
        provisioning_state="Succeeded",
        alias=service.alias,
        status=ConnectionStatus.APPROVED,
        status_description="",
        vnet_id=f"{prefix}/virtualNetworks/vnet-{number}",
        address=ADDRESS,
    )


def planning(count: int) -> float:
    """Milliseconds of processor time to plan so many endpoints that have nothing yet."""
    options, now = load(ENVIRON).plan_options, datetime.now(UTC)
    wanted = [found for number in range(count) if (found := desired_of(endpoint(number), options))]
    took = []
    for _ in range(5):
        started = time.process_time()
        for one in wanted:
            plan(
                one,
                Observed(one.endpoint, (), ObservedElastic((), ())),
                ConnectionRecord(one.endpoint.id.text),
                options,
                now,
            )
        took.append((time.process_time() - started) * 1000)
    return median(took)


def known(number: int) -> StoredRecord:
    """A Ready connection with two hosts to test."""
    # the same row of the table each time: that of `REGION`
    one = endpoint(number * len(HOSTED) + [service.region for service in HOSTED].index(REGION))
    urls = tuple(PrivateUrl("elasticsearch", f"{name}{number}.es.{ZONE}", PORT) for name in ("one", "two"))
    conditions = tuple(satisfied(name, "Benchmark") for name in (c.LINKED, c.RECORD_READY, c.POLICY_READY, c.APPROVED))
    connection = (
        ConnectionRecord(one.id.text)
        .with_identity(name=one.name, region=REGION, vnet_id=one.vnet_id, address=ADDRESS)
        .with_dns(record_addresses=(ADDRESS,))
        .with_elastic(targets=(TargetMemory(f"{number:032x}", f"d{number}", urls),))
        .with_status(conditions=conditions, phase=Phase.READY)
    )
    return StoredRecord.of(holding(ConnectionRow(connection.id), connection), connection)


async def serve(folder: str, ready: Any) -> None:
    """A name server that gives every name the one address, and what answers there."""
    authority = CertificateAuthority()
    authority.write(Path(folder) / "ca.pem")
    context = authority.issue([f"*.es.{ZONE}"]).server_context()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    names = NameServer("127.0.0.1", lambda *_: Answer("NOERROR", (ADDRESS,)))
    await names.open()
    async with await asyncio.start_server(answer, ADDRESS, PORT, ssl=context, backlog=4096):
        ready.put(("127.0.0.1", names.port))
        await asyncio.Event().wait()


async def testing(
    connections: list[StoredRecord], at_once: int, name_server: tuple[str, int]
) -> tuple[float, SweepStats]:
    """Seconds that a sweep's tests of these take."""
    environ = ENVIRON | {
        "PROBE_DNS_SERVER": "{}:{}".format(*name_server),
        "CHECKS_AT_ONCE": str(at_once),
    }
    storage = MemoryStorage(SystemClock())
    rows = [await storage.connections.insert(one.row) for one in connections]
    ready = [StoredRecord.of(row, one.record) for row, one in zip(rows, connections, strict=True)]
    context = replace(build(environ), storage=storage)
    result, started = SweepStats(), time.perf_counter()
    await test_all(context, ready, "benchmark", NetworkList(context), result)
    return time.perf_counter() - started, result


def main() -> None:
    """Print both tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"Planning {count} endpoints: {planning(count):.0f} ms\n")
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        ready = spawn.Queue()
        servers = spawn.Process(target=_serve, args=(folder, ready), daemon=True)
        servers.start()
        name_server = ready.get(timeout=60)
        os.environ["SSL_CERT_FILE"] = f"{folder}/ca.pem"
        connections = [known(number) for number in range(count)]
        print(f"Testing {count} connections, two hosts each")
        print(f"{'at once':>8} {'seconds':>8} {'tested':>8} {'unhealthy':>10}")
        for at_once in AT_ONCE:
            seconds, result = asyncio.run(testing(connections, at_once, name_server))
            print(f"{at_once:>8} {seconds:>8.1f} {result.probed:>8} {result.unhealthy:>10}")
        servers.kill()


def _serve(folder: str, ready: Any) -> None:
    asyncio.run(serve(folder, ready))


if __name__ == "__main__":
    main()
