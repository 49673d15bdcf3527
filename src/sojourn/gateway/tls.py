"""How the gateway shows who it is, what binds a log-in to that, and what a client's certificate says of its holder.

The binding is the hash of the certificate that the peer was shown (tls-server-end-point, RFC 5929 section 4.1), so a
log-in through a man in the middle with another certificate fails even if the secret is right.

A client may show a certificate, if the settings name an authority for them. One that this authority did not sign, or
that it took back (its file may hold a revocation list), ends the handshake.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

ALPN = "postgresql"
"""The protocol's name in TLS (registered with IANA; PostgreSQL manual section 54.2.11)."""

_REVOCATION_LIST = b"-----BEGIN X509 CRL-----"
_WEAK = (hashes.MD5, hashes.SHA1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorTls:
    """TLS of the listener. `binding` is empty for a certificate that RFC 5929 says nothing about."""

    context: ssl.SSLContext
    binding: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """Whom a certificate names: by the one common name of its subject, and by the mail addresses that it is for.

    `digest` is the SHA-256 of the whole certificate (hex).
    """

    digest: str
    name: str = ""
    mails: tuple[str, ...] = ()


def load_door(certificate: Path, key: Path, client_authority: Path | None = None) -> DoorTls:
    """The listener's TLS from a certificate chain and its key (PEM). Raises OSError, ssl.SSLError.

    `client_authority` are the certificates (PEM) of who signs those of clients; a revocation list in it is obeyed.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    # As PostgreSQL does: no client of it goes on with an earlier session, in which its certificate was good.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    context.set_alpn_protocols([ALPN])
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_OPTIONAL
        if _REVOCATION_LIST in client_authority.read_bytes():
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    shown = x509.load_pem_x509_certificate(certificate.read_bytes())
    return DoorTls(context=context, binding=_hash(shown))


def end_point_binding(certificate: bytes) -> bytes:
    """The binding for a peer's certificate (DER); empty where RFC 5929 defines none."""
    return _hash(x509.load_der_x509_certificate(certificate))


def read_certificate(certificate: bytes) -> ClientCertificate:
    """What a certificate (DER) that was found good says of its holder; what cannot be read names nobody."""
    digest = hashlib.sha256(certificate).hexdigest()
    try:
        shown = x509.load_der_x509_certificate(certificate)
        names = [str(one.value) for one in shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        mails = _mails(shown)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return ClientCertificate(digest=digest)
    return ClientCertificate(digest=digest, name=names[0] if len(names) == 1 else "", mails=mails)


def _mails(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(held.get_values_for_type(x509.RFC822Name))


def _hash(certificate: x509.Certificate) -> bytes:
    """With the certificate's own hash function, and SHA-256 in place of weak ones."""
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:
        return b""
    return certificate.fingerprint(hashes.SHA256() if isinstance(algorithm, _WEAK) else algorithm)
