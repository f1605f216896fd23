"""Every switch of the network: what lies between the virtual networks, and whose name servers answer.

Azure has no property for these: a route through a hub's firewall or a Virtual WAN shows in no peering, and a firewall's
rules are not read here. `Network.settings` is one mutable instance: tests change it while the network runs, and so does
`python -m local switch`, as `network.<name>`. Networks are named by their ARM ids, compared without case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FirewallAnswer = Literal["drop", "refuse", "reset"]
ResolverFailure = Literal["timeout", "servfail"]
NoRoute = Literal["timeout", "unreachable", "refused"]
EVERY_OTHER = "*"


@dataclass
class NetworkSettings:
    """What can be changed about the ways between networks."""

    routed: list[list[str]] = field(default_factory=list)
    """Groups of networks; those of one group reach each other though no peering says so."""
    firewalls: dict[str, dict[str, FirewallAnswer]] = field(default_factory=dict)
    """A network -> another one (`*`: every other one) -> what a firewall says to connections from that one into the
    first, peered or not. "drop": nothing, so that they time out. "refuse": a reset in place of the opening answer.
    "reset": the connection opens, and is reset when TLS begins, as where a firewall reads the name first."""
    resolvers: dict[str, ResolverFailure] = field(default_factory=dict)
    """Networks whose name server fails, for all who ask it: by silence, or by SERVFAIL."""
    no_route: NoRoute = "timeout"
    """What a client meets where there is no route. Elastic's guide names the first two; sockets on loopback cannot be
    unreachable and time out."""
