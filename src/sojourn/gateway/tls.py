"""How the gateway shows who it is: its certificate, and what binds a log-in to it.

The binding is the hash of the certificate that the peer was shown (tls-server-end-point, RFC 5929 section 4.1), so a
log-in through a man in the middle with another certificate fails even if the secret is right.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

ALPN = "postgresql"
"""The protocol's name in TLS (registered with IANA; PostgreSQL manual section 54.2.11)."""

_WEAK = (hashes.MD5, hashes.SHA1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorTls:
    """TLS of the listener. `binding` is empty for a certificate that RFC 5929 says nothing about."""

    context: ssl.SSLContext
    binding: bytes


def load_door(certificate: Path, key: Path) -> DoorTls:
    """The listener's TLS from a certificate chain and its key (PEM). Raises OSError, ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols([ALPN])
    shown = x509.load_pem_x509_certificate(certificate.read_bytes())
    return DoorTls(context=context, binding=_hash(shown))


def end_point_binding(certificate: bytes) -> bytes:
    """The binding for a peer's certificate (DER); empty where RFC 5929 defines none."""
    return _hash(x509.load_der_x509_certificate(certificate))


def _hash(certificate: x509.Certificate) -> bytes:
    """With the certificate's own hash function, and SHA-256 in place of weak ones."""
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:
        return b""
    return certificate.fingerprint(hashes.SHA256() if isinstance(algorithm, _WEAK) else algorithm)
