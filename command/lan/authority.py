"""This machine's own certificate authority and the certificate it gives the server; keys never leave the data folder."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from command.home import write_private

Address = ipaddress.IPv4Address
# RFC 1918, 3927, 6598 and the loopback: what a local network numbers itself with, and the names that belong to one (RFC 6762, 8375).
NETWORKS = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8"))
)
NAMES = ("local", "lan", "internal", "home.arpa")
AUTHORITY_DAYS, SERVER_DAYS, RENEW_DAYS = 3 * 365, 90, 30
BEFORE = dt.timedelta(hours=1)  # a phone's clock may be behind


@dataclass(frozen=True, slots=True)
class Authority:
    """The folder of the authority: its key and certificate, and those of the server."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """What a phone has to trust, as PEM."""
        return self.folder / "ca.crt"

    @property
    def server_certificate(self) -> Path:
        """What the server shows."""
        return self.folder / "server.crt"

    @property
    def server_key(self) -> Path:
        """The server's key."""
        return self.folder / "server.key"

    def der(self) -> bytes:
        """The certificate as phones take it."""
        return self._read(self.certificate).public_bytes(serialization.Encoding.DER)

    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as phones show it."""
        return self._read(self.certificate).fingerprint(hashes.SHA256()).hex(":").upper()

    def prepare(self, addresses: Sequence[Address], names: Sequence[str]) -> None:
        """Make the authority at the first time, and a server certificate for these addresses and names unless there is a good one."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if not self._good(self.certificate):
            self._make_authority()
        held = x509.SubjectAlternativeName([*map(x509.IPAddress, addresses), *map(x509.DNSName, names)])
        if not self._good(self.server_certificate) or not self._names(held):
            self._make_server(held)

    def _good(self, path: Path) -> bool:
        """Whether the certificate is there, is our authority's and has some time left."""
        with contextlib.suppress(OSError, ValueError):
            found, issuer = self._read(path), self._read(self.certificate)
            found.verify_directly_issued_by(issuer)
            return found.not_valid_after_utc - dt.datetime.now(dt.UTC) > dt.timedelta(days=RENEW_DAYS)
        return False

    def _names(self, wanted: x509.SubjectAlternativeName) -> bool:
        found = self._read(self.server_certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return found.value == wanted

    def _make_authority(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CityCard demo {os.urandom(3).hex()}")])
        allowed = [*map(x509.IPAddress, NETWORKS), *map(x509.DNSName, NAMES)]
        made = (
            _begin(name, name, key.public_key(), AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            # Whoever stole the key could speak for local networks alone, never for a bank (RFC 5280, 4.2.1.10).
            .add_extension(x509.NameConstraints(permitted_subtrees=allowed, excluded_subtrees=[_NO_IPV6]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self._keep("ca.key", key)
        write_private(self.certificate, made.public_bytes(serialization.Encoding.PEM).decode())

    def _make_server(self, held: x509.SubjectAlternativeName) -> None:
        issuer = self._read(self.certificate)
        signer = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CityCard demo server")])
        made = (
            _begin(name, issuer.subject, key.public_key(), SERVER_DAYS)
            .add_extension(held, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
        self._keep("server.key", key)
        write_private(self.server_certificate, made.public_bytes(serialization.Encoding.PEM).decode())

    def _keep(self, name: str, key: ec.EllipticCurvePrivateKey) -> None:
        # PKCS 8: what the web server reads.
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_private(self.folder / name, key.private_bytes(*plain).decode())

    @staticmethod
    def _read(path: Path) -> x509.Certificate:
        return x509.load_pem_x509_certificate(path.read_bytes())


_NO_IPV6 = x509.IPAddress(ipaddress.IPv6Network("::/0"))


def _begin(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
