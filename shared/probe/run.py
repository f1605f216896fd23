"""`probe`: one health check of one private name, stage by stage. Called by `reconcile` and `sweep`.

The stages are those of the test in Elastic's guide: resolve the name (or take the zone's word for it) and compare with
the endpoint's address, connect to that address and no other, TLS with full verification, one HTTP request without
credentials. The first stage that fails ends the probe. Nothing is raised for what the network does: it becomes
`Evidence`.
"""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING, TypeVar

from shared.core.diagnosis import Evidence, Failure, Stage, StageResult, address_failure, page_of
from shared.core.model.record_health import ResolvedBy
from shared.probe.model import Answer, Connection, Network, Request, StageFailed, Target, Timeouts

if TYPE_CHECKING:
    from collections.abc import Awaitable

ADDRESSES = 20
"""Kept of one answer; a record set of Azure's private DNS has 20 at most."""
BODY_LIMIT = 4096
DETAIL_LIMIT = 300
_HTTPS_PORT = 443
_X509_V_ERR_HOSTNAME_MISMATCH = 62  # OpenSSL's number; the ssl module has no name for it
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_REFUSED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED})
_TIMED_OUT: dict[Stage, Failure] = {
    "resolve": Failure.RESOLVER_FAILED,
    "connect": Failure.CONNECT_TIMEOUT,
    "tls": Failure.TLS_FAILED,
    "http": Failure.NO_ANSWER,
}
T = TypeVar("T")


async def probe(target: Target, network: Network, timeouts: Timeouts | None = None) -> Evidence:
    """Test `target` once over `network`, within `timeouts`."""
    run = _Run(target, timeouts or Timeouts())
    try:
        await run.all_stages(network)
    except _Stopped as stopped:
        run.failure = stopped.failure
    return run.evidence()


class _Stopped(Exception):
    """Ends a run; the stage is recorded already."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class _Run:
    """One probe under way: its deadline and what it has seen so far."""

    def __init__(self, target: Target, timeouts: Timeouts) -> None:
        self._target = target
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + timeouts.whole
        self._stages: list[StageResult] = []
        self._addresses: tuple[str, ...] = ()
        self._answer: Answer | None = None
        self.failure: Failure | None = None

    async def all_stages(self, network: Network) -> None:
        """Go through the stages; raises _Stopped at the first that fails."""
        await self._stage("resolve", self._timeouts.resolve, self._resolve(network))
        connection = await self._stage("connect", self._timeouts.connect, self._connect(network))
        try:
            await self._stage("tls", self._timeouts.tls, self._start_tls(connection))
            await self._stage("http", self._timeouts.http, self._exchange(connection))
        finally:
            await connection.aclose()

    def evidence(self) -> Evidence:
        """What was seen."""
        answer = self._answer or Answer(0)
        return Evidence(
            host=self._target.host,
            port=self._target.port,
            expected_address=self._target.address,
            service=self._target.service,
            addresses=self._addresses,
            resolved_by=ResolvedBy.RESOLVER if self._target.answer is None else ResolvedBy.ZONE,
            hidden_by=self._target.answer.hidden_by if self._target.answer else "",
            stages=tuple(self._stages),
            failure=self.failure,
            http_status=self._answer.status if self._answer else None,
            body=answer.body[:BODY_LIMIT].decode("utf-8", "replace"),
            elastic_product=answer.headers.get("x-elastic-product", "").lower() == "elasticsearch",
            kibana="kbn-name" in answer.headers,
            location=answer.headers.get("location", "")[:DETAIL_LIMIT],
        )

    async def _stage(self, name: Stage, seconds: float, work: Awaitable[tuple[T, str]]) -> T:
        """Carry out one stage within its time and what is left of the whole, and record how it went."""
        started = self._loop.time()
        limit = min(started + seconds, self._deadline)
        try:
            async with asyncio.timeout_at(limit) as timer:
                result, detail = await work
        except (StageFailed, OSError) as error:  # ssl's errors and TimeoutError are OSErrors
            if timer.expired():
                failure, detail = _TIMED_OUT[name], f"no answer within {limit - started:g} s"
            else:
                failure, detail = classify(name, error)
            self._record(name, started, detail, ok=False)
            raise _Stopped(failure) from error
        self._record(name, started, detail, ok=True)
        return result

    def _record(self, name: Stage, started: float, detail: str, *, ok: bool) -> None:
        milliseconds = round((self._loop.time() - started) * 1000, 1)
        self._stages.append(StageResult(name, ok, milliseconds, detail[:DETAIL_LIMIT]))

    async def _resolve(self, network: Network) -> tuple[None, str]:
        zone = self._target.answer
        found = await network.resolve(self._target.host) if zone is None else zone.addresses
        every = sorted(set(found))
        failure = address_failure(self._target.address, every)
        # A record has a size, and a name server may answer thousands: kept are the one that is wanted, and some others.
        self._addresses = tuple(sorted(every, key=lambda one: one != self._target.address)[:ADDRESSES])
        more = f" and {len(every) - ADDRESSES} more" if len(every) > ADDRESSES else ""
        source = "" if zone is None else " by the records of the zone"
        seen = f"{', '.join(self._addresses) or 'no A record'}{more}{source}"
        if failure is not None:
            raise StageFailed(failure, f"{seen}, expected {self._target.address}")
        return None, seen

    async def _connect(self, network: Network) -> tuple[Connection, str]:
        connection = await network.connect(self._target.address, self._target.port)
        return connection, f"{self._target.address} port {self._target.port}"

    async def _start_tls(self, connection: Connection) -> tuple[None, str]:
        await connection.start_tls(self._target.host)
        return None, "the certificate is valid for the name"

    async def _exchange(self, connection: Connection) -> tuple[None, str]:
        self._answer = answer = await connection.exchange(request_for(self._target), BODY_LIMIT)
        redirect = answer.headers.get("location", "")
        return None, f"{answer.status}, redirect to {redirect} not followed" if redirect else str(answer.status)


def request_for(target: Target) -> Request:
    """The probe's one request; there is no credential in it, and none to put there."""
    host = target.host if target.port == _HTTPS_PORT else f"{target.host}:{target.port}"
    return Request(
        "GET",
        page_of(target.service),
        (
            ("Host", host),
            ("User-Agent", "private-link-autopilot"),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),  # the body is read as it comes
            ("Connection", "close"),
        ),
    )


def classify(stage: Stage, error: StageFailed | OSError) -> tuple[Failure, str]:
    """What an error means in the stage where it came up, and how to tell a person."""
    if isinstance(error, StageFailed):
        return error.failure, error.detail
    if hasattr(error, "verify_code"):  # ssl.SSLCertVerificationError; importing ssl only to name it costs cold starts
        mismatch = error.verify_code == _X509_V_ERR_HOSTNAME_MISMATCH
        failure = Failure.CERTIFICATE_MISMATCH if mismatch else Failure.CERTIFICATE_NOT_TRUSTED
        return failure, str(getattr(error, "verify_message", "")).rstrip(".") or _text(error)
    if stage == "connect":
        return _connect_failure(error), _text(error)
    if stage == "tls":
        return Failure.RESET if error.errno in _REFUSED else Failure.TLS_FAILED, _text(error)
    if stage == "http":
        return Failure.NO_ANSWER, _text(error)
    return Failure.RESOLVER_FAILED, _text(error)


def _connect_failure(error: OSError) -> Failure:
    if error.errno in _REFUSED:
        return Failure.REFUSED
    if error.errno in _UNREACHABLE:
        return Failure.UNREACHABLE
    return Failure.CONNECT_TIMEOUT if isinstance(error, TimeoutError) else Failure.PROBE_FAILED


def _text(error: OSError) -> str:
    """The error in a few words; socket errors in the system's words, without the address that asyncio adds."""
    if type(error).__module__ == "ssl":
        return str(getattr(error, "reason", None) or error).replace("_", " ").lower()
    if error.errno is not None:
        return os.strerror(error.errno).lower()
    return str(error) or "the other side closed the connection"
