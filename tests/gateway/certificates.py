"""Certificates for clients, and an authority's list of those that it took back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def issue(
    directory: Path, name: str, *, mails: Sequence[str] = (), life: timedelta = timedelta(days=1), to: str = "client"
) -> x509.Certificate:
    """A certificate for `name` by the authority in `directory`, as `to`.crt and `to`.key there."""
    authority, signing = _authority(directory)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + life)
    )
    if mails:
        held = x509.SubjectAlternativeName([x509.RFC822Name(mail) for mail in mails])
        builder = builder.add_extension(held, critical=False)
    certificate = builder.sign(signing, hashes.SHA256())
    (directory / f"{to}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = directory / f"{to}.key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    private.chmod(0o600)
    return certificate


def take_back(directory: Path, *certificates: x509.Certificate) -> None:
    """Write the authority's revocation list behind its certificate."""
    authority, signing = _authority(directory)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(now - timedelta(minutes=5))
        .next_update(now + timedelta(days=1))
    )
    for one in certificates:
        revoked = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(now).build()
        builder = builder.add_revoked_certificate(revoked)
    with (directory / "authority.crt").open("ab") as file:
        file.write(builder.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _authority(directory: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    authority = x509.load_pem_x509_certificate((directory / "authority.crt").read_bytes())
    signing = serialization.load_pem_private_key((directory / "authority.key").read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    return authority, signing
