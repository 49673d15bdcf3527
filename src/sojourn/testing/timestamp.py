"""A real time-stamping authority (`openssl ts`), served over HTTP (RFC 3161, section 3.4) on a free port.

OpenSSL reads the question, puts the machine's time under it, and signs; nothing of ours is asked. What can go wrong
with an authority is a `mood` that a test sets.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .serving import Answered, Asked, serving

CONFIGURATION = """\
[tsa]
default_tsa = authority
[authority]
serial = {root}/serial
crypto_device = builtin
signer_cert = {root}/authority.pem
signer_key = {root}/authority.key
certs = {root}/between.pem
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
LIFE = timedelta(days=3650)
SECONDS = 30


class Mood(StrEnum):
    """What the authority does with a question: its work, or one of the things that go wrong."""

    STAMP = "stamp"
    SILENT = "silent"
    BROKEN = "broken"
    REPEAT = "repeat"
    RAMBLE = "ramble"


@dataclass(slots=True)
class TimestampAuthority:
    """An authority over one directory. `url` is where it is asked while it serves."""

    root: Path
    mood: Mood = Mood.STAMP
    answered: list[bytes] = field(default_factory=list)
    url: str = ""
    _busy: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def make(cls, root: Path) -> TimestampAuthority:
        """Make its certificates, with keys of its own."""
        root.mkdir(parents=True, exist_ok=True)
        above, between, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        for file, made in (
            ("root", _certificate("Test root", "Test root", key=above, by=above, ca=True)),
            # Authorities sign with a certificate below another one, and send that along.
            ("between", _certificate("Test authorities", "Test root", key=between, by=above, ca=True)),
            ("authority", _certificate("Test authority", "Test authorities", key=key, by=between, ca=False)),
        ):
            (root / f"{file}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (root / "authority.key").write_bytes(key.private_bytes(*plain))
        (root / "openssl.cnf").write_text(CONFIGURATION.format(root=root))
        (root / "serial").write_text("01\n")
        return cls(root=root)

    @property
    def root_pem(self) -> Path:
        """The certificate that its tokens lead to."""
        return self.root / "root.pem"

    def answer(self, query: bytes) -> bytes:
        """The answer of OpenSSL to a question (TimeStampReq, DER)."""
        (self.root / "query").write_bytes(query)
        command = ["ts", "-reply", "-config", str(self.root / "openssl.cnf"), "-queryfile", str(self.root / "query")]
        subprocess.run(
            [openssl(), *command, "-out", str(self.root / "reply")], check=True, capture_output=True, timeout=SECONDS
        )
        return (self.root / "reply").read_bytes()

    def accepts(self, token: Path, data: Path) -> bool:
        """Whether `openssl ts -verify` takes a token for a file."""
        command = [openssl(), "ts", "-verify", "-in", str(token), "-data", str(data), "-CAfile", str(self.root_pem)]
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        return done.returncode == 0 and b"Verification: OK" in done.stdout

    @contextmanager
    def serving(self) -> Iterator[TimestampAuthority]:
        """Serve while the context lasts."""
        with serving(self._answered) as address:
            self.url = f"{address}/tsa"
            yield self

    def _answered(self, asked: Asked) -> Answered:
        """One question, as RFC 3161 (section 3.4) wants it sent; one at a time."""
        if asked.headers["Content-Type"] != QUERY:
            return Answered(status=415, kind="text/plain")
        with self._busy:
            match self.mood:
                case Mood.SILENT:
                    time.sleep(1.0)
                    return Answered()
                case Mood.BROKEN:
                    return Answered(status=503, kind="text/plain")
                case Mood.RAMBLE:
                    return Answered(kind=REPLY, body=bytes(1 << 20))
                case Mood.REPEAT:
                    return Answered(kind=REPLY, body=self.answered[-1])
                case Mood.STAMP:
                    self.answered.append(self.answer(asked.body))
                    return Answered(kind=REPLY, body=self.answered[-1])


def openssl() -> str:
    """The program; a machine without it fails, and says why."""
    found = shutil.which("openssl")
    assert found is not None, "openssl is not installed: it plays the time-stamping authority"
    return found


def _certificate(
    name: str, issuer: str, *, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not ca:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return made.sign(by, hashes.SHA256())
