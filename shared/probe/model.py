"""What a probe is asked, and the edge of the network it works on. Called by `run`, `sockets` and any other `Network`.

Everything that decides (order, time limits, which address, which headers, what an error means) is in `run`; a `Network`
only carries out single steps. It may raise `StageFailed`, or simply let the errors of sockets and ssl through.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from shared.core.diagnosis import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.core.diagnosis.evidence import ZoneAnswer


class StageFailed(Exception):
    """A step of the probe failed in a way that its `Network` can name."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


class NameNotFound(StageFailed):
    """The resolver says that the name, or an A record of it, does not exist."""

    def __init__(self, detail: str = "the name does not exist") -> None:
        super().__init__(Failure.NAME_NOT_FOUND, detail)


class ResolverFailed(StageFailed):
    """The resolver did not answer, or not usably: nothing is known about the name."""

    def __init__(self, detail: str = "the name server does not answer") -> None:
        super().__init__(Failure.RESOLVER_FAILED, detail)


@dataclass(frozen=True, slots=True)
class Target:
    """What to probe: a private name and the address of the endpoint that must answer for it."""

    host: str
    address: str
    """The private endpoint's own address (IPv4)."""
    port: int = 9243
    service: str = "elasticsearch"
    """What should answer there, as the Elastic Cloud API calls it."""
    answer: ZoneAnswer | None = None
    """What the zone says of the name, where that is to count; None: the network's own resolver is asked."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that a stage may take, and the whole probe; the smaller one counts."""

    resolve: float = 5.0
    connect: float = 5.0
    tls: float = 5.0
    http: float = 10.0
    whole: float = 20.0


@dataclass(frozen=True, slots=True)
class Request:
    """The one HTTP request of a probe. It has no credentials: Elasticsearch's 401 is answer enough."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, its body cut at the limit that was asked for."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; of a repeated header the last one."""
    body: bytes = b""


class Connection(Protocol):
    """A TCP connection of a probe."""

    async def start_tls(self, host: str) -> None:
        """Shake hands with `host` as server name, and verify chain and name in full."""

    async def exchange(self, request: Request, body_limit: int) -> Answer:
        """Send `request`, read one answer and at most `body_limit` bytes of its body; follow nothing."""

    async def aclose(self) -> None:
        """Let go of the connection at once; never raises."""


class Network(Protocol):
    """A virtual network as seen from inside."""

    async def resolve(self, host: str) -> tuple[str, ...]:
        """Every A record of `host`; raises NameNotFound or ResolverFailed."""

    async def connect(self, address: str, port: int) -> Connection:
        """Open a TCP connection; raises OSError."""
