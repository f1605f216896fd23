"""The health check's probe: DNS, TCP, TLS, HTTP, each timed. Called by `reconcile` and `sweep`.

    model       the values, and the `Network` protocol: the edge where sockets, or a simulator of them, begin
    run         `probe`: the order of the stages, their time limits, what each error means
    sockets     `SocketNetwork`: the real network
    resolver    its DNS queries
    http1       its HTTP exchange

What the result means is for `shared.core.diagnosis` to say. `sockets` is not imported here: it needs ssl, dnspython and
h11, which the triggers that probe nothing should not load.
"""

from __future__ import annotations

from shared.probe.model import (
    Answer,
    Connection,
    NameNotFound,
    Network,
    Request,
    ResolverFailed,
    StageFailed,
    Target,
    Timeouts,
)
from shared.probe.run import probe

__all__ = [
    "Answer",
    "Connection",
    "NameNotFound",
    "Network",
    "Request",
    "ResolverFailed",
    "StageFailed",
    "Target",
    "Timeouts",
    "probe",
]
