"""The network on one machine: names as each virtual network sees them, and the private endpoints' addresses behind TLS.

Used by `local.simulators` and by tests. `Network` is the whole of it; everything else is a part of that class or, as
the certificate authority and the claim of a loopback prefix, made before it.
"""

from __future__ import annotations

from local.network.addresses import AddressPlan, LoopbackClaim, claim_loopback
from local.network.ca import CertificateAuthority, IssuedCertificate
from local.network.data_plane import Dial
from local.network.dns import Answer, Resolver
from local.network.inside import InsideNetwork
from local.network.network import Network
from local.network.settings import NetworkSettings

__all__ = [
    "AddressPlan",
    "Answer",
    "CertificateAuthority",
    "Dial",
    "InsideNetwork",
    "IssuedCertificate",
    "LoopbackClaim",
    "Network",
    "NetworkSettings",
    "Resolver",
    "claim_loopback",
]
