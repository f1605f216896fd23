"""A certificate authority made at start: certificates for the clouds and for Elastic's private zones.

Made by `local.simulators`, which writes its certificate where clients look for it; `local.network.data_plane` takes the
zones' certificates from it. Nothing of it outlives the process but the files it was asked to write.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIFE = timedelta(days=30)
_BACKDATED = timedelta(hours=1)
# Host labels that Elastic's certificates cover below a private zone, besides the zone's own wildcard.
_PRODUCTS = ("es", "kb", "apm", "fleet", "ingest", "ent", "ent-search")
_OF_PROJECTS = ("es", "kb", "apm", "ingest")


def is_of_projects(zone: str) -> bool:
    """Whether a private zone is one of Serverless projects."""
    return zone.startswith("private.")


def zone_names(zone: str, sni: str | None = None) -> list[str]:
    """Subject alternative names of the certificate that Elastic serves for a private zone, asked by this name.

    In front of projects each product has a certificate of its own, with one name; none is for the zone itself.
    """
    if is_of_projects(zone):
        asked = (sni or "").lower().removesuffix(f".{zone}").rpartition(".")[2]
        return [f"*.{asked if asked in _OF_PROJECTS else _OF_PROJECTS[0]}.{zone}"]
    return [f"*.{zone}", *(f"*.{product}.{zone}" for product in _PRODUCTS)]


def beside_the_systems(authority: Path, target: Path) -> Path:
    """Write to `target` an authority's certificate and all that this machine trusts anyway."""
    system = ssl.get_default_verify_paths().cafile
    target.write_bytes((Path(system).read_bytes() + b"\n" if system else b"") + authority.read_bytes())
    return target


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate with its key, as PEM."""

    certificate_pem: bytes
    key_pem: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both as files, the key for the owner only; returns the certificate's path and the key's."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.certificate_pem)
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(self.key_pem)
        return certificate, key

    def server_context(self) -> ssl.SSLContext:
        """A TLS server's settings with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory() as folder:
            context.load_cert_chain(*self.write(Path(folder), "server"))
        return context


class CertificateAuthority:
    """Issues server certificates."""

    def __init__(self, *, now: datetime | None = None) -> None:
        # Real time unless told otherwise: TLS clients compare with the clock on the wall.
        self._now = now or datetime.now(UTC)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local clouds CA")])
        self._certificate = self._self_signed()

    @property
    def pem(self) -> bytes:
        """The authority's certificate: what clients have to trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, path: Path) -> Path:
        """Write the authority's certificate."""
        path.write_bytes(self.pem)
        return path

    def client_context(self) -> ssl.SSLContext:
        """A TLS client's settings that trust this authority and no other."""
        return ssl.create_default_context(cadata=self.pem.decode())

    def issue(self, hostnames: Sequence[str], ips: Sequence[str] = ()) -> IssuedCertificate:
        """A server certificate for these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in hostnames]
        names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (*hostnames, *ips)[0][:64])])
        builder = (
            self._builder(subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        return IssuedCertificate(
            certificate.public_bytes(serialization.Encoding.PEM) + self.pem,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def _self_signed(self) -> x509.Certificate:
        return (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _builder(self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        # Both key identifiers: Python 3.13 verifies strictly and refuses a chain without them.
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _BACKDATED)
            .not_valid_after(self._now + _LIFE)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
